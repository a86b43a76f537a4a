"""Attachments and documents as PDF: the answers that are bytes."""

from __future__ import annotations

import pytest
from xero_api import BASE, Api


def put(api, path, content, method="PUT"):
    return api.client.request(method, BASE + path, content=content, headers=api.headers)


@pytest.fixture
def path(api):
    return f"Invoices/{api.invoice()['InvoiceID']}"


def test_a_file_is_attached_listed_and_read_by_name_and_id(api, path):
    made = put(api, f"{path}/Attachments/scan 1.png", b"\x89PNG").json()["Attachments"][0]
    assert (made["FileName"], made["MimeType"], made["ContentLength"]) == ("scan 1.png", "image/png", 4)
    assert api.get(f"{path}/Attachments")["Attachments"] == [made]
    for key in ("SCAN 1.png", made["AttachmentID"]):
        answer = api.send("GET", f"{path}/Attachments/{key}")
        assert (answer.content, answer.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert api.refused("GET", f"{path}/Attachments/other.png", status=404)


def test_the_record_says_that_it_has_files_and_keeps_its_stamp(api, path):
    before = api.one("GET", path)
    put(api, f"{path}/Attachments/a.txt", b"a")
    after = api.one("GET", path)
    assert (before["HasAttachments"], after["HasAttachments"]) == (False, True)
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    assert api.one("POST", path, {"Reference": "R"})["HasAttachments"]
    assert [i["InvoiceID"] for i in api.get("Invoices", where="HasAttachments==true")["Invoices"]] == [after["InvoiceID"]]


def test_the_same_name_replaces_and_eleven_are_too_many(api, path):
    first = put(api, f"{path}/Attachments/0.txt", b"old").json()["Attachments"][0]
    again = put(api, f"{path}/Attachments/0.txt", b"newer", "POST").json()["Attachments"][0]
    assert (again["AttachmentID"], again["ContentLength"]) == (first["AttachmentID"], 5)
    answers = [put(api, f"{path}/Attachments/{n}.txt", b"x").status_code for n in range(1, 11)]
    assert answers == [200] * 9 + [400]
    assert put(api, f"{path}/Attachments/empty.txt", b"").status_code == 400


def test_files_need_their_own_scope(kernel, path):
    api = Api(kernel, "accounting.invoices accounting.contacts")
    assert put(api, f"{path}/Attachments/a.txt", b"a").status_code == 403
    assert api.send("GET", f"{path}/Attachments").status_code == 403


def test_a_document_is_printed_for_who_asks_for_pdf(api, path):
    answer = api.send("GET", path, headers={"Accept": "application/pdf"})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.4")
    start = int(answer.content.split(b"startxref\n")[1].split(b"\n")[0])
    assert answer.content[start:].startswith(b"xref\n")
    assert b"(Total NZD 115.00) Tj" in answer.content
