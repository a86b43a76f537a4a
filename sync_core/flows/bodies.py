"""Native bodies of planned writes: references turned into the other side's ids, lines into line items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from sync_core.errors import Rejected
from sync_core.model import Lookup, Native, Record, Side, Value
from sync_core.rules import remarks
from sync_core.rules.books import Books
from sync_core.rules.compare import Translate
from sync_core.rules.declaration import Entity, Field, Kind
from sync_core.rules.lines import line_items
from sync_core.rules.mapping import Context, lines_of, write
from sync_core.rules.paths import complete, pick, put

NAMESPACE = UUID("5f0c6a0e-7d0e-5a8e-9b57-3f1d1f1f7b11")


def twin_id(organisation: str, entity: str, xero_id: str) -> str:
    """The id that a Xero record gets in Dynamics: always the same, so that no crash and no second runner can make it twice."""
    return str(uuid5(NAMESPACE, f"{organisation}/{entity}/{xero_id}"))


@dataclass(frozen=True, slots=True)
class Standing:
    """The lines of a document in Xero now, as fields and as rows, and those that Dynamics held when both agreed."""

    lines: tuple[Mapping[str, Value], ...] = ()
    agreed: tuple[Mapping[str, Value], ...] = ()
    rows: Sequence[Native] = ()


@dataclass(frozen=True, slots=True)
class BodyMaker:
    """Makes bodies for one entity. ``tables``: which table of a side a record stands in, "" when it stands in none."""

    entity: Entity
    context: Context
    books: Books
    translate: Translate
    tables: Callable[[Side, str, str], str]

    def create(self, source: Record, target: Side, table: str) -> Native:
        """The body of the twin of ``source`` on ``target``. Raises Rejected when a reference cannot be made."""
        wanted = {
            spec.name: value
            for spec in self.entity.fields
            if target in spec.to | spec.makes and (value := _given(source, spec)) is not None
        }
        body = self._body(target, table, wanted, source.fields, Standing())
        for side, path, value in self.entity.constants:
            if side is target and pick(body, path) is None:
                put(body, path, value)
        return body

    def update(self, target: Record, changes: Mapping[str, Value], row: Native, agreed: Mapping[str, Value]) -> Native:
        """The body that brings ``changes`` (values of the other side) to ``target``.

        ``row``: how Xero spells the target, {} for Dynamics; ``agreed``: the other side's agreed image.
        """
        whole = {**target.fields, **changes}
        stands = Standing(lines_of(target.fields), lines_of(agreed), row.get("LineItems") or ())
        body = self._body(target.side, target.table, changes, whole, stands)
        for spec in self.entity.fields:
            if target.side is Side.XERO and spec.xero is not None:
                complete(body, spec.xero.path_in(target.table), row)
        return body

    def _body(
        self,
        side: Side,
        table: str,
        changes: Mapping[str, Value],
        whole: Mapping[str, Value],
        stands: Standing,
    ) -> Native:
        plain: dict[str, Value] = {}
        body: Native = {}
        for name, value in changes.items():
            spec = self.entity.field(name)
            if spec.kind is Kind.LINES and isinstance(value, tuple):
                if side is Side.CRM:
                    continue
                body["LineItems"] = line_items(value, self.books, stands.lines, stands.agreed, stands.rows)
            elif spec.kind is Kind.REF:
                plain[name] = self._reference(spec, side, value)
            else:
                plain[name] = value
        return {**write(self.entity, side, table, plain, whole, self.context), **body}

    def _reference(self, spec: Field, side: Side, value: Value) -> Value:
        if not isinstance(value, str):
            return None
        partner = self.translate(side.other, spec.entity, value)
        at = spec.at(side)
        if partner is None:
            why = f"{spec.label} is not linked yet."
        elif side is not Side.CRM and (at is None or not at.tables):
            return partner
        elif table := self.tables(side, spec.entity, partner):
            return Lookup(table, partner)
        else:
            why = remarks.unlisted(spec.label, side)
        if not spec.blocks and side not in spec.makes:
            return None
        raise Rejected(why, field=spec.name, code="parent")


def _given(source: Record, spec: Field) -> Value:
    """What a new record is made with: the source's own value, else that of the field's fallback."""
    value = source.fields.get(spec.name)
    return source.fields.get(spec.fallback) if value is None and spec.fallback else value
