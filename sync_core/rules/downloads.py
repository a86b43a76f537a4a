"""The reconciliation as a CSV file and its control file: bytes out of Arrow batches, a few thousand rows at a time.

RFC 4180 with CRLF and the header first. Text that a spreadsheet could take for a formula gets a leading apostrophe; numbers
never do. Amounts have their currency's own decimals, dates are ISO, instants UTC with Z. pyarrow is imported here because a
hundred thousand rows are turned into text column by column; it does no input or output.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from sync_core.model import ControlTotal, DataAge
from sync_core.rules.reconcile import Filters, Reconciliation, amount_text, decimals

COLUMN_ORDER = 2
"""Version of :data:`CSV_COLUMNS`. Adding, moving or removing one makes a new version."""

CSV_COLUMNS: tuple[str, ...] = (
    "row_id",
    "status",
    "reason",
    "words",
    "matched_by",
    "number",
    "contact",
    "currency",
    "crm_amount",
    "difference",
    "xero_amount",
    *(f"{side}_{name}" for side in ("crm", "xero") for name in ("total", "tax", "paid", "credited", "due")),
    *(
        f"{side}_{name}"
        for side in ("crm", "xero")
        for name in ("number", "contact", "date", "due_date", "reference", "state", "id")
    ),
    "differing",
    "alternatives",
    "crm_modified",
    "xero_modified",
    "base_currency",
    "crm_rate",
    "xero_rate",
    "crm_base",
    "base_difference",
    "xero_base",
)
RATES = frozenset({"crm_rate", "xero_rate"})
"""Columns that hold units of the document's currency for one of the base currency, to six decimals."""
IN_BASE = frozenset({"crm_base", "base_difference", "xero_base"})
"""Columns whose amounts are in the base currency; those of every other one are in the document's."""

_BOM = b"\xef\xbb\xbf"
_TRIGGER = r"^[\p{Z}\x00-\x08\x0B\x0C\x0E-\x1F\x{200B}\x{2060}\x{FEFF}]*[=+\-@\t\r\n＝＋－＠﹦﹢﹣﹫]"
_SPECIAL = r'[",\r\n]'


class CsvFile:
    """The file as an iterable of bytes, to be read once. Afterwards :attr:`sha256` and :attr:`rows` say what was written."""

    def __init__(self, batches: Iterable[pa.RecordBatch | pa.Table], *, bom: bool = True) -> None:
        self._batches = batches
        self._bom = bom
        self._hash = hashlib.sha256()
        self.rows = 0

    def __iter__(self) -> Iterator[bytes]:
        yield self._counted((_BOM if self._bom else b"") + ",".join(CSV_COLUMNS).encode() + b"\r\n")
        for batch in self._batches:
            if batch.num_rows:
                self.rows += batch.num_rows
                yield self._counted(csv_rows(batch))

    def _counted(self, chunk: bytes) -> bytes:
        self._hash.update(chunk)
        return chunk

    @property
    def sha256(self) -> str:
        """Of all bytes that were read so far, the byte order mark included."""
        return self._hash.hexdigest()


def csv_rows(batch: pa.RecordBatch | pa.Table) -> bytes:
    """The rows of one batch as CSV lines, each ending in CRLF."""
    columns = [_quoted(_cells(batch, name)) for name in CSV_COLUMNS]
    lines = pc.binary_join_element_wise(*columns, ",")
    return ("\r\n".join(lines.to_pylist()) + "\r\n").encode()


def guarded(text: str) -> str:
    """``text`` as it may stand in a cell that a spreadsheet opens."""
    found: str = _guarded(pa.array([text], pa.string()))[0].as_py()
    return found


