"""How each kind of fault is played: instead of the handler, after it, or while its answer leaves.

``INSTEAD`` answers (or raises ``Drop``) before the handler runs, or returns None to let it run; ``AFTER`` changes
the handler's answer; ``DELIVER`` sends it in an unusual way. A kind may stand in one of the tables only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import Send

from sync_core.sandbox.edits import Person
from sync_core.sandbox.exchange import Answer, Exchange, answer, hang_up, listing_name, read_json, write_json
from sync_core.sandbox.faults import Fault
from sync_core.sandbox.kernel import Kernel

DAY_RETRY_AFTER = 40_000
MINUTE_RETRY_AFTER = 2


class Drop(Exception):
    """Close the connection without an answer."""


@dataclass(slots=True)
class Play:
    """A fault that struck, with all that playing it may need."""

    kernel: Kernel
    fault: Fault
    exchange: Exchange
    person: Person

    def option(self, name: str) -> Any:
        return self.fault.options[name]


async def _status(play: Play) -> Answer:
    return answer(play.option("status"), play.option("body"), play.option("headers"))


async def _hang_up(play: Play) -> Answer:
    raise Drop(play.fault.kind)


async def _rate_limited(play: Play) -> Answer:
    problem, after = play.option("problem"), play.option("retry_after")
    if after == "as usual":
        after = {"day": DAY_RETRY_AFTER, "concurrent": None}.get(problem, MINUTE_RETRY_AFTER)
    headers = {} if after is None else {"Retry-After": str(after)}
    if play.exchange.system != "dataverse":
        return answer(429, "", {"X-Rate-Limit-Problem": problem, **headers})
    code, text = _PROTECTION.get(problem, _PROTECTION["minute"])
    return answer(429, {"error": {"code": code, "message": text}}, headers)


_PROTECTION = {
    "minute": ("0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds."),
    "day": ("0x80072321", "Combined execution time of requests exceeded limit of 1,200,000 milliseconds."),
    "concurrent": ("0x80072326", "Number of concurrent requests exceeded the limit of 52."),
}


async def _html(play: Play) -> Answer:
    return answer(200, play.option("body"), {"content-type": "text/html; charset=utf-8"})


async def _slow(play: Play) -> None:
    if play.option("when") != "after":
        await asyncio.sleep(play.option("seconds"))


async def _expire_tokens(play: Play) -> None:
    tokens = play.kernel.collection("identity.tokens")
    every = play.fault.system in (None, "identity")
    for token in [t for t, row in tokens.items() if every or row["audience"] == play.fault.system]:
        tokens.remove(token)


async def _edit_first(play: Play) -> None:
    play.fault.in_vain += not await play.person.edit_if_possible(play.option("edit"))


async def _invalid_grant(play: Play) -> Answer:
    if "/oauth2/" not in play.exchange.path:
        return answer(400, {"error": "invalid_grant"})
    text = "AADSTS700082: The refresh token has expired due to inactivity."
    return answer(400, {"error": "invalid_grant", "error_description": text, "error_codes": [700082]})


async def _forbidden(play: Play) -> Answer:
    if play.exchange.system == "dataverse":
        text = "Principal user is missing the privilege for this operation."
        return answer(403, {"error": {"code": "0x80040220", "message": text}})
    return answer(403, {"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"})


async def _expired_delta(play: Play) -> Answer | None:
    system = play.person.systems.get(play.exchange.system)
    if system and system.expire_deltas:
        system.expire_deltas(play.kernel)
        return None
    text = "Version stamp associated with the client has expired. Please perform a full sync."
    return answer(400, {"error": {"code": "0x80044352", "message": text}})


INSTEAD: dict[str, Callable[[Play], Awaitable[Answer | None]]] = {
    "status": _status,
    "drop_before": _hang_up,
    "rate_limited": _rate_limited,
    "html": _html,
    "slow": _slow,
    "expire_tokens": _expire_tokens,
    "edit_before": _edit_first,
    "invalid_grant": _invalid_grant,
    "forbidden": _forbidden,
    "expire_delta_tokens": _expired_delta,
}


async def _drop_answer(play: Play, _made: Answer) -> Answer:
    raise Drop(play.fault.kind)


async def _error_after(play: Play, _made: Answer) -> Answer:
    return answer(play.option("status"), {"Message": "An error occurred."})


async def _slow_after(play: Play, made: Answer) -> Answer:
    if play.option("when") == "after":
        await asyncio.sleep(play.option("seconds"))
    return made


async def _empty(play: Play, made: Answer) -> Answer:
    return _shorten(made, lambda _rows: [], adjust=play.option("adjust_counts"))


async def _short(play: Play, made: Answer) -> Answer:
    return _shorten(made, lambda rows: rows[: (len(rows) + 1) // 2], adjust=play.option("adjust_counts"))


def _shorten(made: Answer, keep: Callable[[list[Any]], list[Any]], *, adjust: bool) -> Answer:
    content = read_json(made.body)
    name = listing_name(content)
    if name is None:
        return made
    gone = len(content[name]) - len(keep(content[name]))
    content[name] = keep(content[name])
    if adjust:
        content.pop("@odata.nextLink", None)
        paging = content.get("pagination")
        if isinstance(paging, dict) and "itemCount" in paging:
            paging["itemCount"] = max(0, paging["itemCount"] - gone)
    return made.with_body(write_json(content))


async def _edit(play: Play, made: Answer) -> Answer:
    play.fault.in_vain += not await play.person.edit_if_possible(play.option("edit"))
    return made


AFTER: dict[str, Callable[[Play, Answer], Awaitable[Answer]]] = {
    "drop_after": _drop_answer,
    "error_after": _error_after,
    "slow": _slow_after,
    "empty_listing": _empty,
    "short_listing": _short,
    "edit_while_paging": _edit,
}


async def _dribble(play: Play, made: Answer, send: Send) -> None:
    pieces = min(play.option("pieces"), max(1, len(made.body)))
    size = -(-len(made.body) // pieces)
    await send({"type": "http.response.start", "status": made.status, "headers": made.headers})
    for piece in range(pieces):
        await asyncio.sleep(play.option("seconds") / pieces)
        part = made.body[piece * size : (piece + 1) * size]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _break_off(play: Play, made: Answer, send: Send) -> None:
    half = made.body[: len(made.body) // 2]
    await send({"type": "http.response.start", "status": made.status, "headers": made.headers})
    await send({"type": "http.response.body", "body": half, "more_body": True})
    hang_up(play.exchange.transport, reset=True)


DELIVER: dict[str, Callable[[Play, Answer, Send], Awaitable[None]]] = {
    "slow_body": _dribble,
    "reset_mid_body": _break_off,
}
