"""Before any document: who calls, with which scopes, for which organisation, how often, and in which form."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from xero_api import BASE, NOW, Api, draft, new_app, new_kernel

from sync_core.sandbox import identity
from sync_core.sandbox.xero import set_limits


def test_401_without_a_good_token(api):
    for token in ("", "Basic abc", "Bearer nonsense"):
        answer = api.send("GET", "Organisation", headers={"Authorization": token})
        assert (answer.status_code, answer.json()["Title"]) == (401, "Unauthorized")


def test_a_token_lives_thirty_minutes(api):
    api.kernel.clock.advance(1799)
    assert api.send("GET", "Organisation").status_code == 200
    api.kernel.clock.advance(1)
    assert api.send("GET", "Organisation").status_code == 401


def test_403_for_another_organisation(api):
    for tenant in ("11111111-2222-3333-4444-555555555555", "x"):
        answer = api.send("GET", "Organisation", headers={"xero-tenant-id": tenant})
        assert (answer.status_code, answer.json()["Detail"]) == (403, "AuthenticationUnsuccessful")


def test_a_custom_connection_need_not_name_its_organisation(api):
    del api.headers["xero-tenant-id"]
    assert api.send("GET", "Organisation").status_code == 200


SCOPES = [
    ("accounting.invoices", "GET", "Invoices", 200),
    ("accounting.invoices.read", "GET", "Invoices", 200),
    ("accounting.invoices.read", "PUT", "Invoices", 403),
    ("accounting.invoices.read", "GET", "Payments", 403),
    ("accounting.payments", "GET", "Overpayments", 200),
    ("accounting.payments", "GET", "BankTransactions", 403),
    ("accounting.banktransactions.read", "GET", "BankTransactions", 200),
    ("accounting.contacts", "GET", "ContactGroups", 200),
    ("accounting.contacts", "GET", "Accounts", 403),
    ("accounting.settings.read", "GET", "Organisation", 200),
    ("accounting.settings.read", "GET", "Items", 200),
    ("accounting.settings.read", "PUT", "Items", 403),
]


@pytest.mark.parametrize(("scope", "method", "path", "status"), SCOPES)
def test_scopes(api, scope, method, path, status):
    api.sign_in(scope)
    answer = api.send(method, path, draft() if method == "PUT" else None)
    assert answer.status_code == status


def test_broad_scopes_of_an_older_app_reach_all_documents(api):
    token = granted(api, "accounting.transactions.read accounting.contacts.read")
    for path, status in (("Invoices", 200), ("Payments", 200), ("Contacts", 200), ("Accounts", 403)):
        assert api.send("GET", path, headers={"Authorization": f"Bearer {token}"}).status_code == status


def granted(api, scope):
    """An access token of the web app by the code flow."""
    redirect = "http://localhost:9/back"
    asked = {"response_type": "code", "client_id": api.known.xero_web_client_id, "redirect_uri": redirect}
    page = api.client.get("/identity/connect/authorize", params={**asked, "scope": scope, "state": "s"})
    code = httpx.URL(page.headers["location"]).params["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    pair = (api.known.xero_web_client_id, api.known.xero_web_client_secret)
    return api.client.post("/connect/token", data=form, auth=pair).json()["access_token"]


UNKNOWN = ["Nothing", "Invoices/11111111-2222-3333-4444-555555555555", "Invoices/INV-404", "Contacts/x", "Items/x/y/z"]


@pytest.mark.parametrize("path", [*UNKNOWN, "TaxRates/NOPE", "Invoices/HP-1010/Nope"])
def test_404(api, path):
    answer = api.send("GET", path)
    assert (answer.status_code, answer.json()["Title"]) == (404, "NotFound")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "Invoices"), ("POST", "Accounts"), ("PUT", "BrandingThemes")])
def test_405(api, method, path):
    assert api.send(method, path, {"Name": "x"} if method != "DELETE" else None).status_code == 405


@pytest.mark.parametrize("path", ["organisation", "ORGANISATIONS", "Organisation"])
def test_paths_take_any_case(api, path):
    shown = api.one("GET", path)
    assert shown["PeriodLockDate"] == "/Date(1782777600000+0000)/"
    assert (shown["BaseCurrency"], bool(shown["ShortCode"])) == ("NZD", True)


def test_without_accept_json_it_is_xml(api):
    answer = api.send("GET", "Organisation", headers={"Accept": "*/*"})
    assert answer.headers["content-type"].startswith("text/xml")
    assert "<Organisations><Organisation>" in answer.text


def test_actions_of_the_organisation(api):
    assert {"Name": "UseMulticurrency", "Status": "ALLOWED"} in api.get("Organisation/Actions")["Actions"]


@pytest.fixture
def limited():
    return Api(new_kernel())


def test_sixty_calls_a_minute(limited):
    left = [limited.send("GET", "Organisation").headers["X-MinLimit-Remaining"] for _ in range(60)]
    assert (left[0], left[-1]) == ("59", "0")
    over = limited.send("GET", "Organisation")
    assert (over.status_code, over.headers["X-Rate-Limit-Problem"]) == (429, "minute")
    wait = int(over.headers["Retry-After"])
    assert 0 < wait <= 60
    limited.kernel.clock.advance(wait - 1)
    assert limited.send("GET", "Organisation").status_code == 429
    limited.kernel.clock.advance(1)
    again = limited.send("GET", "Organisation")
    assert (again.status_code, again.headers["X-MinLimit-Remaining"]) == (200, "59")
    assert again.headers["X-DayLimit-Remaining"] == "4939"


def test_five_thousand_calls_a_day(limited):
    set_limits(limited.kernel, day=3)
    for _ in range(3):
        limited.send("GET", "Organisation")
    over = limited.send("GET", "Organisation")
    assert over.headers["X-Rate-Limit-Problem"] == "day"
    limited.kernel.clock.advance(int(over.headers["Retry-After"]))
    limited.sign_in()
    assert limited.send("GET", "Organisation").headers["X-DayLimit-Remaining"] == "2"


def test_replays_count_and_refused_sign_ins_do_not(limited):
    limited.send("PUT", "Invoices", draft(), {"Idempotency-Key": "a"})
    limited.send("GET", "Organisation", headers={"Authorization": "Bearer x"})
    again = limited.send("PUT", "Invoices", draft(), {"Idempotency-Key": "a"})
    assert again.headers["X-MinLimit-Remaining"] == "58"
    assert again.headers["X-AppMinLimit-Remaining"] == "9998"


def test_apps_are_counted_apart(limited):
    limited.send("GET", "Organisation")
    other = {"Authorization": f"Bearer {granted(limited, 'accounting.settings')}"}
    assert limited.send("GET", "Organisation", headers=other).headers["X-MinLimit-Remaining"] == "59"


def test_five_calls_at_once(api):
    statuses, headers = asyncio.run(six_at_once(api))
    assert sorted(statuses) == [200, 200, 200, 200, 200, 429]
    assert headers["X-Rate-Limit-Problem"] == "concurrent"
    assert "Retry-After" not in headers


async def six_at_once(api):
    """Five requests whose bodies have not ended yet, one more, then the ends."""
    go = asyncio.Event()
    transport = httpx.ASGITransport(new_app(api.kernel))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

        async def body():
            await go.wait()
            yield b'{"Contacts": [{"Name": "Slow"}]}'

        url = f"{BASE}Contacts"
        slow = [asyncio.create_task(client.post(url, content=body(), headers=api.headers)) for _ in range(5)]
        for _ in range(20):
            await asyncio.sleep(0)
        sixth = await client.get(url, headers=api.headers)
        go.set()
        return [(await task).status_code for task in slow] + [sixth.status_code], sixth.headers


def test_the_clock_of_the_kernel_is_the_clock_of_the_answers(api):
    api.kernel.clock.set(NOW + timedelta(days=400), frozen=True)
    api.sign_in()
    assert api.get("Organisation")["DateTimeUTC"] == f"/Date({int((NOW + timedelta(days=400)).timestamp())}000)/"


def test_disconnecting_ends_access(api):
    headers = {"Authorization": api.headers["Authorization"]}
    (connection,) = api.client.get("/Connections", headers=headers).json()
    assert connection["tenantId"] == identity.credentials(api.kernel).xero_tenant_id
    assert api.client.request("DELETE", f"/connections/{connection['id']}", headers=headers).status_code == 204
    assert api.send("GET", "Organisation").status_code == 403


def test_every_answer_has_a_correlation_id_of_its_own(api):
    ids = {api.send("GET", path).headers["Xero-Correlation-Id"] for path in ("Organisation", "Nothing", "Invoices")}
    assert len(ids) == 3
