"""Who may call, how often, and what the edge answers by itself."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from dataverse_client import ROOT, Api

from sync_core.sandbox.dataverse import limits
from sync_core.sandbox.identity import credentials, object_of


def test_no_token_an_unknown_one_and_an_expired_one(api, kernel):
    good = api.token
    for token in ("", "nonsense"):
        api.token = token
        answer = api.send("GET", "WhoAmI")
        assert (answer.status_code, answer.headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")
    api.token = good
    kernel.clock.advance(31 * 24 * 3600)
    assert api.send("GET", "WhoAmI").status_code == 401


def test_a_user_outside_the_organisation(api, kernel):
    stranger = Api(kernel, api.app, "00000000-0000-4000-8000-000000000009")
    assert stranger.refused("GET", "accounts") == (403, "0x80072560")
    assert int(stranger.send("GET", "accounts").headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) > 5000


def test_writes_are_signed_by_who_wrote(api, person):
    acme = api.id_of("accounts", "name eq 'Acme Ltd'")
    for user in (api, person):
        user.patch(f"accounts({acme})", {"fax": "1"})
        assert api.get(f"accounts({acme})")["_modifiedby_value"] == user.user
    assert person.get("WhoAmI")["UserId"] == person.user


@pytest.mark.parametrize(("version", "status"), [("v9.0", 200), ("v9.1", 200), ("v9.2", 200), ("v8.2", 404)])
def test_versions_of_the_api(api, version, status):
    assert api.send("GET", f"http://testserver/api/data/{version}/WhoAmI").status_code == status


def test_the_version_number_of_the_service(api):
    assert api.get("RetrieveVersion")["Version"].startswith("9.2")


def test_clients_ask_which_organisation_answers(api):
    found = api.get("RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')")["Detail"]
    assert (found["State"], found["OrganizationId"]) == ("Enabled", api.get("WhoAmI")["OrganizationId"])
    addresses = dict(zip(found["Endpoints"]["Keys"], found["Endpoints"]["Values"], strict=True))
    assert addresses["WebApplication"] == "http://testserver/"
    assert found["FriendlyName"] == api.rows("organizations?$select=name")[0]["name"]
    assert api.get("RetrieveProvisionedLanguages")["RetrieveProvisionedLanguages"] == [1033]


def test_too_many_requests_in_five_minutes(api, person, kernel, monkeypatch):
    monkeypatch.setattr(limits, "MAX_REQUESTS", 3)
    left = [api.send("GET", "WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    kernel.clock.advance(100)
    answer = api.send("GET", "WhoAmI")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "200")
    assert answer.json()["error"]["code"] == "0x80072322"
    assert person.send("GET", "WhoAmI").status_code == 200
    kernel.clock.advance(200)
    assert api.send("GET", "WhoAmI").status_code == 200


def test_the_real_limit_is_six_thousand():
    assert (limits.MAX_REQUESTS, limits.MAX_CONCURRENT, limits.WINDOW.total_seconds()) == (6000, 52, 300)


def test_too_many_requests_at_once(api, monkeypatch):
    monkeypatch.setattr(limits, "MAX_CONCURRENT", 2)

    async def slow_body():
        await asyncio.sleep(0.01)
        yield json.dumps({"name": "slow"}).encode()

    async def three() -> list[int]:
        headers = {"Authorization": f"Bearer {api.token}"}
        transport = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
            calls = [client.post(f"{ROOT}/accounts", content=slow_body()) for _ in range(3)]
            return sorted(answer.status_code for answer in await asyncio.gather(*calls))

    assert asyncio.run(three()) == [204, 204, 429]
    assert [api.send("GET", "WhoAmI").status_code for _ in range(3)] == [200, 200, 200]


def test_keys_with_encoded_characters(api):
    path = "accounts?$filter=name%20eq%20%27Bee%20%26%20Co%27%27s%27"
    assert len(api.rows(path)) == 1


def test_reset_brings_a_clean_environment(api, kernel):
    api.create("accounts", {"name": "Gone"})
    kernel.reset(2)
    assert len(kernel.collection("dataverse.account")) == 0
    assert api.send("GET", "accounts").status_code == 401


def test_a_body_that_is_not_sent_as_json(api):
    answer = api.send("POST", "accounts", {"name": "x"}, Content_Type="text/plain")
    assert answer.status_code == 415
    assert api.send("POST", "accounts", {"name": "x"}, Content_Type="application/json; type=entry").status_code == 204


def test_a_caller_may_act_for_another_user(api, person, kernel):
    """By systemuserid or by Entra's object id; the row says who it was made for."""
    by_object = object_of(kernel, credentials(kernel).dynamics_person_client_id)
    for headers in ({"MSCRMCallerID": person.user}, {"CallerObjectId": by_object}):
        made = api.send("POST", "accounts?$select=_createdby_value", {"name": "x"}, Prefer="return=representation", **headers)
        assert made.json()["_createdby_value"] == person.user
    assert api.refused("GET", "accounts", MSCRMCallerID=by_object) == (404, "0x80040217")


def test_a_batch_without_parts_is_refused(api):
    """A wrong boundary must not pass for a batch in which everything went well."""
    sent = api.send("POST", "$batch", b"--other\r\n\r\n--other--", Content_Type="multipart/mixed; boundary=mine")
    assert sent.status_code == 400
