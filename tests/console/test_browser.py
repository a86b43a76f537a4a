"""A person at the console, in a real headless Chromium: look, filter, select, download, preview a resync."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no browser at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def select_first_row(page):
    """The grid is a canvas: its first row lies below two lines of headings. It moves while the page is being drawn."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    grid = page.locator("[data-testid=stDataFrame]").nth(1)
    grid.locator("[role=gridcell]").first.wait_for(state="attached")
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 90)


def test_a_morning_at_the_console(page, served, tmp_path):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url)
    page.get_by_text("Everything ties out except").wait_for()
    page.locator("[data-testid=stGraphVizChart] svg text").first.wait_for(state="attached")

    page.get_by_role("button", name="Review the").click()
    page.get_by_role("heading", name="Invoices").wait_for()
    status = page.get_by_role("radio", name="differs")
    shown = int(status.inner_text().split()[-1])
    status.click()
    page.wait_for_url("**invoices_status=Differs**")
    page.get_by_text(f"{shown} invoices", exact=True).wait_for()

    select_first_row(page)
    page.wait_for_url("**invoices_row=**")
    page.get_by_role("button", name="Resync this invoice").wait_for()

    page.get_by_role("button", name="Download").click()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV for Excel", exact=True).click()
    downloading.value.save_as(tmp_path / "invoices.csv")
    with (tmp_path / "invoices.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == shown
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Resync this invoice").click()
    page.get_by_text("What would not be done").wait_for(timeout=60_000)
    assert page.get_by_test_id("stAlertContentInfo").first.inner_text().startswith("Preview of HP-")
    assert [url for url in asked if not url.startswith((served.url, "data:", "blob:"))] == []


def test_a_name_that_is_markdown_makes_no_request(page, served):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.url}/invoices?invoices_search=HP-1025")
    page.get_by_text("1 invoice", exact=True).wait_for()
    page.get_by_role("heading", name="Kōwhai Gifts").wait_for()
    assert page.locator("[data-testid=stMain] img").count() == 0
    assert page.locator("h3 a[href*='k.png']").count() == 0
    assert not any("k.png" in url for url in asked)
