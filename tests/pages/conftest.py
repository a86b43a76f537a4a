"""Pages drawn without a browser, on a service that has synced once with the sandbox."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from console.door import DOOR
from sync_core.service import open_service
from tests.console.synced import settings_of
from tests.scenarios.books import SandboxClock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def scanned_once():
    """AppTest reads the metadata of every installed package before each run, four fifths of its time; none is ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def looked_at(company, synced, tmp_path_factory):
    """One service for all tests that only look. Where it waits for Xero's limit of calls a minute, the sandbox's time jumps."""
    folder, environment = synced
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("pages") / "data")
    with open_service(settings_of(environment, copy), clock=SandboxClock(company)) as service:
        yield service


@pytest.fixture
def service(looked_at):
    """The service behind the pages."""
    DOOR.hold(looked_at)
    yield looked_at
    DOOR.shut("closed")


@pytest.fixture
def fresh(company, synced, tmp_path):
    """A service that has never synced, behind the pages."""
    _, environment = synced
    with open_service(settings_of(environment, tmp_path / "data"), clock=SandboxClock(company)) as opened:
        DOOR.hold(opened)
        yield opened
        DOOR.shut("closed")


@pytest.fixture
def answer(service):
    """Does what one request asks for, and leaves alone whatever else other tests asked for."""

    def answerer(request_id):
        done = service._perform(service.request(request_id))
        service._workspace.state.finish_request(request_id, done.message, run=done.run, failed=done.failed)

    return answerer


def app():
    return AppTest.from_file(ROOT / "console" / "app.py", default_timeout=30)


@pytest.fixture
def show():
    """Draws one page, as its address asks."""

    def shower(name="overview", **query):
        at = app()
        for key, value in query.items():
            at.query_params[key] = value
        return at.switch_page(str(ROOT / "pages" / f"{name}.py")).run()

    return shower


def said(at):
    """All that a page says in plain words."""
    kinds = (at.title, at.subheader, at.text, at.markdown, at.caption, at.info, at.warning, at.error, at.success)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


@pytest.fixture
def words():
    return said


def table_of(at, *columns):
    """The first table on the page that has these columns."""
    return next(each.value for each in at.dataframe if set(columns) <= set(each.value.columns))
