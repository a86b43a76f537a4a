"""A person's edits reach the two APIs by their own routes, signed in as somebody other than the engine."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync_core.sandbox import identity
from sync_core.sandbox.edits import Desk
from sync_core.sandbox.kernel import Kernel
from sync_core.sandbox.person import edit_dataverse, edit_xero, merge_dataverse

REFUSAL = {"ErrorNumber": 10, "Message": "A validation exception occurred", "Elements": []}


@pytest.fixture
def kernel():
    return Kernel(1)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def desk(kernel, asked):
    """Both APIs reduced to what they were asked and by whom."""

    async def note(request: Request) -> Response:
        side = "xero" if "api.xro" in request.url.path else "dataverse"
        bearer = identity.bearer(kernel, request, side)
        asked.append((request.method, request.url.path, bearer and bearer.app, (await request.body()).decode()))
        return JSONResponse({"EntitySetName": "invoices"})

    async def refuse(request: Request) -> Response:
        errors = [{"Message": "The due date cannot be empty"}]
        return JSONResponse({**REFUSAL, "Elements": [{"ValidationErrors": errors}]}, 400)

    methods = ["GET", "PATCH", "POST"]
    apis = [Route("/api.xro/2.0/Payments/{id}", refuse, methods=methods)]
    apis += [Route(f"/{root}/{{rest:path}}", note, methods=methods) for root in ("api/data", "api.xro")]
    return Desk(kernel, Starlette(routes=[*apis, *identity.entra_routes(kernel), *identity.xero_routes(kernel)]))


def test_an_edit_in_dynamics_is_a_patch_by_the_person(kernel, desk, asked):
    asyncio.run(edit_dataverse(desk, "invoice", "id-1", {"name": "New", "freightamount": Decimal("1.10")}))
    person = identity.credentials(kernel).dynamics_person_client_id
    assert asked[0][:3] == ("GET", "/api/data/v9.2/EntityDefinitions(LogicalName='invoice')", person)
    body = '{"name": "New", "freightamount": 1.10}'
    assert asked[1] == ("PATCH", "/api/data/v9.2/invoices(id-1)", person, body)


def test_an_edit_in_xero_is_a_post_by_the_person(kernel, desk, asked):
    asyncio.run(edit_xero(desk, "Invoices", "id-2", {"DueDate": "2026-12-24"}))
    person = identity.credentials(kernel).xero_person_client_id
    assert asked == [("POST", "/api.xro/2.0/Invoices/id-2", person, '{"DueDate": "2026-12-24"}')]


def test_a_merge_in_dynamics_is_its_action(desk, asked):
    asyncio.run(merge_dataverse(desk, "account", "loser", "survivor"))
    assert asked[0][:2] == ("POST", "/api/data/v9.2/Merge")
    assert '"accountid": "loser"' in asked[0][3]


def test_a_refusal_is_told_in_the_systems_own_words(desk):
    with pytest.raises(ValueError, match="The due date cannot be empty"):
        asyncio.run(edit_xero(desk, "Payments", "id-3", {"Amount": Decimal("1.00")}))
