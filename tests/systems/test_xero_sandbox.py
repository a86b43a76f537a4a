"""The Xero client against the sandbox's Xero, over real HTTP, with the faults that really happen."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sync_core.errors import Configure, Rejected, Retryable, Unknown
from sync_core.model import Verb
from sync_core.rules.entities import ENTITIES
from sync_core.settings import Settings
from sync_core.systems.base import Write
from sync_core.systems.oauth import XeroTokens
from sync_core.systems.xero import Xero

STREAMS = {stream.name: stream for entity in ENTITIES for stream in entity.xero if not stream.within}
CONTACTS, INVOICES, ITEMS = (STREAMS[f"xero.{table}"] for table in ("Contacts", "Invoices", "Items"))


class SharedClock:
    """Sleeping on it lets the sandbox's time pass as well."""

    def __init__(self, sandbox):
        self._sandbox, self.slept = sandbox, []

    def now(self):
        return self._sandbox.kernel.clock.now().astimezone(UTC)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self._sandbox.advance(seconds)


def settings_of(sandbox, **changes):
    names = {name.removeprefix("TIEOUT_").lower(): value for name, value in sandbox.environment().items()}
    return Settings(_env_file=None, **(names | changes))


@pytest.fixture
def clock(sandbox):
    return SharedClock(sandbox)


@pytest.fixture
def xero(sandbox, clock):
    settings = settings_of(sandbox)
    tokens = XeroTokens(settings, clock)
    client = Xero(settings, clock, tokens, lambda: "run-7")
    yield client
    client.close()
    tokens.close()


def pulled(xero, stream, cursor=None):
    found = list(xero.changed_since(stream, cursor))
    return {row[stream.key]: row for page in found for row in page.rows}, found[-1].cursor


def held(sandbox, table):
    return len(sandbox.kernel.collection(f"xero.{table}"))


def contact(**fields):
    return Write(CONTACTS, Verb.CREATE, {"Name": f"New {uuid.uuid4()}", **fields}, str(uuid.uuid4()))


def test_check_knows_the_demo_company(xero):
    assert "Harbour" in xero.check().name


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_every_table_can_be_pulled_twice(xero, name):
    rows, cursor = pulled(xero, STREAMS[name])
    assert rows
    again, kept = pulled(xero, STREAMS[name], cursor)
    assert kept in (cursor, f"{cursor}/settled")
    assert again.keys() <= rows.keys()


def test_money_comes_exactly(xero):
    rows, _ = pulled(xero, INVOICES)
    for row in (row for row in rows.values() if row["Status"] not in ("VOIDED", "DELETED")):
        assert not any(isinstance(value, float) for value in row.values())
        assert row["Total"] == row["AmountDue"] + row["AmountPaid"] + row["AmountCredited"]


def test_a_contact_is_made_found_and_changed(xero, sandbox):
    number = str(uuid.uuid4())
    receipt = xero.write([contact(ContactNumber=number)])[0]
    assert [row["ContactID"] for row in xero.find(CONTACTS, "ContactNumber", number)] == [receipt.id]
    xero.write([Write(CONTACTS, Verb.UPDATE, {"EmailAddress": "a@b.example"}, "k2", id=receipt.id)])
    assert xero.get(CONTACTS, receipt.id)["EmailAddress"] == "a@b.example"
    assert {entry.run for entry in sandbox.log("xero")} == {"run-7"}


def test_an_invoice_keeps_four_decimals(xero):
    someone = next(iter(pulled(xero, CONTACTS)[0]))
    line = {"Description": "x", "Quantity": Decimal(3), "UnitAmount": Decimal("0.3333"), "AccountCode": "200"}
    body = {"Type": "ACCREC", "Contact": {"ContactID": someone}, "InvoiceNumber": "T-1", "Date": "2026-11-01"}
    receipt = xero.write([Write(INVOICES, Verb.CREATE, body | {"LineItems": [line]}, "k1")])[0]
    assert receipt.error is None
    assert xero.get(INVOICES, receipt.id)["LineItems"][0]["UnitAmount"] == Decimal("0.3333")


def test_a_refused_element_beside_accepted_ones(xero, sandbox):
    before = held(sandbox, "Contacts")
    taken = next(iter(pulled(xero, CONTACTS)[0].values()))["Name"]
    good, bad, other = xero.write([contact(), contact(Name=taken), contact()])
    assert (good.error, other.error) == (None, None)
    assert isinstance(bad.error, Rejected)
    assert held(sandbox, "Contacts") == before + 2


