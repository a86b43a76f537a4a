"""Writing to Dynamics: each element a guarded PATCH or DELETE of a row by its GUID, many of them in one ``$batch``.

An element stands or falls alone. What an answer does not prove is Unknown, never assumed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sync_core.errors import Retryable, TieoutError, Unknown
from sync_core.model import Lookup, Native, Verb
from sync_core.systems import odata
from sync_core.systems.base import Clock, Receipt, Write
from sync_core.systems.batch import BatchError, Part, Request, decode, encode
from sync_core.systems.dataverse_errors import NOT_A_MEMBER, no_access, rejection
from sync_core.systems.dataverse_tables import Tables
from sync_core.systems.http import Answer, Forbidden, Gate, Http
from sync_core.systems.http_gate import after_of
from sync_core.systems.redaction import redact

UPSERT = "*"
_RESENDS = 5
_AS_A_WHOLE = frozenset({401, 403, 429})
"""Refusals of a batch that are about who asks, not about what; any other one may be about batches as such."""
_NO_HINT = timedelta(seconds=10)
_ODATA = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0"}
_ECHO = {**_ODATA, "Prefer": "return=representation"}


class Sender:
    """Requests go out, parts come back in the same order: alone as themselves, several as a batch."""

    def __init__(self, http: Http, gate: Gate, clock: Clock, root: str) -> None:
        self._http, self._gate, self._clock, self._root = http, gate, clock, root
        self._batches = True

    def send(self, requests: Sequence[Request]) -> list[Part]:
        """Raises Unknown when the answer was lost, or cannot be matched with the requests."""
        if len(requests) > 1 and self._batches:
            parts = self._send_batch(requests)
            if parts is not None:
                return parts
            self._batches = False
        return [self._send_alone(request) for request in requests]

    def look(self, target: str) -> bytes:
        """The row at ``target`` as it stands, b"" when it cannot be shown."""
        answer = self._http.request("GET", target, headers=odata.READ_HEADERS)
        return answer.body if answer.status == 200 else b""

    def slow_down(self, parts: Sequence[Part]) -> None:
        """Close the gate for as long as the refused ``parts`` ask; the next request waits there."""
        now = self._clock.now()
        self._gate.close(max(after_of(part.headers, now) or _NO_HINT for part in parts))

    def _send_alone(self, request: Request) -> Part:
        try:
            answer = self._http.request(
                request.method,
                request.target,
                headers=request.headers,
                content=request.body,
                safe=False,
                write=True,
            )
        except Forbidden as error:
            answer = error.answer
        return Part(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)

    def _send_batch(self, requests: Sequence[Request]) -> list[Part] | None:
        """The answers, or None from a server that does not take ``$batch`` as we send it: each element is then sent alone.

        Should one stop at an element that it refuses, and answer with that, the guards show what was carried out before.
        """
        boundary = f"batch_{uuid.uuid4()}"
        rooted = [replace(request, target=self._root + request.target) for request in requests]
        headers = {
            "Accept": "multipart/mixed",
            "OData-MaxVersion": "4.0",
            "OData-Version": "4.0",
            "Prefer": "odata.continue-on-error",
            "Content-Type": f'multipart/mixed; boundary="{boundary}"',
        }
        body = encode(rooted, boundary)
        try:
            answer = self._http.request("POST", "/$batch", headers=headers, content=body, safe=False, write=True)
        except Forbidden as error:
            answer = error.answer
        refused = answer.status >= 400 and answer.status not in _AS_A_WHOLE
        return None if refused else _parts(answer, len(requests))


def _parts(answer: Answer, expected: int) -> list[Part]:
    if answer.status >= 400:
        # The batch as a whole was refused, before any element of it was carried out.
        return [Part(403 if answer.status == 403 else 400, {}, answer.body)] * expected
    try:
        parts = decode(answer.headers.get("content-type", ""), answer.body)
    except BatchError as error:
        raise _unmatched(str(error)) from None
    if len(parts) != expected:
        raise _unmatched(f"{len(parts)} answers to {expected} requests")
    if all(part.content_id.isdecimal() for part in parts):
        parts.sort(key=lambda part: int(part.content_id))
    for number, part in enumerate(parts, start=1):
        if part.content_id not in ("", str(number)):
            raise _unmatched(f"answer {number} belongs to request {part.content_id}")
    return parts


def _unmatched(why: str) -> Unknown:
    return Unknown(
        "Dynamics was sent a batch and its answer cannot be matched with it. The records must be looked up.", detail=why
    )


class Writer:
    """Turns :class:`Write` into requests and answers into :class:`Receipt`."""

    def __init__(self, sender: Sender, tables: Tables) -> None:
        self._sender, self._tables = sender, tables
        self._posts = False

    def write(self, writes: Sequence[Write]) -> list[Receipt]:
        """One receipt each, in order. Elements that Dynamics put off (429: not carried out) are sent again; so are, as a POST,
        new rows for a server that makes none by PATCH. Their id keeps either from making a second one.
        """
        receipts: dict[int, Receipt] = {}
        waiting = list(range(len(writes)))
        posted = {at for at in waiting if self._posts and _is_new(writes[at])}
        for attempt in range(_RESENDS):
            if not waiting:
                break
            try:
                parts = self._sender.send([self._request(writes[at], posted=at in posted) for at in waiting])
            except TieoutError as error:
                if attempt == 0:
                    raise
                # The elements before were answered; only what was sent again shares this fate.
                receipts |= {at: Receipt(error=error) for at in waiting}
                break
            put_off = [part for part in parts if part.status == 429]
            receipts |= {
                at: _receipt(writes[at], self._shown(writes[at], part)) for at, part in zip(waiting, parts, strict=True)
            }
            unmade = {at for at, part in zip(waiting, parts, strict=True) if at not in posted and _unmade(writes[at], part)}
            waiting = [at for at, part in zip(waiting, parts, strict=True) if part.status == 429 or at in unmade]
            posted |= unmade
            self._posts = self._posts or bool(unmade)
            if put_off:
                self._sender.slow_down(put_off)
        return [receipts[at] for at in range(len(writes))]

    def _shown(self, write: Write, part: Part) -> Part:
        """A server may accept a change without showing the row, though it was asked to: then it is asked for it."""
        if part.status != 204 or part.body.strip() or write.verb is Verb.DELETE:
            return part
        columns = dict.fromkeys((write.stream.key, *write.stream.columns))
        target = f"/{self._tables[write.stream.table].set_name}({write.id}){odata.query(select=','.join(columns))}"
        return replace(part, body=self._sender.look(target))

    def _request(self, write: Write, *, posted: bool = False) -> Request:
        if write.id is None or not odata.is_guid(write.id):
            raise ValueError("a write to Dynamics names the row's GUID, also for a create")
        target = f"/{self._tables[write.stream.table].set_name}({write.id})"
        if write.verb is Verb.DELETE:
            return Request("DELETE", target, {**_ODATA, **_guard(write)})
        columns = dict.fromkeys((write.stream.key, *write.stream.columns))
        if posted:
            body = odata.to_json(self._bound({write.stream.key: write.id, **write.body})).encode()
            return Request("POST", target.partition("(")[0], {**_ECHO, **odata.JSON_BODY}, body)
        return Request(
            "PATCH",
            target + odata.query(select=",".join(columns)),
            {**_ECHO, **odata.JSON_BODY, **_guard(write)},
            odata.to_json(self._bound(write.body)).encode(),
        )

    def _bound(self, body: Native) -> Native:
        """Lookups by their navigation property, which for every lookup that Tieout writes is the column's own name."""
        return dict(self._member(name, value) for name, value in body.items())

    def _member(self, name: str, value: Any) -> tuple[str, Any]:
        if isinstance(value, Lookup):
            return f"{name}@odata.bind", f"/{self._tables[value.table].set_name}({value.id})"
        return name, value


