"""Reads the JSON body of a create or update: columns, ``@odata.bind`` references and nested new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.paths import read_reference
from sync_core.sandbox.dataverse.schema import Column, Relationship, Table
from sync_core.sandbox.dataverse.values import read_guid, read_value

BIND = "@odata.bind"
Body = Mapping[str, Any]


@dataclass(slots=True)
class Draft:
    """What a body asks for: values by logical name, and rows to create below or above this one."""

    values: dict[str, Any] = field(default_factory=dict)
    children: list[tuple[Relationship, list[Body]]] = field(default_factory=list)
    parents: list[tuple[Column, str, Body]] = field(default_factory=list)

    def point(self, column: Column, target: str | None, row_id: str | None) -> None:
        """Set a lookup, with the table it points at when there are several."""
        self.values[column.logical] = row_id
        if len(column.targets) > 1:
            self.values[f"{column.logical}type"] = target


def read_body(env: Environment, table: Table, body: Any, *, creating: bool) -> Draft:
    """Read a body for ``table``; columns that the platform alone sets are passed over in silence.

    Raises:
        DataverseError: an unknown property, a bad value, or a reference to nothing.
    """
    if not isinstance(body, Mapping):
        raise errors.bad_payload("A JSON object is expected as the request body.")
    draft = Draft()
    for name, value in body.items():
        if name.endswith(BIND):
            _read_bind(env, table, draft, name, value)
        elif "@" not in name:
            _read_property(table, draft, name, value, creating=creating)
    return draft


def _read_bind(env: Environment, table: Table, draft: Draft, name: str, value: Any) -> None:
    found = table.by_nav(name[: -len(BIND)])
    if found is None:
        raise errors.undeclared_bind(name)
    column, expected = found
    if value is None:
        draft.point(column, None, None)
        return
    if not isinstance(value, str):
        raise errors.bad_payload(f"The value of '{name}' must be a reference to a single entity.")
    target, row_id = read_reference(env, value)
    if target.logical != expected:
        message = f"Entity type '{target.logical}' is not allowed for navigation property '{name[: -len(BIND)]}'."
        raise errors.bad_payload(message)
    if column.creatable or column.updatable:
        draft.point(column, expected, row_id)


def _read_property(table: Table, draft: Draft, name: str, value: Any, *, creating: bool) -> None:
    if name == table.primary_id:
        draft.values[name] = read_guid(value)
        return
    relation = table.one_to_many.get(name)
    if relation is not None and creating and isinstance(value, list):
        draft.children.append((relation, value))
        return
    column = table.columns.get(name)
    if column is None or column.is_lookup:
        _read_navigation(table, draft, name, value)
    elif column.creatable if creating else column.updatable:
        draft.values[name] = read_value(table, column, value)


def _read_navigation(table: Table, draft: Draft, name: str, value: Any) -> None:
    """``primarycontactid: null`` clears a lookup; an object there is a new parent row."""
    found = table.by_nav(name)
    column = found[0] if found else table.columns.get(name)
    if column is None:
        looks_up = name.startswith("_") and table.by_property(name) is not None
        raise _use_navigation(name) if looks_up else errors.unknown_property(table.logical, name)
    if value is None:
        draft.point(column, None, None)
    elif found is not None and isinstance(value, Mapping):
        draft.parents.append((column, found[1], value))
    else:
        raise _use_navigation(name)


def _use_navigation(name: str) -> errors.DataverseError:
    return errors.bad_payload(
        f"CRM do not support direct update of Entity Reference properties, Use Navigation properties instead: {name}."
    )
