"""How writes report: summarizeErrors, single records, Idempotency-Key, and requests that cannot be read."""

from __future__ import annotations

import pytest
from xero_api import draft, line

EMPTY = "00000000-0000-0000-0000-000000000000"


def batch():
    """Two good invoices round a broken one."""
    return {"Invoices": [draft(InvoiceNumber="S-1"), draft(line("1", AccountCode="999")), draft(InvoiceNumber="S-3")]}


def stored(api):
    return [n for n in ("S-1", "S-3") if api.store["Invoices"].find("number", n)]


def test_by_default_errors_hide_what_was_written(api):
    answer = api.send("PUT", "Invoices", batch())
    body = answer.json()
    assert (answer.status_code, body["ErrorNumber"], body["Type"]) == (400, 10, "ValidationException")
    assert len(body["Elements"]) == 1
    assert "S-1" not in answer.text
    assert stored(api) == ["S-1", "S-3"]


def test_each_element_speaks_for_itself_on_demand(api):
    content = api.good("PUT", "Invoices", batch(), summarizeErrors="false")["Invoices"]
    assert [row["StatusAttributeString"] for row in content] == ["OK", "ERROR", "OK"]
    assert [row["HasErrors"] for row in content] == [False, True, False]
    assert content[1]["InvoiceID"] == EMPTY
    assert "999" in content[1]["ValidationErrors"][0]["Message"]
    assert stored(api) == ["S-1", "S-3"]


def test_contacts_mark_errors_with_a_word_of_their_own(api):
    body = {"Contacts": [{"Name": "Kauri"}, {"Name": "kauri"}]}
    shown = api.good("PUT", "Contacts", body, summarizeErrors="false")["Contacts"]
    assert [row["HasValidationErrors"] for row in shown] == [False, True]
    assert "already assigned to another contact" in shown[1]["ValidationErrors"][0]["Message"]


def test_an_array_or_one_bare_object_will_do(api):
    assert api.one("PUT", "Contacts", {"Name": "One"})["Name"] == "One"
    assert api.one("PUT", "Contacts", [{"Name": "Two"}])["Name"] == "Two"


BROKEN = [
    (b"{", 14),
    (b'{"Invoices": [NaN]}', 14),
    (b'{"Invoices": []}', 17),
    (b"{}", 17),
    (b'{"Invoices": [{"Type": "ACCREC", "Date": "soon"}]}', 14),
    (b'{"Invoices": [{"LineItems": [{"Quantity": "many"}]}]}', 14),
    (b'{"Invoices": ["x"]}', 14),
    (b'{"Invoices": [{"InvoiceID": "5"}]}', 14),
]


@pytest.mark.parametrize(("raw", "number"), BROKEN)
def test_a_body_that_cannot_be_read_is_refused_whole(api, raw, number):
    url = "/api.xro/2.0/Invoices"
    answer = api.client.request("PUT", url, content=raw, headers=api.headers)
    assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, number)


def test_over_long_and_unknown_values_are_errors_of_their_element(api):
    texts = api.refused("PUT", "Invoices", draft(InvoiceNumber="9" * 256, Status="OPEN"))
    assert len(texts) == 2
    assert "InvoiceNumber" in texts[0]


def test_one_account_in_one_call(api):
    body = {"Accounts": [{"Code": "1", "Name": "a", "Type": "REVENUE"}, {"Code": "2", "Name": "b", "Type": "REVENUE"}]}
    assert "Only one element" in api.refused("PUT", "Accounts", body)[0]


def keyed(api, body, key="k-1", method="PUT", path="Invoices"):
    return api.send(method, path, body, {"Idempotency-Key": key})


def test_a_repeated_key_gives_the_first_answer_again(api):
    answers = [keyed(api, draft(InvoiceNumber="K-1")) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].status_code == 200
    other = keyed(api, draft(InvoiceNumber="K-1"), key="k-2")
    assert other.status_code == 400


def test_errors_are_remembered_as_well(api):
    body = draft(Contact={"ContactNumber": "C-77"})
    first = keyed(api, body)
    assert first.status_code == 400
    api.one("PUT", "Contacts", {"Name": "Now here", "ContactNumber": "C-77"})
    assert keyed(api, body).content == first.content
    assert keyed(api, body, key="k-2").status_code == 200


@pytest.mark.parametrize(("seconds", "count"), [(359, 1), (360, 2)])
def test_a_key_lives_six_minutes_from_its_first_call(api, seconds, count):
    keyed(api, draft(Reference="once"))
    api.kernel.clock.advance(180)
    keyed(api, draft(Reference="once"))
    api.kernel.clock.advance(seconds - 180)
    keyed(api, draft(Reference="once"))
    assert len(list(api.store["Invoices"].having("Reference", "once"))) == count


def test_a_key_is_for_one_request_only(api):
    keyed(api, draft())
    for answer in (keyed(api, draft("7")), keyed(api, draft(), method="POST"), keyed(api, draft(), path="CreditNotes")):
        assert answer.status_code == 400
        assert "k-1 is used with a different request." in answer.text


def test_a_key_has_128_characters_at_most(api):
    assert keyed(api, draft(), key="x" * 128).status_code == 200
    assert keyed(api, draft(), key="x" * 129).status_code == 400


def test_history_notes_stay(api):
    made = api.invoice()
    where = f"Invoices/{made['InvoiceID']}/History"
    api.good("PUT", where, {"HistoryRecords": [{"Details": "Matched"}]})
    api.good("PUT", where, {"HistoryRecords": [{"Details": "Checked"}]})
    notes = api.get(where)["HistoryRecords"]
    assert [note["Details"] for note in notes] == ["Checked", "Matched"]
    assert notes[0]["User"] == "System Generated"
    assert "longer than 2500" in api.refused("PUT", where, {"HistoryRecords": [{"Details": "x" * 2501}]})[0]
