"""From what the cache holds to decisions: changed pairs compared, unlinked records matched, the rest judged by rules.

Reads the cache and calls the rules; writes nothing. A chunk of records is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from sync_core.flows.around import ARRIVES_WITHIN, Read, Surveyor, alike_pairs, half_done, under_way
from sync_core.flows.choices import read_choices
from sync_core.flows.partners import ABSENT, Key, Partners
from sync_core.flows.workspace import Workspace
from sync_core.model import Record, Side, Status, Value
from sync_core.rules import remarks
from sync_core.rules.books import Hindrance
from sync_core.rules.compare import Verdict, compare, resolved
from sync_core.rules.declaration import Entity, Kind, switched
from sync_core.rules.eligibility import codes_of, hindrance, locked_document
from sync_core.rules.holding import not_to_crm, state_last
from sync_core.rules.lines import untaxed
from sync_core.rules.mapping import loads
from sync_core.rules.plan import Act, Decision, lone_decision, pair_decision
from sync_core.rules.reading import ended_in_xero
from sync_core.store import open_work, records
from sync_core.store.cache import Cache

CHUNK = 2000
DELETED = "deleted"
ONE_SIDE_DELETED = f"{DELETED} one side"
"""The reason with which a pair is put down whose one record was deleted."""
Row = Mapping[str, Any]


def record_from(entity: Entity, side: Side, row_id: str, row: Mapping[str, Any]) -> Record:
    """A cached row as a record."""
    modified = row["modified"].replace(tzinfo=UTC) if row["modified"] else None
    return Record(
        side, entity.name, row_id, row["native_table"], row["version"], loads(entity, row["fields"]), row["gone"], modified
    )


def reading(cache: Cache) -> Read:
    """Cached records as others ask for them."""

    def read(entity: Entity, side: Side, ids: Sequence[str]) -> dict[str, Record]:
        found = records.records(cache, entity.name, side, ids) if ids else {}
        return {i: record_from(entity, side, i, row) for i, row in found.items()}

    return read


class Decider:
    """Decides one entity after the other. ``ahead``: for a plan, records that are about to be made count as made.

    ``unreadable``: records whose rows cannot be understood now; nothing is decided on what they once held.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        ahead: bool,
        only: Mapping[str, frozenset[str]] | None = None,
        unreadable: frozenset[Key] = frozenset(),
    ) -> None:
        self._cache = workspace.cache
        self._books = workspace.surroundings.books
        self._state = workspace.state
        self._choices = read_choices(workspace.surroundings.chosen)
        self._ahead = ahead
        self._only = only
        self._unreadable = unreadable
        self._coming: set[Key] = set()
        self.partners = Partners(workspace.cache)
        self._holders: dict[str, list[str]] = {}
        self._on, self._off = workspace.surroundings.switches, workspace.surroundings.switched_off
        self._under_way = under_way(workspace)
        self._records = reading(workspace.cache)
        self._surveyor = Surveyor(workspace.cache, self._records, self.partners.of)
        self._half_done: Mapping[str, str] = {}

    def decide(self, entity: Entity, leaving: frozenset[tuple[str, str]] = frozenset()) -> Iterator[Decision]:
        """Every record of ``entity`` that needs a word, in parent order of nothing but itself; not the pairs ``leaving``."""
        entity = switched(entity, self._on)
        if not self._ahead:
            self.partners.forget()
        # All that is to be looked at is listed first: what this run writes meanwhile must not be decided on as well.
        self._half_done = half_done(self._cache, self._records, entity, self._on, self._title)
        changed = open_work.changed_pairs(self._cache, entity.name)
        changed += self._also(entity, changed)
        changed = [pair for pair in changed if pair not in leaving] if leaving else changed
        lonely = {side: open_work.unlinked(self._cache, entity.name, side) for side in Side}
        matches, ambiguous = self._matches(entity) if all(lonely.values()) else ({}, {})
        alone = {side: [i for i in ids if self._is_open(entity, side, i)] for side, ids in lonely.items()}
        yield from self._pairs(entity, self._wanted(entity, changed), "")
        for name, pairs in matches.items():
            yield from self._pairs(entity, self._wanted(entity, pairs), name)
        for side, ids in alone.items():
            for chunk in records.chunks(ids, CHUNK):
                yield from self._alone(entity, side, chunk, ambiguous)

    def _also(self, entity: Entity, changed: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Pairs that did not move and still need a word: what stood otherwise than well and holds just what both last agreed
        on, since somebody took the change back; and what is half done.
        """
        ids = {*self._state.unsettled_records(entity.name, Side.CRM), *self._half_done}
        if not ids:
            return []
        linked = records.partners(self._cache, entity.name, Side.CRM, ids)
        return sorted(set(linked.items()) - set(changed))

    def _title(self, entity: str, crm_id: str) -> str:
        return self.partners.named(entity, Side.CRM, crm_id)[0]

    def _wanted(self, entity: Entity, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        ids = None if self._only is None else self._only.get(entity.name, frozenset())
        readable = [p for p in pairs if not {(entity.name, Side.CRM, p[0]), (entity.name, Side.XERO, p[1])} & self._unreadable]
        return readable if ids is None else [p for p in readable if p[0] in ids or p[1] in ids]

    def _is_open(self, entity: Entity, side: Side, row_id: str) -> bool:
        if self.partners.told(entity.name, side, row_id) is not None or (entity.name, side, row_id) in self._unreadable:
            return False
        return self._only is None or row_id in self._only.get(entity.name, frozenset())

    def _matches(self, entity: Entity) -> tuple[dict[str, list[tuple[str, str]]], dict[Key, str]]:
        """Matches of unlinked records, by what they were matched by; what fits several stays apart with the reason."""
        found: dict[str, list[tuple[str, str]]] = {}
        unclear: dict[Key, str] = {}
        for field, name in entity.match:
            for crm, xero, in_xero, in_crm in records.exact_matches(self._cache, entity.name, field):
                if not self._may_match(entity, crm, xero):
                    continue
                keys = (entity.name, Side.CRM, crm), (entity.name, Side.XERO, xero)
                if in_xero == 1 and in_crm == 1 and not any(k in unclear for k in keys):
                    found.setdefault(name, []).append((crm, xero))
                    self.partners.tell(entity.name, crm, xero)
                elif in_xero > 1:
                    unclear[keys[0]] = remarks.ambiguous(entity, Side.XERO, in_xero, name)
                else:
                    unclear[keys[1]] = remarks.ambiguous(entity, Side.CRM, in_crm, name)
                    unclear[keys[0]] = remarks.ambiguous(entity, Side.CRM, in_crm, name)
        for crm, xero in alike_pairs(self._cache, self._records, entity, self.partners.of):
            keys = (entity.name, Side.CRM, crm), (entity.name, Side.XERO, xero)
            if self._may_match(entity, crm, xero) and not any(k in unclear for k in keys):
                found.setdefault("what both say", []).append((crm, xero))
                self.partners.tell(entity.name, crm, xero)
        return found, unclear

    def _may_match(self, entity: Entity, crm: str, xero: str) -> bool:
        """Whether neither is matched by now, and nobody parted them."""
        matched = any(self.partners.told(entity.name, side, i) is not None for side, i in ((Side.CRM, crm), (Side.XERO, xero)))
        return not matched and (entity.name, crm, xero) not in self._choices.apart

    def _pairs(self, entity: Entity, pairs: Sequence[tuple[str, str]], matched_by: str) -> Iterator[Decision]:
        for chunk in records.chunks(pairs, CHUNK):
            crm = self._read(entity, Side.CRM, [c for c, _ in chunk])
            xero = self._read(entity, Side.XERO, [x for _, x in chunk])
            self.partners.meet(entity, Side.CRM, (record for record, _ in crm.values()))
            self._holders = self._tag_holders(entity, [record for record, _ in crm.values()])
            for pair in chunk:
                if pair[0] in crm and pair[1] in xero:
                    left, right = crm[pair[0]], xero[pair[1]]
                    seen = {Side.CRM: left[1]["hash"], Side.XERO: right[1]["hash"]}
                    yield replace(self._pair(entity, left, right, matched_by), seen=seen)

    def _read(self, entity: Entity, side: Side, ids: Sequence[str]) -> dict[str, tuple[Record, Row]]:
        found = records.with_images(self._cache, entity.name, side, ids)
        return {i: (record_from(entity, side, i, row), row) for i, row in found.items()}

    def _pair(self, entity: Entity, left: tuple[Record, Row], right: tuple[Record, Row], matched_by: str) -> Decision:
        (crm, crm_row), (xero, xero_row) = left, right
        linked = crm_row["agreed_partner"] == xero.id and xero_row["agreed_partner"] == crm.id
        images = [loads(entity, r["agreed"]) if linked and r["agreed"] else None for r in (crm_row, xero_row)]
        verdict = compare(entity, crm, xero, images[0], images[1], self.partners.of)
        ends = self._one_side_gone(entity, crm, xero, verdict, matched_by)
        if ends is not None:
            return ends
        verdict = resolved(entity, verdict, self._choices.keep.get((entity.name, crm.id), {}))
        return self._judged(entity, crm, xero, verdict, matched_by)

    def _one_side_gone(self, entity: Entity, crm: Record, xero: Record, verdict: Verdict, matched_by: str) -> Decision | None:
        copied = all(s.own for s in entity.crm)
        if crm.gone and (xero.gone or (copied and ended_in_xero(xero))):
            # What was changed before they ended is not called agreed: it is still to be brought over if they come back.
            changed = (*verdict.to_crm, *verdict.to_xero, *(c.field for c in verdict.clashes))
            more = {"matched_by": matched_by, "open_fields": tuple(sorted(changed))}
            return pair_decision(entity, Act.ADOPT, crm, xero, Status.SUCCESS, remarks.gone_both(entity), **more)
        if not (crm.gone or xero.gone) or (copied and not crm.gone):
            return None
        if copied and crm.gone == DELETED:
            return self._again(entity, crm, xero)
        ended = crm if crm.gone else xero
        missing = {Side.CRM: Status.MISSING_IN_CRM, Side.XERO: Status.MISSING_IN_XERO}
        status = missing[ended.side] if ended.gone == DELETED else Status.NEEDS_REVIEW
        text = remarks.gone_one_side(entity, ended)
        return pair_decision(entity, Act.PARK, crm, xero, status, text, reason=f"{ended.gone} one side", matched_by=matched_by)

    def _again(self, entity: Entity, crm: Record, xero: Record) -> Decision:
        """A copy that somebody deleted in Dynamics: Xero owns it and still has it, so the same row is made again."""
        held = self._parents(entity, xero)
        if held is not None:
            return pair_decision(entity, Act.PARK, crm, xero, held.status, held.remark, reason=held.rule)
        self._coming.add((entity.name, Side.XERO, xero.id))
        return pair_decision(entity, Act.CREATE, crm, xero, Status.SUCCESS, remarks.made_again(entity), target=Side.CRM)

    def _judged(self, entity: Entity, crm: Record, xero: Record, verdict: Verdict, matched_by: str) -> Decision:
        changes = {side: dict(verdict.changes(side)) for side in Side if verdict.changes(side)}
        wanted = {n for some in changes.values() for n in some}
        held = self._hold_back(entity, crm, xero, changes)
        kept = {n for some in changes.values() for n in some}
        # A link that a paid invoice cannot note stands in its Xero details: nothing is left to be done about it.
        dropped = {n for n in wanted - kept if not (entity.field(n).once or entity.field(n).hidden)}
        open_fields = tuple(sorted(dropped | {c.field for c in verdict.clashes}))
        if verdict.clashes:
            waits = held.remark if held is not None else ""
            status, remark, reason = Status.CONFLICT, remarks.clashing(entity, verdict.clashes, waits), "conflict"
        elif held is not None:
            status, remark, reason = held.status, held.remark, held.rule
        else:
            status, reason = Status.SUCCESS, ""
            remark = remarks.updated(entity, changes) if changes else remarks.in_step(entity, matched_by)
            if crm.id in self._half_done:
                # The same words in every run: what was also brought over would be gone in the next run's, a change again.
                status, reason, remark = Status.BLOCKED, "not allocated", self._half_done[crm.id]
        act = Act.UPDATE if changes else Act.PARK if verdict.clashes or held else Act.ADOPT
        more = {"reason": reason, "changes": changes, "clashes": verdict.clashes, "open_fields": open_fields}
        return pair_decision(entity, act, crm, xero, status, remark, matched_by=matched_by, **more)

    def _hold_back(self, entity: Entity, crm: Record, xero: Record, changes: dict[Side, dict[str, Value]]) -> Hindrance | None:
        """Take out of ``changes`` what the target cannot take now; say why, None when it is only a matter of order."""
        held = None
        if Side.XERO in changes:
            self._leave_tags(entity, xero, changes)
        if Side.XERO in changes:
            held = self._not_to_xero(entity, crm, xero, changes[Side.XERO])
            remark = remarks.held_back(entity, changes.pop(Side.XERO), held.remark) if held else ""
            held = replace(held, remark=remark) if held and remark else None
        if Side.CRM in changes:
            unlisted = self._leave_unlisted(entity, changes[Side.CRM])
            held = not_to_crm(entity, crm, changes[Side.CRM]) or unlisted or held
            state_last(entity, changes[Side.CRM])
            if not changes[Side.CRM]:
                del changes[Side.CRM]
        return held

    def _not_to_xero(self, entity: Entity, crm: Record, xero: Record, to_xero: Mapping[str, Value]) -> Hindrance | None:
        """Why Xero cannot take a change of what stands there: the document is closed, or a rule about it does not hold."""
        why = locked_document(crm, xero, self._books) if entity.read_only[0] else None
        if why is not None:
            return Hindrance("locked", Status.SKIPPED, why)
        return hindrance(entity, crm, self._books, to_xero)

    def _leave_unlisted(self, entity: Entity, to_crm: dict[str, Value]) -> Hindrance | None:
        """A reference stays as it is while the record that it would name does not stand in Dynamics; one that cannot be left
        out is what the record waits for.
        """
        held = None
        for name, value in list(to_crm.items()):
            spec = entity.field(name)
            if spec.kind is not Kind.REF or not isinstance(value, str):
                continue
            partner = self.partners.of(Side.XERO, spec.entity, value)
            ended = self.partners.named(spec.entity, Side.CRM, partner)[1] if partner is not None else ""
            again = self._ahead and (spec.entity, Side.XERO, value) in self._coming
            if ended not in (DELETED, ABSENT) or again:
                continue
            del to_crm[name]
            if spec.blocks:
                title, _ = self.partners.named(spec.entity, Side.XERO, value)
                held = Hindrance(spec.entity, Status.BLOCKED, remarks.parent_gone(spec.label, title, ended, Side.CRM))
        return held

    def _leave_tags(self, entity: Entity, xero: Record, changes: dict[Side, dict[str, Value]]) -> None:
        """A tag that another Xero record holds already (one that was merged into this) cannot be given a second time."""
        name = entity.tag
        value = changes[Side.XERO].get(name)
        if isinstance(value, str) and any(holder != xero.id for holder in self._holders.get(value, ())):
            del changes[Side.XERO][name]
            if not changes[Side.XERO]:
                del changes[Side.XERO]

    def _tag_holders(self, entity: Entity, some: Sequence[Record]) -> dict[str, list[str]]:
        """The Xero records that hold one of these Dynamics records' tags, alive or not, by the tag."""
        name = entity.tag
        if not name or not entity.field(name).once:
            return {}
        values = {v for r in some if isinstance(v := r.fields.get(name), str)}
        return records.with_values(self._cache, entity.name, Side.XERO, name, values, alive=False)

    def _alone(self, entity: Entity, side: Side, ids: Sequence[str], ambiguous: Mapping[Key, str]) -> Iterator[Decision]:
        found = self._records(entity, side, ids)
        some = list(found.values())
        self.partners.meet(entity, side, some, names=True)
        if side is Side.CRM and side.other in entity.create_in:
            self._surveyor.look(entity, some)
        for row_id in ids:
            if row_id in found:
                yield self._single(entity, found[row_id], ambiguous.get((entity.name, side, row_id), ""))

    def _single(self, entity: Entity, record: Record, unclear: str) -> Decision:
        target = record.side.other
        if unclear:
            return lone_decision(entity, record, Status.NEEDS_REVIEW, unclear, "ambiguous")
        parked = self._left_to_people(entity, record) or self._kept_back(entity, record)
        if parked is not None:
            return parked
        if target not in entity.create_in:
            missing = Status.MISSING_IN_CRM if record.side is Side.XERO else Status.MISSING_IN_XERO
            return lone_decision(entity, record, missing, remarks.only_in(entity, record.side), "one side only")
        ended = record.gone or ended_in_xero(record)
        # What ended otherwise in Dynamics is a matter of the entity's rules, which say what to do about it.
        if ended and (record.side is Side.XERO or ended == DELETED):
            return lone_decision(entity, record, Status.EXCLUDED, remarks.gone_first(record.side, ended), "gone")
        held = self._hindrance(entity, record) or self._parents(entity, record)
        if held is not None:
            return lone_decision(entity, record, held.status, held.remark, held.rule)
        self._coming.add((entity.name, record.side, record.id))
        if target is Side.XERO:
            self._surveyor.give_away(entity, record)
        text = remarks.created(entity, target, record.fields.get(entity.title)) + self._untaxed(record, target)
        text += remarks.shortened(entity, record.fields, target)
        made = lone_decision(entity, record, Status.SUCCESS, text, "", act=Act.CREATE, target=target)
        return replace(made, table=self._surveyor.table_inside(entity, record) if target is Side.XERO else "")

    def _left_to_people(self, entity: Entity, record: Record) -> Decision | None:
        """A new record of Dynamics that is not sent by itself (R19); naming it in a sync is what sends it."""
        named = self._only is not None and record.id in self._only.get(entity.name, ())
        if record.side is not Side.CRM or record.gone or named or entity.on_create not in self._off:
            return None
        return lone_decision(entity, record, Status.NEVER_SYNCED, remarks.left_to_people(entity), f"{entity.on_create} is off")

    def _kept_back(self, entity: Entity, record: Record) -> Decision | None:
        """A record that a person made in Dynamics, of a kind that goes to Xero only under a setting, or inside another one."""
        switch = entity.switch
        if record.side is not Side.CRM or switch is None or record.gone:
            return None
        sent = self._under_way.get((entity.name, record.side, record.id))
        if sent is not None:
            text = remarks.on_its_way(entity, sent, sent + ARRIVES_WITHIN)
            return lone_decision(entity, record, Status.SYNCING, text, "answer lost")
        if record.fields.get("xero_id"):
            return None
        if switch.setting not in self._on:
            text = remarks.switched_off(entity, switch.label, switch.setting)
            return lone_decision(entity, record, Status.SKIPPED, text, f"{switch.setting} is off")
        return self._goes_inside(entity, record) if entity.carried else None

    def _goes_inside(self, entity: Entity, record: Record) -> Decision | None:
        spec, value = entity.field(entity.carried), record.fields.get(entity.carried)
        if not isinstance(value, str):
            return None
        name, singular = self.partners.named(spec.entity, Side.CRM, value)[0], spec.label.lower()
        if self.partners.of(Side.CRM, spec.entity, value) is not None:
            return lone_decision(entity, record, Status.SKIPPED, remarks.added_late(entity, singular, name), "added late")
        return lone_decision(entity, record, Status.QUEUED, remarks.goes_with(singular, name), "")

    def _untaxed(self, record: Record, target: Side) -> str:
        lines = record.fields.get("lines")
        if target is not Side.XERO or not isinstance(lines, tuple):
            return ""
        found = [n for n, line in enumerate(lines, 1) if untaxed(line, codes_of(line, self._books)[1], self._books)]
        return remarks.untaxed(found, xero_computes=self._books.xero_computes_tax) if found else ""

    def _hindrance(self, entity: Entity, record: Record) -> Hindrance | None:
        if record.side is not Side.CRM:
            return None
        return hindrance(entity, record, self._books, around=self._surveyor.around(entity, record))

    def _parents(self, entity: Entity, record: Record) -> Hindrance | None:
        """The first reference whose record is not on the other side yet, or ended there."""
        for spec in entity.fields:
            value = record.fields.get(spec.name)
            holds = spec.blocks or record.side.other in spec.makes
            if spec.kind is not Kind.REF or not isinstance(value, str) or not holds:
                continue
            key = (spec.entity, record.side, value)
            partner = self.partners.of(record.side, spec.entity, value)
            if partner is None and not (self._ahead and key in self._coming):
                name, _ = self.partners.named(spec.entity, record.side, value)
                return Hindrance(
                    spec.entity, Status.BLOCKED, remarks.waits_for(entity, spec.label, name, record.side.other.label)
                )
            if partner is not None:
                name, ended = self.partners.named(spec.entity, record.side.other, partner)
                if ended == ABSENT:
                    name, _ = self.partners.named(spec.entity, record.side, value)
                again = self._ahead and key in self._coming
                if ended and (record.side is Side.CRM or (ended in (DELETED, ABSENT) and not again)):
                    return Hindrance(
                        spec.entity, Status.BLOCKED, remarks.parent_gone(spec.label, name, ended, record.side.other)
                    )
        return None
