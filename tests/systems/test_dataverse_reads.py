"""Listing and reading Dynamics: paging, change tracking, expiry, and what each refusal means."""

from __future__ import annotations

import httpx
import pytest
from dynamics_script import ACCOUNTS, API, CURRENCIES, ODD, ROOT, A, B, Dynamics, client, refusal
from virtual import answer

from sync_core.errors import Configure, Expired, Rejected, Retryable
from sync_core.rules.entities import Stream

ROW = {"@odata.etag": 'W/"1"', "accountid": A, "name": "Acme"}
NEXT = f"{ROOT}{API}/accounts?$select=accountid,name,tie_xeroid&$skiptoken=%3Ccookie%20pagenumber=%222%22%20/%3E"
DELTA = f"{ROOT}{API}/accounts?$select=accountid,name,tie_xeroid&$deltatoken=919042%2108%2f22%2f2026"


def listing(*rows, **links):
    return answer(200, {"value": list(rows), **{f"@odata.{name}": link for name, link in links.items()}})


def first_pull(script):
    return list(client(script).changed_since(ACCOUNTS, None))


def test_a_first_pull_asks_for_tracking_and_follows_links_verbatim():
    script = Dynamics(listing(ROW, nextLink=NEXT), listing({**ROW, "accountid": B}, deltaLink=DELTA))
    pages = first_pull(script)
    assert [row["accountid"] for page in pages for row in page.rows] == [A, B]
    assert [bool(page.cursor) for page in pages] == [False, True]
    assert {r.headers["prefer"] for r in script.requests} == {"odata.track-changes,odata.maxpagesize=5000"}
    assert script.requests[1].extensions["target"].decode() in NEXT
    assert "filter" not in str(script.requests[0].url)


def test_the_next_pull_goes_to_the_delta_link_and_splits_off_the_deleted():
    script = Dynamics(listing(ROW, deltaLink=DELTA))
    cursor = first_pull(script)[-1].cursor
    gone = {"@odata.context": f"{ROOT}{API}/$metadata#accounts/$deletedEntity", "id": B, "reason": "deleted"}
    script = Dynamics(listing(ROW, gone, deltaLink=DELTA + "x"))
    (page,) = client(script).changed_since(ACCOUNTS, cursor)
    assert (page.rows, page.gone) == ([ROW], [B])
    assert script.last.extensions["target"].decode() in DELTA
    assert script.last.headers["prefer"] == "odata.maxpagesize=5000"
    assert page.cursor != cursor


@pytest.mark.parametrize(
    "gone",
    [
        {"@removed": {"reason": "deleted"}, "@id": f"accounts({B})"},
        {"@odata.removed": {}, "id": f"{ROOT}{API}/accounts({B})"},
        {"@odata.context": "#accounts/$deletedEntity", "id": B.upper()},
    ],
)
def test_deleted_rows_may_be_named_by_their_address(gone):
    (page,) = client(Dynamics(listing(gone, ROW, deltaLink=DELTA))).changed_since(ACCOUNTS, None)
    assert ([i.lower() for i in page.gone], page.rows) == ([B], [ROW])


@pytest.mark.parametrize("odd", [{"name": "Acme"}, {"@removed": {"reason": "deleted"}}])
def test_a_row_without_its_id_stops_the_list_in_plain_words(odd):
    with pytest.raises(Retryable, match="without its id"):
        first_pull(Dynamics(listing(odd, deltaLink=DELTA)))


@pytest.mark.parametrize("refused", [refusal(400, "0x80044352"), refusal(400, "0x80040265"), refusal(410, "")])
def test_a_refused_delta_link_means_a_full_pull(refused):
    cursor = first_pull(Dynamics(listing(deltaLink=DELTA)))[-1].cursor
    with pytest.raises(Expired):
        list(client(Dynamics(refused)).changed_since(ACCOUNTS, cursor))


def test_other_columns_than_last_time_mean_a_full_pull():
    cursor = first_pull(Dynamics(listing(deltaLink=DELTA)))[-1].cursor
    wider = Stream(ACCOUNTS.side, ACCOUNTS.table, ACCOUNTS.key, (*ACCOUNTS.columns, "fax"))
    script = Dynamics(listing())
    with pytest.raises(Expired):
        list(client(script).changed_since(wider, cursor))
    assert script.requests == []


