"""Dynamics' own ways, beyond the contract: tracking, own tables, locked invoices. On the sandbox."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from contract import rows_of
from dynamics_bench import DynamicsBench

from sync_core.errors import Configure, Expired, Rejected
from sync_core.model import Lookup, Side, Verb
from sync_core.rules.entities import CURRENCIES, DETAILS, ENTITIES, Stream, entity
from sync_core.sandbox.serve import Sandbox
from sync_core.systems import dataverse
from sync_core.systems.base import Receipt, Write
from sync_core.systems.own_tables import SYNC_STATUS_VALUES
from sync_core.systems.provision import missing, provision

ACCOUNT, CONTACT = entity("contacts").crm
INVOICE = entity("invoices").crm[0]
OWN = {stream.table: stream for e in ENTITIES for stream in (*e.crm, *e.children) if stream.own}


@pytest.fixture
def bench(quiet_sandbox: Sandbox) -> Iterator[DynamicsBench]:
    bench = DynamicsBench(quiet_sandbox)
    yield bench
    bench.close()


def send(bench: DynamicsBench, stream: Stream, verb: Verb, row_id: str, version: str | None = None, **body) -> Receipt:
    (receipt,) = bench.system.write([Write(stream, verb, body, str(uuid.uuid4()), id=row_id, version=version)])
    return receipt


def create(bench: DynamicsBench, stream: Stream, **body) -> Receipt:
    return send(bench, stream, Verb.CREATE, str(uuid.uuid4()), **body)


def test_nothing_is_missing_after_the_set_up_and_a_second_one_writes_nothing(bench):
    before = bench.system.http.calls.write
    report = provision(bench.system.http, bench.clock, lambda _text: None)
    assert (report.created, bench.system.http.calls.write) == ([], before)
    assert report.already > 100
    assert missing(bench.system.http) == []


@pytest.mark.parametrize("stream", [s for e in ENTITIES for s in (*e.crm, *e.children)] + [DETAILS], ids=lambda s: s.table)
def test_every_stream_of_the_registry_can_be_pulled(bench, stream):
    pages = list(bench.system.changed_since(stream, None))
    assert pages[-1].cursor
    held = {row[stream.key] for row in bench.rows(stream.table)}
    assert {row[stream.key] for row in rows_of(pages)} == held


def test_pages_are_followed_to_the_end(bench, monkeypatch):
    monkeypatch.setattr(dataverse, "_PAGED", "odata.maxpagesize=3")
    monkeypatch.setattr(dataverse, "_TRACKED", "odata.track-changes,odata.maxpagesize=3")
    for stream in (INVOICE, CURRENCIES):
        pages = list(bench.system.changed_since(stream, None))
        assert len(pages) > 1
        assert len(rows_of(pages)) == len({row[stream.key] for row in rows_of(pages)}) == len(bench.rows(stream.table))


@pytest.mark.parametrize("how", ["fault", "time"])
def test_an_old_cursor_is_expired_and_a_full_pull_goes_on(bench, how):
    cursor = bench.cursor()
    if how == "fault":
        bench.fault("expire_delta_tokens")
    else:
        bench.sandbox.advance(8 * 24 * 3600)
    with pytest.raises(Expired):
        bench.pull(cursor)
    assert bench.pull()[-1].cursor


def test_a_rows_own_columns_keep_every_digit(bench):
    payment, invoice = OWN["tie_payment"], bench.rows("invoice")[0]["invoiceid"]
    receipt = create(
        bench,
        payment,
        tie_name="Payment of INV-1",
        tie_xeroid=str(uuid.uuid4()),
        tie_amount=Decimal("25.06"),
        tie_rate=Decimal("0.6123456789"),
        tie_date="2026-11-20",
        **{"tie_invoiceid@odata.bind": f"/invoices({invoice})"},
    )
    assert receipt.error is None
    row = bench.system.get(payment, receipt.id)
    assert (row["tie_amount"], str(row["tie_rate"])) == (Decimal("25.06"), "0.6123456789")
    assert (row["tie_date"], row["_tie_invoiceid_value"]) == ("2026-11-20", invoice)


def test_a_lookup_is_bound_changed_and_cleared(bench):
    payment, (first, second) = OWN["tie_payment"], [row["invoiceid"] for row in bench.rows("invoice")][:2]
    row_id = str(uuid.uuid4())
    made = send(bench, payment, Verb.CREATE, row_id, tie_name="P", tie_invoiceid=Lookup("invoice", first))
    assert made.native["_tie_invoiceid_value"] == first
    moved = send(bench, payment, Verb.UPDATE, row_id, tie_invoiceid=Lookup("invoice", second))
    assert moved.native["_tie_invoiceid_value"] == second
    assert send(bench, payment, Verb.UPDATE, row_id, tie_invoiceid=None).native["_tie_invoiceid_value"] is None


def test_a_stamp_is_made_or_updated_by_the_same_write(bench):
    row_id, key = str(uuid.uuid4()), f"account/{uuid.uuid4()}"
    for status in ("Queued", "Success"):
        stamp = {
            "tie_name": "Acme",
            "tie_recordkey": key,
            "tie_syncstatus": SYNC_STATUS_VALUES[status],
            "tie_lastsyncedon": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        }
        receipt = send(bench, DETAILS, Verb.CREATE, row_id, "*", **stamp)
        assert receipt.native["tie_syncstatus"] == SYNC_STATUS_VALUES[status]
        assert receipt.native["tie_lastsyncedon"] == "2026-11-20T09:30:00Z"
    assert [row["tie_recordkey"] for row in bench.system.find(DETAILS, "tie_recordkey", key)] == [key]


def test_a_xero_id_belongs_to_one_row(bench):
    twin, (first, second) = str(uuid.uuid4()), (bench.made(), bench.made())
    assert send(bench, ACCOUNT, Verb.UPDATE, first["accountid"], tie_xeroid=twin).error is None
    refused = send(bench, ACCOUNT, Verb.UPDATE, second["accountid"], tie_xeroid=twin).error
    assert isinstance(refused, Rejected)
    assert refused.code == "exists"
    assert [row["accountid"] for row in bench.system.find(ACCOUNT, "tie_xeroid", twin)] == [first["accountid"]]


def test_a_create_does_not_overwrite(bench):
    row = bench.made()
    refused = send(bench, ACCOUNT, Verb.CREATE, row["accountid"], name="other").error
    assert isinstance(refused, Rejected)
    assert refused.code == "exists"


def test_an_update_does_not_make_what_is_not_there(bench):
    refused = send(bench, ACCOUNT, Verb.UPDATE, str(uuid.uuid4()), name="ghost").error
    assert isinstance(refused, Rejected)
    assert refused.code == "missing"
    assert "ghost" not in {row["name"] for row in bench.rows("account")}


def test_a_paid_invoice_is_refused_in_plain_words(bench):
    paid = next(row for row in bench.rows("invoice") if row["statecode"] == 2)
    refused = send(bench, INVOICE, Verb.UPDATE, paid["invoiceid"], name="new name").error
    assert isinstance(refused, Rejected)
    assert "read-only" in refused.message
    assert "reactivated" in refused.message


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "x" * 161}, "name", "longer than"),
        ({"nosuchfield": "x"}, "nosuchfield", "does not take"),
        ({"creditlimit": "much"}, "creditlimit", "does not take"),
        ({"primarycontactid@odata.bind": f"/contacts({uuid.uuid4()})"}, "primarycontactid", "is not in Dynamics"),
    ],
)
def test_a_refusal_names_the_field_and_what_is_wrong(bench, body, field, words):
    refused = send(bench, ACCOUNT, Verb.UPDATE, bench.made()["accountid"], **body).error
    assert isinstance(refused, Rejected)
    assert refused.field == field
    assert words in refused.message


def test_both_tables_of_customers_are_deleted_and_seen(bench):
    receipt = create(bench, CONTACT, firstname="Ada", lastname="King")
    *_, last = bench.system.changed_since(CONTACT, None)
    send(bench, CONTACT, Verb.DELETE, receipt.id)
    (page,) = bench.system.changed_since(CONTACT, last.cursor)
    assert page.gone == [receipt.id]
    assert bench.system.get(CONTACT, receipt.id) is None


def test_a_full_batch_goes_through_in_order(bench):
    tags = [bench.fresh_tag() for _ in range(100)]
    receipts = bench.system.write([bench.new(tag) for tag in tags])
    assert [receipt.native["accountnumber"] for receipt in receipts] == tags


def test_hostile_text_comes_back_as_it_was(bench):
    text = '=HYPERLINK("x") <script> ![](http://127.0.0.1:9/x) \'; drop -- \u202e\r\n--batch'
    receipts = bench.system.write([bench.rename(bench.made(), text), bench.rename(bench.made(), text)])
    assert [receipt.native["name"] for receipt in receipts] == [text, text]
    assert len(bench.system.find(ACCOUNT, "name", text)) >= 2


def test_a_stream_of_another_environment_is_named(bench):
    nowhere = Stream(Side.CRM, "tie_nowhere", "tie_nowhereid")
    with pytest.raises(Configure, match="setup"):
        list(bench.system.changed_since(nowhere, None))
    wrong_column = Stream(Side.CRM, "account", "accountid", ("tie_nowhere",))
    with pytest.raises(Configure, match="setup"):
        list(bench.system.changed_since(wrong_column, None))


def test_money_writes_of_a_line_answer_with_the_priced_row(bench):
    line = entity("invoices").children[0]
    open_invoice = next(row for row in bench.rows("invoice") if row["statecode"] == 0)
    receipt = create(
        bench,
        line,
        isproductoverridden=True,
        productdescription="Consulting",
        quantity=Decimal("1.50000"),
        priceperunit=Decimal("25.06"),
        tax=Decimal("5.64"),
        **{"invoiceid@odata.bind": f"/invoices({open_invoice['invoiceid']})"},
    )
    assert receipt.error is None
    assert receipt.native["extendedamount"] == Decimal("43.23")


def test_an_edit_while_paging_is_not_lost(bench, monkeypatch):
    monkeypatch.setattr(dataverse, "_TRACKED", "odata.track-changes,odata.maxpagesize=3")
    first = bench.pull()[0].rows[0]
    edit = {"system": "dataverse", "table": "account", "id": first["accountid"], "set": {"name": "edited while paging"}}
    fault = bench.fault("edit_while_paging", path="accounts", edit=edit)
    pages = bench.pull()
    assert fault.fired == 1
    seen = rows_of(pages) + rows_of(bench.pull(pages[-1].cursor))
    assert [row["name"] for row in seen if row["accountid"] == first["accountid"]][-1] == "edited while paging"


def test_threads_share_one_client(bench):
    rows = [bench.made() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda row: bench.system.get(ACCOUNT, row["accountid"]), rows * 5))
    assert [row["accountid"] for row in got] == [row["accountid"] for row in rows * 5]


@pytest.mark.parametrize("after", [0, 1, 40, 117])
def test_a_set_up_whose_answer_is_lost_looks_what_was_made_and_goes_on(sandbox, after):
    bench = DynamicsBench(sandbox)
    fault = bench.fault("drop_after", method="POST", path="/api/data", after=after)
    provision(bench.system.http, bench.clock, lambda _text: None)
    assert fault.fired == 1
    assert missing(bench.system.http) == []
    bench.close()


def test_before_the_set_up_a_pull_says_what_to_do(sandbox):
    bench = DynamicsBench(sandbox)
    with pytest.raises(Configure, match="python -m sync_core setup"):
        bench.pull()
    with pytest.raises(Configure, match="python -m sync_core setup"):
        list(bench.system.changed_since(DETAILS, None))
    bench.close()
