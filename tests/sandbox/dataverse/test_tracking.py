"""Change tracking: full load, deltas, deletions, pages, and tokens that expire."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from sync_core.sandbox.dataverse import expire_tokens

TRACK = "odata.track-changes"
EXPIRED = (400, "0x80044352")


@pytest.fixture
def tracked(api):
    """Accounts with change tracking on, switched on the way Dataverse wants it: the whole definition, by PUT."""
    path = "EntityDefinitions(LogicalName='account')"
    definition = api.get(path) | {"ChangeTrackingEnabled": True}
    assert api.send("PUT", path, definition, MSCRM_MergeLabels="true").status_code == 204
    return api


def load(api, select="name"):
    body = api.get(f"accounts?$select={select}", Prefer=TRACK)
    return body["value"], body["@odata.deltaLink"]


def changes(api, link, **headers):
    """(changed names, deleted ids, new link) over all pages."""
    names, gone = [], []
    while True:
        body = api.get(link, **headers)
        assert body["@odata.context"].endswith("/$delta")
        names += [row["name"] for row in body["value"] if "reason" not in row]
        gone += [row["id"] for row in body["value"] if row.get("reason") == "deleted"]
        if "@odata.deltaLink" in body:
            return names, gone, body["@odata.deltaLink"]
        link = body["@odata.nextLink"]


def test_a_table_without_tracking_refuses(api):
    assert api.refused("GET", "accounts?$select=name", Prefer=TRACK)[0] == 400


def test_the_preference_is_confirmed_and_nothing_new_gives_nothing(tracked):
    answer = tracked.send("GET", "accounts?$select=name", Prefer=TRACK)
    assert answer.headers["Preference-Applied"] == TRACK
    assert changes(tracked, answer.json()["@odata.deltaLink"])[:2] == ([], [])


def test_changes_come_by_version_then_deletions(tracked):
    rows, link = load(tracked)
    acme = next(row["accountid"] for row in rows if row["name"] == "Acme Ltd")
    new = tracked.create("accounts", {"name": "New"})
    brief = tracked.create("accounts", {"name": "Brief"})
    tracked.patch(f"accounts({acme})", {"fax": "1"})
    tracked.send("DELETE", f"accounts({brief})")
    tracked.patch(f"accounts({new})", {"name": "Newer"})
    names, gone, link = changes(tracked, link)
    assert (names, gone) == (["Acme Ltd", "Newer"], [brief])
    assert changes(tracked, link)[:2] == ([], [])


def test_changed_rows_are_full_and_deleted_ones_bare(tracked):
    _, link = load(tracked, "name,fax,creditlimit")
    new = tracked.create("accounts", {"name": "New"})
    tracked.send("DELETE", f"accounts({tracked.create('accounts', {'name': 'x'})})")
    changed, deleted = tracked.get(link)["value"]
    expected = {"@odata.etag", "name", "fax", "creditlimit", "accountid", "_transactioncurrencyid_value"}
    assert (set(changed), changed["accountid"]) == (expected, new)
    assert set(deleted) == {"@odata.context", "id", "reason"}
    assert deleted["@odata.context"].endswith("#accounts/$deletedEntity")


def test_a_row_that_came_back_is_no_longer_deleted(tracked):
    _, link = load(tracked)
    path = "accounts(99999999-2222-4333-8444-555555555555)"
    tracked.patch(path, {"name": "Here"})
    tracked.send("DELETE", path)
    tracked.patch(path, {"name": "Back"})
    assert changes(tracked, link)[:2] == (["Back"], [])


@pytest.mark.parametrize("option", ["$filter=name eq 'x'", "$orderby=name", "$expand=primarycontactid", "$top=3"])
def test_options_that_tracking_refuses(tracked, option):
    answer = tracked.send("GET", f"accounts?{option}", Prefer=TRACK)
    name = option.split("=")[0]
    expected = f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, expected)


def test_the_delta_link_is_on_the_last_page_only(tracked):
    for number in range(5):
        tracked.create("accounts", {"name": f"N{number}"})
    first = tracked.get("accounts?$select=name", Prefer=f"{TRACK},odata.maxpagesize=3")
    assert "@odata.deltaLink" not in first
    seen, body = len(first["value"]), first
    while "@odata.nextLink" in body:
        body = tracked.get(body["@odata.nextLink"], Prefer=f"{TRACK},odata.maxpagesize=3")
        seen += len(body["value"])
    assert (seen, "@odata.deltaLink" in body) == (7, True)


def test_an_edit_between_pages_of_the_load_is_in_the_first_delta(tracked):
    prefer = f"{TRACK},odata.maxpagesize=1"
    first = tracked.get("accounts?$select=name", Prefer=prefer)
    tracked.patch(f"accounts({first['value'][0]['accountid']})", {"name": "Edited"})
    last = tracked.get(first["@odata.nextLink"], Prefer=prefer)
    assert changes(tracked, last["@odata.deltaLink"])[0] == ["Edited"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_deltas_are_paged(tracked, size):
    _, link = load(tracked)
    ids = [tracked.create("accounts", {"name": f"N{number}"}) for number in range(4)]
    for row_id in ids[:2]:
        tracked.send("DELETE", f"accounts({row_id})")
    names, gone, _ = changes(tracked, link, Prefer=f"odata.maxpagesize={size}")
    assert (names, gone) == (["N2", "N3"], ids[:2])


def test_an_edit_between_pages_of_a_delta_is_in_the_next(tracked):
    _, link = load(tracked)
    ids = [tracked.create("accounts", {"name": f"N{number}"}) for number in range(3)]
    first = tracked.get(link, Prefer="odata.maxpagesize=1")
    tracked.patch(f"accounts({ids[2]})", {"name": "Late"})
    names, _, link = changes(tracked, first["@odata.nextLink"], Prefer="odata.maxpagesize=1")
    assert names == ["N1"]
    assert changes(tracked, link)[0] == ["Late"]


def test_the_number_of_changes(tracked):
    _, link = load(tracked)
    tracked.create("accounts", {"name": "One"})
    token = link.split("$deltatoken=")[1]
    assert tracked.send("GET", f"accounts/$count?$deltatoken={token}").text.lstrip("\ufeff") == "1"


@pytest.mark.parametrize(("days", "expired"), [(6.9, False), (7, True)])
def test_a_token_lives_seven_days(tracked, kernel, days, expired):
    _, link = load(tracked)
    assert "!11/20/2026 09:00:00" in unquote(link)
    kernel.clock.advance(days * 86_400)
    answer = tracked.send("GET", link)
    assert answer.status_code == (400 if expired else 200)
    assert not expired or answer.json()["error"]["code"] == EXPIRED[1]


def test_tokens_expire_with_the_tables_metadata_and_on_demand(tracked, kernel):
    _, link = load(tracked)
    column = {"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "tie_Extra"}
    tracked.send("POST", "EntityDefinitions(LogicalName='account')/Attributes", column)
    assert tracked.refused("GET", link) == EXPIRED
    _, link = load(tracked)
    assert changes(tracked, link)[:2] == ([], [])
    expire_tokens(kernel)
    assert tracked.refused("GET", link) == EXPIRED


def test_tracking_cannot_be_switched_off_nor_on_everywhere(tracked):
    path = "EntityDefinitions(LogicalName='account')"
    off = tracked.get(path) | {"ChangeTrackingEnabled": False}
    assert tracked.send("PUT", path, off).status_code == 400
    path = "EntityDefinitions(LogicalName='organization')"
    assert tracked.send("PUT", path, tracked.get(path) | {"ChangeTrackingEnabled": True}).status_code == 400
    assert tracked.send("PATCH", path, {"ChangeTrackingEnabled": True}).status_code == 405


def test_a_bad_token_is_refused(tracked):
    assert tracked.refused("GET", "accounts?$deltatoken=nonsense")[0] == 400


def test_undone_writes_leave_no_trace_in_a_delta(tracked):
    _, link = load(tracked)
    kind = "Microsoft.Dynamics.CRM.account"
    targets = [{"@odata.type": kind, "name": "Good"}, {"@odata.type": kind, "nmae": "Bad"}]
    assert tracked.send("POST", "accounts/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets}).status_code == 400
    assert changes(tracked, link)[:2] == ([], [])