@pytest.mark.parametrize("bad", [{"something": 1}, [1], {"value": [], "@odata.nextLink": f"{ROOT}{API}/accounts?again"}])
def test_a_listing_that_does_not_end_properly_brings_no_cursor(bad):
    with pytest.raises(Retryable):
        first_pull(Dynamics(answer(200, bad)))


def test_a_server_that_does_not_track_is_listed_whole_in_order_each_time():
    script = Dynamics(listing(ROW), listing(ROW, {**ROW, "accountid": B}))
    pages = first_pull(script)
    assert [len(page.rows) for page in pages] == [1, 2]
    assert script.last.url.params["$orderby"] == "accountid"
    with pytest.raises(Expired):
        list(client(Dynamics()).changed_since(ACCOUNTS, pages[-1].cursor))


@pytest.mark.parametrize("status", [400, 501])
def test_a_table_that_a_server_refuses_to_track_is_listed_whole(status):
    script = Dynamics(refusal(status, "0x80072491"), listing(ROW))
    assert [page.rows for page in first_pull(script)] == [[ROW]]
    assert script.last.headers["prefer"] == "odata.maxpagesize=5000"


@pytest.mark.parametrize("relative", ["accounts?$skiptoken=2", f"{API}/accounts?$skiptoken=2"])
def test_links_without_a_host_are_followed_from_the_address_that_was_asked(relative):
    script = Dynamics(listing(ROW, nextLink=relative), listing(deltaLink=relative.replace("skip", "delta")))
    cursor = first_pull(script)[-1].cursor
    assert str(script.last.url) == f"{ROOT}{API}/accounts?$skiptoken=2"
    script = Dynamics(listing(deltaLink=DELTA))
    list(client(script).changed_since(ACCOUNTS, cursor))
    assert str(script.last.url) == f"{ROOT}{API}/accounts?$deltatoken=2"


def test_a_cursor_of_another_address_means_a_full_pull():
    cursor = first_pull(Dynamics(listing(deltaLink=DELTA)))[-1].cursor
    script = Dynamics()
    with pytest.raises(Expired):
        list(client(script, dynamics_url="https://org.api.crm.test").changed_since(ACCOUNTS, cursor))
    assert script.requests == []


def test_this_machine_is_the_same_by_each_of_its_names():
    script = Dynamics(listing(nextLink=f"http://localhost:8101{API}/accounts?$skiptoken=2"), listing(deltaLink="accounts?1"))
    list(client(script, dynamics_url="http://127.0.0.1:8101", allow_loopback=True).changed_since(ACCOUNTS, None))
    assert str(script.last.url) == f"http://127.0.0.1:8101{API}/accounts?$skiptoken=2"


def test_a_next_link_to_another_host_is_not_followed():
    script = Dynamics(listing(ROW, nextLink="https://elsewhere.test/api/data/v9.2/accounts"))
    with pytest.raises(Configure):
        first_pull(script)
    assert len(script.requests) == 1


def test_an_untracked_stream_is_listed_whole_in_the_order_of_its_key():
    link = f"{ROOT}{API}/transactioncurrencies?$skiptoken=2"
    script = Dynamics(listing({"transactioncurrencyid": A}, nextLink=link), listing({"transactioncurrencyid": B}))
    pages = list(client(script).changed_since(CURRENCIES, "full"))
    assert [page.cursor for page in pages] == [None, "full"]
    assert script.requests[0].url.params["$orderby"] == "transactioncurrencyid"
    assert "track" not in script.requests[0].headers["prefer"]


def test_a_table_without_tracking_names_the_setup():
    contacts = Stream(ACCOUNTS.side, "contact", "contactid", ("fullname",))
    with pytest.raises(Configure, match="python -m sync_core setup"):
        list(client(Dynamics(answer())).changed_since(contacts, None))


def test_tracking_that_was_switched_on_meanwhile_is_noticed():
    script = Dynamics(listing(deltaLink=DELTA))
    dynamics = client(script)
    contacts = Stream(ACCOUNTS.side, "contact", "contactid", ("fullname",))
    list(dynamics.changed_since(ACCOUNTS, None))
    script.tracked = {"contact"}
    assert list(dynamics.changed_since(contacts, None))[-1].cursor


