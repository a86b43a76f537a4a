"""File columns: upload in one piece or in blocks, download and delete.

The row holds the id of the file and, in a column beside it, its name. Source: Microsoft's page on file column data.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from sync_core.sandbox.dataverse import errors, writes
from sync_core.sandbox.dataverse.records import Target, transact
from sync_core.sandbox.dataverse.requests import Answer, no_content, with_json
from sync_core.sandbox.dataverse.schema import Column
from sync_core.sandbox.kernel import Collection, Row

BLOCK = 4 * 1024 * 1024
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
PART = re.compile(r"bytes=(\d{1,12})-(\d{1,12})")
BINARY = "application/octet-stream"


def serve_file(target: Target, row: Row, column: Column, *, raw: bool) -> Answer:
    """``accounts(..)/tie_contract``, with ``/$value`` for the bytes alone."""
    method = target.call.method
    if method == "GET":
        return _download(target, row, column, raw=raw)
    if method == "DELETE":
        _kept(target).remove(str(row.get(column.logical)))
        _mark(target, row, column, None, None)
        return no_content()
    if method not in ("PATCH", "PUT"):
        raise errors.method_not_allowed(method)
    token = target.call.options.get("sessiontoken")
    if token is not None:
        return _block(target, row, column, token)
    name = _name(target)
    if target.call.headers.get("x-ms-transfer-mode") == "chunked":
        return _begin(target, column, name)
    return _store(target, row, column, name, target.call.body)


def _kept(target: Target) -> Collection:
    return target.env.kernel.collection("dataverse.files")


def _uploads(target: Target) -> Collection:
    return target.env.kernel.collection("dataverse.uploads")


def _name(target: Target) -> str:
    given = target.call.options.get("x-ms-file-name") or target.call.headers.get("x-ms-file-name")
    if not given:
        raise errors.bad_payload("The name of the file is missing: give it as x-ms-file-name.")
    return unquote(given)


def _store(target: Target, row: Row, column: Column, name: str, content: bytes) -> Answer:
    if len(content) > (column.max_length or 0) * 1024:
        raise errors.DataverseError(
            400, "0x80044a02", f"The file is larger than the {column.max_length} KB that the column takes."
        )
    file_id = target.env.kernel.new_id()
    _kept(target).put(file_id, {"name": name, "content": base64.b64encode(content).decode()})
    _mark(target, row, column, file_id, name)
    return no_content()


def _mark(target: Target, row: Row, column: Column, file_id: str | None, name: str | None) -> None:
    table = target.table
    values = {column.logical: file_id, f"{column.logical}_name": name}
    transact(target.env, target.call.user, lambda s: writes.change(s, table, row[table.primary_id], values))


def _begin(target: Target, column: Column, name: str) -> Answer:
    token = target.env.kernel.new_id()
    _uploads(target).put(token, {"column": column.logical, "name": name, "content": ""})
    headers = {
        "Location": f"{target.call.url}?x-ms-file-name={quote(name)}&sessiontoken={token}",
        "x-ms-chunk-size": str(BLOCK),
        "Accept-Ranges": "bytes",
        "OData-Version": "4.0",
    }
    return Answer(200, b"", headers)


def _block(target: Target, row: Row, column: Column, token: str) -> Answer:
    """One block of an upload in the order of the file; the last one makes the file."""
    upload = _uploads(target).get(token)
    if upload is None or upload["column"] != column.logical:
        raise errors.DataverseError(404, errors.NOT_FOUND, "The session of this upload does not exist or has ended.")
    found = RANGE.fullmatch(target.call.headers.get("content-range", ""))
    so_far = base64.b64decode(upload["content"])
    first, last, size = map(int, found.groups()) if found else (0, 0, 0)
    if found is None or first != len(so_far) or last - first + 1 != len(target.call.body):
        raise errors.bad_payload("The Content-Range does not follow the block before, or does not fit the body.")
    content = so_far + target.call.body
    if len(content) < size:
        _uploads(target).put(token, {**upload, "content": base64.b64encode(content).decode()})
        return Answer(206, b"", {"OData-Version": "4.0"})
    _uploads(target).remove(token)
    return _store(target, row, column, upload["name"], content)


def _download(target: Target, row: Row, column: Column, *, raw: bool) -> Answer:
    """The file, or the part of it that a Range header asks for: as bytes with ``/$value``, else in base64 inside of JSON."""
    kept: Mapping[str, Any] | None = _kept(target).get(str(row.get(column.logical)))
    if kept is None:
        return no_content()
    content = base64.b64decode(kept["content"])
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(kept['name'])}",
        "x-ms-file-name": quote(kept["name"]),
        "x-ms-file-size": str(len(content)),
    }
    status, wanted = 200, PART.fullmatch(target.call.headers.get("range", ""))
    if wanted is not None:
        first, last = int(wanted.group(1)), min(int(wanted.group(2)), len(content) - 1)
        headers |= {"Content-Range": f"bytes {first}-{last}/{len(content)}", "Location": target.call.url}
        status, content = 206, content[first : last + 1]
    if raw:
        return Answer(status, content, {"Content-Type": BINARY, "OData-Version": "4.0", **headers})
    context = f"{target.call.service}$metadata#{target.table.set_name}({row[target.table.primary_id]})/{column.logical}"
    return with_json({"@odata.context": context, "value": base64.b64encode(content).decode()}, status, headers)
