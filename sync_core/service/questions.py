"""Questions that the process which has the cache answers for another one: the answer is one JSON object.

It travels through the state, in the message of the request that asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync_core import errors
from sync_core.errors import Configure, TieoutError
from sync_core.flows.schedule import Done
from sync_core.store.requests import Request, RequestStatus
from sync_core.store.shelf import canonical_json

if TYPE_CHECKING:
    from sync_core.service.opening import Service

RECONCILE, VERIFY, DOCTOR, COPY, SET_UP = "reconcile", "verify", "doctor", "copy", "set up"


def _reconcile(service: Service, args: Mapping[str, Any]) -> dict[str, Any]:
    body = service.reconciliation_json(args["entity"])
    if not args["out"]:
        return body
    paths = service.write_files(args["entity"], Path(args["out"]), args["format"])
    return body | {"files": [str(path) for path in paths]}


def _verify(service: Service, args: Mapping[str, Any]) -> dict[str, Any]:
    name, row_id = args["entity"], args["record"]
    checked = service.verify(name, frozenset({row_id, row_id.lower()}) if row_id else None)
    if row_id and not checked:
        raise Configure(f"No linked record of {name} has the id {row_id}, so there is nothing to compare. Check the id.")
    wrong = [asdict(each) for each in checked if not each.agrees]
    return {"checked": len(checked), "agree": len(checked) - len(wrong), "differ": len(wrong), "differences": wrong}


def _doctor(service: Service, _args: Mapping[str, Any]) -> dict[str, Any]:
    checks = service.doctor()
    return {"status": "success" if all(c.good for c in checks) else "configure", "checks": [asdict(c) for c in checks]}


def set_up_json(service: Service, progress: Callable[[str], None] = lambda _line: None) -> dict[str, Any]:
    """What a set-up came to, as programs read it."""
    report = service.set_up(progress)
    return {"status": "success", "created": list(report.created), "already": report.already}


def _copy(service: Service, args: Mapping[str, Any]) -> dict[str, Any]:
    service.copy_cache(Path(args["to"]))
    return {"to": args["to"]}


_ANSWERS: Mapping[str, Callable[[Service, Mapping[str, Any]], dict[str, Any]]] = {
    RECONCILE: _reconcile,
    VERIFY: _verify,
    DOCTOR: _doctor,
    COPY: _copy,
    SET_UP: lambda service, _args: set_up_json(service),
}

_KINDS = {k.__name__.lower(): k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, TieoutError)}


def is_question(request: Request) -> bool:
    """Whether a request asks for an answer, and not for a sync."""
    return request.kind in _ANSWERS


def answer(service: Service, kind: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a question of ``kind``. Raises TieoutError with what is wrong."""
    return _ANSWERS[kind](service, args)


def answered(service: Service, request: Request) -> Done:
    """The answer to another process, also when it is that something is wrong."""
    try:
        return Done("", canonical_json(answer(service, request.kind, request.args)))
    except TieoutError as error:
        return Done("", canonical_json({"error": error.remedy, "message": error.message}), failed=True)


def answer_of(request: Request) -> dict[str, Any]:
    """What another process answered. Raises the error that it met there, of the same class."""
    try:
        body: dict[str, Any] = json.loads(request.message)
    except ValueError:
        raise TieoutError(request.message) from None
    if request.status is RequestStatus.FAILED:
        raise _KINDS[body["error"]](str(body["message"]))
    return body
