"""The gateway of the Accounting API: who calls, for which organisation, how often; then the call itself."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync_core.sandbox.identity import AnyCaseRoute, Principal, bearer
from sync_core.sandbox.kernel import Kernel, Row
from sync_core.sandbox.xero import wire, xml
from sync_core.sandbox.xero.endpoints import Call, answer, areas_of, resource_of
from sync_core.sandbox.xero.errors import RefusedError, problem
from sync_core.sandbox.xero.files import PRINTED, Binary, printed
from sync_core.sandbox.xero.idempotency import Replays
from sync_core.sandbox.xero.limits import Limiter
from sync_core.sandbox.xero.listing import Query, modified_since
from sync_core.sandbox.xero.store import store_of

BASE = "/api.xro/2.0"
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
WRITES = {"POST", "PUT", "PATCH"}
HEAVIEST = 10_000_000


def routes(kernel: Kernel) -> list[Route]:
    """The route of the whole Accounting API, in any spelling of its path, for the root of the Xero port."""
    store_of(kernel)
    limiter = Limiter(kernel)

    async def api(request: Request) -> Response:
        return await _serve(kernel, limiter, request)

    return [AnyCaseRoute(BASE + "/{path:path}", api, methods=METHODS)]


async def _serve(kernel: Kernel, limiter: Limiter, request: Request) -> Response:
    headers = {"Xero-Correlation-Id": kernel.new_id()}
    entered: tuple[str, str] | None = None
    try:
        principal = _authenticate(kernel, request)
        tenant = _tenant(principal, request)
        headers |= limiter.enter(principal.app, tenant, request.scope.get("sandbox.in_flight", 1) - 1)
        entered = (principal.app, tenant)
        body = await request.body()
        reply = _replayed(kernel, principal, tenant, request, body)
    except RefusedError as refusal:
        reply = Reply(refusal.status, wire.dump(refusal.body))
        headers = headers | refusal.headers
    finally:
        if entered:
            limiter.leave(*entered)
    return _response(request, reply, headers)


class Reply(NamedTuple):
    """An answer on its way: JSON, or bytes that say what they are."""

    status: int
    content: bytes
    media_type: str = ""


def _response(request: Request, reply: Reply, headers: dict[str, str]) -> Response:
    status, content, media_type = reply
    if status == 204:
        return Response(status_code=204, headers=headers)
    if media_type:
        return Response(content, status, headers, media_type=media_type)
    if "application/json" in request.headers.get("accept", ""):
        return Response(content, status, headers, media_type="application/json; charset=utf-8")
    return Response(xml.write(wire.load(content)), status, headers, media_type="text/xml; charset=utf-8")


def _authenticate(kernel: Kernel, request: Request) -> Principal:
    principal = bearer(kernel, request, "xero")
    if principal is None:
        known = request.headers.get("authorization", "").startswith("Bearer ")
        detail = "TokenExpired" if known else "AuthenticationUnsuccessful"
        raise problem(401, "Unauthorized", detail, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return principal


def _tenant(principal: Principal, request: Request) -> str:
    """The organisation that the call is for; a custom connection knows it without being told."""
    wanted = request.headers.get("xero-tenant-id", "").lower()
    if not wanted and principal.custom_connection and principal.tenants:
        return principal.tenants[0]
    if wanted not in principal.tenants:
        raise problem(403, "Forbidden", "AuthenticationUnsuccessful")
    return wanted


def _check_scope(principal: Principal, path: tuple[str, ...], method: str) -> None:
    wanted = {f"accounting.{area}" for area in areas_of(path)}
    if method == "GET":
        wanted |= {f"{scope}.read" for scope in wanted}
    if not wanted & principal.scopes:
        challenge = {"WWW-Authenticate": "insufficient_scope"}
        raise problem(403, "Forbidden", "AuthorizationUnsuccessful", challenge)


def _replayed(kernel: Kernel, principal: Principal, tenant: str, request: Request, body: bytes) -> Reply:
    """Answer, or give the earlier answer to the same Idempotency-Key."""
    path = tuple(unquote(part) for part in request.path_params["path"].split("/") if part)
    _check_scope(principal, path, request.method)
    key = request.headers.get("idempotency-key") if request.method in WRITES else None
    if not key:
        return _perform(kernel, principal, path, request, body)
    scope, url = f"{principal.app}/{tenant}", f"{request.url.path}?{request.url.query}"
    replays = Replays(kernel, scope, key, request.method, url, body)
    earlier = replays.earlier()
    if earlier is not None:
        return Reply(*earlier)
    reply = _perform(kernel, principal, path, request, body)
    replays.remember(reply.status, reply.content)
    return reply


def _perform(kernel: Kernel, principal: Principal, path: tuple[str, ...], request: Request, body: bytes) -> Reply:
    try:
        if len(body) > HEAVIEST:
            raise problem(413, "RequestEntityTooLarge", "The request is larger than 10 MB")
        call = _call(kernel, principal, path, request, body)
        status, content = answer(call)
    except RefusedError as refusal:
        return Reply(refusal.status, wire.dump(refusal.body))
    if isinstance(content, dict) and _on_paper(request, path):
        content = printed(resource_of(path).name, content[resource_of(path).name][0])
    if isinstance(content, Binary):
        return Reply(status, content.content, content.media_type)
    if content is None:
        return Reply(status, wire.dump(content))
    return Reply(status, wire.dump(_enveloped(kernel, content)))


def _on_paper(request: Request, path: tuple[str, ...]) -> bool:
    """Whether a single document is wanted as PDF."""
    wanted = request.method == "GET" and len(path) == 2 and "application/pdf" in request.headers.get("accept", "")
    return wanted and path[0].lower() in {name.lower() for name in PRINTED}


def _call(kernel: Kernel, principal: Principal, path: tuple[str, ...], request: Request, body: bytes) -> Call:
    params = {name.lower(): value for name, value in request.query_params.items()}
    since = modified_since(request.headers.get("if-modified-since"))
    query = Query(params, since, principal.app)
    return Call(store_of(kernel), request.method, path, query, body)


def _enveloped(kernel: Kernel, content: Row) -> Row:
    return wire.envelope(kernel.new_id(), kernel.clock.now(), **content)
