"""What a caller may have written beside a value: its text for people, and what a lookup points at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.options import Preferences
from sync_core.sandbox.dataverse.schema import Column
from sync_core.sandbox.dataverse.values import formatted
from sync_core.sandbox.kernel import Row

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
LOOKUP_NAV = "Microsoft.Dynamics.CRM.associatednavigationproperty"
Annotator = Callable[[Row, dict[str, Any], Any], None]
"""Writes into a JSON object what belongs beside the value of a row."""


def annotator(env: Environment, column: Column, key: str, preferences: Preferences) -> Annotator | None:
    """The annotations that are wanted of a column under the name ``key``; None when there are none."""
    if column.is_lookup:
        return _lookup_annotator(env, column, key, preferences)
    shown = bool(column.options) or column.type not in ("String", "Memo", "Uniqueidentifier")
    if not shown or not preferences.annotates(FORMATTED):
        return None
    name = f"{key}@{FORMATTED}"
    symbols = (lambda _row: env.currency({})) if column.base_of else env.currency

    def annotate(row: Row, body: dict[str, Any], value: Any) -> None:
        body[name] = formatted(column, value, symbols(row) if column.type == "Money" else ("", 0))

    return annotate


def _lookup_annotator(env: Environment, column: Column, key: str, preferences: Preferences) -> Annotator | None:
    wanted = [name for name in (LOOKUP_NAV, LOOKUP_TABLE, FORMATTED) if preferences.annotates(name)]
    if not wanted:
        return None

    if len(column.targets) == 1:
        return _to_one_table(env, column, key, wanted)

    def annotate(row: Row, body: dict[str, Any], value: Any) -> None:
        target = env.target_of(column, row)
        nav = column.navs[column.targets.index(target)] if column.navs else column.logical
        texts = {LOOKUP_NAV: nav, LOOKUP_TABLE: target, FORMATTED: env.name_of(target, value)}
        body.update({f"{key}@{name}": texts[name] for name in wanted if texts[name] is not None})

    return annotate


def _to_one_table(env: Environment, column: Column, key: str, wanted: list[str]) -> Annotator:
    """A lookup into one table: what is the same for every row is worked out once."""
    target = column.targets[0]
    same = {LOOKUP_NAV: column.navs[0] if column.navs else column.logical, LOOKUP_TABLE: target}
    fixed = {f"{key}@{name}": same[name] for name in wanted if name in same}
    if FORMATTED not in wanted:
        return lambda _row, body, _value: body.update(fixed)
    shown, rows, name = f"{key}@{FORMATTED}", env.store.rows(target), env.catalog.tables[target].primary_name

    def annotate(_row: Row, body: dict[str, Any], value: Any) -> None:
        body.update(fixed)
        other = rows.get(value)
        text = None if other is None else other.get(name)
        if text is not None:
            body[shown] = text

    return annotate
