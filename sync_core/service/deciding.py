"""What people decide: conflicts, relationship types, refused plans. Every act is audited."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sync_core.errors import Configure, Rejected
from sync_core.flows.choices import apart_key, keep_key, kept_text
from sync_core.flows.decide import reading
from sync_core.flows.groups import SWITCH, read_type_map, types_off
from sync_core.model import Side
from sync_core.rules.compare import Kept, print_of
from sync_core.rules.entities import entity
from sync_core.rules.people import Role
from sync_core.rules.types import ContactType, Relationship, TypeMapping, checked, type_key, type_lines
from sync_core.service.desk import Desk, known
from sync_core.service.permission import needs
from sync_core.store import memberships


class Deciding(Desk):
    """Writes to the state only; the next run carries it out."""

    def may_stay(self, name: str) -> dict[str, frozenset[Side]]:
        """By field, the sides whose value can be kept in a conflict: those from which it is written to the other side."""
        known(name)
        return {
            field.name: frozenset(side for side in Side if side.other in field.to and not field.once)
            for field in entity(name).fields
        }

    @needs(Role.OPERATOR)
    def resolve(self, name: str, crm_id: str, keep: Mapping[str, Side], *, who: str) -> None:
        """A person decides a conflict: per field, the side whose value stays. The next run of that record carries it out.

        The decision is over the other side's value as it stands now; one that is typed there afterwards is a conflict again.
        Raises Rejected naming a field that cannot be written to the other side.
        """
        known(name)
        state, now, may_stay = self._workspace.state, self._workspace.clock.now(), self.may_stay(name)
        for field, side in keep.items():
            if side not in may_stay[field]:
                label = entity(name).field(field).label
                raise Rejected(f"{label} cannot be written to {side.other.label}. Change it there by hand.", field=field)
        decided = self._over(name, crm_id, keep)
        with state.together():
            state.set_mapping(keep_key(name, crm_id), kept_text(decided), who, now)
            state.append_audit(who, "resolve", f"{name}:{crm_id}", None, {f: str(s) for f, s in keep.items()}, now)

    def _over(self, name: str, crm_id: str, keep: Mapping[str, Side]) -> dict[str, Kept]:
        """Each decision with the value that it gives up."""
        link = self._workspace.state.links(name, Side.CRM, [crm_id]).get(crm_id)
        ids = {Side.CRM: crm_id, Side.XERO: link.xero_id if link else ""}
        read = reading(self._workspace.cache)
        stands = {side: read(entity(name), side, [row_id]).get(row_id) for side, row_id in ids.items()}
        values = {side: record.fields if record is not None else {} for side, record in stands.items()}
        return {field: Kept(side, print_of(values[side.other].get(field))) for field, side in keep.items()}

    @needs(Role.OPERATOR)
    def keep_apart(self, name: str, crm_id: str, xero_id: str, *, who: str) -> None:
        """A person says that two records are not the same: they are not matched by themselves. Raises Rejected when linked."""
        known(name)
        state, now = self._workspace.state, self._workspace.clock.now()
        linked = state.links(name, Side.CRM, [crm_id]).get(crm_id)
        if linked is not None and linked.xero_id == xero_id:
            raise Rejected("These two records are linked. Take the link apart instead.")
        with state.together():
            state.set_mapping(apart_key(name, crm_id, xero_id), "yes", who, now)
            state.append_audit(who, "keep apart", f"{name}:{crm_id}", None, {"xero": xero_id}, now)

    @needs(Role.OPERATOR)
    def let_match(self, name: str, crm_id: str, xero_id: str, *, who: str) -> None:
        """Take back that two records are kept apart: they may be matched again. Raises Rejected when they were not."""
        known(name)
        state, now = self._workspace.state, self._workspace.clock.now()
        with state.together():
            if not state.remove_mapping(apart_key(name, crm_id, xero_id)):
                raise Rejected("These two records are not kept apart. Reload the page.")
            state.append_audit(who, "let match", f"{name}:{crm_id}", {"xero": xero_id}, None, now)

    def type_mapping(self) -> TypeMapping:
        """What each relationship type of Dynamics is in Xero, and how many records hold it."""
        mapped, in_use = read_type_map(self._workspace), memberships.codes_in_use(self._workspace.cache)
        return TypeMapping(not types_off(self._workspace), type_lines(mapped, in_use))

    @needs(Role.ADMIN)
    def set_type_mapping(self, table: str, code: str, kind: str | None, *, who: str) -> None:
        """What a relationship type is in Xero from the next run on; None goes back to the default. Raises Rejected."""
        state, now, key = self._workspace.state, self._workspace.clock.now(), type_key(table, code)
        chosen = checked(table, code, kind or ContactType.CONTACT)
        with state.together():
            before = state.mapping(key)
            if kind is None:
                state.remove_mapping(key)
            else:
                state.set_mapping(key, str(chosen), who, now)
            state.append_audit(who, "type mapping", f"{table}:{code}", {"type": before}, {"type": kind}, now)

    @needs(Role.ADMIN)
    def switch_types(self, *, on: bool, who: str) -> None:
        """Whether relationship types are brought to Xero at all. Off, memberships stay as they are."""
        state, now = self._workspace.state, self._workspace.clock.now()
        with state.together():
            before = not types_off(self._workspace)
            state.set_mapping(SWITCH, "on" if on else "off", who, now)
            state.append_audit(who, "switch types", SWITCH, {"on": before}, {"on": on}, now)

    def relationship(self, crm_id: str) -> Relationship | None:
        """A contact's type beside Xero's own flags; None when Tieout has not met it yet."""
        return memberships.relationship(self._workspace.cache, read_type_map(self._workspace), crm_id)

    @needs(Role.ADMIN)
    def allow_plan(self, plan_hash: str, *, who: str) -> None:
        """Allow exactly this refused plan, once (a person looked at it). Raises Configure when no such plan is kept."""
        state, now = self._workspace.state, self._workspace.clock.now()
        kept = state.plan(plan_hash)
        if kept is None:
            raise Configure(f"There is no refused plan {plan_hash}. Copy the plan from the message of the refused run.")
        for rail in json.loads(kept)["rails"]:
            state.grant_override(plan_hash, rail, who, now)
        state.append_audit(who, "allow plan", plan_hash, None, json.loads(kept), now)
