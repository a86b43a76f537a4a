"""``POST $batch``: multipart requests, change sets that hold together, and references by Content-ID."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import unquote

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.paths import SERVICE
from sync_core.sandbox.dataverse.requests import Answer, Call, refusal
from sync_core.sandbox.dataverse.service import answer

BOUNDARY = re.compile(r'boundary="?([^";,\s]+)"?', re.IGNORECASE)
MAX_REQUESTS = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    headers: dict[str, str]
    content: bytes


@dataclass(slots=True)
class _Run:
    """A batch on its way: the answers so far, and the addresses of rows by Content-ID within a change set."""

    env: Environment
    call: Call
    boundary: str
    answers: list[bytes] = field(default_factory=list)
    failed: bool = False


def serve_batch(env: Environment, call: Call) -> Answer:
    """Answer a batch.

    Raises:
        DataverseError: the body is no batch, has too many requests, or (without continue-on-error) its first error.
    """
    parts = read_multipart(call.headers.get("content-type", ""), call.body)
    if not parts:
        raise errors.bad_payload("The batch request holds no part with the boundary that its content type names.")
    if sum(_weight(part) for part in parts) > MAX_REQUESTS:
        message = "Number of requests in the batch exceeded the maximum of 1000."
        raise errors.DataverseError(400, "0x80048d19", message)
    run = _Run(env, call, f"batchresponse_{env.kernel.new_id()}")
    for part in parts:
        if _is_change_set(part):
            _run_change_set(run, part)
        else:
            _run_single(run, part)
        if run.failed and not call.preferences.continue_on_error:
            break
    status = 400 if run.failed and not call.preferences.continue_on_error else 200
    body = b"".join(run.answers) + f"--{run.boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/mixed; boundary={run.boundary}", "OData-Version": "4.0"}
    return Answer(status, body, headers)


def read_multipart(content_type: str, body: bytes) -> list[Part]:
    """The parts of a multipart body; line ends must be CRLF, as in the real service a bare LF is tolerated."""
    found = BOUNDARY.search(content_type)
    if found is None or "multipart/mixed" not in content_type:
        raise errors.bad_payload("The batch request needs a multipart/mixed content type with a boundary.")
    text = b"\n" + body.replace(b"\r\n", b"\n")
    pieces = text.split(b"\n--" + found.group(1).encode())
    return [_part(piece) for piece in pieces[1:] if not piece.startswith(b"--")]


def _part(piece: bytes) -> Part:
    head, _, content = piece.lstrip(b"\n").partition(b"\n\n")
    return Part(_headers(head.decode().splitlines()), content)


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _is_change_set(part: Part) -> bool:
    return part.headers.get("content-type", "").startswith("multipart/mixed")


def _weight(part: Part) -> int:
    return len(read_multipart(part.headers["content-type"], part.content)) if _is_change_set(part) else 1


def _run_single(run: _Run, part: Part) -> None:
    call = read_call(run.call, part, {})
    if call.path.startswith("$batch"):
        raise errors.bad_payload("A batch cannot contain another batch.")
    try:
        result = answer(run.env, call)
    except errors.DataverseError as error:
        result = refusal(error, call.preferences)
        run.failed = True
    run.answers.append(_write_part(run.boundary, result, part.headers.get("content-id")))


def _run_change_set(run: _Run, part: Part) -> None:
    """All requests of a change set, or none: the first refusal undoes them and is the set's only answer."""
    parts = read_multipart(part.headers["content-type"], part.content)
    boundary = f"changesetresponse_{run.env.kernel.new_id()}"

    def work() -> list[bytes]:
        return list(_answers_in_set(run, parts, boundary))

    try:
        answers = run.env.store.atomically(work)
    except errors.DataverseError as error:
        run.failed = True
        run.answers.append(_write_part(run.boundary, refusal(error, run.call.preferences), None))
        return
    inner = b"".join(answers) + f"--{boundary}--\r\n".encode()
    head = f"--{run.boundary}\r\nContent-Type: multipart/mixed; boundary={boundary}\r\n\r\n"
    run.answers.append(head.encode() + inner + b"\r\n")


def _answers_in_set(run: _Run, parts: list[Part], boundary: str) -> Iterator[bytes]:
    known: dict[str, str] = {}
    for part in parts:
        call = read_call(run.call, part, known)
        if call.method == "GET":
            raise errors.bad_payload("GET requests are not allowed in a change set.")
        result = answer(run.env, call)
        content_id = part.headers.get("content-id")
        if content_id and "OData-EntityId" in result.headers:
            known[content_id] = result.headers["OData-EntityId"]
        yield _write_part(boundary, result, content_id)


def read_call(outer: Call, part: Part, known: dict[str, str]) -> Call:
    """The request in a part, with ``$1`` replaced by the address that the part with Content-ID 1 got."""
    head, _, body = part.content.lstrip(b"\n").partition(b"\n\n")
    first, *lines = head.decode().split("\n")
    words = first.split(" ")
    if len(words) < 2:
        raise errors.bad_payload("A part of the batch is not an HTTP request.")
    method, url = words[0].upper(), " ".join(words[1:-1]) if words[-1].startswith("HTTP/") else " ".join(words[1:])
    url, content = _referring(url, known), body.strip(b"\n")
    for content_id, address in known.items():
        content = re.sub(rb'"/?\$' + re.escape(content_id.encode()) + rb'"', f'"{address}"'.encode(), content)
    raw_path, _, query = SERVICE.sub("", url).partition("?")
    headers = {"prefer": "", **_headers(lines)}
    return replace(outer, method=method, path=unquote(raw_path), raw_path=raw_path, query=query, headers=headers, body=content)


def _referring(url: str, known: dict[str, str]) -> str:
    for content_id, address in known.items():
        if re.match(rf"/?\${re.escape(content_id)}(?=/|$)", url.removeprefix("/api/data/v9.2")):
            return re.sub(rf"^.*?\${re.escape(content_id)}", lambda _match: address, url, count=1)  # noqa: B023 - used at once
    return url


def _write_part(boundary: str, result: Answer, content_id: str | None) -> bytes:
    lines = [f"--{boundary}", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {result.status} {HTTPStatus(result.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in result.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + result.content + b"\r\n"
