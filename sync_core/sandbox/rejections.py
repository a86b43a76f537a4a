"""The fault ``reject_elements``: Xero refuses some elements of a batch, handles the others, and says so in a 200.

The refused elements are taken out of the request before the handler sees it and put into its answer as errors, at
their places. Without ``summarizeErrors=false`` the answer is a 400 that names only the refused ones, as in Xero.
The handler never sees the whole batch, so its idempotency cannot know it: ``remember`` and ``recall`` do that part.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sync_core.sandbox.exchange import Answer, Exchange, answer, listing_name, read_json, write_json
from sync_core.sandbox.faults import Fault
from sync_core.sandbox.kernel import Kernel, Row

REMEMBERED = timedelta(minutes=6)


@dataclass(slots=True)
class Split:
    """A batch parted into what the handler gets and what is refused, by position."""

    name: str
    refused: dict[int, dict[str, Any]]
    total: int
    rest: Exchange | None
    summarise: bool


def split(fault: Fault, exchange: Exchange) -> Split | None:
    """Part the batch in ``exchange``; None when no element of it is refused."""
    content = read_json(exchange.body)
    name = listing_name(content)
    elements = content[name] if name else ([content] if isinstance(content, dict) else [])
    refused = {i: _refusal(fault, e) for i, e in enumerate(elements) if _struck(fault, e)}
    refused = dict(list(refused.items())[: fault.options["count"]])
    if not refused:
        return None
    rest = [element for index, element in enumerate(elements) if index not in refused]
    return Split(
        name or exchange.path.rstrip("/").split("/")[-1],
        refused,
        len(elements),
        _without(exchange, name, content, rest) if rest else None,
        "summarizeerrors=false" not in exchange.query.lower(),
    )


def join(parts: Split, made: Answer | None) -> Answer:
    """The handler's answer to the rest (None: there was no rest) with the refused elements in their places."""
    if parts.summarise or (made and made.status >= 400):
        elements = list(parts.refused.values())
        fields = {"ErrorNumber": 10, "Type": "ValidationException", "Elements": elements}
        refusal = {**fields, "Message": "A validation exception occurred"}
        return answer(400).with_body(write_json(refusal)) if parts.summarise or not made else made
    content = read_json(made.body) if made else {"Status": "OK"}
    handled = iter(content.get(parts.name, []))
    content[parts.name] = [parts.refused[index] if index in parts.refused else next(handled) for index in range(parts.total)]
    return (made or answer(200, {})).with_body(write_json(content))


def remember(kernel: Kernel, exchange: Exchange, made: Answer) -> None:
    """Keep the answer to a batch in part refused under its Idempotency-Key, as Xero does."""
    key = exchange.header("idempotency-key")
    if key:
        headers = [[k.decode("latin-1"), v.decode("latin-1")] for k, v in made.headers]
        row: Row = {"until": kernel.clock.now() + REMEMBERED, "asked": _fingerprint(exchange)}
        row |= {"status": made.status, "headers": headers, "body": made.body.decode()}
        kernel.collection("sandbox.replays").put(key, row)


def recall(kernel: Kernel, exchange: Exchange) -> Answer | None:
    """The answer kept for this very request, if its key is still remembered."""
    row = kernel.collection("sandbox.replays").get(exchange.header("idempotency-key") or "")
    if row is None or row["until"] <= kernel.clock.now() or row["asked"] != _fingerprint(exchange):
        return None
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in row["headers"]]
    return Answer(row["status"], headers, row["body"].encode())


def _fingerprint(exchange: Exchange) -> str:
    asked = f"{exchange.method} {exchange.path}?{exchange.query}\n".encode()
    return hashlib.sha256(asked + exchange.body).hexdigest()


def _struck(fault: Fault, element: Any) -> bool:
    pattern = fault.options["match"]
    text = json.dumps(element, ensure_ascii=False)
    return isinstance(element, dict) and (pattern is None or re.search(pattern, text) is not None)


def _refusal(fault: Fault, element: dict[str, Any]) -> dict[str, Any]:
    message = fault.options["message"]
    marks = {"StatusAttributeString": "ERROR", "HasErrors": True, "HasValidationErrors": True}
    return {**element, **marks, "ValidationErrors": [{"Message": message}]}


def _without(exchange: Exchange, name: str | None, content: Any, rest: list[Any]) -> Exchange:
    body = write_json({**content, name: rest} if name else rest[0])
    headers = [(k, v) for k, v in exchange.headers if k != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    return Exchange(
        exchange.system, exchange.method, exchange.path, exchange.query, [*headers, length], body, exchange.transport
    )