def _cells(batch: pa.RecordBatch | pa.Table, name: str) -> Any:
    column = batch.column(name)
    kind = column.type
    if pa.types.is_decimal(kind):
        text = number_texts(batch, name)
    elif pa.types.is_timestamp(kind):
        text = pc.strftime(pc.cast(column, pa.timestamp("s"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    elif pa.types.is_list(kind):
        text = _guarded(pc.binary_join(column, "; "))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = _guarded(column)
    else:
        text = pc.cast(column, pa.string())
    return pc.fill_null(text, "")


def number_texts(batch: pa.RecordBatch | pa.Table, name: str) -> Any:
    """The texts of a column of numbers: amounts with their currency's decimals, rates with those that they have."""
    if name in RATES:
        return pc.utf8_rtrim(pc.utf8_rtrim(pc.cast(batch.column(name), pa.string()), "0"), ".")
    return _amount_texts(batch.column(name), batch.column("base_currency" if name in IN_BASE else "currency"))


def _amount_texts(column: Any, currency: Any) -> Any:
    """Each amount with its currency's decimals; digits beyond them stay when they are not zero."""
    exact = pc.cast(pc.cast(column, pa.decimal128(38, 4)), pa.string())
    codes: dict[int, list[str | None]] = {}
    for code in pc.unique(currency).to_pylist():
        codes.setdefault(decimals(code or ""), []).append(code)
    text = exact
    for places, those in codes.items():
        text = pc.if_else(pc.is_in(currency, pa.array(those, pa.string())), _trimmed(exact, places), text)
    return text


def _trimmed(exact: Any, places: int) -> Any:
    """Texts of four decimals without the zeros that stand beyond ``places``."""
    text = exact
    for _ in range(4 - max(places, 1)):
        text = _without(text, "0")
    return text if places else _without(text, ".0")


def _without(text: Any, ending: str) -> Any:
    return pc.if_else(pc.ends_with(text, ending), pc.utf8_slice_codeunits(text, 0, -len(ending)), text)


def _guarded(text: Any) -> Any:
    odd = pc.match_substring_regex(text, _TRIGGER)
    return pc.if_else(odd, pc.binary_join_element_wise("'", text, ""), text) if pc.any(odd).as_py() else text


def _quoted(text: Any) -> Any:
    odd = pc.match_substring_regex(text, _SPECIAL)
    if not pc.any(odd).as_py():
        return text
    doubled = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(odd, doubled, text)


class Written(Protocol):
    """A file that was read to its end."""

    rows: int

    @property
    def sha256(self) -> str: ...


def control_file(
    file: Written,
    result: Reconciliation,
    filters: Filters,
    age: DataAge,
    *,
    run: str,
    tolerance: Mapping[str, Decimal],
    made: datetime,
    missing: Sequence[str] = (),
) -> str:
    """What goes beside the CSV, as JSON text: what was asked, what it adds up to, and the hash of the file.

    ``file`` must have been read to its end; ``made`` is an aware instant; ``missing`` says what the rows do not show. Raises
    ValueError when the file does not hold as many rows as were counted: then the data moved in between, and both have to be
    made again.
    """
    if file.rows != result.rows:
        raise ValueError(f"The file holds {file.rows} rows and the sums {result.rows}: the data changed, make both again.")
    content = {
        "entity": result.entity,
        "rows": file.rows,
        "sha256": file.sha256,
        "column_order": COLUMN_ORDER,
        "columns": list(CSV_COLUMNS),
        "status": {str(status): count for status, count in result.statuses.items()},
        "totals": [total_json(total) for total in result.totals],
        "filters": filters.as_json(),
        "tolerance": {code: amount_text(amount, code) for code, amount in sorted(tolerance.items())},
        "data_age": {"crm": _instant(age.crm), "xero": _instant(age.xero)},
        "run": run,
        "made": _instant(made),
        "missing": list(missing),
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def total_json(total: ControlTotal) -> dict[str, object]:
    """One currency as a control file has it: amounts are text with the currency's own decimals."""
    amounts = ("crm", "xero", "difference", "explained", "unexplained")
    return {
        "currency": total.currency,
        "crm_count": total.crm_count,
        "xero_count": total.xero_count,
        **{name: amount_text(getattr(total, name), total.currency) for name in amounts},
        "by_reason": {reason: amount_text(amount, total.currency) for reason, amount in total.by_reason.items()},
    }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
