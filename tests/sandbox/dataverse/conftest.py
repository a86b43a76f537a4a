"""A small company in Dataverse, reached through its own routes in-process, with a clock that stands still."""

from __future__ import annotations

import pytest
from dataverse_client import Api
from small_company import COMPANY, START
from starlette.applications import Starlette

from sync_core.sandbox import dataverse
from sync_core.sandbox.kernel import Kernel


@pytest.fixture
def kernel() -> Kernel:
    kernel = Kernel(seed=1)
    kernel.clock.set(START, frozen=True)
    dataverse.seed(kernel, COMPANY)
    return kernel


@pytest.fixture
def api(kernel: Kernel) -> Api:
    return Api(kernel, Starlette(routes=dataverse.routes(kernel)))


@pytest.fixture
def person(api: Api) -> Api:
    """The same API, used by the person who works in the CRM."""
    return api.as_person()


@pytest.fixture(scope="module")
def company():
    """The small company once for a whole file, for questions alone: nothing may write to it."""
    kernel = Kernel(seed=1)
    kernel.clock.set(START, frozen=True)
    dataverse.seed(kernel, COMPANY)
    return Api(kernel, Starlette(routes=dataverse.routes(kernel)))
