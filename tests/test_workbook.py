"""The workbook: what is read back is what was there, typed; what Excel cannot hold is refused; an office program opens it."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from openpyxl.utils.escape import unescape

from sync_core.errors import Rejected
from sync_core.rules.downloads import CSV_COLUMNS
from sync_core.rules.reconcile import amount_text, decimals
from sync_core.service import workbook
from sync_core.service.workbook import XlsxFile
from tests.rules.test_downloads import ROWS, batch

SOFFICE = shutil.which("soffice")
MADE = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def book(*batches):
    return XlsxFile(batches, sheet="Invoices", made=MADE)


def read(file):
    """Rows as dictionaries of cells."""
    raw = b"".join(file)
    sheet = openpyxl.load_workbook(io.BytesIO(raw))["Invoices"]
    titles = [cell.value for cell in sheet[1]]
    assert titles == list(CSV_COLUMNS)
    return [dict(zip(titles, row, strict=True)) for row in sheet.iter_rows(min_row=2)]


def text(cell):
    return "" if cell.value is None else unescape(cell.value)


@given(ROWS)
@settings(deadline=None, max_examples=40)
def test_what_is_read_back_is_what_was_there(rows):
    file = book(batch([{"row_id": f"crm:{n}"} | row for n, row in enumerate(rows)]))
    for row, cells in zip(rows, read(file), strict=True):
        assert text(cells["contact"]) == (row["contact"] or "")
        assert text(cells["number"]) == row["number"]
        assert cells["contact"].data_type == ("s" if row["contact"] else "n")
        day, amount = row["crm_date"], row["difference"]
        held = cells["crm_date"].value
        assert (held.date() if isinstance(held, datetime) else held and date.fromisoformat(held)) == day
        assert amount is None or Decimal(str(cells["difference"].value)) == amount
    assert file.rows == len(rows)


@pytest.mark.parametrize(
    ("currency", "amount", "pattern"),
    [
        ("NZD", "-1234567.5", "#,##0.00"),
        ("JPY", "1250", "#,##0"),
        ("KWD", "1.005", "#,##0.000"),
        ("NZD", "0.0001", "#,##0.0000"),
        ("NZD", "0", "#,##0.00"),
        ("NZD", "99999999999.9999", "#,##0.0000"),
    ],
)
def test_amounts_are_numbers_with_the_decimals_of_their_currency(currency, amount, pattern):
    (cells,) = read(book(batch([{"currency": currency, "difference": Decimal(amount)}])))
    cell = cells["difference"]
    assert (cell.data_type, cell.number_format) == ("n", pattern)
    assert Decimal(str(cell.value)) == Decimal(amount)
    assert len(pattern.partition(".")[2]) >= decimals(currency)


def test_rates_and_base_amounts_are_numbers_too():
    row = {"currency": "JPY", "base_currency": "NZD", "crm_rate": Decimal("90.123456"), "crm_base": Decimal("13.87")}
    (cells,) = read(book(batch([row])))
    assert (str(cells["crm_rate"].value), cells["crm_rate"].number_format) == ("90.123456", "#,##0.000000")
    assert (str(cells["crm_base"].value), cells["crm_base"].number_format) == ("13.87", "#,##0.00")


@pytest.mark.parametrize("amount", ["123456789012345.6789", "-999999999999999.9900"])
def test_an_amount_with_more_digits_than_excel_keeps_is_text(amount):
    (cells,) = read(book(batch([{"currency": "NZD", "difference": Decimal(amount)}])))
    assert (cells["difference"].data_type, cells["difference"].value) == ("s", amount_text(Decimal(amount), "NZD"))


def test_text_stays_text_days_are_days_and_instants_are_utc():
    row = {
        "currency": "NZD",
        "contact": "=HYPERLINK(1)",
        "number": "0042",
        "xero_reference": "http://127.0.0.1:9/x",
        "crm_date": date(2026, 11, 2),
        "xero_date": date(1899, 12, 31),
        "crm_modified": datetime(2026, 11, 2, 9, 0, 5, 7),  # noqa: DTZ001  # as the cache keeps it
        "differing": ["Due date", "Total"],
    }
    (cells,) = read(book(batch([row])))
    assert [(cells[n].value, cells[n].data_type) for n in ("contact", "number", "differing")] == [
        ("=HYPERLINK(1)", "s"),
        ("0042", "s"),
        ("Due date; Total", "s"),
    ]
    assert cells["xero_reference"].hyperlink is None
    assert (cells["crm_date"].value, cells["crm_date"].number_format) == (datetime(2026, 11, 2), "yyyy-mm-dd")  # noqa: DTZ001
    assert cells["xero_date"].value == "1899-12-31"
    assert cells["crm_modified"].value == datetime(2026, 11, 2, 9, 0, 5)  # noqa: DTZ001  # openpyxl has no zones


def test_more_rows_than_a_sheet_holds_are_refused_with_the_reason():
    workbook.refuse_too_many(1_048_575)
    with pytest.raises(Rejected, match=r"1,048,576 rows do not fit .* 1,048,575 .* Take the CSV"):
        workbook.refuse_too_many(1_048_576)


def test_a_file_that_grows_too_long_while_it_is_written_is_refused(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    assert len(read(book(batch([{"currency": "NZD"}] * 2)))) == 2
    with pytest.raises(Rejected, match="do not fit"):
        b"".join(book(batch([{"currency": "NZD"}]), batch([{"currency": "NZD"}] * 2)))


def test_a_text_that_no_cell_holds_is_refused_and_not_cut():
    with pytest.raises(Rejected, match="The words of row 1 has 32,768 characters"):
        b"".join(book(batch([{"currency": "NZD", "words": "x" * 32_768}])))


@pytest.mark.parametrize("odd", ["_x0041_", "<r>&amp;</r>", " both ends ", "a\r\nb\tc", "\x01\ufffe", "\u3000"])
def test_text_that_means_something_to_a_sheet_is_read_back_as_it_was(odd):
    (cells,) = read(book(batch([{"currency": "NZD", "words": odd, "differing": ["Total", odd]}])))
    assert (text(cells["words"]), text(cells["differing"])) == (odd, f"Total; {odd}")


def test_batches_are_asked_for_one_by_one():
    asked = []

    def batches():
        for n in range(3):
            asked.append(n)
            yield batch([{"currency": "NZD"}])

    file = XlsxFile(batches(), sheet="Invoices", made=MADE)
    assert asked == []
    assert len(read(file)) == 3


def test_no_rows_make_a_workbook_with_a_header():
    assert read(book()) == []


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice (soffice) is not installed here")
def test_libreoffice_reads_the_same_values(tmp_path):
    row = {"currency": "NZD", "difference": Decimal("-1234567.5"), "contact": "=1+1", "number": "0042"}
    (tmp_path / "invoices.xlsx").write_bytes(b"".join(book(batch([row | {"crm_date": date(2026, 11, 2)}]))))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    words = [SOFFICE, "--headless", profile, "--convert-to", "csv", "--outdir", tmp_path, tmp_path / "invoices.xlsx"]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    with (tmp_path / "invoices.csv").open(encoding="utf-8", newline="") as file:
        (cells,) = csv.DictReader(file)
    assert Decimal(cells["difference"].replace(",", "")) == row["difference"]
    assert (cells["contact"], cells["number"], cells["crm_date"]) == ("=1+1", "0042", "2026-11-02")
