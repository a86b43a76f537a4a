"""Values that no bookkeeper would enter, and what one reads about them; the records beside them go their way (I15).

Formulas, scripts, pictures and right-to-left marks in names are scenario 22; hostile links and pages are in tests/console.
Nobody can send a duplicate, forged or late webhook: Tieout has no receiver for them yet.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sync_core.model import RunStatus, Side
from tests.flows.shop import at_rest, numbers, remark, rows, sync
from tests.scenarios.books import Books
from tests.scenarios.people import People, Refused

SALE = {"account": "200", "tax rate": "OUTPUT2"}
TENT = {"product": "TENT"}


def enter(books: Books, number: str, *lines: dict[str, Any], **more: Any) -> None:
    with People(books.sandbox) as people:
        people.act("invoice in Dynamics", {"number": number, "customer": "Kahu Guiding Co", "lines": list(lines), **more})


def told(books: Books, entity: str, side: Side) -> list[tuple[str, str]]:
    """(status, remark) of every record of an entity that Tieout names on this side."""
    with books.open() as service:
        found = service._workspace.state.find_statuses(None, None, 1000, 0)
        return [(str(s.status), s.remark) for s in found if (s.entity, s.side) == (entity, side)]


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        pytest.param([("1.005", 1)], "1.16", id="1.005"),
        pytest.param([("0.10", 1)] * 10, "1.20", id="ten times 0.1"),
        pytest.param([("0.10", "0.1")] * 3, "0.03", id="three times a hundredth", marks=pytest.mark.soak),
        pytest.param([("999999999.99", 1)], "1149999999.99", id="a thousand million"),
    ],
)
def test_amounts_that_binary_numbers_cannot_hold_are_equal_to_the_cent(books, lines, total):
    enter(books, "INV-1", *({"text": "Cord", "price": price, "quantity": n, **SALE} for price, n in lines))
    assert sync(books).summary.status is RunStatus.SUCCESS
    (ours,), (theirs,) = rows(books, "dataverse.invoice"), rows(books, "xero.Invoices")
    assert (ours["totalamount"], theirs["Total"]) == (Decimal(total), Decimal(total))
    assert ours["totaltax"] == theirs["TotalTax"]
    at_rest(books)


def test_an_amount_of_twenty_digits_names_its_field_and_stops_no_other(books):
    with pytest.raises(Refused, match="outside the valid range"):
        enter(books, "INV-0", {"text": "Cord", "price": "12345678901234567890", **SALE})
    with People(books.sandbox) as people:
        people.act("invoice in Xero", {"number": "X-1", "contact": "Kahu Guiding Co", "lines": [{"text": "Odd", "price": 40}]})
    swell(books, Decimal("12345678901234567890.12"))
    enter(books, "INV-1", TENT)
    summary = sync(books).summary
    assert (summary.status, summary.counts["created"], summary.counts["failed"]) == (RunStatus.PARTIAL, 1, 1)
    assert remark(books, "INV-1")[0] == "Success"
    wanted = "Total: Xero holds a value that cannot be understood (12345678901234567890.12 is not an amount that can be kept)."
    assert told(books, "invoices", Side.XERO) == [("Failed", f"{wanted} Correct it there and sync again.")]


def test_a_pair_whose_xero_side_cannot_be_read_fails_as_one_record_until_it_can(books):
    enter(books, "INV-1", TENT)
    sync(books)
    (total,) = (row["Total"] for row in rows(books, "xero.Invoices"))
    swell(books, Decimal("12345678901234567890.12"))
    for _ in range(2):
        assert sync(books).summary.status is RunStatus.PARTIAL
        assert [status for status, _ in told(books, "invoices", Side.CRM)] == ["Failed"]
        assert told(books, "invoices", Side.XERO) == []
    assert "cannot be understood" in detail_remark(books)
    swell(books, total)
    assert sync(books).summary.status is RunStatus.SUCCESS
    assert [status for status, _ in told(books, "invoices", Side.CRM)] == ["Success"]
    at_rest(books)


def detail_remark(books: Books) -> str:
    """What stands in Dynamics about the invoice."""
    (detail,) = (row for row in rows(books, "dataverse.tie_xerodetail") if row["tie_entity"] == "invoices")
    return str(detail["tie_remark"])


def swell(books: Books, total: Decimal) -> None:
    """No person could enter this: Xero itself has gone wrong."""
    kept = books.sandbox.kernel.collection("xero.Invoices")
    ((row_id, row),) = list(kept.items())
    books.sandbox.run(lambda: kept.put(row_id, {**row, "Total": total}))


@pytest.mark.parametrize(
    ("system", "path", "body"),
    [
        ("xero", "/Invoices$", '{"Invoices":[{"InvoiceID":"00000000-0000-0000-0000-000000000001","Total":NaN}]}'),
        ("dataverse", "/invoices$", '{"value":[{"invoiceid":"00000000-0000-0000-0000-000000000001","totalamount":NaN}]}'),
    ],
)
def test_a_number_that_is_none_is_no_data_and_stops_the_sync_before_any_write(books, system, path, body):
    enter(books, "INV-1", TENT)
    json = {"content-type": "application/json"}
    fault = books.sandbox.fault(
        "status", status=200, body=body, headers=json, times=None, system=system, method="GET", path=path
    )
    since = books.logged
    summary = sync(books).summary
    assert fault.fired >= 1
    assert summary.status is RunStatus.PARTIAL
    assert {"xero": "Xero", "dataverse": "Dynamics"}[system] in summary.message
    assert "instead of data" in summary.message
    assert books.writes(since) == []


def test_a_currency_of_three_decimals_that_xero_does_not_use_is_named(books):
    with People(books.sandbox) as people:
        dinar = {"currencyname": "Kuwaiti Dinar", "isocurrencycode": "KWD", "currencysymbol": "KD", "currencyprecision": 3}
        people.crm("POST", "transactioncurrencies", {**dinar, "exchangerate": Decimal("0.18")})
        currency = people.find("dataverse.transactioncurrency", isocurrencycode="KWD")
        people.crm(
            "POST", "pricelevels", {"name": "Dinar", "transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})"}
        )
    enter(books, "INV-1", {"text": "Cord", "price": "1.235", "quantity": 1, **SALE}, currency="KWD")
    enter(books, "INV-2", TENT)
    sync(books)
    assert numbers(books) == ["INV-2"]
    wanted = "The currency KWD is not switched on in Xero. Add it there under Settings, Currencies."
    assert remark(books, "INV-1") == ("Blocked", wanted)
    at_rest(books)


def test_a_name_with_a_nul_is_refused_in_words_and_stops_no_other(books):
    with People(books.sandbox) as people:
        with pytest.raises(Refused, match="invalid character"):
            people.crm("POST", "accounts", {"name": "Nul \x00 Ltd"})
        people.xero("PUT", "Contacts", {"Name": "Nul \x00 Ltd"})
        people.xero("PUT", "Contacts", {"Name": "Plain Ltd"})
    summary = sync(books).summary
    assert (summary.counts["created"], summary.counts["failed"]) == (1, 1)
    ((status, text),) = told(books, "contacts", Side.XERO)
    assert status == "Failed"
    assert "Dynamics refused the record" in text
    assert "invalid character" in text
    since = books.logged
    sync(books)
    assert books.writes(since) == []


def test_a_text_that_dynamics_cannot_hold_is_cut_there_and_said_so(books):
    long = "Longfellow & Sons " * 14
    with People(books.sandbox) as people:
        people.xero("PUT", "Contacts", {"Name": long.strip()})
    assert sync(books).summary.status is RunStatus.SUCCESS
    kept = next(r["name"] for r in rows(books, "dataverse.account") if r["name"].startswith("Longfellow"))
    assert kept == long[:160].strip()
    status, text = remark(books, kept, "contacts")
    assert status == "Success"
    assert "Name is longer than the 160 characters that Dynamics holds, and is cut there." in text
    at_rest(books)
    assert long.strip() in [r["Name"] for r in rows(books, "xero.Contacts")]


def test_a_text_that_dynamics_does_not_take_at_all_is_refused_before_tieout_sees_it(books):
    with pytest.raises(Refused, match="exceeded the maximum allowed length of '160'"), People(books.sandbox) as people:
        people.crm("POST", "accounts", {"name": "Long " * 60})
