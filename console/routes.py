"""What the console answers besides its pages: whether it lives, whether it is ready, its figures, and files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from console import filters, sign_in
from console.door import DOOR, service_for
from sync_core.errors import Forbidden, TieoutError
from sync_core.service import Download

ENTITIES = ("invoices", "payments", "credit_notes", "contacts")
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST_NOTICE = 1024 * 1024
PRIVATE = {"Cache-Control": "no-store"}


def live(_request: Request) -> Response:
    return JSONResponse({"live": True}, headers=PRIVATE)


def ready(_request: Request) -> Response:
    """200 once the data is open, before that 503 with the reason."""
    if DOOR.open:
        return JSONResponse({"ready": True}, headers=PRIVATE)
    return JSONResponse({"ready": False, "reason": DOOR.reason}, status_code=503, headers=PRIVATE)


def overview(request: Request) -> Response:
    """The first page has the shortest address; this is the one that people guess."""
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/")


async def xero_webhook(request: Request) -> Response:
    """Xero's notices: 200 for one that Xero signed, 401 for any other, each without a word; 404 where none are expected."""
    if not DOOR.open:
        return Response(status_code=503)
    desk, body = DOOR.service(), bytearray()
    if not desk.hears_xero:
        return Response(status_code=404)
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_NOTICE:
            return Response(status_code=413)
    signature = request.headers.get("x-xero-signature", "")
    signed = await asyncio.to_thread(desk.hear_xero, bytes(body), signature)
    return Response(status_code=200 if signed else 401)


def metrics(request: Request) -> Response:
    """A few figures in Prometheus' text format. Where people sign in: for them, and for a collector on this machine."""
    if not _is_collector_here(request):
        try:
            sign_in.person_of(request)
        except Forbidden as error:
            return PlainTextResponse(error.message, status_code=403, headers=PRIVATE)
    return PlainTextResponse("\n".join(_figures()) + "\n", media_type="text/plain; version=0.0.4", headers=PRIVATE)


def _is_collector_here(request: Request) -> bool:
    """Asked from this machine itself, not by way of whatever stands in front of the console."""
    return request.client is not None and request.client.host == "127.0.0.1" and "x-forwarded-for" not in request.headers


def _figures() -> Iterator[str]:
    yield f"tieout_ready {int(DOOR.open)}"
    if not DOOR.open:
        return
    desk, now = DOOR.service(), datetime.now(UTC)
    overview = desk.overview()
    yield f"tieout_run_under_way {int(desk.running is not None)}"
    yield f"tieout_schedule_paused {int(desk.schedule().paused)}"
    for name, at in (("dynamics", overview.age.crm), ("xero", overview.age.xero)):
        if at is not None:
            yield f'tieout_data_age_seconds{{system="{name}"}} {(now - at).total_seconds():.0f}'
    for last in overview.runs[:1]:
        yield f'tieout_last_run_started_seconds{{status="{last.status}"}} {last.started.timestamp():.0f}'
    for entity, counts in sorted(overview.statuses.items()):
        for status, count in sorted(counts.items()):
            yield f'tieout_records{{entity="{entity}",status="{status}"}} {count}'


def download(request: Request) -> Response:
    """The CSV of what the query asks for, streamed."""
    return _download(request, _file_of("text/csv; charset=utf-8"))


def download_workbook(request: Request) -> Response:
    """The workbook of what the query asks for, streamed."""
    return _download(request, _file_of(WORKBOOK), _workbook)


def close_pack(request: Request) -> Response:
    """One zip that proves a close, of the days that the query asks for."""
    asked = request.query_params
    try:
        made = service_for(request).close_pack(filters.day_of(asked, "since"), filters.day_of(asked, "until"))
        return _file_of("application/zip")(made)
    except TieoutError as error:
        return _no_file(error)


def late_changes(request: Request) -> Response:
    """Everything that changed in a period since it was prepared, as CSV, streamed."""
    try:
        return _file_of("text/csv; charset=utf-8")(service_for(request).late_csv(request.path_params["number"]))
    except TieoutError as error:
        return _no_file(error)


def download_control(request: Request) -> Response:
    """The control file of the CSV with the same query."""
    return _download(request, _control)


def _csv_of(request: Request, entity: str) -> Download:
    asked = request.query_params
    moment = asked.get("as_of", "")
    desk = service_for(request)
    source = desk.as_of(filters.moment(moment)) if moment else desk
    return source.reconciliation_csv(entity, filters.parse(asked), excel=asked.get("excel") == "1")


def _workbook(request: Request, entity: str) -> Download:
    return service_for(request).reconciliation_xlsx(entity, filters.parse(request.query_params))


def _download(
    request: Request, answer: Callable[[Download], Response], made: Callable[[Request, str], Download] = _csv_of
) -> Response:
    entity = request.path_params["entity"]
    if entity not in ENTITIES:
        return PlainTextResponse(f"There is no file of {entity}. There are: {', '.join(ENTITIES)}.", status_code=404)
    try:
        return answer(made(request, entity))
    except TieoutError as error:
        return _no_file(error)


def _no_file(error: TieoutError) -> Response:
    status = 503 if not DOOR.open else 403 if isinstance(error, Forbidden) else 400
    return PlainTextResponse(error.message, status_code=status, headers=PRIVATE)


def _file_of(media_type: str) -> Callable[[Download], Response]:
    def answer(made: Download) -> Response:
        chunks = iter(made.chunks)
        begun = list(islice(chunks, 2))  # the first rows are read here, so that a failure is an answer and not half a file
        return StreamingResponse(chain(begun, chunks), media_type=media_type, headers=_file(made.name))

    return answer


def _control(made: Download) -> Response:
    for _ in made.chunks:
        pass
    try:
        return Response(made.control(), media_type="application/json", headers=_file(made.control_name))
    except ValueError:
        return PlainTextResponse("The data changed while the file was made. Try again.", status_code=409, headers=PRIVATE)


def _file(name: str) -> dict[str, str]:
    return PRIVATE | {"Content-Disposition": f'attachment; filename="{name}"'}


ROUTES = [
    Route("/api/live", live),
    Route("/api/ready", ready),
    Route("/metrics", metrics),
    Route("/overview", overview),
    Route("/webhook/xero", xero_webhook, methods=["POST"]),
    Route("/download/late-changes-{number:int}.csv", late_changes),
    Route("/download/{entity}.csv", download),
    Route("/download/{entity}.control.json", download_control),
    Route("/download/{entity}.xlsx", download_workbook),
    Route("/download/close-pack.zip", close_pack),
]
