"""Answers that are no JSON: files that are attached to a record, and an invoice or credit note on paper.

Attachments are kept beside the rows, their bytes in base64. Attaching does not move the record's ``UpdatedDateUTC``.
"""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import dataclass

from sync_core.sandbox.kernel import Collection, Row
from sync_core.sandbox.xero.errors import RuleError, not_found, require
from sync_core.sandbox.xero.resources import Resource
from sync_core.sandbox.xero.store import Store

MOST = 10
PRINTED = {
    "Invoices": "InvoiceNumber",
    "CreditNotes": "CreditNoteNumber",
    "Quotes": "QuoteNumber",
    "PurchaseOrders": "PurchaseOrderNumber",
}
ADDRESS = "https://api.xero.com/api.xro/2.0"


@dataclass(frozen=True, slots=True)
class Binary:
    """The bytes of an answer and what they are."""

    content: bytes
    media_type: str


def attachments(store: Store, resource: Resource, row: Row) -> list[Row]:
    """The files of a record as they are listed, oldest first."""
    files = _files(store).get(_key(resource, row)) or {"files": []}
    return [{k: v for k, v in file.items() if k != "content"} for file in files["files"]]


def attach(store: Store, resource: Resource, row: Row, name: str, content: bytes) -> Row:
    """Attach a file, or replace the one of the same name. Gives it as it is listed.

    Raises:
        RuleError: the file is empty, or the record has ten files already.
    """
    if not content:
        raise RuleError("The attachment is empty.")
    kept = (_files(store).get(_key(resource, row)) or {"files": []})["files"]
    old = next((file for file in kept if file["FileName"].lower() == name.lower()), None)
    require(old or len(kept) < MOST, f"A record cannot have more than {MOST} attachments.")
    file: Row = {
        "AttachmentID": old["AttachmentID"] if old else store.kernel.new_id(),
        "FileName": name,
        "Url": f"{ADDRESS}/{resource.name}/{row[resource.key]}/Attachments/{name}",
        "MimeType": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "ContentLength": len(content),
        "content": base64.b64encode(content).decode(),
    }
    _files(store).put(_key(resource, row), {"files": [*(f for f in kept if f is not old), file]})
    store.put(resource.name, {**row, "HasAttachments": True}, bump=False)
    return {k: v for k, v in file.items() if k != "content"}


def attached(store: Store, resource: Resource, row: Row, name: str) -> Binary:
    """The bytes of the file that has this name or id; a 404 when there is none."""
    for file in (_files(store).get(_key(resource, row)) or {"files": []})["files"]:
        if name.lower() in (file["FileName"].lower(), file["AttachmentID"]):
            return Binary(base64.b64decode(file["content"]), file["MimeType"])
    raise not_found()


def _files(store: Store) -> Collection:
    return store.kernel.collection("xero.Attachments")


def _key(resource: Resource, row: Row) -> str:
    return f"{resource.name}/{row[resource.key]}"


def printed(name: str, shown: Row) -> Binary:
    """A document on one page: number, contact, lines and total."""
    lines = [f"{shown.get('Type', name)} {shown.get(PRINTED[name], '')}", str(shown["Contact"].get("Name", "")), ""]
    lines += [f"{line.get('Description', '')}   {line['LineAmount']}" for line in shown["LineItems"]]
    lines += ["", f"Total {shown['CurrencyCode']} {shown['Total']}"]
    return Binary(_pdf(lines), "application/pdf")


def _pdf(lines: list[str]) -> bytes:
    """The least PDF that readers open: a catalogue, one page, a standard font and the text."""
    escaped = (line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in lines)
    text = "BT /F1 12 Tf 15 TL 60 760 Td " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"
    stream = text.encode("cp1252", "replace")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    body, places = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj%b endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return body + head + table + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
