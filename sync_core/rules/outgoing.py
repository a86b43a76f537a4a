"""Why a record that a person made in Dynamics may not go to Xero yet, where what it refers to has a say.

Payments, credit notes and allocations: Xero cannot take them back unseen, so everything is looked at before one is sent.
``Around`` holds what stands around a record; each check says what is wrong and what to do, None when all is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from sync_core.model import Record, Status
from sync_core.rules.books import Books, Hindrance
from sync_core.rules.declaration import Entity
from sync_core.rules.remarks import spoken

CENT = Decimal("0.01")
OPEN = "AUTHORISED"
_LEFT = ("amount_due", "remaining")


@dataclass(frozen=True, slots=True)
class Around:
    """``partners``: by field, the Xero record of what is referred to, its open amount less what was given away in this pass
    already; references that are not linked are left out. ``carried``: the records that go to Xero inside this one.
    ``others``: Xero's records of the same kind on the same documents.
    """

    partners: Mapping[str, Record] = field(default_factory=dict)
    carried: tuple[Record, ...] = ()
    others: tuple[Record, ...] = ()


def left_of(document: Record) -> Decimal | None:
    """What of a document is still open: due of an invoice, remaining of a credit."""
    return next((v for name in _LEFT if isinstance(v := document.fields.get(name), Decimal)), None)


def settled_fields(entity: Entity) -> Iterator[str]:
    """The references to documents whose open amount is used up."""
    return (name for group in entity.settles for name in group)


def _named(entity: Entity, name: str, document: Record) -> str:
    called = document.fields.get("number") or document.fields.get("name") or document.id
    return f"{entity.field(name).label.lower()} {called}"


def in_use(_entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    return "" if record.gone or record.fields.get("inactive") else None


def new(entity: Entity, record: Record, _books: Books, _around: Around) -> Hindrance | None:
    held = record.fields.get("xero_id")
    if not held:
        return None
    text = (
        f"It holds the Xero id {held}, but Xero has no such {entity.singular}. Nothing was sent, since it may have been there "
        "before. If it is a new one, clear its Xero id."
    )
    return Hindrance("new", Status.NEEDS_REVIEW, text)


def settles_one(entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    """Where nothing at all is named, the rule's own remark says what to do."""
    if not any(record.fields.get(name) for name in settled_fields(entity)):
        return ""
    for group in entity.settles:
        given = [name for name in group if record.fields.get(name)]
        labels = [entity.field(name).label.lower() for name in group]
        if not given:
            return f"It names no {' and no '.join(labels)}. Choose what it is set against."
        if len(given) > 1:
            return f"It names more than one of {', '.join(labels)}. Leave only the one that it is set against."
    return None


def above_zero(_entity: Entity, record: Record, _books: Books, _around: Around) -> str | None:
    amount = record.fields.get("amount")
    if not isinstance(amount, Decimal) or amount > 0:
        return None
    return f"Its amount is {spoken(amount)}. Enter an amount above zero; money that goes back is entered for its credit note."


def takes_payments(_entity: Entity, record: Record, books: Books, _around: Around) -> str | None:
    account = str(record.fields.get("bank_account") or "")
    if account in books.banks:
        return None
    return (
        f"Its bank account {account} is no bank account of Xero and no account that takes payments there. Enter the code, the "
        "name or the Xero id of one."
    )


def documents_open(entity: Entity, _record: Record, _books: Books, around: Around) -> str | None:
    for name in settled_fields(entity):
        document = around.partners.get(name)
        state = None if document is None else str(document.fields.get("state"))
        if document is not None and state != OPEN:
            words = {"PAID": "settled in full", "VOIDED": "voided", "DELETED": "deleted"}.get(state or "", "not approved")
            return f"The {_named(entity, name, document)} is {words} in Xero, so nothing can be set against it."
    return None


def covered(entity: Entity, record: Record, _books: Books, around: Around) -> str | None:
    amount = record.fields.get("amount")
    for name in settled_fields(entity):
        document = around.partners.get(name)
        left = left_of(document) if document is not None else None
        if document is not None and left is not None and isinstance(amount, Decimal) and amount > left:
            return (
                f"Its amount {spoken(amount)} is more than the {spoken(left)} that is still open on the "
                f"{_named(entity, name, document)} in Xero. Lower it, or enter the rest elsewhere."
            )
    return None


