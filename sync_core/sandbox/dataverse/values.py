"""Values on their way in (JSON to what a row holds) and out (to JSON, or to text that people read)."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import orjson

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.schema import Column, Table

NO_GUID = "00000000-0000-0000-0000-000000000000"
GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
EARLIEST_YEAR = 1753
MOST_MONEY = Decimal(922_337_203_685_477)
QUANTA = [Decimal(1).scaleb(-digits) for digits in range(13)]
EDM = {
    "Integer": "Int32", "BigInt": "Int64", "Decimal": "Decimal", "Money": "Decimal", "Double": "Double",
    "Boolean": "Boolean", "Picklist": "Int32", "State": "Int32", "Status": "Int32", "Uniqueidentifier": "Guid",
    "DateTime": "DateTimeOffset", "Memo": "String", "String": "String", "File": "Binary",
}  # fmt: skip


def rounded(value: Decimal, digits: int) -> Decimal:
    """``value`` to ``digits`` decimals, halves away from zero.

    Raises:
        DataverseError: the result has more digits than any column can hold.
    """
    try:
        return value.quantize(QUANTA[digits], ROUND_HALF_UP)
    except InvalidOperation:
        raise errors.DataverseError(400, errors.OUT_OF_RANGE, f"The value {value} is outside the valid range.") from None


def holdable(amount: Decimal) -> Decimal:
    """``amount``, when a Money column can hold it.

    Raises:
        DataverseError: it is too large.
    """
    if abs(amount) > MOST_MONEY:
        raise errors.DataverseError(400, errors.OUT_OF_RANGE, f"The value {amount} is outside the valid range.")
    return amount


def read_value(table: Table, column: Column, value: Any) -> Any:
    """What a row holds for a JSON ``value``.

    Raises:
        DataverseError: wrong type, too long, out of range, or not one of the choices.
    """
    if value is None:
        return None
    return READERS[column.type](table, column, value)


def _read_text(table: Table, column: Column, value: Any) -> str | None:
    if not isinstance(value, str):
        raise errors.wrong_type(value, "String")
    if UNPRINTABLE.search(value):
        raise errors.DataverseError(400, errors.UNEXPECTED, "The text holds a hexadecimal value that is an invalid character.")
    if column.max_length is not None and _length(value) > column.max_length:
        raise errors.DataverseError(
            400,
            errors.TOO_LONG,
            f"A validation error occurred. The length of the '{column.logical}' attribute of the '{table.logical}' "
            f"entity exceeded the maximum allowed length of '{column.max_length}'.",
        )
    return value or None


def _length(text: str) -> int:
    """Characters as the database counts them: UTF-16 units, so that an emoji is two."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def _read_whole(table: Table, column: Column, value: Any) -> int:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.wrong_type(value, EDM[column.type])
    _check_range(table, column, Decimal(value))
    return value


def _read_number(table: Table, column: Column, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise errors.wrong_type(value, EDM[column.type])
    number = Decimal(value)
    if not number.is_finite():
        raise errors.wrong_type(value, EDM[column.type])
    _check_range(table, column, number)
    return number if column.type == "Money" else rounded(number, column.precision or 0)


def _check_range(table: Table, column: Column, number: Decimal) -> None:
    low, high = column.minimum, column.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        message = (
            f"A validation error occurred. The value {number} of '{column.logical}' on record of type "
            f"'{table.logical}' is outside the valid range. Accepted Values: {low} to {high}."
        )
        raise errors.DataverseError(400, errors.OUT_OF_RANGE, message)


def _read_flag(_table: Table, _column: Column, value: Any) -> bool:
    if not isinstance(value, bool):
        raise errors.wrong_type(value, "Boolean")
    return value


def _read_choice(table: Table, column: Column, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.wrong_type(value, "Int32")
    if all(option.value != value for option in column.options):
        accepted = ",".join(str(option.value) for option in column.options)
        message = (
            f"A validation error occurred. The value {value} of '{column.logical}' on record of type "
            f"'{table.logical}' is outside the valid range. Accepted Values: {accepted}"
        )
        raise errors.DataverseError(400, errors.UNKNOWN_OPTION, message)
    return value


def _read_when(_table: Table, column: Column, value: Any) -> date | datetime:
    if not isinstance(value, str):
        raise errors.wrong_type(value, "DateTimeOffset")
    found = parse_date(value) if column.date_only else parse_instant(value) or midnight(parse_date(value))
    if found is None:
        raise errors.wrong_type(value, "Date" if column.date_only else "DateTimeOffset")
    if found.year < EARLIEST_YEAR:
        message = "DateTime is less than minimum value supported by CrmDateTime. Minimum value supported: 01/01/1753"
        raise errors.DataverseError(400, "0x80040239", message)
    return found


def parse_date(text: str) -> date | None:
    """A plain ISO date, or None."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_instant(text: str) -> datetime | None:
    """An ISO instant with an offset in UTC and whole seconds, or None."""
    if not INSTANT.match(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def read_guid(value: Any) -> str:
    """A GUID in lower case."""
    if not isinstance(value, str) or not GUID.fullmatch(value.strip("{}")):
        raise errors.wrong_type(value, "Guid")
    return str(uuid.UUID(value))


READERS: dict[str, Any] = {
    "String": _read_text,
    "Memo": _read_text,
    "Integer": _read_whole,
    "BigInt": _read_whole,
    "Decimal": _read_number,
    "Double": _read_number,
    "Money": _read_number,
    "Boolean": _read_flag,
    "Picklist": _read_choice,
    "State": _read_choice,
    "Status": _read_choice,
    "DateTime": _read_when,
    "File": lambda _table, _column, value: read_guid(value),
    "Uniqueidentifier": lambda _table, _column, value: read_guid(value),
}


def write_value(column: Column, value: Any) -> Any:
    """The JSON form of what a row holds. Decimals become exact number literals."""
    if isinstance(value, Decimal):
        return orjson.Fragment(number_text(column, value))
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def number_text(column: Column, value: Decimal) -> str:
    """Money has four decimals, a decimal column its own precision."""
    digits = 4 if column.type == "Money" else column.precision or 0
    return f"{value:.{digits}f}"


def formatted(column: Column, value: Any, currency: tuple[str, int]) -> str:
    """What a person reads, in the environment's format; ``currency`` is (symbol, decimals)."""
    if column.options:
        return next((o.label for o in column.options if o.value == int(value)), str(value))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        symbol, digits = currency if column.type == "Money" else ("", column.precision or 0)
        sign = "-" if value < 0 else ""
        return f"{sign}{symbol}{abs(value):,.{digits}f}"
    if isinstance(value, datetime):
        day = f"{value.month}/{value.day}/{value.year}"
        return day if column.format == "DateOnly" else f"{day} {value.strftime('%I:%M %p').lstrip('0')}"
    if isinstance(value, date):
        return f"{value.month}/{value.day}/{value.year}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def dump(body: Any) -> bytes:
    """JSON with every Decimal written exactly."""
    return orjson.dumps(body, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
