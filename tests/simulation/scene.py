"""Both systems and Tieout's word for each record at one moment, pair by pair, for the oracles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sync_core.model import RecordStatus, Side, Status
from sync_core.rules.entities import ENTITIES
from sync_core.sandbox.kernel import Row
from tests.simulation.arena import Arena
from tests.simulation.values import crm_lines, xero_city, xero_lines

OWN = {
    "payments": ("tie_payment", ("Payments", "Prepayments", "Overpayments")),
    "credit_notes": ("tie_creditnote", ("CreditNotes",)),
    "batch_payments": ("tie_batchpayment", ("BatchPayments",)),
}
"""Copies of Xero records: entity -> Dynamics table, Xero collections."""
MASTER = {
    "products": ("product", ("Items",)),
    "ledger_accounts": ("tie_ledgeraccount", ("Accounts",)),
    "tax_rates": ("tie_taxrate", ("TaxRates",)),
}
CONTACT_TABLES = ("account", "contact")
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "contacts": (CONTACT_TABLES, ("Contacts",)),
    "invoices": (("invoice",), ("Invoices",)),
    **{entity: ((table,), kinds) for entity, (table, kinds) in {**OWN, **MASTER}.items()},
}
"""Where the records of an entity stand: Dynamics tables, Xero collections."""


Values = dict[str, tuple[Any, Any]]
"""Field -> what Dynamics and Xero hold of it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that name each other, as their systems hold them."""

    entity: str
    crm: Row
    xero: Row
    crm_id: str
    xero_id: str


class Scene:
    """Both systems and Tieout's word for each record, at one moment."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        state = arena.service._workspace.state
        self.statuses = {(s.entity, s.side, s.id): s for s in state.find_statuses(None, None, 5000, 0)}
        self.links = {e.name: {k.crm_id: k.xero_id for k in state.all_links(e.name)} for e in ENTITIES}
        self.open_intents = state.unsettled()
        self.intent_keys = {i.key for i in state._intents()}

    def rows(self, name: str) -> dict[str, Row]:
        return dict(self.arena.kernel.collection(name).items())

    def pairs(self, entity: str, tables: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[Pair]:
        crm = {i: r for t in tables for i, r in self.rows(f"dataverse.{t}").items()}
        xero = {i: r for k in kinds for i, r in self.rows(f"xero.{k}").items()}
        for crm_id, xero_id in self.links[entity].items():
            if crm_id in crm and xero_id in xero:
                yield Pair(entity, crm[crm_id], xero[xero_id], crm_id, xero_id)

    def word(self, entity: str, crm_id: str, xero_id: str = "") -> RecordStatus | None:
        return self.statuses.get((entity, Side.CRM, crm_id)) or self.statuses.get((entity, Side.XERO, xero_id))

    def listed(self, entity: str, crm_id: str, xero_id: str = "") -> bool:
        """Whether Tieout names the record as standing otherwise than well."""
        word = self.word(entity, crm_id, xero_id)
        return word is not None and word.status is not Status.SUCCESS


def all_pairs(scene: Scene) -> Iterator[Pair]:
    for entity, (tables, kinds) in KINDS.items():
        yield from scene.pairs(entity, tables, kinds)


def pair_of(scene: Scene, entity: str, crm_id: str) -> Pair | None:
    return next((p for p in all_pairs(scene) if (p.entity, p.crm_id) == (entity, crm_id)), None)


def over(pair: Pair) -> bool:
    """Merged, or ended on both sides: what they still hold is nobody's business until one comes back."""
    return bool(pair.crm.get("merged") or pair.xero.get("MergedToContactID")) or (
        ended(pair.xero) and pair.crm.get("statecode") in (1, 3)
    )


def ended(xero: Row) -> bool:
    over = xero.get("ContactStatus") == "ARCHIVED" or xero.get("Status") in ("VOIDED", "DELETED")
    return bool(over or xero.get("MergedToContactID"))


def differences(scene: Scene, pair: Pair) -> list[str]:
    values = _values(scene, pair).items()
    return [f"{name} is {crm!r} in Dynamics and {xero!r} in Xero" for name, (crm, xero) in values if crm != xero]


def values_of(scene: Scene, pair: Pair, field: str) -> tuple[str, str]:
    return _values(scene, pair)[field]


def _values(scene: Scene, pair: Pair) -> Values:
    return VALUES.get(pair.entity, _copy_values)(scene, pair)


def _contact_values(_scene: Scene, pair: Pair) -> Values:
    crm, xero = pair.crm, pair.xero
    phone = next((p.get("PhoneNumber") for p in xero["Phones"].values() if p.get("PhoneNumber")), "")
    return {
        "name": (crm.get("name") or crm.get("fullname"), xero["Name"]),
        "email": (crm.get("emailaddress1") or "", xero.get("EmailAddress") or ""),
        "city": (crm.get("address1_city") or "", xero_city(xero)),
        "phone": (crm.get("telephone1") or "", phone),
        # Only an account in Dynamics has a number.
        "account number": (crm.get("accountnumber") or "", (xero.get("AccountNumber") or "") if "accountid" in crm else ""),
        "alive": (not crm.get("statecode"), xero["ContactStatus"] == "ACTIVE"),
        "number": (pair.crm_id, (xero.get("ContactNumber") or "").lower() or pair.crm_id),
        "link": (crm.get("tie_xeroid"), pair.xero_id),
    }


def _invoice_values(scene: Scene, pair: Pair) -> Values:
    crm, xero = pair.crm, pair.xero
    voided = ended(xero)
    return {
        "number": (crm["invoicenumber"], xero["InvoiceNumber"]),
        "contact": (scene.links["contacts"].get(str(crm["customerid"]).lower()), xero["ContactID"]),
        "due": (str(crm.get("duedate")), str(xero.get("DueDate"))),
        "total": (crm.get("totalamount"), xero["Total"] if not voided else crm.get("totalamount")),
        "tax": (crm.get("totaltax"), xero["TotalTax"] if not voided else crm.get("totaltax")),
        "lines": (crm_lines(scene.arena.kernel, pair.crm_id), xero_lines(xero)),
        "paid": (crm.get("statecode") == 2, xero["Status"] == "PAID"),
        "ended": (crm.get("statecode") == 3, voided),
        "link": (crm.get("tie_xeroid") or pair.xero_id, pair.xero_id),
    }


def _copy_values(scene: Scene, pair: Pair) -> Values:
    crm, xero = pair.crm, pair.xero
    amount = next(xero[n] for n in ("Total", "TotalAmount", "Amount") if n in xero)
    invoices = {x: c for c, x in scene.links["invoices"].items()}
    return {
        "amount": (crm.get("tie_amount", crm.get("tie_total")), amount),
        "status": (crm.get("tie_status"), xero["Status"]),
        "remaining": (crm.get("tie_remaining"), xero.get("RemainingCredit", crm.get("tie_remaining"))),
        "invoice": (crm.get("tie_invoiceid"), invoices.get(xero.get("InvoiceID", ""))),
    }


def _product_values(_scene: Scene, pair: Pair) -> Values:
    crm, xero = pair.crm, pair.xero
    return {
        "code": (crm["productnumber"], xero["Code"]),
        "name": (crm["name"][:50], xero.get("Name")),
        "link": (crm.get("tie_xeroid"), pair.xero_id),
    }


def _setting_values(_scene: Scene, pair: Pair) -> Values:
    """A ledger account or tax rate, which Xero owns."""
    crm, xero = pair.crm, pair.xero
    return {"name": (crm["tie_name"], xero["Name"]), "status": (crm["tie_status"], xero["Status"])}


VALUES: dict[str, Callable[[Scene, Pair], Values]] = {
    "contacts": _contact_values,
    "invoices": _invoice_values,
    "products": _product_values,
    "ledger_accounts": _setting_values,
    "tax_rates": _setting_values,
}
