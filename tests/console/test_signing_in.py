"""Signing in for real: a browser, the console as a process, and a tenant of Entra that signs its tokens."""

from __future__ import annotations

import httpx
import pytest

from tests.console.conftest import free
from tests.console.tenant import CLIENT, SECRET, tenant
from tests.console.test_browser import browser, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]


@pytest.fixture
def entra():
    with tenant(free()) as made:
        yield made


@pytest.fixture
def console(start, free_port, entra, tmp_path):
    secrets = tmp_path / "home" / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir(parents=True)
    secrets.write_text(
        f"""
[auth]
redirect_uri = "http://127.0.0.1:{free_port}/oauth2callback"
cookie_secret = "{"c" * 40}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{entra.metadata_url}"
""",
        encoding="utf-8",
    )
    return start(HOME=str(tmp_path / "home")).wait_until_ready()


def test_a_viewer_signs_in_looks_takes_a_file_and_cannot_press_sync(page, console, entra):
    entra.person = {"preferred_username": "ana@example.com", "roles": ["Viewer"]}
    file = f"{console.url}/download/invoices.csv"
    assert httpx.get(file, timeout=60).status_code == 403

    page.goto(console.url)
    page.get_by_role("button", name="Sign in with Microsoft").click()
    page.get_by_text("Viewer: you may look at everything.").wait_for()
    page.get_by_text("ana@example.com").wait_for()

    assert page.request.get(file).ok
    assert page.get_by_role("button", name="Sync now").is_disabled()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with Microsoft").wait_for()
    assert page.request.get(file).status == 403


@pytest.mark.soak
def test_a_role_that_is_not_ours_opens_nothing(page, console, entra):
    entra.person = {"preferred_username": "bo@example.com", "roles": ["Approver"]}
    page.goto(console.url)
    page.get_by_role("button", name="Sign in with Microsoft").click()
    page.get_by_text("You are signed in as bo@example.com, but have no role in Tieout.").wait_for()
    assert page.request.get(f"{console.url}/download/invoices.csv").status == 403
