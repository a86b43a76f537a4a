"""Who is in which contact group of Xero, as it was last read, and which contacts stand otherwise than their type.

Members are rows of the stream that stands inside the groups, one per group and contact ("group/contact"), because a contact
may be in several. A group counts as known once its members were read. The agreed type of a record is kept beside the
agreed images, under an entity name of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from sync_core.model import Native, Side
from sync_core.rules.entities import CONTACT_GROUPS, GROUP_MEMBERS
from sync_core.rules.types import ContactType, Relationship, TypeMap
from sync_core.store import agreed_images, records
from sync_core.store.cache import Cache
from sync_core.store.rows import RAW

AGREED_TYPE = "contact_types"
Groups = Mapping[ContactType, str]
"""The id in Xero of each type's group, where there is one."""

_PAIRS = (
    "WITH kind AS (SELECT unnest($1::VARCHAR[]) AS native_table, unnest($2::VARCHAR[]) AS code, "
    "unnest($3::VARCHAR[]) AS type), "
    "grp AS (SELECT unnest($4::VARCHAR[]) AS id, unnest($5::VARCHAR[]) AS type), "
    "has AS (SELECT split_part(m.id, '/', 2) AS xero, list(grp.type) AS types FROM raw m JOIN grp ON m.parent_id = grp.id "
    "WHERE m.stream = $6 GROUP BY 1), "
    "before AS (SELECT partner, list(split_part(hash, '/', 1)) AS types FROM agreed WHERE entity = $7 GROUP BY 1), "
    "pair AS (SELECT c.id AS crm, c.partner AS xero, c.native_table, json_extract_string(c.fields, '$.type') AS code, "
    "c.version || '/' || x.version AS versions FROM record c "
    "JOIN record x ON x.entity = 'contacts' AND x.side = 'xero' AND x.id = c.partner "
    "WHERE c.entity = 'contacts' AND c.side = 'crm' AND c.gone = '' AND x.gone = '') "
    "SELECT p.crm, p.xero, p.native_table, p.code, p.versions, coalesce(k.type, 'Contact') AS type, "
    "coalesce(h.types, []) AS present, a.hash AS agreed, coalesce(b.types, []) AS before FROM pair p "
    "LEFT JOIN kind k ON k.native_table = p.native_table AND k.code = p.code "
    "LEFT JOIN has h ON h.xero = p.xero LEFT JOIN before b ON b.partner = p.xero "
    "LEFT JOIN agreed a ON a.entity = $7 AND a.side = 'crm' AND a.id = p.crm "
)
_OTHERWISE = (
    "WHERE a.hash IS DISTINCT FROM coalesce(k.type, 'Contact') || '/' || coalesce(p.code, '') "
    "OR coalesce(h.types, []) <> CASE WHEN k.type IS NULL THEN [] ELSE [k.type] END "
    "OR p.crm IN (SELECT id FROM incoming) ORDER BY p.crm"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One linked contact by its type. ``present``: the type groups it is in; ``agreed``: those it was known to belong in.

    ``before`` is the agreed mark as it was kept, None when there is none; ``mark`` what it becomes.
    """

    crm_id: str
    xero_id: str
    table: str
    code: str | None
    type: ContactType
    present: tuple[str, ...]
    agreed: frozenset[str]
    before: str | None
    versions: str

    @property
    def mark(self) -> str:
        return f"{self.type}/{self.code or ''}"


def standings(cache: Cache, mapped: TypeMap, groups: Groups, touched: Collection[str]) -> list[Standing]:
    """Living linked contacts that stand otherwise than agreed or wanted, and those of ``touched`` (Dynamics ids)."""
    kinds = mapped.grouped()
    asked = "standings", tuple(kinds.items()), tuple(groups.items())
    if not touched and not cache.remembered(asked, lambda: bool(_standings(cache, mapped, groups, ()))):
        return []
    return _standings(cache, mapped, groups, touched)


def _standings(cache: Cache, mapped: TypeMap, groups: Groups, touched: Collection[str]) -> list[Standing]:
    kinds = mapped.grouped()
    table = cache.query_with(
        _PAIRS + _OTHERWISE,
        pa.table({"id": pa.array(list(touched), pa.string())}),
        [t for t, _ in kinds],
        [c for _, c in kinds],
        [str(k) for k in kinds.values()],
        list(groups.values()),
        [str(k) for k in groups],
        GROUP_MEMBERS.name,
        AGREED_TYPE,
    )
    return [_standing(row) for row in table.to_pylist()]


def _standing(row: Mapping[str, Any]) -> Standing:
    own = [str(row["agreed"]).partition("/")[0]] if row["agreed"] else []
    return Standing(
        row["crm"],
        row["xero"],
        row["native_table"],
        row["code"] or None,
        ContactType(row["type"]),
        tuple(row["present"]),
        frozenset([*own, *row["before"]]),
        row["agreed"],
        row["versions"],
    )


def agree_types(cache: Cache, some: Sequence[Standing], run: str) -> None:
    """Keep the type of each record as brought over."""
    same = {"entity": AGREED_TYPE, "side": "crm", "fields": "{}", "run": run}
    agreed_images.keep(cache, [{**same, "id": s.crm_id, "partner": s.xero_id, "hash": s.mark} for s in some])


def codes_in_use(cache: Cache) -> dict[tuple[str, str], int]:
    """How many Dynamics records hold each (table, relationship type); blank ones are left out."""
    table = cache.query(
        "SELECT native_table, json_extract_string(fields, '$.type') AS kind_code, count(*) AS n FROM record "
        "WHERE entity = 'contacts' AND side = 'crm' AND gone = '' AND json_extract_string(fields, '$.type') <> '' GROUP BY 1, 2"
    )
    return {(r["native_table"], r["kind_code"]): r["n"] for r in table.to_pylist()}


def relationship(cache: Cache, mapped: TypeMap, crm_id: str) -> Relationship | None:
    """A contact's type, and what Xero shows of its twin; None when the cache does not hold it."""
    row = records.records(cache, "contacts", Side.CRM, [crm_id]).get(crm_id)
    if row is None:
        return None
    code = orjson.loads(row["fields"]).get("type")
    kind = mapped.of(row["native_table"], code)
    twin = records.records(cache, "contacts", Side.XERO, [row["partner"]]).get(row["partner"]) if row["partner"] else None
    if twin is None:
        return Relationship(code, kind)
    shown = orjson.loads(twin["fields"])
    groups = tuple(str(k) for k, group in known_groups(cache).items() if twin["id"] in members(cache, group))
    return Relationship(code, kind, shown.get("is_customer"), shown.get("is_supplier"), groups)


def known_groups(cache: Cache) -> dict[ContactType, str]:
    """The type groups whose members were read."""
    table = cache.query("SELECT id, body FROM raw WHERE stream = ?", CONTACT_GROUPS.name)
    return {ContactType(orjson.loads(r["body"])["Name"]): r["id"] for r in table.to_pylist()}


def keep_group(cache: Cache, kind: ContactType, native: Native, run: str) -> None:
    """A group with all its members, as Xero just answered it by its id."""
    group = str(native[CONTACT_GROUPS.key])
    own = _row(CONTACT_GROUPS.name, group, None, orjson.dumps({"Name": str(kind)}).decode(), run)
    contacts = dict.fromkeys(str(c[GROUP_MEMBERS.key]) for c in native.get("Contacts") or ())
    rows = [own, *(_member(group, i, run) for i in contacts)]
    forget_group(cache, group)
    with cache.transaction() as transaction:
        _insert(transaction, rows)


def forget_group(cache: Cache, group: str) -> None:
    """Its members are not known any more."""
    with cache.transaction() as transaction:
        transaction.run("DELETE FROM raw WHERE stream = ? AND parent_id = ?", GROUP_MEMBERS.name, group)
        transaction.run("DELETE FROM raw WHERE stream = ? AND id = ?", CONTACT_GROUPS.name, group)


def members(cache: Cache, group: str) -> list[str]:
    """The Xero ids of the contacts in a group whose members were read."""
    table = cache.query(
        "SELECT split_part(id, '/', 2) AS contact FROM raw WHERE stream = ? AND parent_id = ?", GROUP_MEMBERS.name, group
    )
    found: list[str] = table.column("contact").to_pylist()
    return found


def add_members(cache: Cache, group: str, contacts: Sequence[str], run: str) -> None:
    """Contacts that were put into a group."""
    with cache.transaction() as transaction:
        _insert(transaction, [_member(group, i, run) for i in contacts])


def remove_member(cache: Cache, group: str, contact: str) -> None:
    """A contact that was taken out of a group."""
    with cache.transaction() as transaction:
        transaction.run("DELETE FROM raw WHERE stream = ? AND id = ?", GROUP_MEMBERS.name, f"{group}/{contact}")


def contradicted(cache: Cache, groups: Groups, run: str) -> set[ContactType]:
    """Groups of which a contact that this run pulled shows another membership than is known."""
    table = cache.query(
        "WITH grp AS (SELECT unnest($1::VARCHAR[]) AS id, unnest($2::VARCHAR[]) AS type) "
        "SELECT DISTINCT grp.type FROM raw r CROSS JOIN grp "
        "LEFT JOIN raw m ON m.stream = $3 AND m.id = grp.id || '/' || r.id "
        "WHERE r.stream = 'xero.Contacts' AND r.run = $4 AND NOT r.gone AND (m.id IS NOT NULL) <> "
        "list_contains(json_extract_string(r.body, '$.ContactGroups[*].ContactGroupID'), grp.id)",
        list(groups.values()),
        [str(k) for k in groups],
        GROUP_MEMBERS.name,
        run,
    )
    return {ContactType(t) for t in table.column("type").to_pylist()}


def _member(group: str, contact: str, run: str) -> dict[str, Any]:
    return _row(GROUP_MEMBERS.name, f"{group}/{contact}", group, "{}", run)


def _row(stream: str, row_id: str, parent: str | None, body: str, run: str) -> dict[str, Any]:
    return {"stream": stream, "id": row_id, "parent_id": parent, "version": "", "body": body, "gone": False, "run": run}


def _insert(transaction: Any, rows: list[dict[str, Any]]) -> None:
    transaction.with_rows(
        "INSERT INTO raw (stream, id, parent_id, version, body, gone, run) "
        "SELECT stream, id, parent_id, version, body, gone, run FROM incoming i "
        "WHERE NOT EXISTS (SELECT 1 FROM raw r WHERE r.stream = i.stream AND r.id = i.id)",
        pa.Table.from_pylist(rows, RAW),
    )