def one_currency(entity: Entity, record: Record, _books: Books, around: Around) -> str | None:
    own = record.fields.get("currency")
    for name in settled_fields(entity):
        document = around.partners.get(name)
        other = document.fields.get("currency") if document is not None else None
        if document is not None and other is not None and own != other:
            return f"Its currency is {own}, that of the {_named(entity, name, document)} is {other}. Choose {other} on it."
    return None


def rate_known(entity: Entity, record: Record, books: Books, _around: Around) -> str | None:
    """Between currencies Xero would take the rate of the day; the bank knows another one."""
    held_in = books.banks.get(str(record.fields.get("bank_account") or "")) or books.base_currency
    own = record.fields.get("currency")
    if own == held_in or record.fields.get("rate"):
        return None
    return (
        f"The {entity.singular} is in {own}, its bank account in {held_in}. Enter the bank's exchange rate: how many "
        f"{own if own != books.base_currency else held_in} for one {books.base_currency}."
    )


def one_customer(entity: Entity, _record: Record, _books: Books, around: Around) -> str | None:
    held = {document.fields.get("contact") for name in settled_fields(entity) if (document := around.partners.get(name))}
    return "" if len(held) > 1 else None


def distinct(entity: Entity, record: Record, _books: Books, around: Around) -> Hindrance | None:
    """The same entered in both systems by two people: Xero would take the second one for a second."""
    alike = [o for o in around.others if o.fields.get("state") != "DELETED" and _same(record, o)]
    if not alike:
        return None
    day, amount = record.fields.get("date"), record.fields.get("amount")
    text = (
        f"Xero has a {entity.singular} of {spoken(amount)} for the same document on {spoken(day)} already. Nothing was sent. "
        f"If it is the same, delete this one in Dynamics; if it is another one, give it a reference that tells them apart."
    )
    return Hindrance("distinct", Status.NEEDS_REVIEW, text)


def _same(record: Record, other: Record) -> bool:
    if any(record.fields.get(name) != other.fields.get(name) for name in ("date", "amount")):
        return False
    references = {str(r.fields.get("reference") or "").casefold() for r in (record, other)}
    return len(references) == 1 or "" in references


def carried_lines(_entity: Entity, record: Record, books: Books, around: Around) -> str | None:
    """Lines that are complete and add up: a document in Xero is not changed afterwards, so a half-typed one must wait."""
    if not around.carried:
        return "It has no lines. Add them; it goes once they add up to its total."
    for line in around.carried:
        lacking = [label for name, label in _NEEDED if not line.fields.get(name)]
        named = f"Line {spoken(line.fields.get('description') or line.fields.get('name'))}"
        if lacking:
            return f"{named} has no {' and no '.join(lacking)}. Fill it in."
        if _amount(line) is None:
            return f"{named} has no amount, and no quantity and unit price. Fill in the one or the others."
        stated = line.fields.get("amount")
        if stated is not None and stated != _amount(line):
            return f"{named}: quantity x unit price is {spoken(_amount(line))}, its amount says {spoken(stated)}. Correct one."
        for label, name, known in (("ledger account", "account_code", books.accounts), ("tax rate", "tax_type", books.taxes)):
            if known and line.fields[name] not in known:
                return f"{named}: {label} {line.fields[name]} is archived or missing in Xero. Choose another one."
    return _difference(record, around.carried)


_NEEDED = (("description", "description"), ("account_code", "ledger account"), ("tax_type", "tax type"))


def _amount(line: Record) -> Decimal | None:
    quantity, price, amount = (line.fields.get(n) for n in ("quantity", "unit_price", "amount"))
    if isinstance(quantity, Decimal) and isinstance(price, Decimal):
        return (quantity * price).quantize(CENT, ROUND_HALF_UP)
    return amount if isinstance(amount, Decimal) and price is None and quantity in (None, Decimal(1)) else None


def _difference(record: Record, lines: tuple[Record, ...]) -> str | None:
    zero, total = Decimal(0), record.fields.get("total")
    taxes = [tax for line in lines if isinstance(tax := line.fields.get("tax"), Decimal)]
    summed = sum((_amount(line) or zero for line in lines), zero) + sum(taxes, zero)
    if summed == total:
        return None
    return f"Its lines and their tax come to {spoken(summed)}, its total says {spoken(total)}. It goes once they are the same."
