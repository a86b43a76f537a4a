"""What the cache says when both ledgers are laid side by side."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from ledger_pair import DAY, Ledgers

from sync_core.errors import Rejected
from sync_core.model import MatchStatus, Side
from sync_core.rules.entities import ENTITIES
from sync_core.rules.reasons import Finding, Reason, decide
from sync_core.rules.reconcile import Filters, Sort, Terms, as_json
from sync_core.store.prints import EVERY
from sync_core.store.reconciliation import COLUMNS, data_age, page, rows, summary
from sync_core.store.reconciliation_detail import detail
from sync_core.store.reconciliation_sql import steps

S, R = MatchStatus, Reason
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def ledgers():
    made = Ledgers()
    made.customer()
    return made


def all_rows(ledgers, entity="invoices", **asked):
    return {row["row_id"]: row for row in rows(ledgers.cache, entity, **asked).to_pylist()}


def only(ledgers, entity="invoices", **asked):
    (row,) = rows(ledgers.cache, entity, **asked).to_pylist()
    return row


def verdict(row):
    return row["status"], row["reason"]


def lines(*prices):
    return {"lines": [{"description": f"Line {p}", "quantity": "1", "unit_price": p, "net": p, "tax": "0"} for p in prices]}


@pytest.mark.parametrize("entity", [e.name for e in ENTITIES])
def test_every_entity_can_be_laid_side_by_side(ledgers, entity):
    ledgers.add(entity, "crm", "c-1", title="One")
    ledgers.add(entity, "xero", "x-2", title="Two")
    made = page(ledgers.cache, entity)
    assert tuple(made.rows.column_names) == COLUMNS
    assert sum(made.status_counts.values()) == made.row_count == len(all_rows(ledgers, entity))


def test_linked_and_equal_is_matched(ledgers):
    ledgers.pair("A1")
    row = only(ledgers)
    assert verdict(row) == (S.MATCHED, R.NONE)
    assert (row["matched_by"], row["difference"], row["contact"]) == ("stored link", Decimal("0.0000"), "Kea Ltd")


@pytest.mark.parametrize(
    ("crm", "xero", "reason", "difference"),
    [
        ({"total": "115.01", "tax": "15.01"}, {}, R.TAX_ROUNDING, "0.01"),
        ({"total": "120.00"}, {}, R.OTHER, "5.00"),
        ({}, {"total": "120.00"}, R.OTHER, "-5.00"),
        ({}, {"due_date": DAY + timedelta(9)}, R.DUE_DATE, "0"),
        ({}, {"contact": "somebody else"}, R.WRONG_CONTACT, "0"),
        ({"state": "2"}, {}, R.STATUS_ONLY, "0"),
        ({}, {"amount_paid": "15.00"}, R.PART_PAYMENT, "0"),
        ({}, {"amount_credited": "15.00"}, R.UNALLOCATED_CREDIT, "0"),
        ({}, {"number": "other"}, R.FIELD, "0"),
    ],
)
def test_what_differs_is_named(ledgers, crm, xero, reason, difference):
    ledgers.pair("A1", crm, xero)
    row = only(ledgers)
    assert verdict(row) == (S.DIFFERS, reason)
    assert row["difference"] == Decimal(difference)


@pytest.mark.parametrize(
    ("crm", "xero", "reason"),
    [
        (lines("60", "40"), lines("60"), R.MISSING_LINE),
        (lines("60", "45"), lines("60", "40"), R.LINE_DIFFERS),
        (lines("60"), {"lines": [{**lines("60")["lines"][0], "net": "55"}]}, R.DISCOUNT),
        (lines("60.004"), {"lines": [{**lines("60.00")["lines"][0], "description": "Line 60.004"}]}, R.PRICE_PRECISION),
        ({**lines("60"), "freight": "5"}, lines("60"), R.DISCOUNT),
    ],
)
def test_a_difference_of_totals_is_traced_to_lines(ledgers, crm, xero, reason):
    ledgers.pair("A1", {"total": "115.004" if reason is R.PRICE_PRECISION else "120.00", "fields": crm}, {"fields": xero})
    assert verdict(only(ledgers)) == (S.DIFFERS, reason)


def test_lines_in_another_order_are_the_same_lines(ledgers):
    ledgers.pair("A1", {"fields": lines("60", "40")}, {"fields": lines("40", "60")}, agreed=False)
    assert only(ledgers)["status"] == S.MATCHED


def test_payments_and_allocations_in_dynamics_add_up_to_what_xero_says(ledgers):
    ledgers.pair("A1", {"state": "2"}, {"state": "PAID", "amount_paid": "100.00", "amount_credited": "15.00"})
    ledgers.add("payments", "crm", "p1", document="c-A1", total="100.00", state="AUTHORISED")
    ledgers.add("payments", "crm", "p2", document="c-A1", total="7.00", state="DELETED")
    ledgers.add("allocations", "crm", "a1", document="c-A1", total="15.00")
    row = only(ledgers)
    assert (row["crm_paid"], row["crm_credited"], row["crm_due"]) == (100, 15, 0)
    assert row["status"] == S.MATCHED


def test_an_allocated_prepayment_is_told_from_a_credit_note(ledgers):
    ledgers.pair("A1", {}, {"amount_credited": "15.00"})
    ledgers.add("allocations", "xero", "a1", document="x-A1", total="15.00", native_table="Prepayments")
    assert only(ledgers)["reason"] == R.ADVANCE


def test_a_merged_contact_is_told_from_a_wrong_one(ledgers):
    ledgers.add("contacts", "crm", "crm-m", title="Moa", partner="xero-m")
    ledgers.add("contacts", "xero", "xero-m", title="Moa", partner="crm-m", gone="merged")
    ledgers.pair("A1", {"contact": "crm-m"})
    assert only(ledgers)["reason"] == R.CONTACT_MERGED


def test_void_documents_count_nothing(ledgers):
    ledgers.pair("both", {"gone": "canceled", "state": "3"}, {"gone": "voided", "state": "VOIDED"})
    ledgers.pair("one", {}, {"gone": "voided", "state": "VOIDED"})
    ledgers.invoice("xero", "x-lone", gone="deleted", state="DELETED")
    found = all_rows(ledgers)
    assert verdict(found["crm:c-both"]) == (S.MATCHED, R.NONE)
    assert verdict(found["crm:c-one"]) == (S.VOIDED_ONE_SIDE, R.VOID_ONE_SIDE)
    assert verdict(found["xero:x-lone"]) == (S.IGNORED, R.VOID)
    assert [found[k]["difference"] for k in sorted(found)] == [0, 115, 0]


def test_a_hard_deleted_twin_is_missing(ledgers):
    ledgers.pair("A1", {"gone": "deleted"})
    assert verdict(only(ledgers)) == (S.MISSING_IN_CRM, R.MISSING_IN_CRM)


def test_lone_records_are_missing_on_the_other_side(ledgers):
    ledgers.invoice("crm", "c-1", "10.00", number="A1")
    ledgers.invoice("xero", "x-2", "25.00", number="A2")
    found = all_rows(ledgers)
    assert {k: row["status"] for k, row in found.items()} == {"crm:c-1": S.MISSING_IN_XERO, "xero:x-2": S.MISSING_IN_CRM}
    assert sum(row["difference"] for row in found.values()) == -15


@pytest.mark.parametrize(
    ("crm", "xero", "way"),
    [
        ({"fields": {"xero_id": "X-1"}, "number": "A"}, {"number": "B"}, "Xero id held by Dynamics"),
        ({"number": " hp-1 001"}, {"number": "HP-1001 "}, "document number"),
        ({"reference": "PO 7"}, {"reference": "po 7 "}, "reference"),
        ({"doc_date": DAY}, {"doc_date": DAY + timedelta(7)}, "contact, amount and date"),
    ],
)
def test_unlinked_records_are_matched_and_the_pass_is_named(ledgers, crm, xero, way):
    ledgers.invoice("crm", "c-1", **crm)
    ledgers.invoice("xero", "x-1", **xero)
    row = only(ledgers)
    assert (row["crm_id"], row["xero_id"], row["matched_by"]) == ("c-1", "x-1", way)


@pytest.mark.parametrize(
    ("crm", "xero"),
    [
        ({}, {"doc_date": DAY + timedelta(8)}),
        ({}, {"currency": "USD"}),
        ({}, {"contact": "somebody else"}),
        ({}, {"total": "115.01"}),
        ({"reference": "PO 7", "total": "1"}, {"reference": "PO 7", "contact": "somebody else"}),
    ],
)
def test_what_is_too_far_apart_is_not_matched(ledgers, crm, xero):
    ledgers.invoice("crm", "c-1", **crm)
    ledgers.invoice("xero", "x-1", **xero)
    assert len(all_rows(ledgers)) == 2


def test_alternatives_are_scored_and_say_why(ledgers):
    ledgers.customer("crm-w", "xero-w", "Wai & Sons Ltd")
    ledgers.add("contacts", "xero", "xero-v", title="Wai and Sons Ltd")
    ledgers.invoice("crm", "c-1", contact="crm-w")
    ledgers.invoice("xero", "x-1", contact="xero-v", doc_date=DAY + timedelta(2))
    row = all_rows(ledgers)["crm:c-1"]
    assert (row["status"], row["alternatives"]) == (S.AMBIGUOUS, ["xero:x-1"])
    assert row["why"] == ["78 of 100: same amount, 2 days apart, similar contact name 0.89"]
    (other,) = detail(ledgers.cache, "invoices", "crm:c-1").alternatives
    assert (other.row_id, other.why) == ("xero:x-1", row["why"][0])


def test_the_one_that_leads_is_taken_and_used_once(ledgers):
    """x-1 is the same day, x-8 a week later: c-1 takes x-1, and c-8 has x-8 for itself then."""
    ledgers.invoice("crm", "c-1")
    ledgers.invoice("crm", "c-8", doc_date=DAY + timedelta(7))
    ledgers.invoice("xero", "x-1")
    ledgers.invoice("xero", "x-8", doc_date=DAY + timedelta(7))
    assert {(row["crm_id"], row["xero_id"]) for row in all_rows(ledgers).values()} == {("c-1", "x-1"), ("c-8", "x-8")}


def test_tolerance_can_be_a_share_of_the_total(ledgers):
    ledgers.pair("A1", {"total": "115.90"})
    ledgers.pair("A2", {"total": "117.00"})
    found = all_rows(ledgers, terms=Terms(percent={"NZD": Decimal(1)}))
    assert [found[k]["status"] for k in ("crm:c-A1", "crm:c-A2")] == [S.WITHIN_TOLERANCE, S.DIFFERS]


MOVED = {"total": "120.00", "hash": "moved"}


@pytest.mark.parametrize(
    ("crm", "xero", "reason", "words"),
    [
        (MOVED, {}, R.EDITED, "Changed in Dynamics after it was approved in Xero"),
        ({}, MOVED, R.EDITED, "Changed in Xero after it was approved there"),
        (MOVED, MOVED | {"total": "121.00"}, R.EDITED, "Changed on both sides after it was approved in Xero"),
        (MOVED, {"state": "DRAFT"}, R.OTHER, "Totals differ for a reason that is not known"),
    ],
)
def test_an_edit_after_approval_is_named(ledgers, crm, xero, reason, words):
    ledgers.pair("A1", crm, xero)
    row = only(ledgers)
    assert (row["reason"], row["words"]) == (reason, words)


def test_a_locked_period_is_named(ledgers):
    terms = Terms(locked_until=DAY)
    ledgers.pair("A1", MOVED)
    ledgers.pair("A2", {"due_date": DAY + timedelta(9), "hash": "moved"})
    ledgers.pair("A3", {}, MOVED)
    ledgers.invoice("crm", "c-lone", "9.00")
    ledgers.invoice("crm", "c-later", "9.00", doc_date=DAY + timedelta(1))
    found = all_rows(ledgers, terms=terms)
    assert [found[f"crm:c-{name}"]["reason"] for name in ("A1", "A2", "A3", "lone", "later")] == [
        R.LOCKED, R.LOCKED, R.EDITED, R.LOCKED, R.MISSING_IN_XERO,
    ]  # fmt: skip
    assert found["crm:c-lone"]["status"] == S.MISSING_IN_XERO
    assert found["crm:c-lone"]["words"] == "Not in Xero, where its period is locked until 2026-11-02"


def test_a_difference_of_several_reasons_is_split_and_told_line_by_line(ledgers):
    boots, socks = lines("60", "40")["lines"]
    ledgers.pair(
        "A1",
        {"total": "175.00", "hash": "moved", "fields": {"lines": [boots | {"quantity": "2", "net": "120"}, socks]}},
        {"fields": {"lines": [boots]}},
    )
    row = only(ledgers)
    assert row["words"] == (
        "Changed in Dynamics after it was approved in Xero: line 1: quantity 2 against 1; line 2 (Line 40) is only in Dynamics"
    )
    (total,) = summary(ledgers.cache, "invoices").totals
    assert total.by_reason == {R.EDITED: 60}
    ledgers.pair("A2", {"total": "175.00", "fields": {"lines": [boots | {"quantity": "2", "net": "120"}, socks]}},
                 {"fields": {"lines": [boots]}})  # fmt: skip
    (total,) = summary(ledgers.cache, "invoices").totals
    assert total.by_reason == {R.EDITED: 60, R.LINE_DIFFERS: 60, R.MISSING_LINE: 40, R.OTHER: -40}
    assert (total.difference, total.unexplained) == (120, -40)


def test_foreign_documents_show_both_rates_and_what_they_are_worth(ledgers):
    usd = {"currency": "USD"}
    ledgers.pair("A1", usd | {"rate": "0.6000"}, usd | {"rate": "0.6125"})
    ledgers.pair("A2", usd, usd)
    ledgers.pair("A3", usd | {"rate": "0.6"}, usd | {"rate": "0.6"})
    ledgers.pair("A4")
    found = all_rows(ledgers, terms=Terms(base_currency="NZD"))
    row = found["crm:c-A1"]
    assert verdict(row) == (S.MATCHED, R.EXCHANGE_RATE)
    assert row["words"] == "Exchange rates differ: 0.6 in Dynamics, 0.6125 in Xero"
    assert row["rate_note"] == "One NZD is 0.6 USD in Dynamics, 0.6125 USD in Xero"
    assert (row["crm_base"], row["xero_base"]) == (Decimal("191.67"), Decimal("187.76"))
    assert row["base_difference"] == Decimal("3.91")
    assert (found["crm:c-A2"]["xero_base"], found["crm:c-A2"]["rate_note"]) == (None, "Neither system gives a rate for USD")
    assert found["crm:c-A3"]["base_difference"] == 0
    assert (found["crm:c-A4"]["crm_base"], found["crm:c-A4"]["rate_note"]) == (115, "")


AMOUNT = st.decimals(-(10**9), 10**9, places=2)


@given(st.lists(st.tuples(AMOUNT, st.decimals(Decimal("0.0001"), 9999, places=6)), min_size=1, max_size=20))
@settings(max_examples=8, deadline=None)
def test_worth_in_the_base_currency_is_rounded_as_decimals_are(documents):
    ledgers = Ledgers()
    for n, (amount, rate) in enumerate(documents):
        ledgers.add("invoices", "xero", f"x-{n}", total=str(amount), currency="USD", rate=str(rate))
    found = all_rows(ledgers, terms=Terms(base_currency="NZD"))
    for n, (amount, rate) in enumerate(documents):
        assert found[f"xero:x-{n}"]["xero_base"] == (amount / rate).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_a_credit_note_over_several_invoices_shows_its_open_balance(ledgers):
    ledgers.pair("A1")
    ledgers.pair("A2")
    for side in ("crm", "xero"):
        other = {"crm": "xero", "xero": "crm"}[side]
        note = {"currency": "NZD", "contact": f"{side}-k", "partner": f"{other}-n", "amount_due": "20.00"}
        ledgers.add("credit_notes", side, f"{side}-n", total="100.00", **note)
        for n, amount in (("1", "50.00"), ("2", "30.00")):
            if side == "xero" or n == "1":
                ledgers.add("allocations", side, f"{side}-a{n}", total=amount, parent=f"{side}-n", document=f"{side[0]}-A{n}",
                            partner=f"{other}-a{n}" if n == "1" else None)  # fmt: skip
    shown = detail(ledgers.cache, "credit_notes", "crm:crm-n")
    assert [(each.document, each.crm, each.xero) for each in shown.applied] == [("A1", 50, 50), ("A2", None, 30)]
    assert (shown.xero_balance.total, shown.xero_balance.applied, shown.xero_balance.open) == (100, 80, 20)
    assert (shown.xero_balance.agrees, shown.crm_balance.open, shown.crm_balance.agrees) == (True, 50, False)


def test_a_batch_over_several_invoices_is_used_up(ledgers):
    ledgers.pair("A1")
    ledgers.add("batch_payments", "xero", "b", total="80.00")
    for n, amount in enumerate(("50.00", "30.00")):
        ledgers.add("payments", "xero", f"p{n}", total=amount, parent="b", document="x-A1", state="AUTHORISED")
    ledgers.add("payments", "xero", "undone", total="9.00", parent="b", document="x-A1", state="DELETED")
    shown = detail(ledgers.cache, "batch_payments", "xero:b")
    assert [each.xero for each in shown.applied] == [50, 30]
    assert (shown.xero_balance.applied, shown.xero_balance.open, shown.crm_balance) == (80, 0, None)


def test_a_page_says_what_is_missing(ledgers):
    ledgers.pulled("crm.invoice", NINE.replace(tzinfo=None))
    ledgers.invoice("crm", "c-1")
    told = page(ledgers.cache, "invoices", terms=Terms(base_currency="NZD")).gaps
    assert [(gap.missing, gap.side) for gap in told] == [("cut off", Side.CRM), ("never read", Side.XERO)]


def test_several_candidates_are_shown_and_none_is_guessed(ledgers):
    ledgers.invoice("crm", "c-1")
    ledgers.invoice("xero", "x-1")
    ledgers.invoice("xero", "x-2", doc_date=DAY + timedelta(2))
    found = all_rows(ledgers)
    assert {row["status"] for row in found.values()} == {S.AMBIGUOUS}
    assert found["crm:c-1"]["alternatives"] == ["xero:x-1", "xero:x-2"]


def test_another_number_on_another_day_is_asked_about(ledgers):
    ledgers.invoice("crm", "c-1", number="A1")
    ledgers.invoice("xero", "x-1", number="A2", doc_date=DAY + timedelta(2))
    assert {row["status"] for row in all_rows(ledgers).values()} == {S.AMBIGUOUS}


def test_a_second_copy_in_xero_is_a_duplicate(ledgers):
    ledgers.pair("A1")
    ledgers.invoice("xero", "x-again", number="A1A")
    row = all_rows(ledgers)["xero:x-again"]
    assert verdict(row) == (S.DUPLICATE, R.DUPLICATE)
    assert row["alternatives"] == ["xero:x-A1"]
    assert row["difference"] == -115


def test_the_same_number_or_tag_twice_is_a_duplicate(ledgers):
    for id_ in ("c-1", "c-2"):
        ledgers.invoice("crm", id_, number="A1", total=None)
    for id_ in ("c-3", "c-4"):
        ledgers.invoice("crm", id_, total=None, fields={"xero_id": "x-9"})
    ledgers.invoice("xero", "x-1", "7.00", number="a1")
    found = all_rows(ledgers)
    assert {found[f"crm:c-{n}"]["status"] for n in (1, 2, 3, 4)} == {S.DUPLICATE}
    assert found["xero:x-1"]["status"] == S.MISSING_IN_CRM


def test_a_twin_that_belongs_to_another_is_claimed_twice(ledgers):
    ledgers.pair("A1")
    ledgers.invoice("crm", "c-2", "9.00", partner="x-A1")
    assert all_rows(ledgers)["crm:c-2"]["status"] == S.DUPLICATE


def test_a_pair_in_two_currencies_is_never_subtracted(ledgers):
    ledgers.pair("A1", {"currency": "USD"})
    found = all_rows(ledgers)
    assert {verdict(row) for row in found.values()} == {(S.DIFFERS, R.CURRENCY)}
    assert [(t.currency, t.difference) for t in summary(ledgers.cache, "invoices").totals] == [("NZD", -115), ("USD", 115)]


def test_a_side_that_names_no_currency_takes_the_other_s(ledgers):
    ledgers.pair("A1", {"currency": None})
    assert (only(ledgers)["currency"], only(ledgers)["status"]) == ("NZD", S.MATCHED)


def test_tolerance_is_per_currency_and_stays_visible(ledgers):
    ledgers.pair("A1", {"total": "115.04"})
    ledgers.pair("A2", {"total": "115.04"}, currency="USD")
    found = all_rows(ledgers, terms=Terms(tolerance={"NZD": Decimal("0.05")}))
    assert found["crm:c-A1"]["status"] == S.WITHIN_TOLERANCE
    assert found["crm:c-A2"]["status"] == S.DIFFERS
    assert found["crm:c-A1"]["difference"] == Decimal("0.04")


def test_tolerance_does_not_hide_another_field(ledgers):
    ledgers.pair("A1", {"total": "115.04"}, {"due_date": DAY + timedelta(1)})
    assert only(ledgers, terms=Terms(tolerance={"NZD": Decimal("0.05")}))["status"] == S.DIFFERS


def test_a_row_set_aside_says_why_and_still_counts(ledgers):
    ledgers.pair("A1", {"total": "120.00"})
    terms = Terms(ignored={"crm:c-A1": "agreed by phone"})
    row = only(ledgers, terms=terms)
    assert (row["status"], row["words"]) == (S.IGNORED, "Set aside by a person: agreed by phone")
    assert summary(ledgers.cache, "invoices", terms=terms).totals[0].explained == 5


def test_a_change_after_the_other_side_was_read_is_timing(ledgers):
    nine = NINE.replace(tzinfo=None)
    ledgers.pulled("crm.invoice", nine)
    ledgers.pulled("xero.Invoices", nine + timedelta(minutes=5))
    ledgers.pair("A1", {}, {"total": "120.00", "modified": nine + timedelta(minutes=1), "hash": "moved"})
    ledgers.pair("A2", {}, {"total": "120.00", "modified": nine - timedelta(minutes=1), "hash": "moved"})
    ledgers.invoice("xero", "x-new", "9.00", modified=nine + timedelta(minutes=1))
    found = all_rows(ledgers)
    assert [found[k]["status"] for k in ("crm:c-A1", "crm:c-A2", "xero:x-new")] == [S.TIMING, S.DIFFERS, S.TIMING]


def test_signs_of_credit_notes_payments_and_refunds(ledgers):
    ledgers.add("credit_notes", "xero", "x-1", total="50.00", currency="NZD")
    ledgers.add("payments", "xero", "x-2", total="30.00", currency="NZD", kind="ACCRECPAYMENT")
    ledgers.add("payments", "xero", "x-3", total="20.00", currency="NZD", kind="ARCREDITPAYMENT")
    assert only(ledgers, "credit_notes")["xero_amount"] == -50
    assert [row["xero_amount"] for row in all_rows(ledgers, "payments").values()] == [-30, 20]


def test_payments_of_other_documents_are_not_candidates(ledgers):
    ledgers.pair("A1")
    ledgers.pair("A2")
    same = {"contact": "{}-k", "currency": "NZD", "doc_date": DAY, "total": "30.00"}
    ledgers.add("payments", "crm", "c-p", **same | {"contact": "crm-k", "document": "c-A1"})
    ledgers.add("payments", "xero", "x-p", **same | {"contact": "xero-k", "document": "x-A2"})
    ledgers.add("payments", "xero", "x-q", **same | {"contact": "xero-k", "document": "x-A1"})
    assert all_rows(ledgers, "payments")["crm:c-p"]["xero_id"] == "x-q"


def test_a_like_payment_of_another_invoice_is_no_duplicate(ledgers):
    ledgers.pair("A1")
    ledgers.pair("A2")
    like = {"contact": "xero-k", "currency": "NZD", "doc_date": DAY, "total": "30.00"}
    ledgers.add("payments", "crm", "c-p", **like | {"contact": "crm-k", "document": "c-A1", "partner": "x-p"})
    ledgers.add("payments", "xero", "x-p", **like, document="x-A1", partner="c-p")
    ledgers.add("payments", "xero", "x-q", **like, document="x-A2")
    ledgers.add("payments", "xero", "x-r", **like, document="x-A1")
    found = all_rows(ledgers, "payments")
    assert [found[f"xero:{name}"]["status"] for name in ("x-q", "x-r")] == [S.MISSING_IN_CRM, S.DUPLICATE]


def test_a_change_that_was_not_read_yet_is_blamed_on_no_timing(ledgers):
    """A system whose clock runs ahead must not turn every difference into one of timing."""
    nine = NINE.replace(tzinfo=None)
    ledgers.pulled("crm.invoice", nine)
    ledgers.pulled("xero.Invoices", nine)
    for side, other in (("crm", "xero"), ("xero", "crm")):
        ledgers.pair(side, **{side: {"total": "120.00", "modified": nine + timedelta(days=7), "hash": "moved"}, other: {}})
    assert {row["status"] for row in all_rows(ledgers).values()} == {S.DIFFERS}


def test_contacts_are_counted_and_compared(ledgers):
    ledgers.add("contacts", "crm", "c-1", title="Tui Ltd", partner="x-1", fields={"email": "a@tui.nz", "phone": "+64 3 1"})
    ledgers.add("contacts", "xero", "x-1", title="Tui Ltd", partner="c-1", fields={"email": "b@tui.nz", "phone": "643-1"})
    row = all_rows(ledgers, "contacts")["crm:c-1"]
    assert (row["status"], row["reason"], row["words"]) == (S.DIFFERS, R.FIELD, "Differs: Email")
    assert as_json(summary(ledgers.cache, "contacts"))["totals"] == [
        dict.fromkeys(("crm", "xero", "difference", "explained", "unexplained"), "0.00") | {"currency": ""}
    ]


def test_two_of_the_same_name_are_ambiguous(ledgers):
    for side, id_ in (("crm", "c-1"), ("crm", "c-2"), ("xero", "x-1")):
        ledgers.add("contacts", side, id_, title="Jo Rata", native_table="contact")
    assert all_rows(ledgers, "contacts")["xero:x-1"]["alternatives"] == ["crm:c-1", "crm:c-2"]


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (Filters(statuses=(S.DIFFERS,)), ["A2"]),
        (Filters(reasons=(R.OTHER,)), ["A2"]),
        (Filters(currency="USD"), ["A3"]),
        (Filters(contact="KEA"), ["A1", "A2", "A3"]),
        (Filters(search="a3"), ["A3"]),
        (Filters(search="%"), []),
        (Filters(since=DAY + timedelta(1)), ["A3"]),
        (Filters(until=DAY), ["A1", "A2"]),
        (Filters(amount=Decimal("-5.00")), ["A2"]),
        (Filters(rows=("crm:c-A1",)), ["A1"]),
        (Filters(sort=Sort.DIFFERENCE, descending=True, until=DAY), ["A2", "A1"]),
    ],
)
def test_filters_and_order(ledgers, filters, left):
    ledgers.pair("A1")
    ledgers.pair("A2", {"total": "120.00"})
    ledgers.pair("A3", currency="USD", doc_date=DAY + timedelta(3))
    assert [row["number"] for row in rows(ledgers.cache, "invoices", filters).to_pylist()] == left
    assert summary(ledgers.cache, "invoices", filters).rows == len(left)


@pytest.mark.parametrize("terms", [Terms(), Terms(ignored={"crm:c-A2": "agreed on the phone", "crm:c-A4": ""})])
def test_what_filters_leave_of_all_rows_is_on_the_page_and_in_its_sums(ledgers, terms):
    for name, crm in (("A1", {}), ("A2", {}), ("A3", {"total": "120.00"}), ("A4", {"total": "121.00"}), ("", {})):
        ledgers.pair(name, crm)
    every = rows(ledgers.cache, "invoices", terms=terms).to_pylist()
    for statuses in ((S.MATCHED,), (S.DIFFERS,), (S.IGNORED, S.DIFFERS)):
        for reasons in ((), (R.IGNORED, R.OTHER)):
            asked = Filters(statuses=statuses, reasons=reasons)
            left = [row for row in every if row["status"] in statuses and (not reasons or row["reason"] in reasons)]
            assert rows(ledgers.cache, "invoices", asked, terms).to_pylist() == left
            sums = summary(ledgers.cache, "invoices", asked, terms)
            assert sums.statuses == {status: sum(row["status"] == status for row in left) for status in S}
            assert sum(total.difference for total in sums.totals) == sum(row["difference"] for row in left)
            assert all(total.crm == sum(row["crm_amount"] for row in left) for total in sums.totals)


@pytest.mark.parametrize(
    ("search", "found"),
    [("5%", ["5% off"]), ("a_1", ["A_1"]), ("a\\1", ["A\\1"]), ("ÄRGER", ["Ärger"]), ("%", ["5% off"]), ("nothing", [])],
)
def test_a_search_takes_every_sign_as_it_is(ledgers, search, found):
    for number in ("5% off", "50 off", "A_1", "AB1", "A\\1", "Ärger"):
        ledgers.pair(number)
    held = rows(ledgers.cache, "invoices", Filters(search=search))["number"].to_pylist()
    assert held == found
    assert summary(ledgers.cache, "invoices", Filters(search=search)).rows == len(found)


def test_a_search_asked_again_finds_what_came_meanwhile(ledgers):
    ledgers.pair("A1")

    def found(text):
        return rows(ledgers.cache, "invoices", Filters(search=text))["number"].to_pylist()

    assert (found("a1"), found("a1"), found("b1"), found("see")) == (["A1"], ["A1"], [], [])
    with ledgers.cache.transaction() as transaction:
        transaction.run("UPDATE record SET number = 'B1', reference = 'see there', stamp = 'other' WHERE entity = 'invoices'")
        transaction.run(EVERY)
        assert (found("b1"), found("see")) == ([], [])
    assert (found("b1"), found("see"), found("c-a1")) == (["B1"], ["B1"], ["B1"])


def test_a_page_counts_all_rows_and_tells_the_age(ledgers):
    for name in "ABCDE":
        ledgers.pair(name)
    ledgers.pulled("crm.invoice", NINE.replace(tzinfo=None))
    made = page(ledgers.cache, "invoices", limit=2, offset=4)
    assert (made.rows.num_rows, made.row_count, made.status_counts[S.MATCHED]) == (1, 5, 5)
    assert made.age == data_age(ledgers.cache, "invoices")
    assert (made.age.crm, made.age.xero) == (NINE, None)


def test_the_statement_decides_as_the_rules_do():
    """The CASEs that the statement holds are run over any findings at once and compared with the pure decision."""
    chance = random.Random(1)
    held = [{finding for finding in Finding if chance.random() < share} for share in (0.02, 0.05, 0.1, 0.3) for _ in range(250)]
    table = pa.Table.from_pylist([{str(finding): finding in found for finding in Finding} for found in held])
    cases = steps("contacts", "kept")["judged"].partition("judged AS (")[2].partition(" AS plain_words")[0]
    root = duckdb.connect()
    root.register("found", table)
    told = root.sql(f"{cases} AS plain_words FROM found").to_arrow_table().to_pylist()
    assert [tuple(row[name] for name in ("status", "reason", "plain_words")) for row in told] == [
        tuple(map(str, decide(found))) for found in held
    ]


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2).map(str)
LINES = st.lists(st.sampled_from(["60", "60.004", "40", "7"]), max_size=3)
SIDES = st.tuples(
    st.sampled_from(["NZD", "NZD", "JPY", "USD"]),
    st.sampled_from(["", "", "voided"]),
    st.one_of(AMOUNTS, st.sampled_from(["115.00", "115.01"])),
    st.sampled_from("AB "),
    LINES,
    st.sampled_from(["agreed", "moved"]),
)
BOOKS = st.lists(st.tuples(st.sampled_from(["pair", "crm", "xero"]), SIDES, SIDES), max_size=7)


@given(BOOKS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_sums_add_up_and_every_record_stands_once(books):
    ledgers = Ledgers()
    ledgers.customer()
    for n, (kind, *sides) in enumerate(books):
        for side, (currency, gone, total, number, prices, state) in zip(("crm", "xero"), sides, strict=True):
            if kind in ("pair", side):
                partner = f"{'x' if side == 'crm' else 'c'}-{n}" if kind == "pair" else None
                told = {"currency": currency, "gone": gone, "number": number, "partner": partner, "fields": lines(*prices)}
                ledgers.invoice(side, f"{side[0]}-{n}", total, **told | ({"hash": "moved"} if state == "moved" else {}))
        if kind == "pair":
            ledgers.agree("invoices", f"c-{n}", f"x-{n}")
    found, sums = rows(ledgers.cache, "invoices").to_pylist(), summary(ledgers.cache, "invoices")
    for side in ("crm", "xero"):
        held = [row[f"{side}_id"] for row in found if row[f"{side}_id"]]
        assert len(held) == len(set(held)) == sum(kind in ("pair", side) for kind, *_ in books)
    assert len(found) == sums.rows == sum(sums.statuses.values())
    for row in found:
        assert row["crm_amount"] - row["xero_amount"] == row["difference"]
        assert sum((part["amount"] for part in row["parts"]), Decimal(0)) == (row["difference"] if row["parts"] else 0)
        assert len(row["why"]) in (0, len(row["alternatives"]))
    for total in sums.totals:
        inside = [row for row in found if row["currency"] == total.currency]
        assert sum(row["difference"] for row in inside) == total.difference == total.crm - total.xero
        assert total.difference == total.explained + total.unexplained == sum(total.by_reason.values())


def test_the_detail_names_who_moved(ledgers):
    agreed = {"due_date": "2026-11-20", "contact": "crm-k", "total": "115"}
    ledgers.pair(
        "A1", {"fields": agreed | {"due_date": "2026-11-30"}}, {"fields": agreed | {"contact": "xero-k"}}, agreed=False
    )
    ledgers.agree("invoices", "c-A1", "x-A1", **agreed)
    shown = detail(ledgers.cache, "invoices", "crm:c-A1")
    due, contact = (next(line for line in shown.fields if line.name == name) for name in ("due_date", "contact"))
    assert (due.crm, due.agreed, due.xero, due.verdict) == ("2026-11-30", "2026-11-20", "2026-11-20", "changed in Dynamics")
    assert (contact.crm, contact.xero, contact.verdict) == ("Kea Ltd", "Kea Ltd", "same")
    assert shown.fields[0] == due


def test_the_detail_lays_lines_and_payments_side_by_side(ledgers):
    ledgers.pair("A1", {"fields": lines("60", "40")}, {"fields": lines("40"), "amount_paid": "9.00"})
    ledgers.add("payments", "crm", "p1", document="c-A1", total="5.00", partner="xp1", kind="ACCRECPAYMENT")
    ledgers.add("payments", "xero", "xp1", document="x-A1", total="5.00", partner="p1", kind="ACCRECPAYMENT")
    ledgers.add("payments", "xero", "xp2", document="x-A1", total="4.00", kind="ACCRECPAYMENT")
    shown = detail(ledgers.cache, "invoices", "crm:c-A1")
    assert [(pair.crm is not None, pair.xero is not None) for pair in shown.lines] == [(True, False), (True, True)]
    assert [(each.crm, each.xero) for each in shown.applied] == [(5, 5), (None, 4)]


def test_the_detail_lists_alternatives(ledgers):
    ledgers.pair("A1")
    ledgers.invoice("xero", "x-again", number="A1A")
    (other,) = detail(ledgers.cache, "invoices", "xero:x-again").alternatives
    assert (other.row_id, other.number, other.contact, other.amount) == ("xero:x-A1", "A1", "Kea Ltd", 115)


def test_a_row_that_is_gone_is_said_to_be(ledgers):
    with pytest.raises(Rejected, match="not there any more"):
        detail(ledgers.cache, "invoices", "crm:nobody")
