"""Outcomes as sentences that a bookkeeper understands: what was done or what failed, which field, what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from sync_core.model import Record, Side, Value
from sync_core.rules.compare import Clash
from sync_core.rules.declaration import Entity, Kind

LONGEST = 4000


def spoken(value: Value) -> str:
    """A canonical value as people write it."""
    if value is None or value == ():
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if value == value.quantize(Decimal("0.01")) else f"{value:,f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"{len(value)} line{'s' if len(value) != 1 else ''}"
    return f"“{value}”"


def in_step(entity: Entity, matched_by: str) -> str:
    if matched_by:
        return f"Linked to the {entity.singular} in the other system by {matched_by}. Both sides agree."
    return "Both sides agree."


def created(entity: Entity, target: Side, number: Value) -> str:
    named = f" as {number}" if number else ""
    return f"Created in {target.label}{named} from the {entity.singular} in {target.other.label}."


def made_again(entity: Entity) -> str:
    return (
        f"This {entity.singular} was deleted in Dynamics and was made again there, because it still stands in Xero. "
        "To be rid of it, delete it in Xero."
    )


def untaxed(positions: Sequence[int], *, xero_computes: bool) -> str:
    """What is added to the remark when Dynamics holds no tax where the tax rate asks for some."""
    lines = f"Line{'s' if len(positions) > 1 else ''} {', '.join(map(str, positions))}"
    how = (
        "Xero computes it from the tax rate, so the totals differ" if xero_computes else "sent without tax; check the tax rate"
    )
    return f" {lines}: no tax in Dynamics, {how}."


def totals_apart(entity: Entity, crm: Decimal, xero: Decimal) -> str:
    """What is added to the remark when both systems, each by its own arithmetic, came to other totals of one document."""
    return (
        f" Read back after writing, the totals differ: Dynamics {spoken(crm)}, Xero {spoken(xero)}. "
        f"Compare the lines and tax of this {entity.singular}."
    )


def shortened(entity: Entity, values: Mapping[str, Value], target: Side) -> str:
    """What is added to the remark when texts are longer than the other system can hold; "" when all fit."""
    parts = [
        f" {spec.label} is longer than the {at.limit} characters that {target.label} holds, and is cut there."
        for name, value in values.items()
        if (spec := entity.field(name)).kind is not Kind.REF and target in spec.to and not spec.hidden
        if (at := spec.at(target)) is not None and at.limit and isinstance(value, str) and len(value) > at.limit
    ]
    return "".join(parts)


def updated(entity: Entity, changes: Mapping[Side, Mapping[str, Value]]) -> str:
    parts = []
    for side in Side:
        shown = {entity.field(n).label: v for n, v in changes.get(side, {}).items() if not entity.field(n).hidden}
        brought = [label for label, value in shown.items() if value is not False]
        ended = [label for label, value in shown.items() if value is False]
        if brought:
            parts.append(f"{', '.join(brought)} brought to {side.label}")
        if ended:
            parts.append(f"no longer {', '.join(label[:1].lower() + label[1:] for label in ended)} in {side.label}")
        if changes.get(side) and not shown:
            parts.append(f"link noted in {side.label}")
    sentence = "; ".join(parts)
    cuts = "".join(shortened(entity, some, side) for side, some in changes.items())
    return f"{sentence[:1].upper()}{sentence[1:]}.{cuts}"


def held_back(entity: Entity, changes: Mapping[str, Value], why: str) -> str:
    """Why a change of the Xero document waits; "" when all that waits would have been written in passing."""
    labels = [entity.field(n).label for n in changes if not (entity.field(n).hidden or entity.field(n).once)]
    return f"{', '.join(labels)} changed in Dynamics and waits. {why}" if labels else ""


def clashing(entity: Entity, clashes: Sequence[Clash], waits: str = "") -> str:
    """Both values of each field, and what a person can do. ``waits``: what else changed, and why it is not written now."""
    parts = [_clash(entity, clash) for clash in clashes]
    if all(Side.XERO in spec.makes - spec.to for spec in (entity.field(clash.field) for clash in clashes)):
        choice = (
            f"Xero takes no change of a {entity.singular}. Set it back in Dynamics, or void or delete it in Xero and enter a "
            "new one."
        )
    else:
        choice = "Choose the value to keep."
    return cut(f"Both sides differ and nothing was overwritten. {' '.join(parts)} {choice} {waits}".rstrip())


def _clash(entity: Entity, clash: Clash) -> str:
    spec = entity.field(clash.field)
    if spec.kind is Kind.LINES:
        return f"{spec.label} differ{_lines_apart(clash.crm, clash.xero)}"
    if spec.kind is Kind.REF:
        return f"{spec.label} is another one in Xero than in Dynamics."
    base = f", last agreed {spoken(clash.base)}" if clash.base is not None else ""
    return f"{spec.label}: Dynamics {spoken(clash.crm)}, Xero {spoken(clash.xero)}{base}."


def _lines_apart(crm: Value, xero: Value) -> str:
    here, there = _sum(crm), _sum(xero)
    if here != there:
        return f": Dynamics {here}, Xero {there} before tax."
    taxes = _total(crm, "tax"), _total(xero, "tax")
    if taxes[0] != taxes[1]:
        return f" in tax: Dynamics {spoken(taxes[0])}, Xero {spoken(taxes[1])}, both on {here} before tax."
    return f" in quantity, product or words, or in how the amount is shared out: {here} before tax on both sides."


def _sum(lines: Value) -> str:
    rows = lines if isinstance(lines, tuple) else ()
    return f"{len(rows)} line{'s' if len(rows) != 1 else ''} of {spoken(_total(lines, 'net'))}"


def _total(lines: Value, name: str) -> Decimal:
    return sum((line.get(name) or Decimal(0) for line in lines), Decimal(0)) if isinstance(lines, tuple) else Decimal(0)


def ambiguous(entity: Entity, where: Side, count: int, field: str) -> str:
    return (
        f"{count} {entity.label.lower()} in {where.label} could be this one by {field}. Nothing was linked. "
        "Link the right one by hand, or make them distinct."
    )


def waits_for(entity: Entity, label: str, name: str, why: str) -> str:
    return f"{label} {name} is not in {why} yet. This {entity.singular} follows by itself once it is."


def parent_gone(label: str, name: str, means: str, where: Side) -> str:
    if means == "merged":
        return f"{label} {name} is merged into another one in {where.label}. Choose that one; then this goes by itself."
    return f"{label} {name} is {means} in {where.label}. Restore it there, or choose another one; then this goes by itself."


def unlisted(label: str, where: Side) -> str:
    return f"{label} is no longer listed in {where.label}. Restore it there, or choose another one; then this goes by itself."


def only_in(entity: Entity, side: Side) -> str:
    made = f"Tieout does not make {entity.label.lower()} in {side.other.label} by itself."
    return f"Only {side.label} has this {entity.singular}. {made} Enter it there if it belongs there."


def gone_first(side: Side, means: str) -> str:
    if means == "merged":
        return f"It was merged into another one in {side.label}, which stands for it now."
    return f"It was {means} in {side.label} before it came to {side.other.label}, so it is not copied."


def gone_one_side(entity: Entity, record: Record) -> str:
    return (
        f"This {entity.singular} is {record.gone} in {record.side.label} but still stands in {record.side.other.label}. "
        "Nothing was changed; decide which of the two is right and correct the other."
    )


def gone_both(entity: Entity) -> str:
    return f"This {entity.singular} no longer counts on either side."


def read_only(entity: Entity, labels: Sequence[str]) -> str:
    return (
        f"{', '.join(labels)} changed in Xero, but the {entity.singular} is read-only in Dynamics, being paid or canceled. "
        "Reactivate it in Dynamics to take the change."
    )


def switched_off(entity: Entity, label: str, setting: str) -> str:
    return (
        f"This {entity.singular} was entered in Dynamics and is not sent: the setting “{label}” ({setting}) is off. "
        "Switch it on, or enter it in Xero."
    )


def left_to_people(entity: Entity) -> str:
    return (
        f"Not sent: the {entity.label.lower()} of Dynamics wait for a person under Mapping. Select this one and sync it, "
        "and it is made in Xero."
    )


def on_its_way(entity: Entity, sent: datetime, until: datetime) -> str:
    return (
        f"Sent to Xero at {sent:%Y-%m-%d %H:%M} UTC; the answer was lost, and Xero does not show it yet. So that no "
        f"{entity.singular} is made twice, nothing is sent again before {until:%H:%M} UTC; then Tieout looks once more."
    )


def goes_with(parent: str, name: str) -> str:
    return f"It goes to Xero together with its {parent} {name}."


def linked_by_hand(who: str) -> str:
    return f"{who} linked it by hand. The next sync compares the two."


def parted_by_hand(who: str) -> str:
    return f"{who} took its link apart. The next sync looks at it by itself."


def added_late(entity: Entity, parent: str, name: str) -> str:
    return (
        f"Its {parent} {name} is in Xero without this {entity.singular}, and Tieout does not change a {parent} there. "
        f"Delete it here, or issue another {parent}."
    )


def whole_amounts(entity: Entity, label: str) -> str:
    return (
        f"{label} changed in Xero, but the {entity.singular} has a discount or freight on the whole of it in Dynamics, which "
        f"stands on the lines in Xero. Make the change in Dynamics, or put discount and freight on lines there."
    )


def not_arrived(target: Side, sent: datetime) -> str:
    return (
        f"Sent to {target.label} at {sent:%Y-%m-%d %H:%M} UTC; the answer was lost, and a look there right afterwards did "
        "not find it. It is being looked up: the next sync looks once more, and sends it again if it is still due."
    )


def lost_again(target: Side, sent: datetime) -> str:
    return (
        f"Sent to {target.label} again at {sent:%Y-%m-%d %H:%M} UTC, and the answer was lost again; {target.label} does "
        f"not show it. The next sync looks and tries once more. If this stays so, ask who looks after the way to it "
        "(network, proxy) whether answers are cut off."
    )


def refused(message: str) -> str:
    """A system's refusal: its client already says it in whole sentences."""
    return cut(message)


def cut(text: str) -> str:
    """``text`` as it fits the remark column, said so when something was left out."""
    clean = text.replace("\x00", "")
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST - 12]} (shortened)"
