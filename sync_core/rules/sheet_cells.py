"""Rows of the reconciliation as the XML of an Excel sheet (ECMA-376 part 1, 18.3.1): a few thousand at a time.

Amounts are numbers with their currency's own decimals, days are dates, instants are UTC, ids and codes are text; text that
looks like a formula stays text. Excel keeps 15 digits: an amount that has more is written as text, so that none is lost. As in
``downloads``, whole columns are turned into text at once: cell by cell, a hundred thousand rows take a minute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sync_core.errors import Rejected
from sync_core.rules.downloads import CSV_COLUMNS, number_texts

MOST_CHARACTERS = 32_767
"""Characters of a cell (Microsoft's specifications and limits of Excel)."""
DAY, INSTANT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
PLACES = 7
"""Amounts have none to four decimals and rates up to six, as the cache keeps them."""

_DIGITS = 15
_FIRST_DAY = date(1900, 3, 1)  # Excel takes 1900 for a leap year: before this day its dates are one off
_EPOCH = 25_569  # 1 January 1970 as Excel counts days
_SECONDS = 86_400
_CONTROL = r"[\x00-\x08\x0b-\x1f\x{FFFE}\x{FFFF}]"
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def amount_pattern(places: int) -> str:
    """Excel's number format of amounts with ``places`` decimals."""
    return f"#,##0.{'0' * places}".rstrip(".")


def sheet_rows(batch: pa.RecordBatch | pa.Table, first: int, styles: Mapping[str, int]) -> bytes:
    """The ``row`` elements of ``batch``. ``first``: Excel's number of its first row; ``styles``: cell style by number format.

    Raises Rejected when a text is longer than a cell of Excel can hold.
    """
    if not batch.num_rows:
        return b""
    numbers = pc.cast(pa.array(range(first, first + batch.num_rows)), pa.string())
    made = _Cells(batch, numbers, first - 1, styles)
    cells = [made.column(place, name) for place, name in enumerate(CSV_COLUMNS)]
    rows = pc.binary_join_element_wise('<row r="', numbers, '">', *cells, "</row>", "")
    return "".join(rows.to_pylist()).encode()


class _Cells:
    """The cells of one batch, column by column; a blank one is "". ``over``: rows of the sheet above the batch's first."""

    def __init__(self, batch: pa.RecordBatch | pa.Table, numbers: Any, over: int, styles: Mapping[str, int]) -> None:
        self._batch, self._numbers, self._over, self._styles = batch, numbers, over, styles
        self._amount_styles = pa.array([f'" s="{styles[amount_pattern(places)]}"><v>' for places in range(PLACES)])

    def column(self, place: int, name: str) -> Any:
        values = self._batch.column(name)
        kind = values.type
        address = f'<c r="{column_letters(place)}'
        if pa.types.is_decimal(kind):
            return self._figures(address, number_texts(self._batch, name))
        if pa.types.is_timestamp(kind):
            return self._instants(address, values)
        if pa.types.is_date(kind):
            return self._days(address, values)
        if pa.types.is_list(kind):
            values = pc.binary_join(values, "; ")
        return self._texts(address, name, pc.cast(values, pa.string()))

    def _figures(self, address: str, text: Any) -> Any:
        dot = pc.find_substring(text, ".")
        places = pc.if_else(pc.less(dot, 0), 0, pc.subtract(pc.subtract(pc.utf8_length(text), dot), 1))
        cells = self._joined(address, pc.take(self._amount_styles, places), text, "</v></c>")
        digits = pc.utf8_length(pc.replace_substring(pc.utf8_trim(text, "-0."), ".", ""))
        return self._else_text(address, pc.greater(digits, _DIGITS), text, cells)

    def _days(self, address: str, values: Any) -> Any:
        serial = pc.cast(pc.add(pc.cast(values, pa.int32()), _EPOCH), pa.string())
        cells = self._joined(address, f'" s="{self._styles[DAY]}"><v>', serial, "</v></c>")
        return self._else_text(address, pc.less(values, pa.scalar(_FIRST_DAY)), pc.cast(values, pa.string()), cells)

    def _instants(self, address: str, values: Any) -> Any:
        seconds = pc.cast(pc.cast(pc.floor_temporal(values, unit="second"), pa.timestamp("s")), pa.int64())
        serial = pc.cast(pc.add(pc.divide(pc.cast(seconds, pa.float64()), _SECONDS), _EPOCH), pa.string())
        return self._joined(address, f'" s="{self._styles[INSTANT]}"><v>', serial, "</v></c>")

    def _texts(self, address: str, name: str, values: Any) -> Any:
        longest = pc.max(pc.utf8_length(values)).as_py() or 0
        if longest > MOST_CHARACTERS:
            row = pc.index(pc.utf8_length(values), longest).as_py() + self._over
            raise Rejected(
                f"The {name} of row {row} has {longest:,} characters, more than a cell of Excel holds. Take the CSV instead."
            )
        return pc.if_else(pc.equal(pc.fill_null(values, ""), ""), "", self._text(address, values))

    def _text(self, address: str, values: Any) -> Any:
        """Cells with the text itself. Spaces at an end are marked, or Excel drops them."""
        escaped = _escaped(values)
        kept = pc.match_substring_regex(escaped, r"^\s|\s$")
        opened = pc.if_else(kept, '" t="inlineStr"><is><t xml:space="preserve">', '" t="inlineStr"><is><t>')
        return self._joined(address, opened, escaped, "</t></is></c>")

    def _else_text(self, address: str, odd: Any, values: Any, cells: Any) -> Any:
        """``cells``, those that are ``odd`` as text."""
        if not pc.any(odd).as_py():
            return cells
        return pc.if_else(pc.fill_null(odd, False), pc.fill_null(self._text(address, values), ""), cells)

    def _joined(self, address: str, opened: Any, values: Any, closed: str) -> Any:
        """A cell for each value, "" where there is none."""
        return pc.fill_null(pc.binary_join_element_wise(address, self._numbers, opened, values, closed, ""), "")


def _escaped(values: Any) -> Any:
    """Text as XML. What XML cannot hold is spelled ``_xHHHH_``, as Excel does; what only looks like that is marked."""
    text = values
    for plain, spelled in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = pc.replace_substring(text, plain, spelled)
    text = pc.replace_substring_regex(text, r"(_x[0-9a-fA-F]{4}_)", r"_x005F\1")
    if not pc.any(pc.match_substring_regex(text, _CONTROL)).as_py():
        return text
    return pa.array(
        [each and _ESCAPED.sub(lambda odd: f"_x{ord(odd[0]):04X}_", each) for each in text.to_pylist()], pa.string()
    )


def column_letters(place: int) -> str:
    """How Excel calls the column at ``place``, which counts from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def number_formats() -> Sequence[str]:
    """The number formats that cells have, all that :func:`sheet_rows` asks its ``styles`` for."""
    return [*(amount_pattern(places) for places in range(PLACES)), DAY, INSTANT]
