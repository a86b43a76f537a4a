"""Contact groups and who is in them."""

from __future__ import annotations

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.context import Context
from sync_core.sandbox.xero.errors import RuleError, require


def write(ctx: Context, given: Row, old: Row | None) -> Row:
    """Create, rename or delete a group."""
    if old is not None and old["Status"] != "ACTIVE":
        raise RuleError("The contact group has been deleted.")
    blank: Row = {"ContactGroupID": ctx.store.kernel.new_id(), "Status": "ACTIVE", "Contacts": []}
    row = {**(old or blank), **given}
    require(row.get("Name"), "The name of the contact group must be specified.")
    twin = ctx.store["ContactGroups"].find("name", row["Name"])
    require(
        twin is None or twin["ContactGroupID"] == row["ContactGroupID"] or row["Status"] == "DELETED",
        "A contact group with this name already exists.",
    )
    return ctx.store.put("ContactGroups", row)


def add_members(ctx: Context, group: Row, given: list[Row]) -> list[str]:
    """Put contacts into a group. One that cannot be added refuses them all."""
    members: list[str] = []
    for contact in given:
        row = ctx.store["Contacts"].get(contact.get("ContactID"))
        if row is None:
            raise RuleError("The contact could not be found.")
        require(row["ContactStatus"] == "ACTIVE", "An archived contact cannot be added to a contact group.")
        members.append(row["ContactID"])
    joined = list(dict.fromkeys([*group["Contacts"], *members]))
    ctx.store.put("ContactGroups", {**group, "Contacts": joined})
    return members


def remove_members(ctx: Context, group: Row, contact_id: str | None) -> bool:
    """Take one contact, or with None all of them, out of a group; False when it was not in it."""
    left = [i for i in group["Contacts"] if i != contact_id] if contact_id else []
    if contact_id and len(left) == len(group["Contacts"]):
        return False
    ctx.store.put("ContactGroups", {**group, "Contacts": left})
    return True
