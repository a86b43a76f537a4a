"""A Dynamics client on a scripted transport; the first request (table definitions) is answered here."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from virtual import Script, VirtualClock

from sync_core.model import Side, Verb
from sync_core.rules.entities import Stream
from sync_core.settings import Settings
from sync_core.systems.base import Write
from sync_core.systems.dataverse import Dataverse

ROOT = "https://org.crm.test"
API = "/api/data/v9.2"
A, B, C = (f"0a7fbe55-6a53-4e8e-9a54-00000000000{n}" for n in (1, 2, 3))
ACCOUNTS = Stream(Side.CRM, "account", "accountid", ("name", "tie_xeroid"), tag="tie_xeroid")
CURRENCIES = Stream(Side.CRM, "transactioncurrency", "transactioncurrencyid", ("isocurrencycode",), incremental=False)
ODD = Stream(Side.CRM, "tie_odd", "tie_oddid", ("tie_name",), optional=True)
_DEFINITIONS = [
    {"LogicalName": "account", "EntitySetName": "accounts"},
    {"LogicalName": "transactioncurrency", "EntitySetName": "transactioncurrencies"},
    {"LogicalName": "contact", "EntitySetName": "contacts"},
]


class FixedTokens:
    def token(self, force: bool) -> str:
        return "fresh-token" if force else "kept-token"


class Dynamics(Script):
    """Answers table definitions itself, everything else by the script. ``tracked``: tables with change tracking."""

    tracked = frozenset({"account"})

    def _play(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/EntityDefinitions"):
            self.definitions = getattr(self, "definitions", 0) + 1
            rows = [{**row, "ChangeTrackingEnabled": row["LogicalName"] in self.tracked} for row in _DEFINITIONS]
            return httpx.Response(200, json={"value": rows})
        return super()._play(request)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]


def client(script: Script, clock: VirtualClock | None = None, **settings: Any) -> Dataverse:
    values = {"dynamics_url": ROOT, "_env_file": None, **settings}
    return Dataverse(Settings(**values), clock or VirtualClock(), FixedTokens(), lambda: "run-1", script)


def refusal(status: int, code: str, message: str = "Refused", **headers: str):
    body = {"error": {"code": code, "message": message}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx.Response(status, json=body, headers=named)


def create(row_id: str, **body: Any) -> Write:
    return Write(ACCOUNTS, Verb.CREATE, body or {"name": "Acme"}, key=f"key-{row_id}", id=row_id)


def update(row_id: str, version: str | None = None, **body: Any) -> Write:
    return Write(ACCOUNTS, Verb.UPDATE, body or {"name": "Acme"}, key=f"key-{row_id}", id=row_id, version=version)


def multipart(*parts: tuple[int, Any] | tuple[int, Any, dict[str, str]], numbered: bool = True):
    """A batch answer; a part is (status, JSON body or None[, headers])."""
    chunks = []
    for number, (status, body, *more) in enumerate(parts, start=1):
        head = ["--r", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        head += [f"Content-ID: {number}"] if numbered else []
        inner = [f"{name}: {value}" for name, value in (more[0] if more else {}).items()]
        text = "" if body is None else json.dumps(body)
        chunks.append("\r\n".join([*head, "", f"HTTP/1.1 {status} X", *inner, "", text]) + "\r\n")
    whole = "".join(chunks) + "--r--\r\n"
    return lambda _request: httpx.Response(200, text=whole, headers={"Content-Type": "multipart/mixed; boundary=r"})


def error(code: str, message: str = "Refused") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def batch_targets(request: httpx.Request) -> list[str]:
    """The request lines of a batch that was sent."""
    return re.findall(r"^((?:PATCH|DELETE) \S+) HTTP/1.1\r$", request.content.decode(), re.MULTILINE)
