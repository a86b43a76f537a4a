"""The registry in words: which field goes where and who decides, what must hold before a record is sent, what people may set.

Pure: everything follows from the declarations, so that a page which shows it needs no change when an entity is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sync_core.model import Side
from sync_core.rules.declaration import At, Entity, Field, Kind, Owner
from sync_core.rules.entities import ENTITIES, entity

NOT_SET = ""
"""The value of a setting that nobody set: its default."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One line of the field map. ``way`` has Dynamics on its left; ``owner`` decides when both sides changed."""

    entity: str
    label: str
    crm: str
    xero: str
    way: str
    owner: str
    words: str


@dataclass(frozen=True, slots=True)
class EligibilityRule:
    """What must hold before a record of ``entity`` is sent to Xero, and what its remark says when it does not."""

    entity: str
    words: str
    remark: str


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """Something that people set. ``codes``: the entity whose active codes are offered; else ``options``, the default first."""

    key: str
    label: str
    about: str
    codes: str = ""
    options: tuple[tuple[str, str], ...] = ()


OFF = "off"
SWITCHES = ("brandingthemes",)
"""Settings that leave a list of Xero's out when they are :data:`OFF`: no call is made for it."""

SETTINGS = (
    SettingSpec(
        "default.sales_account",
        "Ledger account of product lines",
        "Used where neither the line nor its product in Xero names one. Write-in lines always need their own.",
        codes="ledger_accounts",
    ),
    SettingSpec(
        "default.sales_tax",
        "Tax rate of product lines",
        "Used where neither the line nor its product in Xero names one. Write-in lines always need their own.",
        codes="tax_rates",
    ),
    SettingSpec(
        "tax.untaxed_lines",
        "Lines without tax in Dynamics",
        "Their tax rate in Xero would ask for some. Sent without tax, the totals stay equal.",
        options=((NOT_SET, "Send without tax"), ("xero computes", "Let Xero compute it")),
    ),
    *(
        SettingSpec(key, label, about, options=((NOT_SET, "Off"), ("on", "On")))
        for key, label, about in (
            (
                "payments.to_xero",
                "Payments from Dynamics to Xero",
                "Payments and refunds that people enter in Dynamics are made in Xero. Xero never changes one afterwards.",
            ),
            (
                "credit_notes.to_xero",
                "Credit notes and allocations from Dynamics to Xero",
                "Credit notes with their lines, and allocations, that people enter in Dynamics are made in Xero.",
            ),
        )
    ),
    SettingSpec(
        "contacts.on_create",
        "New accounts and contacts of Dynamics",
        "Made in Xero by the next sync, or left until somebody syncs them by hand. Invoices for those that are left wait.",
        options=((NOT_SET, "Make in Xero"), (OFF, "Wait for a person")),
    ),
    SettingSpec(
        SWITCHES[0],
        "Branding themes of Xero",
        "Off, Xero is not asked for them, and what is in Dynamics stays as it is.",
        options=((NOT_SET, "Bring to Dynamics"), (OFF, "Off")),
    ),
    SettingSpec(
        "freight.account",
        "Ledger account of freight",
        "Freight of a whole invoice goes to Xero as a line of its own, on this account.",
        codes="ledger_accounts",
    ),
    SettingSpec(
        "freight.tax",
        "Tax rate of freight",
        "The tax rate of that line. Dynamics holds no tax on freight, so the line is sent without any.",
        codes="tax_rates",
    ),
)

_KINDS: dict[Kind, str] = {
    Kind.TEXT: "as it is written",
    Kind.NAME: "as it is written; upper and lower case count as the same",
    Kind.EMAIL: "as it is written; upper and lower case count as the same",
    Kind.PHONE: "its digits are compared, not its spaces and signs",
    Kind.MONEY: "exact amount",
    Kind.QUANTITY: "exact number",
    Kind.RATE: "exact number",
    Kind.COUNT: "whole number",
    Kind.DATE: "the day, without a time",
    Kind.FLAG: "yes or no",
    Kind.CURRENCY: "by its three-letter code",
    Kind.CHOICE: "by its code",
    Kind.WORDS: "as it is written, without the Dynamics id behind it",
    Kind.TAG: "the Dynamics id behind the words",
    Kind.BANK: "by the account; its code or name may be written in Dynamics",
    Kind.LINES: "line by line: product, description, quantity, price, discount, tax, ledger account",
}
_CHECKS: dict[str, Callable[[Entity], str]] = {
    "alive": lambda e: f"The {e.singular} is in use in Dynamics",
    "open": lambda e: f"The {e.singular} is active in Dynamics, neither paid nor canceled",
    "required": lambda e: f"{_listed([f.label for f in e.fields if f.required])} {_are(e)} filled in",
    "priced": lambda _: "Dynamics could price it",
    "in_use": lambda e: f"The {e.singular} is in use in Dynamics",
    "new": lambda _: "It holds no Xero id yet",
    "settles_one": lambda e: f"It names {_groups(e)}",
    "above_zero": lambda _: "Its amount is above zero",
    "takes_payments": lambda _: "Its bank account takes payments in Xero",
    "documents_open": lambda _: "What it is set against is approved and open in Xero",
    "covered": lambda _: "Its amount is not more than what is open there",
    "one_currency": lambda _: "Its currency is that of the document",
    "one_customer": lambda _: "Credit and invoice belong to the same customer",
    "rate_known": lambda _: "It has an exchange rate where its bank account is in another currency",
    "distinct": lambda _: "Xero has none of the same amount and date for the same document, unless the references differ",
    "carried_lines": lambda _: "Its lines are complete, coded, and add up to its total",
    "whole": lambda _: "Freight has a ledger account and a tax rate, and a discount is not larger than the lines",
    "adds_up": lambda _: "Its lines add up to its total",
    "positive": lambda _: "Its total is not negative",
    "coded": lambda _: "Every line has a ledger account and a tax rate that Xero has in use",
    "unlocked": lambda _: "Its date is after the lock dates in Xero",
    "subscribed": lambda _: "Its currency is switched on in Xero",
}


