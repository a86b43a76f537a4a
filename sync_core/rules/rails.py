"""Rails: reasons to stop a run before any write. A person may override one, once, for exactly the plan that was looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sync_core.rules.entities import entity as declared
from sync_core.rules.plan import Plan

FEW_GONE, MAY_GO = 5, 10
FEW_CHANGED, MAY_CHANGE = 20, 30
"""Numbers below which a rail never holds, and the share (in percent) of the linked records above which it does."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rail that holds: its name, and what a person reads."""

    rail: str
    message: str


def refusals(plan: Plan) -> tuple[Refusal, ...]:
    """The rails that stop ``plan``. Only pairs that had agreed before count: a first sync changes nothing of theirs."""
    return (*_of_ground(plan), *(refusal for entity in plan.linked for refusal in _of_entity(plan, entity)))


def _of_ground(plan: Plan) -> list[Refusal]:
    """What concerns the whole company: another system than before, lists without rows, other rules."""
    found = []
    if plan.strangers and sum(plan.linked.values()):
        found.append(
            Refusal("another system", f"{' and '.join(plan.strangers)}: not the one that was synced with these records before.")
        )
    if plan.emptied:
        lists = ", ".join(name.partition(".")[2] for name in plan.emptied)
        found.append(Refusal("empty list", f"These lists came back empty although many of their records are known: {lists}."))
    changed = plan.tally.overwrites.total()
    if plan.rules_changed and changed:
        found.append(
            Refusal(
                "other rules", f"The field map or its settings changed since the last sync; {changed} records would change."
            )
        )
    return found


def _of_entity(plan: Plan, entity: str) -> list[Refusal]:
    linked, gone = plan.linked[entity], plan.gone.get(entity, 0)
    changed = plan.tally.overwrites[entity]
    label = declared(entity).label.lower()
    found = []
    if linked > FEW_GONE and gone >= linked:
        found.append(Refusal("all gone", f"All {linked} linked {label} are gone from one system at once."))
    elif gone > max(FEW_GONE, linked * MAY_GO // 100):
        found.append(Refusal("many gone", f"{gone} of {linked} linked {label} are gone at once; {MAY_GO} % is the limit."))
    if changed > max(FEW_CHANGED, linked * MAY_CHANGE // 100):
        text = f"{changed} of {linked} linked {label} would change at once; {MAY_CHANGE} % is the limit."
        found.append(Refusal("many changes", text))
    return found
