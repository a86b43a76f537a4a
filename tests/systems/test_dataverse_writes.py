"""Writing to Dynamics: guards, batches, receipts by element, and answers that prove nothing."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest
from dynamics_script import ACCOUNTS, API, A, B, C, Dynamics, batch_targets, client, create, error, multipart, refusal, update
from virtual import VirtualClock, answer

from sync_core.errors import Configure, Rejected, Retryable, Stale, Unknown
from sync_core.model import Verb
from sync_core.systems.base import Write


def row(row_id, **values):
    return {"@odata.etag": 'W/"7"', "accountid": row_id, "name": "Acme", **values}


def written(script, *writes, clock=None):
    return client(script, clock).write(writes)


def test_a_create_chooses_the_id_and_refuses_to_overwrite():
    script = Dynamics(answer(201, row(A)))
    (receipt,) = written(script, create(A, name="Acme"))
    assert (receipt.id, receipt.native, receipt.error) == (A, row(A), None)
    assert (script.last.method, script.last.url.path) == ("PATCH", f"{API}/accounts({A})")
    assert script.last.url.params["$select"] == "accountid,name,tie_xeroid"
    assert script.last.headers["if-none-match"] == "*"
    assert script.last.headers["prefer"] == "return=representation"
    assert (script.last.headers["odata-maxversion"], script.last.headers["odata-version"]) == ("4.0", "4.0")


@pytest.mark.parametrize(("version", "guard"), [('W/"6"', 'W/"6"'), ('"6"', '"6"'), (None, "*"), ("1b03cbb23f48c35a", "*")])
def test_an_update_is_guarded(version, guard):
    script = Dynamics(answer(200, row(A)))
    written(script, update(A, version))
    assert script.last.headers["if-match"] == guard
    assert "if-none-match" not in script.last.headers


def test_an_upsert_carries_no_guard():
    script = Dynamics(answer(200, row(A)))
    written(script, Write(ACCOUNTS, Verb.CREATE, {"name": "x"}, "k", id=A, version="*"))
    assert not {"if-match", "if-none-match"} & set(script.last.headers)


def test_a_delete_needs_no_body():
    script = Dynamics(httpx.Response(204))
    (receipt,) = written(script, Write(ACCOUNTS, Verb.DELETE, {}, "k", id=A, version='W/"6"'))
    assert (receipt.id, receipt.error) == (A, None)
    assert (script.last.method, script.last.headers["if-match"]) == ("DELETE", 'W/"6"')
    assert (script.last.headers["odata-maxversion"], script.last.headers["odata-version"]) == ("4.0", "4.0")


def test_money_is_sent_and_read_digit_for_digit():
    script = Dynamics(httpx.Response(200, text=f'{{"accountid":"{A}","creditlimit":20000.0000}}'))
    (receipt,) = written(script, update(A, creditlimit=Decimal("1.005")))
    assert script.last.content == b'{"creditlimit":1.005}'
    assert str(receipt.native["creditlimit"]) == "20000.0000"


def test_several_elements_go_in_one_batch_that_continues_on_errors():
    script = Dynamics(multipart((201, row(A)), (201, row(B))))
    dynamics = client(script)
    receipts = dynamics.write([create(A), create(B)])
    assert [r.id for r in receipts] == [A, B]
    assert dynamics.calls.write == 1
    assert script.last.url.path == f"{API}/$batch"
    assert script.last.headers["prefer"] == "odata.continue-on-error"
    select = "?$select=accountid,name,tie_xeroid"
    assert batch_targets(script.last) == [f"PATCH {API}/accounts({i}){select}" for i in (A, B)]
    assert script.last.content.count(b"If-None-Match: *") == 2


def test_a_refused_element_stands_beside_accepted_ones():
    too_long = "The length of the 'name' attribute of the 'account' entity exceeded the maximum allowed length of '160'."
    script = Dynamics(multipart((200, row(A)), (400, error("0x80044331", too_long)), (200, row(C))))
    first, second, third = written(script, update(A), update(B, name="x" * 200, fax="1"), update(C))
    assert (first.error, third.error) == (None, None)
    assert isinstance(second.error, Rejected)
    assert second.error.field == "name"
    assert "longer than Dynamics allows" in second.error.message


@pytest.mark.parametrize(
    ("verb", "status", "body", "kind", "code"),
    [
        (update, 412, error("0x80060882"), Stale, "0x80060882"),
        (create, 412, error("0x80060892"), Rejected, "exists"),
        (create, 412, error("0x80040237"), Rejected, "exists"),
        (create, 412, error(""), Rejected, "exists"),
        (update, 412, error("0x80060892"), Rejected, "exists"),
        (update, 404, error("0x80040217", f"account With Id = {A} Does Not Exist"), Rejected, "missing"),
        (create, 404, error("0x80040217", f"contact With Id = {C} Does Not Exist"), Rejected, "0x80040217"),
        (update, 403, error("0x80040220", "lacks prvWriteAccount"), Rejected, "not permitted"),
        (update, 400, error("0x80040265", "The record is read-only"), Rejected, "0x80040265"),
        (update, 400, error("0x80048d19", "Invalid property 'name' was found"), Rejected, "0x80048d19"),
        (update, 500, error("0x80040216"), Unknown, None),
    ],
)
def test_what_a_refused_element_means(verb, status, body, kind, code):
    _, receipt = written(Dynamics(multipart((200, row(B)), (status, body))), update(B), verb(A))
    assert type(receipt.error) is kind
    assert receipt.native is None
    assert getattr(receipt.error, "code", None) == code


def test_the_same_refusals_come_from_a_single_element():
    (receipt,) = written(Dynamics(refusal(412, "0x80060882")), update(A, 'W/"1"'))
    assert isinstance(receipt.error, Stale)
    (receipt,) = written(Dynamics(refusal(403, "0x80040220")), update(A))
    assert isinstance(receipt.error, Rejected)


def test_no_application_user_is_a_matter_of_configuration():
    with pytest.raises(Configure, match="application user"):
        written(Dynamics(refusal(403, "0x80072560")), update(A), update(B))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut"), httpx.Response(500)])
def test_a_lost_answer_is_unknown_and_not_sent_again(lost, count):
    script = Dynamics(lost)
    with pytest.raises(Unknown):
        written(script, *[update(A), update(B)][:count])
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "step",
    [
        multipart((200, row(A))),
        multipart((200, row(A)), (200, row(B)), (200, row(C))),
        lambda _r: httpx.Response(200, text="<html></html>"),
        lambda _r: httpx.Response(200, text="--r\r\n", headers={"Content-Type": "multipart/mixed; boundary=r"}),
    ],
)
def test_a_batch_answer_that_does_not_fit_is_unknown(step):
    with pytest.raises(Unknown):
        written(Dynamics(step), update(A), update(B))


def test_swapped_answers_are_noticed():
    receipts = written(Dynamics(multipart((200, row(B)), (200, row(A)), numbered=False)), update(A), update(B))
    assert all(isinstance(r.error, Unknown) for r in receipts)


@pytest.mark.parametrize("body", ["", "<html>Sign in</html>", "[]"])
def test_a_success_without_the_row_proves_nothing(body):
    (receipt,) = written(Dynamics(httpx.Response(200, text=body)), update(A))
    assert isinstance(receipt.error, Unknown)


def test_elements_that_were_put_off_are_sent_again_alone_after_the_wait():
    busy = (429, error("0x80072322"), {"Retry-After": "17"})
    script, clock = Dynamics(multipart((200, row(A)), busy, busy), multipart((200, row(B)), (200, row(C)))), VirtualClock()
    receipts = written(script, update(A), update(B), update(C), clock=clock)
    assert [r.id for r in receipts] == [A, B, C]
    assert [len(batch_targets(r)) for r in script.requests] == [3, 2]
    assert sum(clock.slept) == 17


def test_what_stays_put_off_is_retryable_and_the_rest_stands():
    script = Dynamics(multipart((200, row(A)), (429, error("0x80072322"), {"Retry-After": "3600"})))
    first, second = written(script, update(A), update(B))
    assert first.error is None
    assert isinstance(second.error, Retryable)
    assert len(script.requests) == 1


def test_a_resend_whose_answer_is_lost_does_not_spoil_the_first_answers():
    script = Dynamics(multipart((200, row(A)), (429, error("0x80072322"), {"Retry-After": "1"})), httpx.ReadTimeout("slow"))
    first, second = written(script, update(A), update(B))
    assert (first.id, type(second.error)) == (A, Unknown)


def test_a_refused_batch_says_nothing_of_its_elements():
    """A server without batches may say so with any status, and one may stop at the first element that it refuses."""
    script = Dynamics(refusal(400, "0x80044331", "too long"), refusal(400, "0x80044331", "too long"), answer(200, row(B)))
    first, second = written(script, update(A), update(B))
    assert (type(first.error), second.id) == (Rejected, B)


def test_a_write_must_name_a_guid():
    with pytest.raises(ValueError, match="GUID"):
        written(Dynamics(answer()), create("accounts(1)/$ref"))


def test_hostile_text_stays_inside_its_json_string():
    script = Dynamics(multipart((200, row(A)), (200, row(B))))
    text = '"}\r\n--batch_1\r\nDELETE /api/data/v9.2/accounts(1) HTTP/1.1\r\n'
    written(script, update(A, name=text), update(B))
    assert len(batch_targets(script.last)) == 2
    assert json.dumps(text)[1:-1] in script.last.content.decode()


def test_a_server_that_accepts_without_showing_the_row_is_asked_for_it():
    script = Dynamics(httpx.Response(204), answer(200, row(A)))
    (receipt,) = written(script, update(A, name="Acme"))
    assert (receipt.id, receipt.native, receipt.error) == (A, row(A), None)
    assert (script.last.method, script.last.url.path) == ("GET", f"{API}/accounts({A})")


def test_answers_of_a_batch_are_taken_by_their_number_whatever_their_order():
    swapped = multipart((200, row(B)), (200, row(A)))(None).text.replace("ID: 1", "ID: x").replace("ID: 2", "ID: 1")
    whole = httpx.Response(200, text=swapped.replace("ID: x", "ID: 2"), headers={"Content-Type": "multipart/mixed; boundary=r"})
    assert [r.id for r in written(Dynamics(whole), update(A), update(B))] == [A, B]


@pytest.mark.parametrize("status", [404, 405, 415, 501])
def test_a_server_without_batches_gets_single_requests(status):
    script = Dynamics(httpx.Response(status), answer(200, row(A)), answer(200, row(B)))
    receipts = written(script, update(A, name="x"), update(B, name="y"))
    assert [r.id for r in receipts] == [A, B]
    assert script.last.method == "PATCH"


def test_a_server_that_makes_no_row_by_patch_gets_a_post_with_the_same_id():
    gone = error("0x80040217", f"account With Id = {A} Does Not Exist")
    script = Dynamics(answer(404, gone), answer(201, row(A)), answer(201, row(B)))
    dynamics = client(script)
    assert dynamics.write([create(A, name="x")])[0].id == A
    assert (script.last.method, script.last.url.path) == ("POST", f"{API}/accounts")
    assert json.loads(script.last.content) == {"accountid": A, "name": "x"}
    assert dynamics.write([create(B, name="y")])[0].id == B
    assert [r.method for r in script.requests] == ["PATCH", "POST", "POST"]
