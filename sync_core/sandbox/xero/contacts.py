"""Contacts: create, update, archive, find, and the flags that follow from documents."""

from __future__ import annotations

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.context import Context, raise_all
from sync_core.sandbox.xero.errors import RuleError
from sync_core.sandbox.xero.store import Store

ARCHIVED = "The contact {name} has been archived. The contact must be un-archived before creating new invoices or credit notes."


def find(ctx: Context, given: Row) -> Row | None:
    """The contact that a POST means: by id, by number, then by active name."""
    contacts = ctx.store["Contacts"]
    if given.get("ContactID"):
        found = contacts.get(given["ContactID"])
        if found is None:
            raise RuleError("The contact with this ContactID could not be found")
        return found
    return contacts.find("number", given.get("ContactNumber")) or contacts.find("name", given.get("Name"))


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create or update a contact."""
    return ctx.store.put("Contacts", build(ctx, given, old))


def build(ctx: Context, given: Row, old: Row | None) -> Row:
    """The row as it will be, checked but not yet stored."""
    row = {**(old or _blank(ctx)), **{k: v for k, v in given.items() if k not in {"Phones", "Addresses"}}}
    for name, kind in (("Phones", "PhoneType"), ("Addresses", "AddressType")):
        slots = {slot.get(kind) or _first(kind): slot for slot in given.get(name, ())}
        row[name] = {**row[name], **slots}
    _check(ctx, row)
    return row


def _first(kind: str) -> str:
    return "DEFAULT" if kind == "PhoneType" else "POBOX"


def _blank(ctx: Context) -> Row:
    return {
        "ContactID": ctx.store.kernel.new_id(),
        "ContactStatus": "ACTIVE",
        "ContactPersons": [],
        "Phones": {},
        "Addresses": {},
        "IsCustomer": False,
        "IsSupplier": False,
    }


def _check(ctx: Context, row: Row) -> None:
    errors, contacts = [], ctx.store["Contacts"]
    name = (row.get("Name") or "").strip()
    if not name:
        errors.append("The contact name must be specified.")
    twin = contacts.find("name", name) if row["ContactStatus"] == "ACTIVE" else None
    if twin is not None and twin["ContactID"] != row["ContactID"]:
        errors.append(
            f"The contact name {name} is already assigned to another contact. The contact name must be "
            "unique "
            "across all active contacts."
        )
    holder = contacts.find("number", row.get("ContactNumber"))
    if holder is not None and holder["ContactID"] != row["ContactID"]:
        errors.append(f"The contact number {row['ContactNumber']} is already linked to another contact.")
    email = row.get("EmailAddress")
    if email and ("@" not in email or " " in email):
        errors.append("Email address must be valid.")
    if len(row["ContactPersons"]) > 5:
        errors.append("A contact can have up to 5 contact persons.")
    currency = row.get("DefaultCurrency")
    if currency and currency not in ctx.store["Currencies"].rows:
        errors.append(f"Organisation is not subscribed to currency {currency}")
    raise_all(errors)


def resolve(ctx: Context, given: Row | None) -> tuple[Row, bool]:
    """The contact of a document, and whether it must be stored with it (new, or changed by what was sent).

    A name alone finds or makes a contact. Anything besides the reference changes the contact, and then
    contact persons that were not sent are dropped.
    """
    if not given:
        raise RuleError("A contact must be specified for this type of transaction")
    old = find(ctx, given)
    if old is None:
        return build(ctx, given, None), True
    if old["ContactStatus"] != "ACTIVE":
        raise RuleError(ARCHIVED.format(name=old["Name"]))
    used = next(name for name in ("ContactID", "ContactNumber", "Name") if given.get(name))
    if set(given) == {used}:
        return old, False
    return build(ctx, {"ContactPersons": [], **given}, old), True


def mark(store: Store, contact_id: str, document_type: str) -> None:
    """Note that a contact has a sales or a purchase document; this moves no UpdatedDateUTC."""
    flag = "IsSupplier" if document_type.startswith(("ACCPAY", "SPEND")) else "IsCustomer"
    row = store["Contacts"].get(contact_id)
    if row is not None and not row[flag]:
        store.put("Contacts", {**row, flag: True}, bump=False)