@pytest.mark.parametrize("kind", ["drop_after", "error_after", "reset_mid_body"])
def test_a_lost_answer_is_unknown_and_made_once(xero, sandbox, kind):
    before = held(sandbox, "Contacts")
    fault = sandbox.fault(kind, system="xero", method="PUT")
    number = str(uuid.uuid4())
    with pytest.raises(Unknown):
        xero.write([contact(ContactNumber=number)])
    assert fault.fired == 1
    assert held(sandbox, "Contacts") == before + 1
    assert len(xero.find(CONTACTS, "ContactNumber", number)) == 1


def test_a_request_that_was_dropped_is_unknown_and_made_never(xero, sandbox):
    before = held(sandbox, "Contacts")
    sandbox.fault("drop_before", system="xero", method="PUT")
    with pytest.raises(Unknown):
        xero.write([contact()])
    assert held(sandbox, "Contacts") == before


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "reset_mid_body", "rate_limited", "status", "expire_tokens"])
def test_reading_gets_over_it(xero, sandbox, kind):
    fault = sandbox.fault(kind, system="xero", method="GET", path="Items")
    assert pulled(xero, ITEMS)[0]
    assert fault.fired == 1


@pytest.mark.parametrize(("retry_after", "shortest"), [(30, 29.9), (None, 0.1)])
def test_a_change_waits_out_a_limit(xero, sandbox, clock, retry_after, shortest):
    sandbox.fault("rate_limited", system="xero", method="PUT", retry_after=retry_after, problem="concurrent")
    assert xero.write([contact()])[0].error is None
    assert sum(clock.slept) >= shortest


def test_the_daily_limit_says_when_it_resumes(xero, sandbox):
    sandbox.fault("rate_limited", system="xero", path="Items", retry_after=40_000, problem="day")
    with pytest.raises(Retryable, match="of the day is used up"):
        pulled(xero, ITEMS)


def test_a_page_with_status_200_is_no_data(xero, sandbox):
    sandbox.fault("html", times=None, system="xero", path="Items")
    with pytest.raises(Retryable, match="page instead of data"):
        pulled(xero, ITEMS)


def test_a_missing_scope_is_said(xero, sandbox):
    sandbox.fault("forbidden", system="xero", path="Items")
    with pytest.raises(Configure, match="lacks a scope"):
        pulled(xero, ITEMS)


def test_a_row_edited_while_paging_is_not_missed(xero, sandbox):
    everything, cursor = pulled(xero, CONTACTS)
    someone = next(iter(everything))
    order = {"system": "xero", "table": "Contacts", "id": someone, "set": {"EmailAddress": "while@reading.example"}}
    sandbox.fault("edit_while_paging", system="xero", path="Contacts", edit=order)
    first, cursor = pulled(xero, CONTACTS)
    second, _ = pulled(xero, CONTACTS, cursor)
    assert first.keys() == everything.keys()
    assert second[someone]["EmailAddress"] == "while@reading.example"


def test_a_listing_that_lost_rows_is_not_believed(xero, sandbox):
    sandbox.fault("short_listing", system="xero", path="Contacts", times=None)
    with pytest.raises(Retryable, match="twice"):
        pulled(xero, CONTACTS)


def test_a_minute_of_calls_is_never_refused(xero, sandbox, clock):
    start = datetime.now(UTC)
    for _ in range(130):
        xero.find(ITEMS, "Code", "nothing")
    assert {entry.status for entry in sandbox.log("xero")} == {200}
    assert sum(clock.slept) > 100
    assert datetime.now(UTC) > start


def test_many_threads_stay_within_five_at_once(xero, sandbox):
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: xero.find(ITEMS, "Code", "nothing"), range(50)))
    assert {entry.status for entry in sandbox.log("xero")} == {200}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"xero_client_secret": "wrong-secret"}, "TIEOUT_XERO_CLIENT_SECRET"),
        ({"xero_tenant_id": str(uuid.UUID(int=1))}, "TIEOUT_XERO_TENANT_ID"),
    ],
)
def test_wrong_settings_are_named(sandbox, clock, changes, words):
    settings = settings_of(sandbox, **changes)
    tokens = XeroTokens(settings, clock)
    client = Xero(settings, clock, tokens)
    with pytest.raises(Configure, match=words):
        client.check()
    client.close()
    tokens.close()
