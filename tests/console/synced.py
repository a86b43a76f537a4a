"""A data folder after one real sync against the sandbox, made once per session and copied by whoever changes it."""

from __future__ import annotations

import pytest

from sync_core.sandbox.serve import Sandbox
from sync_core.service import Settings, load_settings, open_service
from tests.scenarios.books import SandboxClock

WEBHOOK_KEY = "the webhook key of these tests"


@pytest.fixture(scope="session")
def company():
    """A sandbox with the demo company that runs for the whole session."""
    with Sandbox(seed=1) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def synced(company, tmp_path_factory):
    """A folder with cache and state, and the settings of the sandbox."""
    folder, environment = tmp_path_factory.mktemp("synced"), company.environment()
    with open_service(settings_of(environment, folder), clock=SandboxClock(company)) as service:
        service.set_up()
        service.sync()
    return folder, environment


def settings_of(environment, folder, **changes) -> Settings:
    """The settings of the sandbox, whatever stands in this machine's environment."""
    given = {name.removeprefix("TIEOUT_").lower(): value for name, value in environment.items()}
    return load_settings(_env_file=None, **given | {"data_dir": folder, "sync_minutes": 600} | changes)
