"""The HTTP edge: who is calling, how much they may, and the call's path and body."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.batch import serve_batch
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.limits import Limits
from sync_core.sandbox.dataverse.options import read_preferences
from sync_core.sandbox.dataverse.requests import Answer, Call, refusal
from sync_core.sandbox.dataverse.service import answer
from sync_core.sandbox.identity import bearer, object_of
from sync_core.sandbox.kernel import Kernel

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
VERSIONS = ("v9.0", "v9.1", "v9.2")
EXECUTION_SECONDS = 1200


def routes(kernel: Kernel) -> list[Route]:
    """The Web API's routes, for the Dynamics port."""
    limits = Limits(kernel)

    async def api(request: Request) -> Response:
        version = request.path_params["version"].lower()
        if version not in VERSIONS:
            return Response(status_code=404)
        principal = bearer(kernel, request, "dataverse")
        if principal is None:
            challenge = f'Bearer authorization_uri="{request.url.scheme}://{request.url.netloc}/common/oauth2/authorize"'
            return Response(status_code=401, headers={"WWW-Authenticate": challenge})
        try:
            with limits.admit(principal.user) as left:
                body = await request.body()
                return _response(_serve(kernel, read_call(request, version, body, principal.user)), left)
        except errors.DataverseError as error:
            return _response(refusal(error, read_preferences(request.headers.get("prefer", ""))), 0)

    paths = ["/api/data/{version}", "/api/data/{version}/{path:path}"]
    return [Route(path, api, methods=METHODS) for path in paths]


def read_call(request: Request, version: str, body: bytes, user: str) -> Call:
    """The call in a request; the path is taken as sent, so that encoded slashes in keys survive."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    below = raw.decode("latin-1").split("?", 1)[0].split("/", 4)
    raw_path = below[4] if len(below) > 4 else ""
    return Call(
        method=request.method,
        service=f"{request.url.scheme}://{request.url.netloc}/api/data/{version}/",
        path=unquote(raw_path),
        raw_path=raw_path,
        query=request.scope.get("query_string", b"").decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        user=user,
    )


def _serve(kernel: Kernel, call: Call) -> Answer:
    try:
        return _answer(Environment.of(kernel), call)
    except errors.DataverseError as error:
        return refusal(error, call.preferences)
    except RecursionError:
        return refusal(errors.bad_query("The query is nested too deeply."), call.preferences)


def _answer(env: Environment, call: Call) -> Answer:
    user = env.row("systemuser", call.user)
    if user is None or user.get("isdisabled"):
        message = f"The user is not a member of the organization. User id: {call.user}"
        raise errors.DataverseError(403, errors.NOT_A_MEMBER, message)
    call = replace(call, user=_on_behalf_of(env, call))
    if call.path.rstrip("/") != "$batch":
        return answer(env, call)
    if call.method != "POST":
        raise errors.method_not_allowed(call.method)
    return serve_batch(env, call)


def _on_behalf_of(env: Environment, call: Call) -> str:
    """Whom the caller acts for: a systemuserid in ``MSCRMCallerID``, or an Entra object id in ``CallerObjectId``."""
    user, object_id = call.headers.get("mscrmcallerid", ""), call.headers.get("callerobjectid", "")
    wanted = (user or object_id).strip("{}").lower()
    if not wanted:
        return call.user
    for row_id, row in env.store.rows("systemuser").rows.items():
        if wanted in (row_id if user else "", "" if user else object_of(env.kernel, str(row.get("applicationid")))):
            return row_id
    raise errors.row_missing("systemuser", wanted)


def _response(result: Answer, left: int) -> Response:
    response = Response(result.content, result.status, headers=result.headers)
    response.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] = str(left)
    response.headers["x-ms-ratelimit-time-remaining-xrm-requests"] = f"{EXECUTION_SECONDS:,}.00"
    return response
