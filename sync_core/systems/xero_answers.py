"""What Xero answered to a batch of writes, as one receipt per element, and its refusals in plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sync_core.errors import Rejected, Retryable, Unknown
from sync_core.model import Native, Verb
from sync_core.systems.base import Receipt, Write
from sync_core.systems.http import Answer
from sync_core.systems.redaction import redact
from sync_core.systems.xero_rows import rows_of

TOO_LARGE = 413
_NOBODY = "00000000-0000-0000-0000-000000000000"
_TAGS = ("ContactNumber", "InvoiceNumber", "CreditNoteNumber", "Code", "Reference")

_MEANINGS = (
    # What Xero's sentence is about: (pattern, the field it names, our code for it). The first that fits counts.
    (r"the (?P<field>[\w.]+) field cannot be longer", "", "too long"),
    (r"lock date|locked period", "Date", "locked period"),
    (r"idempotency", "", "idempotency"),
    (r"already been deleted", "Status", "already deleted"),
    (r"only status accepted|part of a batch payment", "Status", "not editable"),
    (r"payment or credit note allocated|not of valid status|cannot be (edited|modified|updated)", "Status", "not editable"),
    (r"contact.*archived|un-archived", "Contact", "archived"),
    (r"account.*(archived|deleted|not a valid code)", "AccountCode", "archived"),
    (r"contact ?number|contact code", "ContactNumber", "exists"),
    (r"contact name .*(already|unique|assigned)|name .*must be unique", "Name", "exists"),
    (r"invoice (#|number).*(unique|already)", "InvoiceNumber", "exists"),
    (r"credit ?note (#|number).*(unique|already)", "CreditNoteNumber", "exists"),
    (r"tax ?type", "TaxType", ""),
    (r"(item )?code .*(already|unique)", "Code", "exists"),
    (r"line total|does not match the expected", "LineItems", "amounts"),
    (r"payment amount|exceeds the|outstanding|greater than .*(due|remaining|total)", "Amount", "amounts"),
    (r"currency", "CurrencyCode", "currency"),
    (r"account code|accountcode", "AccountCode", ""),
    (r"due ?date", "DueDate", ""),
    (r"e-?mail", "EmailAddress", ""),
    (r"\bdate\b", "Date", ""),
    (r"description", "Description", ""),
    (r"\bname\b", "Name", ""),
)

CORRECT = "Correct it; the next sync sends it again."
_REMEDIES = {
    # What helps, by our code.
    "too long": "Shorten it; the next sync sends it again.",
    "locked period": "Change the date, or move the lock date in Xero, then try again.",
    "archived": "Restore it in Xero, or choose another one, then try again.",
    "already deleted": "Look at it in Xero; the next sync says what stands there.",
    "not editable": "Remove the payment or credit that stands on it in Xero, or set it back in Dynamics, then try again.",
    "exists": "Choose another one, or link this record to the one in Xero that has it.",
    "idempotency": "Try this record again.",
}


def receipts(writes: Sequence[Write], answer: Answer) -> list[Receipt]:
    """One receipt per write, in order. Raises Unknown when the answer cannot be told apart into elements."""
    if answer.status in (200, 201):
        return _accepted(writes, answer)
    if answer.status == 204:
        return [Receipt(id=write.id) for write in writes]
    return _refused(writes, answer)


def rejected(answer: Answer) -> Rejected:
    """A refusal of a whole request, in words."""
    body = _envelope(answer)
    if answer.status == 404:
        return Rejected(
            "Xero no longer has this record. The next sync reads that and says what stands in Dynamics.",
            code="missing",
            detail=answer.text(),
        )
    if answer.status == TOO_LARGE:
        return Rejected(
            "Xero refused this record: it is larger than what Xero takes at once. Shorten its texts, or split it into several; "
            "the next sync sends it again.",
            code="too large",
            detail=answer.text(),
        )
    elements = body.get("Elements")
    said = [text for element in elements or () if isinstance(element, dict) for text in _errors(element)]
    text = "; ".join(said) or str(body.get("Message") or body.get("Detail") or f"status {answer.status}")
    return _rejection(text, answer.text())


def _accepted(writes: Sequence[Write], answer: Answer) -> list[Receipt]:
    first = writes[0]
    body, rows = rows_of(first.stream, answer)
    if first.verb is Verb.DELETE and first.stream.within:
        return [Receipt(id=first.id, native=body)]
    if rows is None or len(rows) != len(writes):
        raise Unknown(
            "Xero's answer does not list what was sent, so nobody can tell what was saved. The records must be looked up "
            "before anything is sent again.",
            detail=answer.text(),
        )
    for write, row in zip(writes, rows, strict=True):
        _check_echo(write, row)
    return [_receipt(write, row) for write, row in zip(writes, rows, strict=True)]


def _receipt(write: Write, row: Native) -> Receipt:
    warnings = tuple(redact(text) for text in _messages(row.get("Warnings")))
    if _failed(row):
        text = "; ".join(_errors(row)) or "it gave no reason"
        return Receipt(id=write.id, error=_rejection(text, ""), warnings=warnings)
    row_id = str(row.get(write.stream.key) or "") or write.id
    if not row_id or row_id == _NOBODY:
        raise Unknown("Xero accepted a record without saying its id. It must be looked up before anything is sent again.")
    return Receipt(id=row_id, native=row, warnings=warnings)


def _failed(row: Native) -> bool:
    if row.get("StatusAttributeString") == "ERROR" or row.get("ValidationErrors"):
        return True
    return row.get("HasErrors") is True or row.get("HasValidationErrors") is True


def _check_echo(write: Write, row: Native) -> None:
    """The element at this place must be the one that was sent: by id, else by a tag that both hold."""
    for name, value in _marks(write).items():
        echo = row.get(name)
        if value and echo and _plain(value) != _plain(echo):
            raise Unknown(
                f"Xero's answer is about another record than was sent ({name} differs). The records must be looked up before "
                "anything is sent again.",
                detail=redact(f"sent {value}, answered {echo}"),
            )


def _marks(write: Write) -> dict[str, Any]:
    """What an element can be known by in an answer."""
    own_id = {write.stream.key: write.id} if write.id and not write.stream.within else {}
    return {name: write.body.get(name) for name in _TAGS} | own_id


def _refused(writes: Sequence[Write], answer: Answer) -> list[Receipt]:
    elements = _envelope(answer).get("Elements")
    # What is put into one record in one call, such as the members of a group, is refused whole.
    if not isinstance(elements, list) or not elements or len(writes) == 1 or writes[0].stream.within:
        refusal = rejected(answer)
        return [Receipt(id=write.id, error=refusal) for write in writes]
    found = _complaints(writes, [e if isinstance(e, dict) else {} for e in elements])
    # A 400 without summarizeErrors=false hides that the elements without an error were saved.
    hidden = Unknown(
        "Xero refused some records and does not say what became of the others. They must be looked up before anything is "
        "sent again.",
        detail=answer.text(),
    )
    if not any(found):
        raise hidden
    return [
        Receipt(id=write.id, error=_rejection("; ".join(texts), "") if texts else hidden)
        for write, texts in zip(writes, found, strict=True)
    ]


def _complaints(writes: Sequence[Write], elements: Sequence[Native]) -> list[list[str]]:
    """What is wrong with each write: by its place where all are listed, else by the id or tag of those that are."""
    if len(elements) == len(writes):
        return [_errors(element) for element in elements]
    found: list[list[str]] = [[] for _ in writes]
    for element in elements:
        meant = [at for at, write in enumerate(writes) if _names(write, element)]
        if len(meant) != 1:
            return [[] for _ in writes]
        found[meant[0]] += _errors(element)
    return found


def _names(write: Write, element: Native) -> bool:
    sent = _marks(write)
    return any(value and element.get(name) and _plain(value) == _plain(element[name]) for name, value in sent.items())


def _rejection(text: str, detail: str) -> Rejected:
    said = redact(text, longest=600).rstrip(". ")
    name, code = _meaning(said)
    return Rejected(
        f"Xero refused this record: {said}. {_REMEDIES.get(code, CORRECT)}",
        field=name,
        code=code or "validation",
        detail=detail,
    )


def _meaning(said: str) -> tuple[str, str]:
    """The field and the code of a complaint, as far as they can be recognised."""
    for pattern, name, code in _MEANINGS:
        found = re.search(pattern, said, re.IGNORECASE)
        if found:
            return found.groupdict().get("field") or name, code
    return "", ""


def _errors(element: Native) -> list[str]:
    """Every complaint about an element, those of nested ones (lines, contact) included."""
    found = _messages(element.get("ValidationErrors"))
    for value in element.values():
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, dict) and nested.get("ValidationErrors"):
                found += _messages(nested["ValidationErrors"])
    return list(dict.fromkeys(found))


def _messages(listed: Any) -> list[str]:
    """The texts of ``ValidationErrors`` or ``Warnings``; some of Xero's answers say Description for Message."""
    texts = [(each.get("Message") or each.get("Description")) for each in listed or () if isinstance(each, dict)]
    return [str(text) for text in texts if text]


def _envelope(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json()
    except (Unknown, Retryable):
        # A refusal is a refusal whatever its body is: nothing was saved.
        return {}
    return body if isinstance(body, dict) else {}


def _plain(value: object) -> str:
    return " ".join(str(value).split()).casefold()
