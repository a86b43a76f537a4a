"""The rows in an answer of Xero, spelled one way.

Xero is free in two things that would make one record look like two: ids are GUIDs, whose letter case means nothing, and the
refund of a credit note comes with the note under ``Invoice`` (official example of GET /Payments) though it is written under
``CreditNote``. Everything else stays as it was sent.
"""

from __future__ import annotations

import re
from typing import Any

from sync_core.model import Native
from sync_core.rules.entities import Stream
from sync_core.systems.base import GUID
from sync_core.systems.http import Answer
from sync_core.systems.xero_operations import array_of

_UPPER_CASE_ID = re.compile(rb'I[Dd]"\s*:\s*"(?=[0-9A-Fa-f-]{36}")[0-9a-f-]*[A-F]')
_LINED = frozenset({"Invoices", "CreditNotes"})
_REFUNDED = {
    "ARCREDITPAYMENT": ("CreditNote", "CreditNoteID", "CreditNoteNumber"),
    "ARPREPAYMENTPAYMENT": ("Prepayment", "PrepaymentID", ""),
    "AROVERPAYMENTPAYMENT": ("Overpayment", "OverpaymentID", ""),
}


def rows_of(stream: Stream, answer: Answer) -> tuple[dict[str, Any], list[Native] | None]:
    """The envelope and its rows; None when it holds no list of objects under the stream's name."""
    body = answer.json()
    if not isinstance(body, dict):
        return {}, None
    rows = body.get(array_of(stream))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return body, None
    if _UPPER_CASE_ID.search(answer.body):
        rows = [_lower_ids(row) for row in rows]
    return body, [_under_its_own_name(row) for row in rows] if stream.table == "Payments" else rows


def lacks_lines(stream: Stream, row: Native) -> bool:
    """Whether a document comes without the lines that its total is made of, as in a list that is kept short."""
    return stream.table in _LINED and not row.get("LineItems") and str(row.get("Total") or 0).strip("0.") != ""


def _lower_ids(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _lower_ids(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_lower_ids(each) for each in value]
    return value.lower() if isinstance(value, str) and name[-2:].upper() == "ID" and GUID.fullmatch(value) else value


def _under_its_own_name(payment: Native) -> Native:
    name, key, number = _REFUNDED.get(str(payment.get("PaymentType")), ("", "", ""))
    document = payment.get("Invoice")
    if not name or payment.get(name) or not isinstance(document, dict):
        return payment
    renamed = {"InvoiceID": key, "InvoiceNumber": number}
    rest = {each: value for each, value in payment.items() if each != "Invoice"}
    return {**rest, name: {renamed.get(each, each) or each: value for each, value in document.items()}}
