"""What one contact owes or is owed, invoice by invoice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import ZERO
from sync_core.sandbox.xero.errors import bad_query
from sync_core.sandbox.xero.fields import id_of
from sync_core.sandbox.xero.listing import Query
from sync_core.sandbox.xero.report_rows import header, line, long_date, money, section, summary, sums
from sync_core.sandbox.xero.store import Store

TITLES = ("Date", "Reference", "Due Date", "", "Total", "Paid", "Credited", "Due")


def aged(store: Store, query: Query, kind: str) -> tuple[str, list[Row]]:
    """(the day in words, rows): the contact's approved invoices up to a day, and what is paid and due of each.

    Raises:
        RefusedError: no contact is named, or none has that id.
    """
    contact = store["Contacts"].get(id_of(query.params.get("contactid", "")))
    if contact is None:
        raise bad_query("Parameter contactID is required and must be the id of a contact")
    day = _day(query, "date") or store.today()
    first, last = _day(query, "fromdate") or date.min, _day(query, "todate") or day
    invoices = sorted(
        (
            row
            for row in store["Invoices"].of_contact(contact["ContactID"])
            if _open(row, kind) and first <= row["Date"] <= last
        ),
        key=lambda row: (row["Date"], row["InvoiceNumber"]),
    )
    lines = [_line(row) for row in invoices]
    columns = [_amounts(row) for row in invoices]
    total = summary("Total", sums(columns, 4))
    total["Cells"][1:1] = [{"Value": ""} for _ in range(3)]
    return f"As at {long_date(day)}", [header(*TITLES), section("", [*lines, total])]


def _open(row: Row, kind: str) -> bool:
    return bool(row["Type"] == kind and row["Status"] == "AUTHORISED" and row["AmountDue"] != ZERO)


def _amounts(row: Row) -> list[Decimal]:
    return [row["Total"], row["AmountPaid"], row["AmountCredited"], row["AmountDue"]]


def _line(row: Row) -> Row:
    due = row.get("DueDate")
    texts = [wire.date_string(row["Date"]), row["InvoiceNumber"] or "", wire.date_string(due) if due else "", ""]
    return line([*texts, *map(money, _amounts(row))], ("invoiceID", row["InvoiceID"]))


def _day(query: Query, name: str) -> date | None:
    text = query.params.get(name, "")
    found = wire.parse_date(text) if text else None
    if text and found is None:
        raise bad_query(f"The value '{text}' of {name} is not a date")
    return found