def _is_new(write: Write) -> bool:
    return write.verb is Verb.CREATE and write.version != UPSERT


def _unmade(write: Write, part: Part) -> bool:
    """Whether a server says of a row to be made that it is not there."""
    failed = odata.failure(part.status, part.body)
    return write.verb is Verb.CREATE and part.status == 404 and (write.id or "").lower() in failed.message.lower()


def _guard(write: Write) -> dict[str, str]:
    if write.verb is Verb.CREATE:
        return {} if write.version == UPSERT else {"If-None-Match": "*"}
    if write.verb is Verb.DELETE and write.version is None:
        return {}
    # A row that came without an ETag is known by its content, which no server can compare: it must only be there still.
    version = write.version or ""
    return {"If-Match": version if version.endswith('"') else "*"}


def _receipt(write: Write, part: Part) -> Receipt:
    if 200 <= part.status < 300:
        return _accepted(write, part)
    failed = odata.failure(part.status, part.body)
    if part.status == 429:
        message = "Dynamics is busy and put this record off. It is sent again at the next run."
        return Receipt(error=Retryable(message, detail=failed.message))
    if part.status >= 500:
        message = "Dynamics failed while it wrote this record. The record must be looked up before it is sent again."
        return Receipt(error=Unknown(message, detail=failed.message))
    if failed.code == NOT_A_MEMBER:
        raise no_access(failed)
    return Receipt(error=rejection(write, failed))


def _accepted(write: Write, part: Part) -> Receipt:
    if write.verb is Verb.DELETE:
        return Receipt(id=write.id, native={})
    row = _row(part.body)
    shown = str(row.get(write.stream.key, ""))
    if shown.lower() == (write.id or "").lower():
        return Receipt(id=write.id, native=row)
    message = "Dynamics accepted a change without showing the record that was sent. The record must be looked up."
    return Receipt(error=Unknown(message, detail=f"sent {write.id}, shown {redact(shown)}"))


def _row(body: bytes) -> Native:
    """The row that Dynamics shows, empty when the body is no row."""
    try:
        row = json.loads(body, parse_float=Decimal)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
