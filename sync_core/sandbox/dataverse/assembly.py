"""Puts tables together: declared columns, those that every table has, and those that money brings along."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sync_core.sandbox.dataverse.schema import Column, Option, Relationship, Table, parse_column, split_words
from sync_core.sandbox.dataverse.standard import Standard
from sync_core.sandbox.kernel import Ids

SYSTEM = """CreatedOn datetime ro
ModifiedOn datetime ro
CreatedBy lookup to=systemuser ro
ModifiedBy lookup to=systemuser ro
OverriddenCreatedOn localdate create
ImportSequenceNumber int create"""
OWNED = """OwningUser lookup to=systemuser ro
OwningBusinessUnit lookup to=businessunit ro"""
VERSION = Column("VersionNumber", "BigInt", "Version Number", creatable=False, updatable=False)
OWNER = Column("OwnerId", "Owner", "Owner", "SystemRequired", targets=("systemuser",), navs=("ownerid",))
FILE_NAME = parse_column("FileName string length=512 ro")
EXCHANGE_RATE = parse_column("ExchangeRate decimal precision=10 ro")
CURRENCY = parse_column("TransactionCurrencyId lookup to=transactioncurrency")


def add_columns(table: Table, columns: list[Column], ids: Ids) -> None:
    """Put ``columns`` into ``table`` with what Dataverse adds by itself: ``_base`` twins, currency and rate."""
    for column in columns:
        table.columns[column.logical] = column
        if column.type == "File":
            name = replace(FILE_NAME, schema=f"{column.schema}_Name", label=f"{column.label} name", custom=True)
            table.columns[name.logical] = identified(ids, table.logical, name)
    for column in [c for c in columns if c.type == "Money" and c.base_of is None]:
        base = replace(
            column,
            schema=f"{column.schema}_Base",
            label=f"{column.label} (Base)",
            base_of=column.logical,
            creatable=False,
            updatable=False,
            required="None",
            default=None,
            metadata_id=ids.stable_id("dataverse", "metadata", "attribute", table.logical, f"{column.logical}_base"),
        )
        table.columns[base.logical] = base
        for companion in (CURRENCY, EXCHANGE_RATE):
            table.columns.setdefault(companion.logical, identified(ids, table.logical, companion))


def standard_table(ids: Ids, standard: Standard) -> Table:
    """A declared table, with all its columns; made once for each seed, as environments are built over and over in tests."""
    made = _template(ids, standard)
    return replace(made, columns=dict(made.columns), keys={}, one_to_many={})


@lru_cache(maxsize=128)
def _template(ids: Ids, standard: Standard) -> Table:
    label = split_words(standard.schema)
    table = Table(
        schema=standard.schema,
        set_name=standard.set_name,
        label=label,
        plural_label=f"{label}s",
        primary_id=standard.primary_id,
        primary_name=standard.primary_name,
        ownership=standard.ownership,
        trackable=standard.trackable,
        tracking=False,
        metadata_id=ids.stable_id("dataverse", "metadata", "entity", standard.schema.lower()),
        type_code=standard.type_code,
    )
    add_common(table, ids, standard.states)
    parsed = [parse_column(line) for line in standard.columns.strip().splitlines()]
    add_columns(table, [identified(ids, table.logical, column) for column in parsed], ids)
    return table


def add_common(table: Table, ids: Ids, states: str) -> None:
    """The columns that every table has: id, version, stamps, owner, states."""
    key = Column(f"{table.schema}Id", "Uniqueidentifier", table.label, "SystemRequired", updatable=False)
    common = [key, VERSION, *(parse_column(line) for line in SYSTEM.splitlines())]
    if table.ownership == "UserOwned":
        common += [OWNER, *(parse_column(line) for line in OWNED.splitlines())]
    if states:
        common += _state_columns(states)
    for column in common:
        table.columns[column.logical] = identified(ids, table.logical, column)


def _state_columns(states: str) -> list[Column]:
    state_options: list[Option] = []
    reasons: list[Option] = []
    for part in states.split("|"):
        head, _, tail = part.partition("=")
        value, _, label = head.partition(":")
        state_options.append(Option(int(value), label))
        for reason in tail.split(","):
            code, _, text = reason.partition(":")
            reasons.append(Option(int(code), text, int(value)))
    state = Column("StateCode", "State", "Status", options=tuple(state_options), default=state_options[0].value)
    status = Column("StatusCode", "Status", "Status Reason", options=tuple(reasons), default=reasons[0].value)
    return [state, status]


def standard_relationship(ids: Ids, tables: dict[str, Table], names: tuple[str, ...]) -> Relationship:
    """A declared relationship; its lookup column exists already."""
    schema, referenced, referencing, column, collection, on_delete = names
    lookup = tables[referencing].columns[column]
    nav = lookup.navs[lookup.targets.index(referenced)]
    metadata_id = ids.stable_id("dataverse", "metadata", "relationship", schema)
    return Relationship(schema, referenced, referencing, column, nav, collection, on_delete, metadata_id=metadata_id)


def identified(ids: Ids, table: str, column: Column) -> Column:
    return replace(column, metadata_id=ids.stable_id("dataverse", "metadata", "attribute", table, column.logical))
