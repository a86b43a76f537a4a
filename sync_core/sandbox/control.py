"""The ``/_sandbox`` routes: look into both systems, order faults, move the clock, edit as a person, start over.

The same routes stand on both ports. Bad input is answered with 400 and ``{"error": "<a sentence>"}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sync_core.sandbox.edits import Person
from sync_core.sandbox.kernel import Kernel, LogEntry

PAGE = 100
FURTHEST = 10 * 365 * 86_400
Handler = Callable[["Control", Request, dict[str, Any]], Awaitable[Any]]


class Control:
    """What the routes work on. ``start_over(seed, invoices)`` empties and seeds; None keeps what was asked for."""

    def __init__(self, kernel: Kernel, person: Person, start_over: Callable[[int | None, int | None], None]) -> None:
        self.kernel, self.person, self.start_over = kernel, person, start_over

    def routes(self) -> list[BaseRoute]:
        return [
            self._route("GET", "log", _log),
            self._route("GET", "state", _state),
            self._route("POST", "reset", _reset),
            self._route("POST", "faults", _order_fault),
            self._route("GET", "faults", _list_faults),
            self._route("DELETE", "faults", _forget_faults),
            self._route("GET", "clock", _read_clock),
            self._route("POST", "clock", _set_clock),
            self._route("POST", "edit", _edit),
            self._route("POST", "merge", _merge),
        ]

    def _route(self, method: str, name: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                body = _body(await request.body()) if method == "POST" else {}
                return _json(await handler(self, request, body))
            except ValueError as error:
                return _json({"error": str(error)}, 400)

        return Route(f"/_sandbox/{name}", endpoint, methods=[method])


async def _log(control: Control, request: Request, _body: dict[str, Any]) -> Any:
    asked = request.query_params
    wanted = {name: asked[name] for name in ("system", "method", "run", "fault") if name in asked}
    recent = _since(asked.get("since"))
    path = _expression(asked.get("path", ""))
    entries = [
        asdict(entry)
        for entry in control.kernel.log
        if recent(entry)
        and path.search(entry.path)
        and all(str(getattr(entry, name)).lower() == value.lower() for name, value in wanted.items())
    ]
    return {"count": len(entries), "logged": control.kernel.logged, "entries": entries}


def _since(text: str | None) -> Callable[[LogEntry], bool]:
    """``since`` is an entry's number (those after it) or an instant (those at or after it)."""
    if text is None:
        return lambda _entry: True
    if text.isdecimal():
        return lambda entry: entry.number > int(text)
    instant = _instant("since", text.replace(" ", "+"))
    return lambda entry: entry.time >= instant


async def _state(control: Control, request: Request, _body: dict[str, Any]) -> Any:
    kernel, asked = control.kernel, request.query_params
    known = {collection.name: collection for collection in kernel.collections()}
    if "collection" not in asked:
        return {
            "seed": kernel.seed,
            "now": kernel.clock.now(),
            "requests": kernel.logged,
            "faults_fired": kernel.faults.fired(),
            "collections": {name: len(collection) for name, collection in known.items()},
        }
    name = asked["collection"]
    if name not in known:
        raise ValueError(f"Unknown collection {name!r}. Known collections: {', '.join(known)}.")
    offset, limit = _count(asked, "offset", 0), _count(asked, "limit", PAGE)
    rows = [{"_id": row_id, **row} for row_id, row in list(known[name].items())[offset : offset + limit]]
    return {"collection": name, "count": len(known[name]), "offset": offset, "rows": rows}


async def _reset(control: Control, _request: Request, body: dict[str, Any]) -> Any:
    unknown = set(body) - {"seed", "invoices"}
    if unknown or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in body.values()):
        raise ValueError("A reset takes seed and invoices, whole numbers of 0 or more, or nothing.")
    control.start_over(body.get("seed"), body.get("invoices"))
    return {"seed": control.kernel.seed}


async def _order_fault(control: Control, _request: Request, body: dict[str, Any]) -> Any:
    if body.get("kind") in ("edit_while_paging", "edit_before"):
        control.person.check(body.get("edit"))
    return control.kernel.faults.add(body).as_json()


async def _list_faults(control: Control, _request: Request, _body: dict[str, Any]) -> Any:
    return {"faults": [fault.as_json() for fault in control.kernel.faults.all()]}


async def _forget_faults(control: Control, _request: Request, _body: dict[str, Any]) -> Any:
    forgotten = len(control.kernel.faults.all())
    control.kernel.faults.clear()
    return {"forgotten": forgotten}


async def _read_clock(control: Control, _request: Request, _body: dict[str, Any]) -> Any:
    return {"now": control.kernel.clock.now()}


async def _set_clock(control: Control, request: Request, body: dict[str, Any]) -> Any:
    clock, frozen = control.kernel.clock, body.get("frozen", False)
    if set(body) == {"advance_seconds"}:
        clock.advance(_seconds(body["advance_seconds"]))
    elif "set" in body and set(body) <= {"set", "frozen"} and isinstance(frozen, bool):
        clock.set(_instant("set", body["set"]), frozen=frozen)
    else:
        raise ValueError('The clock takes {"advance_seconds": n} or {"set": "<instant>", "frozen": true or false}.')
    control.kernel.remember_start()
    return await _read_clock(control, request, body)


async def _edit(control: Control, _request: Request, body: dict[str, Any]) -> Any:
    return {"id": await control.person.edit(body)}


async def _merge(control: Control, _request: Request, body: dict[str, Any]) -> Any:
    await control.person.merge(body)
    return {"survivor": body["survivor"]}


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value <= FURTHEST:
        raise ValueError(f"advance_seconds takes a number from 0 to {FURTHEST}, not {value}.")
    return float(value)


def _instant(name: str, text: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise ValueError(f"{name} takes an instant such as 2026-11-20T09:00:00Z, not {text!r}.") from error
    if instant.tzinfo is None:
        raise ValueError(f"{name} takes an instant with its offset, such as 2026-11-20T09:00:00Z.")
    return instant.astimezone(UTC)


def _count(asked: Any, name: str, usual: int) -> int:
    text = asked.get(name, str(usual))
    if not text.isdecimal():
        raise ValueError(f"{name} takes a whole number of 0 or more, not {text!r}.")
    return int(text)


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"path is no regular expression: {error}.") from error


def _body(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw or b"{}", parse_float=Decimal)
    except ValueError as error:
        raise ValueError("The body is not JSON.") from error
    if not isinstance(content, dict):
        raise ValueError("The body is not a JSON object.")
    return content


def _json(content: Any, status: int = 200) -> Response:
    text = json.dumps(content, default=_plain, ensure_ascii=False)
    return Response(text, status, media_type="application/json")


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    raise TypeError(f"no text form for {type(value).__name__}")
