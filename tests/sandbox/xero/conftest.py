"""The sandboxed Xero with the demo company at a fixed instant, one for each test; rate limits out of the way."""

from __future__ import annotations

import pytest
from xero_api import Api, new_kernel

from sync_core.sandbox.xero import set_limits


@pytest.fixture
def kernel():
    kernel = new_kernel()
    set_limits(kernel, minute=100_000, day=100_000)
    return kernel


@pytest.fixture
def api(kernel):
    return Api(kernel)
