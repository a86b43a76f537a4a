"""The reconciliation as an Excel workbook with typed cells, written a few thousand rows at a time.

xlsxwriter makes the workbook around the rows: formats, widths, header, filter. The rows are the XML of ``rules.sheet_cells``.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
import xlsxwriter

from sync_core.errors import Rejected
from sync_core.rules.downloads import CSV_COLUMNS
from sync_core.rules.sheet_cells import number_formats, sheet_rows

MOST_ROWS = 1_048_576
"""Rows of a sheet in Excel, the header included (Microsoft's specifications and limits of Excel)."""
_CHUNK = 1 << 16
_PRESSED = 3  # of 9: larger ones take twice the time for a tenth less
_WIDTHS = {"row_id": 12, "words": 44, "contact": 28, "differing": 24, "alternatives": 24}
_SHEET = "xl/worksheets/sheet1.xml"
_END = b"</sheetData>"
_UNSAID = re.compile(rb"<dimension [^>]*/>")  # how far the sheet goes is optional, and not known before its rows


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
    _, styles, (head, _) = _around(sheet, 0, made)
    rows, body = 0, path.with_name("sheet.xml")
    with body.open("wb") as file:
        file.write(head)
        for batch in batches:
            refuse_too_many(rows + batch.num_rows)
            file.write(sheet_rows(batch, rows + 2, styles))
            rows += batch.num_rows
        parts, _, (_, tail) = _around(sheet, rows, made)
        file.write(tail)
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=_PRESSED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
        book.write(body, _SHEET)
    return rows


def refuse_too_many(rows: int) -> None:
    """Raise Rejected when ``rows`` and a header do not fit on one sheet."""
    if rows + 1 > MOST_ROWS:
        raise Rejected(
            f"{rows:,} rows do not fit into a workbook: Excel holds {MOST_ROWS - 1:,} beside the header. "
            "Take the CSV, or narrow the filters."
        )


def _around(sheet: str, rows: int, made: datetime) -> tuple[Mapping[str, bytes], Mapping[str, int], tuple[bytes, bytes]]:
    """A workbook for ``rows`` rows that has only their header.

    Its other parts by name, the number of the cell style of each number format, and what stands before and after the rows.
    """
    buffer, formats = io.BytesIO(), number_formats()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"title": sheet, "created": made.replace(tzinfo=None)})
        page, bold = book.add_worksheet(sheet[:31]), book.add_format({"bold": True})
        page.freeze_panes(1, 0)
        for column, title in enumerate(CSV_COLUMNS):
            page.set_column(column, column, _WIDTHS.get(title, 14))
            page.write_string(0, column, title, bold)
        for column, pattern in enumerate(formats):  # samples, to see which style each format got
            page.write_blank(1, column, None, book.add_format({"num_format": pattern}))
        if rows:
            page.autofilter(0, 0, rows, len(CSV_COLUMNS) - 1)
    with ZipFile(buffer) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    before, _, after = _UNSAID.sub(b"", parts.pop(_SHEET)).partition(_END)
    header, _, samples = before.partition(b'<row r="2"')
    styles = dict(zip(formats, map(int, re.findall(rb' s="(\d+)"', samples)), strict=True))
    return parts, styles, (header, _END + after)
