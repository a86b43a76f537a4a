"""The CSV and its control file: exact values, no formulas, sums that anyone can check."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_core.model import DataAge, MatchStatus
from sync_core.rules.downloads import CSV_COLUMNS, CsvFile, control_file, guarded
from sync_core.rules.reasons import Reason
from sync_core.rules.reconcile import Filters, Part, amount_text, reconciliation

MONEY = pa.decimal128(19, 4)
SOON = datetime(2026, 11, 2, 9, 0, 0, 5, tzinfo=UTC).replace(tzinfo=None)  # as the cache keeps it
AMOUNTS = tuple(
    name
    for name in CSV_COLUMNS
    if name.endswith(("_amount", "_total", "_tax", "_paid", "_credited", "_due", "difference", "_base"))
)
RATE = pa.decimal128(19, 6)
TYPES = (
    dict.fromkeys(AMOUNTS, MONEY)
    | dict.fromkeys(("crm_rate", "xero_rate"), RATE)
    | {
        name: kind
        for names, kind in (
            (("crm_date", "crm_due_date", "xero_date", "xero_due_date"), pa.date32()),
            (("crm_modified", "xero_modified"), pa.timestamp("us")),
            (("differing", "alternatives"), pa.list_(pa.string())),
        )
        for name in names
    }
)
SCHEMA = pa.schema([(name, TYPES.get(name, pa.string())) for name in CSV_COLUMNS])
TRIGGERS = "=+-@\t\r\n＝＋－＠"
BLANKS = st.sampled_from(["", " ", "\u3000\u00a0"])
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.builds(
    lambda blank, trigger, rest: blank + trigger + rest, BLANKS, st.sampled_from(TRIGGERS), st.text("1A(\",'\r\n", max_size=5)
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "currency": st.sampled_from(["NZD", "JPY", "KWD", "CLF", ""]),
            "difference": st.none() | st.decimals(min_value=-(10**14), max_value=10**14, places=4),
            "contact": st.none() | TEXT,
            "number": TEXT,
            "crm_date": st.none() | st.dates(date(1900, 1, 1), date(2999, 1, 1)),
        }
    ),
    max_size=6,
)


def batch(rows):
    return pa.RecordBatch.from_pylist([dict.fromkeys(CSV_COLUMNS) | row for row in rows], SCHEMA)


def read(file):
    text = b"".join(file).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@given(ROWS)
@settings(deadline=None)
def test_what_is_read_back_is_what_was_there(rows):
    for row, cells in zip(rows, read(CsvFile([batch(rows)])), strict=True):
        assert cells["contact"] in (row["contact"] or "", "'" + (row["contact"] or ""))
        assert cells["number"] in (row["number"], "'" + row["number"])
        assert cells["crm_date"] == (row["crm_date"].isoformat() if row["crm_date"] else "")
        if row["difference"] is None:
            assert cells["difference"] == ""
        else:
            assert cells["difference"] == amount_text(row["difference"], row["currency"])
            assert Decimal(cells["difference"]) == row["difference"]


@given(TEXT)
@settings(deadline=None)
def test_no_text_cell_begins_like_a_formula(text):
    kept = guarded(text)
    assert not re.match(rf"\s*[{re.escape(TRIGGERS)}]", kept) or kept.startswith("'")
    assert not kept.lstrip(" \u3000\u00a0").startswith(tuple(TRIGGERS))
    assert kept in (text, f"'{text}")


@pytest.mark.parametrize("text", ["Kea Ltd", "INV-0001", "0200", "a=b", "'=1", "", "Ōtaki & Sons", "2+2"])
def test_plain_text_is_left_alone(text):
    assert guarded(text) == text


@pytest.mark.parametrize("text", ["=1+1", "  =1", "\t=1", "\rx", "\nx", "\u200b=1", "\x01@x", "＝1", "﹢1", "-", "+64 3 123"])
def test_formulas_are_guarded(text):
    assert guarded(text) == "'" + text


def test_numbers_are_never_guarded_and_keep_their_minus():
    row = {"currency": "NZD", "difference": Decimal("-1234567.5"), "contact": "-5"}
    (cells,) = read(CsvFile([batch([row])]))
    assert (cells["difference"], cells["contact"]) == ("-1234567.50", "'-5")


def test_rates_keep_their_digits_and_base_amounts_have_the_decimals_of_the_base_currency():
    row = {"currency": "JPY", "base_currency": "NZD", "crm_amount": Decimal(1250), "crm_rate": Decimal("90.125000")}
    row |= {"xero_rate": Decimal(90), "crm_base": Decimal("13.87"), "xero_base": Decimal("13.9"), "base_difference": Decimal(0)}
    (cells,) = read(CsvFile([batch([row])]))
    assert [cells[name] for name in ("crm_amount", "crm_rate", "xero_rate")] == ["1250", "90.125", "90"]
    assert [cells[name] for name in ("crm_base", "base_difference", "xero_base")] == ["13.87", "0.00", "13.90"]


def test_the_bytes_are_rfc_4180():
    row = {"currency": "NZD", "contact": 'Say "hi", twice', "crm_modified": SOON}
    raw = b"".join(CsvFile([batch([row])], bom=False))
    assert raw.startswith(b"row_id,status,")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 2
    assert b'"Say ""hi"", twice"' in raw
    assert b",2026-11-02T09:00:00Z," in raw
    assert b"".join(CsvFile([batch([row])])) == b"\xef\xbb\xbf" + raw


def test_batches_are_written_one_by_one():
    asked = []

    def batches():
        for n in range(3):
            asked.append(n)
            yield batch([{"currency": "NZD"}])

    chunks = iter(CsvFile(batches()))
    assert next(chunks)
    assert asked == []
    assert next(chunks)
    assert asked == [0]


def test_the_control_file_proves_the_csv():
    file = CsvFile([batch([{"currency": "NZD", "difference": Decimal(5)}])])
    raw = b"".join(file)
    sums = reconciliation("invoices", [Part("NZD", MatchStatus.DIFFERS, Reason.OTHER, 1, 1, 1, Decimal(120), Decimal(115))])
    made, tolerance = datetime(2026, 11, 2, 9, tzinfo=UTC), {"NZD": Decimal("0.05")}
    control = json.loads(
        control_file(file, sums, Filters(search="x"), DataAge(made, None), run="run-1", tolerance=tolerance, made=made)
    )
    assert control["sha256"] == hashlib.sha256(raw).hexdigest()
    assert (control["rows"], control["run"], control["tolerance"], control["column_order"]) == (1, "run-1", {"NZD": "0.05"}, 2)
    assert control["data_age"] == {"crm": "2026-11-02T09:00:00Z", "xero": None}
    assert control["totals"][0]["difference"] == "5.00"
    assert control["status"]["Differs"] == 1
    assert control["filters"]["search"] == "x"


def test_a_file_of_another_moment_is_refused():
    file = CsvFile([batch([])])
    b"".join(file)
    sums = reconciliation("invoices", [Part("NZD", MatchStatus.MATCHED, Reason.NONE, 1, 1, 1, Decimal(1), Decimal(1))])
    with pytest.raises(ValueError, match="make both again"):
        control_file(file, sums, Filters(), DataAge(None, None), run="r", tolerance={}, made=datetime(2026, 11, 2, tzinfo=UTC))
