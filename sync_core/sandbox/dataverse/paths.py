"""Resource paths and the keys in them: ``accounts(guid)/primarycontactid``, ``accounts(tie_xeroid='a',n=2)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.options import split_outside
from sync_core.sandbox.dataverse.schema import Key, Table
from sync_core.sandbox.dataverse.table_rows import key_values
from sync_core.sandbox.dataverse.values import GUID, read_value

SERVICE = re.compile(r"^(?:https?://[^/]+)?/?(?:api/data/v9\.[0-2]/)?", re.IGNORECASE)
INDEX_SECONDS = 30
DANGEROUS = re.compile(r"[/<>*%&:\\?+]")


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a path: a name and what stands in its brackets, None without brackets."""

    name: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A row's address: its id, or the values of an alternate key."""

    row_id: str | None
    values: dict[str, Any] | None = None
    key: Key | None = None


def read_path(path: str) -> list[Segment]:
    """The segments of a decoded path below the service root."""
    return [_segment(part) for part in split_outside(path.strip("/"), "/") if part]


def _segment(text: str) -> Segment:
    name, bracket, rest = text.partition("(")
    if not bracket:
        return Segment(name)
    if not rest.endswith(")"):
        raise errors.bad_query(f"Bad Request - Error in query syntax: '{text}'.")
    return Segment(name, rest[:-1])


def key_pairs(text: str) -> dict[str, Any]:
    """``a='x',b=2`` as values by name."""
    pairs = {}
    for part in split_outside(text, ","):
        name, mark, value = part.strip().partition("=")
        if not mark:
            raise errors.bad_query(f"Bad Request - Error in query syntax: '{text}'.")
        pairs[name.strip()] = key_literal(value.strip())
    return pairs


def check_key(text: str) -> None:
    """Refuse what the web server in front refuses in a path: such values work as alternate keys in bodies only.

    Raises:
        DataverseError: a character of ``/ < > * % & : \\ ? +`` stands in the key.
    """
    found = DANGEROUS.search(text)
    if found:
        message = f"A potentially dangerous Request.Path value was detected from the client ({found.group()})."
        raise errors.DataverseError(400, "0x0", message)


def key_literal(text: str) -> Any:
    """A quoted string, a number, or a bare word such as a GUID or a date."""
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return Decimal(text) if re.fullmatch(r"-?\d+\.\d+", text) else text


def read_address(env: Environment, table: Table, text: str) -> Address:
    """The address in brackets.

    Raises:
        DataverseError: neither a GUID nor the columns of an alternate key that is ready.
    """
    bare = text.strip().strip("'")
    if GUID.fullmatch(bare):
        return Address(bare.lower())
    pairs = key_pairs(text)
    if set(pairs) == {table.primary_id}:
        return Address(str(pairs[table.primary_id]).lower())
    named = {name[1:-6] if name.startswith("_") and name.endswith("_value") else name: v for name, v in pairs.items()}
    for key in table.keys.values():
        if set(key.columns) == set(named) and key_status(env, table, key) == "Active":
            return Address(None, {name: _typed(table, name, value) for name, value in named.items()}, key)
    message = f"The specified key attributes are not a defined key for the {table.logical} entity"
    raise errors.DataverseError(400, "0x80060893", message)


def _typed(table: Table, name: str, value: Any) -> Any:
    column = table.columns[name]
    return str(value).lower() if column.is_lookup else read_value(table, column, value)


def locate(env: Environment, table: Table, address: Address) -> str | None:
    """The id of the row at an address; None when there is none."""
    rows = env.store.rows(table.logical)
    if address.row_id is not None:
        return address.row_id if rows.get(address.row_id) is not None else None
    if address.key is None or address.values is None:
        return None
    values = key_values(address.key, address.values)
    return None if values is None else rows.by_key(address.key, values)


def require(env: Environment, table: Table, address: Address) -> str:
    """Like ``locate``, but a missing row is an error 404."""
    found = locate(env, table, address)
    if found is None:
        raise errors.row_missing(table.logical, address.row_id) if address.row_id else errors.keyed_row_missing(table.logical)
    return found


def read_reference(env: Environment, text: str) -> tuple[Table, str]:
    """The table and row that ``/accounts(..)`` or a full URL points at; the row must exist."""
    segments = read_path(unquote(SERVICE.sub("", text)))
    if len(segments) != 1 or segments[0].key is None:
        raise errors.bad_payload(f"Resource not found for the segment '{text}'.")
    table = env.catalog.by_set(segments[0].name)
    return table, require(env, table, read_address(env, table, segments[0].key))


def key_status(env: Environment, table: Table, key: Key) -> str:
    """Failed, Pending or Active: the index is ready once somebody has seen it pending, or after a while."""
    row = env.catalog.rows("keys").get(f"{table.logical}/{key.schema.lower()}") or {}
    if row.get("failed"):
        return "Failed"
    ready = row.get("seen") or env.kernel.clock.now() - row["created"] >= timedelta(seconds=INDEX_SECONDS)
    return "Active" if ready else "Pending"
