"""Xero's list of connections: which organisations an app may reach."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sync_core.sandbox.identity_tokens import bearer, credentials
from sync_core.sandbox.identity_xero_apps import App
from sync_core.sandbox.kernel import Kernel, Row


def connect(kernel: Kernel, app: App, event: str, key: str) -> None:
    """Connect an app to the organisation, or do so again under the same ``key``."""
    now = kernel.clock.now()
    row: Row = {
        "id": kernel.stable_id("identity", "connection", key),
        "app": app.client_id,
        "authEventId": event,
        "tenantId": credentials(kernel).xero_tenant_id,
        "createdDateUtc": now,
        "updatedDateUtc": now,
    }
    kernel.collection("identity.connections").put(key, row)


def connections(kernel: Kernel, request: Request) -> Response:
    """What the caller's app is connected to."""
    principal = bearer(kernel, request, "xero")
    if principal is None:
        return _unauthorized()
    wanted = request.query_params.get("authEventId")
    rows = kernel.collection("identity.connections").values()
    mine = [r for r in rows if r["app"] == principal.app and wanted in (None, r["authEventId"])]
    organisation = next(kernel.collection("xero.Organisations").values(), {"Name": "Sandbox organisation"})
    return JSONResponse([_connection(row, organisation["Name"]) for row in mine])


def _connection(row: Row, name: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "authEventId": row["authEventId"],
        "tenantId": row["tenantId"],
        "tenantType": "ORGANISATION",
        "tenantName": name,
        "createdDateUtc": row["createdDateUtc"].strftime("%Y-%m-%dT%H:%M:%S.%f0"),
        "updatedDateUtc": row["updatedDateUtc"].strftime("%Y-%m-%dT%H:%M:%S.%f0"),
    }


def disconnect(kernel: Kernel, request: Request) -> Response:
    """Take one connection of the caller's app away."""
    principal = bearer(kernel, request, "xero")
    if principal is None:
        return _unauthorized()
    rows = kernel.collection("identity.connections")
    wanted = request.path_params["id"].lower()
    key = next((k for k, r in rows.items() if r["id"] == wanted and r["app"] == principal.app), None)
    if key is None:
        return JSONResponse({"Type": None, "Title": "Not Found", "Status": 404, "Detail": "Connection not found"}, 404)
    rows.remove(key)
    return Response(status_code=204)


def _unauthorized() -> Response:
    body = {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "AuthenticationUnsuccessful"}
    return JSONResponse(body, 401)
