"""The reconciliation as an Excel workbook with typed cells, written row by row so that it needs little memory.

Amounts are numbers with their currency's own decimals, days are dates, instants are UTC, ids and codes are text; text that
looks like a formula stays text. Excel keeps 15 digits: an amount that has more is written as text, so that none is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import xlsxwriter

from sync_core.errors import Rejected
from sync_core.rules.downloads import CSV_COLUMNS
from sync_core.rules.reconcile import amount_text, decimals

MOST_ROWS = 1_048_576
"""Rows of a sheet in Excel, the header included (Microsoft's specifications and limits of Excel)."""
MOST_CHARACTERS = 32_767
"""Characters of a cell, from the same source."""
_DIGITS = 15
_FIRST_DAY = date(1900, 3, 1)  # Excel takes 1900 for a leap year: before this day its dates are one off
_CHUNK = 1 << 16
_WIDTHS = {"row_id": 12, "words": 44, "contact": 28, "differing": 24, "alternatives": 24}
Write = Callable[[int, int, Any, str], None]


class XlsxFile:
    """The workbook as an iterable of bytes, to be read once. Afterwards :attr:`sha256` and :attr:`rows` say what was written.

    It is made in a temporary folder when the first byte is asked for. Raises Rejected when a sheet cannot hold it.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch | pa.Table], *, sheet: str, made: datetime) -> None:
        self._batches, self._sheet, self._made = batches, sheet, made
        self._hash = hashlib.sha256()
        self.rows = 0

    def __iter__(self) -> Iterator[bytes]:
        with TemporaryDirectory(prefix="tieout-") as folder:
            path = Path(folder) / "workbook.xlsx"
            self.rows = write_workbook(path, self._sheet, self._batches, made=self._made)
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    self._hash.update(chunk)
                    yield chunk

    @property
    def sha256(self) -> str:
        """Of all bytes that were read so far."""
        return self._hash.hexdigest()


def write_workbook(path: Path, sheet: str, batches: Iterable[pa.RecordBatch | pa.Table], *, made: datetime) -> int:
    """Write one sheet with the columns of the CSV; the number of rows without the header. The folder of ``path`` is used."""
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": sheet, "created": made.replace(tzinfo=None)})
        page = _Sheet(book, sheet)
        for batch in batches:
            page.add(batch)
        page.end()
    return page.rows


def refuse_too_many(rows: int) -> None:
    """Raise Rejected when ``rows`` and a header do not fit on one sheet."""
    if rows + 1 > MOST_ROWS:
        raise Rejected(
            f"{rows:,} rows do not fit into a workbook: Excel holds {MOST_ROWS - 1:,} beside the header. "
            "Take the CSV, or narrow the filters."
        )


class _Sheet:
    def __init__(self, book: Any, name: str) -> None:
        self._book, self._page = book, book.add_worksheet(name[:31])
        self._formats: dict[str, Any] = {}
        self.rows = 0
        bold = book.add_format({"bold": True})
        self._page.freeze_panes(1, 0)
        for column, title in enumerate(CSV_COLUMNS):
            self._page.set_column(column, column, _WIDTHS.get(title, 14))
        for column, title in enumerate(CSV_COLUMNS):
            self._page.write_string(0, column, title, bold)

    def add(self, batch: pa.RecordBatch | pa.Table) -> None:
        refuse_too_many(self.rows + batch.num_rows)
        writes = [self._writer(batch.schema.field(name).type) for name in CSV_COLUMNS]
        columns = [batch.column(name).to_pylist() for name in CSV_COLUMNS]
        for values in zip(*columns, strict=True):
            self.rows += 1
            self._row(self.rows, values, writes)

    def end(self) -> None:
        if self.rows:
            self._page.autofilter(0, 0, self.rows, len(CSV_COLUMNS) - 1)

    def _row(self, row: int, values: Sequence[Any], writes: Sequence[Write]) -> None:
        currency = values[_CURRENCY] or ""
        for column, (value, write) in enumerate(zip(values, writes, strict=True)):
            if value is not None and value != "":
                write(row, column, value, currency)

    def _writer(self, kind: Any) -> Write:
        if pa.types.is_decimal(kind):
            return self._amount
        if pa.types.is_timestamp(kind):
            return self._instant
        if pa.types.is_date(kind):
            return self._day
        return self._list if pa.types.is_list(kind) else self._text

    def _amount(self, row: int, column: int, value: Decimal, currency: str) -> None:
        text = amount_text(value, currency)
        if len(text.strip("-0.").replace(".", "")) > _DIGITS:
            self._page.write_string(row, column, text)
            return
        places = max(decimals(currency), len(text.partition(".")[2]))
        self._page.write_number(row, column, Decimal(text), self._format(f"#,##0.{'0' * places}".rstrip(".")))

    def _instant(self, row: int, column: int, value: datetime, _currency: str) -> None:
        self._page.write_datetime(row, column, value.replace(microsecond=0), self._format("yyyy-mm-dd hh:mm:ss"))

    def _day(self, row: int, column: int, value: date, _currency: str) -> None:
        if value < _FIRST_DAY:
            self._page.write_string(row, column, value.isoformat())
        else:
            self._page.write_datetime(row, column, value, self._format("yyyy-mm-dd"))

    def _list(self, row: int, column: int, value: list[str], currency: str) -> None:
        self._text(row, column, "; ".join(value), currency)

    def _text(self, row: int, column: int, value: str, _currency: str) -> None:
        if len(value) > MOST_CHARACTERS:
            raise Rejected(
                f"The {CSV_COLUMNS[column]} of row {row} has {len(value):,} characters, more than a cell of Excel holds. "
                "Take the CSV instead."
            )
        self._page.write_string(row, column, value)

    def _format(self, pattern: str) -> Any:
        if pattern not in self._formats:
            self._formats[pattern] = self._book.add_format({"num_format": pattern})
        return self._formats[pattern]


_CURRENCY = CSV_COLUMNS.index("currency")
