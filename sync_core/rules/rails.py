"""Rails: reasons to stop a run before any write. A person may override one, once, for exactly the plan that was looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sync_core.rules.plan import Act, Plan

SMALL = 5
MAY_GO = 10
MAY_CHANGE = 30


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rail that holds: its name, and what a person reads."""

    rail: str
    message: str


def refusals(plan: Plan, *, first_run: bool) -> tuple[Refusal, ...]:
    """The rails that stop ``plan``. ``first_run``: nothing was agreed yet, so nothing can have changed too much."""
    if first_run:
        return ()
    return tuple(r for entity in plan.linked for r in _of_entity(plan, entity))


def _of_entity(plan: Plan, entity: str) -> list[Refusal]:
    linked, gone = plan.linked[entity], plan.gone.get(entity, 0)
    updates = sum(1 for d in plan.decisions if d.entity == entity and d.act is Act.UPDATE)
    found = []
    if linked > SMALL and gone >= linked:
        found.append(Refusal("all gone", f"All {linked} linked {entity.replace('_', ' ')} are gone from one system at once."))
    elif gone > max(SMALL, linked * MAY_GO // 100):
        found.append(
            Refusal(
                "many gone", f"{gone} of {linked} linked {entity.replace('_', ' ')} are gone at once; {MAY_GO} % is the limit."
            )
        )
    if updates > max(SMALL, linked * MAY_CHANGE // 100):
        text = f"{updates} of {linked} linked {entity.replace('_', ' ')} would change at once; {MAY_CHANGE} % is the limit."
        found.append(Refusal("many changes", text))
    return found
