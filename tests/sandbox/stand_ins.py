"""Two tiny systems in the place of the real ones, so that the shell round them is tested alone."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync_core.sandbox.edits import System


def routes(kernel, name, root, listing):
    """GET and PUT of things: a PUT takes {"Things": [...]} and answers in kind, a body that is no JSON breaks it."""
    things = kernel.collection(f"{name}.Things")

    async def read(request: Request) -> Response:
        return JSONResponse({"pagination": {"itemCount": len(things)}, listing: [r["name"] for r in things.values()]})

    async def write(request: Request) -> Response:
        made = [{**thing, "ID": kernel.new_id()} for thing in (await request.json())["Things"]]
        for thing in made:
            things.put(thing["ID"], {"name": thing["Name"]})
        return JSONResponse({"Things": made})

    return [Route(f"{root}/Things", read), Route(f"{root}/Things", write, methods=["PUT"])]


def seed(kernel, name, company):
    for party in company.parties[:4]:
        kernel.collection(f"{name}.Things").put(kernel.stable_id(name, party.key), {"name": party.name})


async def edit(desk, name, table, row_id, values):
    rows = desk.kernel.collection(f"{name}.{table}")
    rows.put(row_id, {**rows.get(row_id), **values})


async def merge(desk, name, table, loser, survivor):
    rows = desk.kernel.collection(f"{name}.{table}")
    rows.put(loser, {**rows.get(loser), "merged_into": survivor})


def stand_in(name, root, listing):
    return System(
        name,
        lambda kernel: routes(kernel, name, root, listing),
        lambda kernel, company: seed(kernel, name, company),
        lambda desk, table, row_id, values: edit(desk, name, table, row_id, values),
        lambda desk, table, loser, survivor: merge(desk, name, table, loser, survivor),
    )


def systems():
    return {
        "dataverse": stand_in("dataverse", "/api/data/v9.2", "value"),
        "xero": stand_in("xero", "/api.xro/2.0", "Things"),
    }
