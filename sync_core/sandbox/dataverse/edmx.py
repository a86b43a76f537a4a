"""``$metadata``: the service's own description in CSDL, as far as tables, columns and relations go."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from sync_core.sandbox.dataverse.catalog import Catalog
from sync_core.sandbox.dataverse.schema import Column, Table
from sync_core.sandbox.dataverse.values import EDM

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">
"""
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>\n"


def edm_type(column: Column) -> str:
    """The primitive type of a column's property."""
    if column.is_lookup:
        return "Edm.Guid"
    return "Edm.Date" if column.date_only else f"Edm.{EDM[column.type]}"


def write_edmx(catalog: Catalog) -> str:
    """The whole document."""
    body = [line for table in catalog.tables.values() for line in _table(catalog, table)]
    sets = [line for table in catalog.tables.values() for line in _entity_set(catalog, table)]
    container = ['<EntityContainer Name="System">', *sets, "</EntityContainer>"]
    return HEAD + "\n".join([*body, *container]) + TAIL


def _table(catalog: Catalog, table: Table) -> Iterator[str]:
    yield f"<EntityType Name={quoteattr(table.logical)}><Key><PropertyRef Name={quoteattr(table.primary_id)}/></Key>"
    for column in table.columns.values():
        yield f"<Property Name={quoteattr(column.property_name)} Type={quoteattr(edm_type(column))}/>"
    for column in table.columns.values():
        for nav, target in zip(column.navs, column.targets, strict=True):
            yield (
                f'<NavigationProperty Name={quoteattr(nav)} Type="mscrm.{target}">'
                f"<ReferentialConstraint Property={quoteattr(column.property_name)} "
                f"ReferencedProperty={quoteattr(catalog.tables[target].primary_id)}/></NavigationProperty>"
            )
    for name, relation in table.one_to_many.items():
        yield (
            f'<NavigationProperty Name={quoteattr(name)} Type="Collection(mscrm.{relation.referencing})" '
            f"Partner={quoteattr(relation.nav)}/>"
        )
    yield "</EntityType>"


def _entity_set(catalog: Catalog, table: Table) -> Iterator[str]:
    yield f'<EntitySet Name={quoteattr(table.set_name)} EntityType="mscrm.{table.logical}">'
    for column in table.columns.values():
        for nav, target in zip(column.navs, column.targets, strict=True):
            other = catalog.tables[target].set_name
            yield f"<NavigationPropertyBinding Path={quoteattr(nav)} Target={quoteattr(other)}/>"
    yield "</EntitySet>"
