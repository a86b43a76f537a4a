"""How a person edits and merges in the two real APIs: signed in with credentials of their own, by the same routes.

So versions, stamps, derived amounts and refusals follow each system's rules, and the engine sees a change that is
not its own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.types import Message

from sync_core.sandbox.edits import Desk, RefusedError
from sync_core.sandbox.exchange import Answer, listing_name, read_json, write_json
from sync_core.sandbox.identity import credentials
from sync_core.sandbox.kernel import Row

HOST = "localhost"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json", "accept": "application/json"}
DATA = "/api/data/v9.2"


async def edit_dataverse(desk: Desk, table: str, row_id: str, values: Row) -> None:
    """Update a row of ``table`` (logical name) with Web API properties; ``ValueError`` when refused."""
    headers = await _dataverse_headers(desk)
    path = f"{DATA}/EntityDefinitions(LogicalName='{quote(table)}')?$select=EntitySetName"
    entity_set = (await _ask(desk, "GET", path, headers))["EntitySetName"]
    await _ask(desk, "PATCH", f"{DATA}/{entity_set}({row_id})", {**headers, "if-match": "*"}, values)


async def merge_dataverse(desk: Desk, table: str, loser: str, survivor: str) -> None:
    """Merge two rows of ``table`` with the action ``Merge``; ``ValueError`` when refused."""
    kind = f"Microsoft.Dynamics.CRM.{table}"
    order = {
        "Target": {"@odata.type": kind, f"{table}id": survivor},
        "Subordinate": {"@odata.type": kind, f"{table}id": loser},
        "UpdateContent": {"@odata.type": kind},
        "PerformParentingChecks": False,
    }
    await _ask(desk, "POST", f"{DATA}/Merge", await _dataverse_headers(desk), order)


async def edit_xero(desk: Desk, table: str, row_id: str, values: Row) -> None:
    """Update one element of ``table`` (plural name) with API fields; ``ValueError`` when refused."""
    known = credentials(desk.kernel)
    pair = f"{known.xero_person_client_id}:{known.xero_person_client_secret}".encode()
    basic = {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
    granted = await _ask(desk, "POST", "/connect/token", {**FORM, **basic}, {"grant_type": "client_credentials"})
    headers = {"authorization": f"Bearer {granted['access_token']}", "xero-tenant-id": known.xero_tenant_id}
    await _ask(desk, "POST", f"/api.xro/2.0/{quote(table)}/{row_id}", {**JSON, **headers}, values)


def settings_by_hand(values: Row) -> Row:
    """Settings of the organisation, which no API writes, as rows hold them: lock dates are dates or None."""
    try:
        return {k: date.fromisoformat(v) if v and k.endswith("Date") else v for k, v in values.items()}
    except (TypeError, ValueError) as error:
        wrong = next(k for k in values if k.endswith("Date"))
        raise ValueError(f"{wrong} takes a date such as 2026-06-30: {error}.") from error


async def _dataverse_headers(desk: Desk) -> dict[str, str]:
    known = credentials(desk.kernel)
    form = {
        "grant_type": "client_credentials",
        "client_id": known.dynamics_person_client_id,
        "client_secret": known.dynamics_person_client_secret,
        "scope": f"http://{HOST}/.default",
    }
    granted = await _ask(desk, "POST", f"/{known.tenant_id}/oauth2/v2.0/token", FORM, form)
    return {**JSON, "authorization": f"Bearer {granted['access_token']}", "odata-version": "4.0"}


async def _ask(desk: Desk, method: str, target: str, headers: Mapping[str, str], content: Row | None = None) -> Any:
    body = b""
    if content is not None:
        body = urlencode(content).encode() if headers.get("content-type") == FORM["content-type"] else write_json(content)
    made = await _call(desk, method, target, {**headers, "content-length": str(len(body))}, body)
    answered = read_json(made.body)
    if made.status >= 400:
        raise RefusedError(f"The system refuses this: {_reason(answered) or f'status {made.status}'}")
    return answered


async def _call(desk: Desk, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
    made = Answer(500)
    parts = urlsplit(target)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "server": (HOST, 80),
        "client": (HOST, 0),
        "root_path": "",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in {"host": HOST, **headers}.items()],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        made.status = message.get("status", made.status)
        made.body += message.get("body", b"")

    await desk.app(scope, receive, send)
    return made


def _reason(answered: Any) -> str | None:
    """The system's own words, wherever its refusal carries them."""
    if not isinstance(answered, dict):
        return None
    for place in (answered, answered.get("error")):
        if isinstance(place, dict) and place.get("message"):
            return str(place["message"])
    name = listing_name(answered)
    elements = [e for e in answered[name] if isinstance(e, dict)] if name else []
    found = [e["Message"] for element in elements for e in element.get("ValidationErrors", []) if "Message" in e]
    texts = [answered.get(key) for key in ("Message", "Detail", "error_description")]
    return next((str(text) for text in (*found, *texts) if text), None)