def field_rules(of: Iterable[Entity] = ENTITIES) -> list[FieldRule]:
    """Every field that Tieout writes to a side, in the registry's order; what it only reads is left out."""
    return [_field_rule(e, spec) for e in of for spec in e.fields if spec.to and spec.crm is not None and spec.xero is not None]


def _field_rule(e: Entity, spec: Field) -> FieldRule:
    return FieldRule(e.name, spec.label, _place(spec.crm), _place(spec.xero), _way(spec), _owner(spec), _words(e, spec))


def _place(at: At | None) -> str:
    """The native names of a field, "" where the side has none."""
    if at is None:
        return ""
    said = at.path.replace("|", " or else ")
    others = [f"{path.replace('|', ' or else ')} ({table})" for table, path in at.tables if path and path != at.path]
    return ", ".join([said, *others])


def _way(spec: Field) -> str:
    return {frozenset(Side): "⇄ both ways", frozenset({Side.CRM}): "← to Dynamics"}.get(spec.to, "→ to Xero")


def _owner(spec: Field) -> str:
    """Who wins when both sides hold different values, as ``compare`` decides it."""
    if spec.once:
        return "it stays as it was"
    winner = {Owner.CRM: Side.CRM, Owner.XERO: Side.XERO}.get(spec.owner)
    if spec.owner is Owner.NEWER:
        return "the later change"
    return winner.label if winner is not None and winner.other in spec.to else "a person"


def _words(e: Entity, spec: Field) -> str:
    parts = [f"by the linked {entity(spec.entity).singular}" if spec.kind is Kind.REF else _KINDS[spec.kind]]
    limits = [f"{at.limit} characters in {side.label}" for side in Side if (at := spec.at(side)) is not None and at.limit]
    if limits and spec.kind is not Kind.REF:
        parts.append(f"at most {' and '.join(limits)}")
    if spec.once:
        parts.append("written when the record is made or where it is blank")
    if spec.fallback:
        parts.append(f"a new record takes the {e.field(spec.fallback).label.lower()} where it is blank")
    if spec.hidden:
        parts.append("how Tieout finds the pair again")
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def eligibility_rules(of: Iterable[Entity] = ENTITIES) -> list[EligibilityRule]:
    """Every rule in the order in which it is checked; the records that others wait for come last."""
    return [rule for e in of for rule in (*_declared(e), *_parents(e))]


def _declared(e: Entity) -> Iterable[EligibilityRule]:
    for rule in e.rules:
        words = _CHECKS.get(rule.test)
        yield EligibilityRule(e.name, f"{words(e)}." if words else rule.remark, rule.remark)


def _parents(e: Entity) -> Iterable[EligibilityRule]:
    if Side.XERO not in e.create_in:
        return
    for spec in e.fields:
        if spec.kind is Kind.REF and spec.blocks and spec.crm is not None and spec.xero is not None:
            remark = f"It waits, and follows by itself once the {spec.label.lower()} is there."
            yield EligibilityRule(e.name, f"Its {spec.label.lower()} is in Xero.", remark)


def _groups(e: Entity) -> str:
    return " and ".join(" or ".join(f"one {e.field(n).label.lower()}" for n in group) for group in e.settles)


def _listed(labels: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1]))) if labels else "Nothing"


def _are(e: Entity) -> str:
    return "are" if sum(1 for f in e.fields if f.required) > 1 else "is"


def setting_spec(key: str) -> SettingSpec | None:
    """The setting called ``key``, None when there is none."""
    return next((spec for spec in SETTINGS if spec.key == key), None)
