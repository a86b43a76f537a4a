"""Numbers of 64 bits that stand beside long texts of a record, so that the reconciliation of a million pairs reads no text.

Whoever writes one of the texts writes its print in the same statement (:func:`printed`), or leaves ``id_print`` NULL: the next
reconciliation then makes all prints of that record (:data:`MISSING`). NULL stands for no text and for an empty one.

Two given texts that differ have the same print with odds of 1 to 2^64, or 5 in 10^20. That a change since both sides agreed is
not seen has these odds each time; of two million ids, that any two share a print, about 1 in 10^7, and then the pair would
still have to be the same in number, dates and amounts, of which another 64 bits are compared.
"""

from __future__ import annotations

NUMBER_KEY = """lower(CASE WHEN contains({0}, ' ') OR strlen({0}) <> length({0})
    THEN replace(trim({0}), ' ', '') ELSE coalesce({0}, '') END)"""
"""A number without spaces in lower case. Trimming takes longest; plain letters without a space need none."""

_PRINTED = {
    "id": ("id_print", "{0}"),
    "partner": ("partner_print", "{0}"),
    "number": ("number_print", NUMBER_KEY),
    "document": ("document_print", "{0}"),
    "hash": ("hash_print", "{0}"),
    "agreed_hash": ("agreed_print", "{0}"),
    "stamp": ("stamp_print", "{0}"),
}
"""By the column of a record that holds the text, the one of its print, and the text that is printed."""

NAMES = ", ".join(name for name, _ in _PRINTED.values())


def print_of(column: str, text: str) -> str:
    """SQL of the print of ``text``, an SQL expression of what the column ``column`` of a record holds."""
    shape = _PRINTED[column][1].format(text)
    return f"CASE WHEN {shape} <> '' THEN hash({shape}) END"


def prints_of(table: str) -> str:
    """SQL of all prints in the order of :data:`NAMES`, of a row of ``table``."""
    return ", ".join(print_of(column, f"{table}.{column}") for column in _PRINTED)


def printed(column: str, text: str) -> str:
    """What sets ``column`` of a record to the SQL expression ``text``, and its print: for UPDATE."""
    return f"{column} = {text}, {_PRINTED[column][0]} = {print_of(column, text)}"


def set_prints(*columns: str, source: str) -> str:
    """What sets the prints of ``columns``, of all when none is named, to those of a row of ``source``: for UPDATE."""
    return ", ".join(f"{_PRINTED[c][0]} = {print_of(c, f'{source}.{c}')}" for c in columns or _PRINTED)


EVERY = f"UPDATE record SET {set_prints(source='record')}"  # noqa: S608  # our own words
MISSING = f"{EVERY} WHERE id_print IS NULL"
PROBE = "SELECT hash('Tieout')::VARCHAR"
"""What tells whether prints are made as they were before: another DuckDB may make others."""