def test_a_missing_table_names_the_setup_and_an_optional_one_is_not_supported():
    missing = Stream(ACCOUNTS.side, "tie_odd", "tie_oddid")
    with pytest.raises(Configure, match="python -m sync_core setup"):
        list(client(Dynamics(answer())).changed_since(missing, None))
    with pytest.raises(Rejected) as caught:
        list(client(Dynamics(answer())).changed_since(ODD, None))
    assert caught.value.code == "not supported"


def test_a_missing_column_names_the_setup():
    message = "Could not find a property named 'tie_xeroid' on type 'Microsoft.Dynamics.CRM.account'."
    with pytest.raises(Configure, match="setup") as caught:
        first_pull(Dynamics(refusal(400, "0x80060888", message)))
    assert "tie_xeroid" in caught.value.detail


def test_set_names_are_read_once():
    script = Dynamics(listing(deltaLink=DELTA))
    dynamics = client(script)
    list(dynamics.changed_since(ACCOUNTS, None))
    list(dynamics.changed_since(CURRENCIES, None))
    assert script.definitions == 1


def test_get_brings_the_row_or_none():
    assert client(Dynamics(answer(200, ROW))).get(ACCOUNTS, A) == ROW
    assert client(Dynamics(refusal(404, "0x80040217"))).get(ACCOUNTS, A) is None
    assert client(Dynamics(refusal(404, "", f"account With Id = {A.upper()} Does Not Exist"))).get(ACCOUNTS, A) is None


@pytest.mark.parametrize(("status", "code"), [(404, ""), (404, "0x80060888"), (400, "0x80060888")])
def test_get_takes_no_other_refusal_for_absence(status, code):
    with pytest.raises(Configure):
        client(Dynamics(refusal(status, code))).get(ACCOUNTS, A)


def test_find_quotes_text_and_writes_ids_bare():
    script = Dynamics(listing(ROW))
    dynamics = client(script)
    assert dynamics.find(ACCOUNTS, "name", "O'Brien & Co") == [ROW]
    assert script.last.url.params["$filter"] == "name eq 'O''Brien & Co'"
    dynamics.find(ACCOUNTS, "_masterid_value", B)
    assert script.last.url.params["$filter"] == f"_masterid_value eq {B}"


def test_check_names_who_answers():
    who = {"@odata.context": "x", "UserId": A, "BusinessUnitId": B, "OrganizationId": B}
    peer = client(Dynamics(answer(200, who), answer(200, {"name": "Harbour & Pine"}))).check()
    assert (peer.id, peer.name, peer.facts["UserId"]) == (B, "Harbour & Pine", A)
    assert client(Dynamics(answer(200, who), answer(404))).check().name == "org.crm.test"


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (refusal(403, "0x80072560"), "application user"),
        (refusal(403, "0x80040220"), "a permission"),
        (refusal(403, "0x80040220", "user is missing prvReadInvoice privilege"), "the permission prvReadInvoice"),
        (refusal(401, ""), "sign-in"),
        (refusal(404, ""), "TIEOUT_DYNAMICS_URL"),
    ],
)
def test_check_says_what_is_wrong(refused, words):
    with pytest.raises(Configure, match=words):
        client(Dynamics(refused)).check()


def test_the_address_may_carry_the_path_of_the_api():
    script = Dynamics(listing())
    client(script, dynamics_url=f"{ROOT}{API}/").find(ACCOUNTS, "name", "x")
    assert script.last.url.path == f"{API}/accounts"


def test_every_read_carries_the_headers_of_odata():
    script = Dynamics(listing())
    client(script).find(ACCOUNTS, "name", "x")
    headers = script.last.headers
    assert (headers["odata-version"], headers["odata-maxversion"], headers["if-none-match"]) == ("4.0", "4.0", "null")
    assert headers["authorization"] == "Bearer kept-token"


def test_a_refused_token_is_replaced_once():
    script = Dynamics(httpx.Response(401), listing(ROW, deltaLink=DELTA))
    assert first_pull(script)[0].rows == [ROW]
    assert [r.headers["authorization"] for r in script.requests] == ["Bearer kept-token", "Bearer fresh-token"]
