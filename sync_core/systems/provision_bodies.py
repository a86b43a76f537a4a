"""How Dataverse's metadata API wants a table, a column, a lookup or a key described. Pure: data in, JSON-ready dicts out.

Source of the shapes: Microsoft's pages on creating table, column, relationship and key definitions with the Web API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sync_core.systems.own_tables import (
    NAME_COLUMN,
    NAME_LENGTH,
    OPTION_PREFIX,
    PREFIX,
    PUBLISHER,
    SOLUTION,
    Column,
    Lookup,
    Table,
    Type,
    option_value,
    relationship_name,
)

Body = dict[str, Any]
UNFINISHED = "0.9.0.0"
"""The solution's version until everything is there and published: it tells the next run where the last one stopped."""

_TYPES = "Microsoft.Dynamics.CRM."
_ENGLISH = 1033
_LARGEST = Decimal(100000000000)
_NOTHING_FOLLOWS = {
    "Assign": "NoCascade",
    "Delete": "RemoveLink",
    "Merge": "NoCascade",
    "Reparent": "NoCascade",
    "Share": "NoCascade",
    "Unshare": "NoCascade",
}


def label(text: str) -> Body:
    localised = {"@odata.type": f"{_TYPES}LocalizedLabel", "Label": text, "LanguageCode": _ENGLISH}
    return {"@odata.type": f"{_TYPES}Label", "LocalizedLabels": [localised]}


def publisher_body() -> Body:
    return {
        "uniquename": PUBLISHER,
        "friendlyname": SOLUTION,
        "customizationprefix": PREFIX,
        "customizationoptionvalueprefix": OPTION_PREFIX,
    }


def solution_body(publisher_id: str) -> Body:
    return {
        "uniquename": SOLUTION,
        "friendlyname": SOLUTION,
        "version": UNFINISHED,
        "publisherid@odata.bind": f"/publishers({publisher_id})",
    }


def table_body(table: Table) -> Body:
    """The table with its name column only; the other columns follow one by one, so that a crash leaves whole columns."""
    name = column_body(Column(NAME_COLUMN, "Name", Type.TEXT, NAME_LENGTH)) | {"IsPrimaryName": True}
    return {
        "@odata.type": f"{_TYPES}EntityMetadata",
        "SchemaName": table.name,
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "ChangeTrackingEnabled": True,
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(table.plural),
        "Description": label(table.about),
        "Attributes": [name],
    }


def column_body(column: Column) -> Body:
    kind, more = _KINDS[column.type]
    return {
        "@odata.type": f"{_TYPES}{kind}AttributeMetadata",
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "SchemaName": column.name,
        "DisplayName": label(column.label),
        "RequiredLevel": _optional(),
        **more(column),
    }


def lookup_body(table: str, lookup: Lookup) -> Body:
    """A lookup comes with its one-to-many relationship. Deleting the row pointed at only empties the lookup."""
    return {
        "@odata.type": f"{_TYPES}OneToManyRelationshipMetadata",
        "SchemaName": relationship_name(table, lookup),
        "ReferencedEntity": lookup.to,
        "ReferencedAttribute": f"{lookup.to}id",
        "ReferencingEntity": table,
        "CascadeConfiguration": _NOTHING_FOLLOWS,
        "AssociatedMenuConfiguration": {"Behavior": "UseCollectionName", "Group": "Details", "Order": 10000},
        "Lookup": {
            "@odata.type": f"{_TYPES}LookupAttributeMetadata",
            "AttributeType": "Lookup",
            "AttributeTypeName": {"Value": "LookupType"},
            "SchemaName": lookup.name,
            "DisplayName": label(lookup.label),
            "RequiredLevel": _optional(),
        },
    }


def key_body(table: Table) -> Body:
    return {
        "@odata.type": f"{_TYPES}EntityKeyMetadata",
        "SchemaName": table.key_name,
        "DisplayName": label("Record key" if table.key != f"{PREFIX}_xeroid" else "Xero id"),
        "KeyAttributes": [table.key],
    }


def publish_body(tables: Iterable[str]) -> Body:
    names = "".join(f"<entity>{name}</entity>" for name in tables)
    return {"ParameterXml": f"<importexportxml><entities>{names}</entities></importexportxml>"}


def _optional() -> Body:
    return {
        "Value": "None",
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
    }


def _text(column: Column) -> Body:
    return {"MaxLength": column.size, "FormatName": {"Value": "Text"}}


def _memo(column: Column) -> Body:
    return {"MaxLength": column.size, "Format": "TextArea"}


def _money(_column: Column) -> Body:
    return {"PrecisionSource": 2}  # as many places as the row's currency has


def _decimal(column: Column) -> Body:
    return {"Precision": column.size, "MinValue": -_LARGEST, "MaxValue": _LARGEST}


def _whole(_column: Column) -> Body:
    return {"MinValue": -(2**31), "MaxValue": 2**31 - 1, "Format": "None"}


def _when(form: str, behaviour: str) -> Callable[[Column], Body]:
    return lambda _column: {"Format": form, "DateTimeBehavior": {"Value": behaviour}}


def _choice(column: Column) -> Body:
    options = [{"Value": option_value(at), "Label": label(text)} for at, text in enumerate(column.choices)]
    option_set = {
        "@odata.type": f"{_TYPES}OptionSetMetadata",
        "IsGlobal": False,
        "OptionSetType": "Picklist",
        "Options": options,
    }
    return {"OptionSet": option_set, "SourceTypeMask": 0}


_KINDS: dict[Type, tuple[str, Callable[[Column], Body]]] = {
    Type.TEXT: ("String", _text),
    Type.MEMO: ("Memo", _memo),
    Type.MONEY: ("Money", _money),
    Type.DECIMAL: ("Decimal", _decimal),
    Type.WHOLE: ("Integer", _whole),
    Type.DATE: ("DateTime", _when("DateOnly", "DateOnly")),
    Type.INSTANT: ("DateTime", _when("DateAndTime", "UserLocal")),
    Type.CHOICE: ("Picklist", _choice),
}


def attribute_type(column: Column) -> str:
    """What Dataverse calls the type of ``column`` when it is read back."""
    return _KINDS[column.type][0]
