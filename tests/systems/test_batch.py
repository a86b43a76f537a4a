from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.systems.batch import BatchError, Request, decode, encode

TYPE = "multipart/mixed; boundary=batchresponse_1"


def part(status: str, body: str = "", *headers: str, content_id: str = "") -> str:
    outer = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    outer += [f"Content-ID: {content_id}"] if content_id else []
    lines = ["--batchresponse_1", *outer, "", f"HTTP/1.1 {status}", *headers, "", body]
    return "\r\n".join(lines) + "\r\n"


END = "--batchresponse_1--\r\n"


def test_requests_are_numbered_and_lines_end_in_crlf():
    body = encode([Request("PATCH", "/api/x(1)", {"If-Match": "*"}, b"{}"), Request("DELETE", "/api/x(2)")], "b")
    text = body.decode()
    assert text.count("--b\r\n") == 2
    assert text.endswith("--b--\r\n")
    assert "Content-ID: 1\r\n\r\nPATCH /api/x(1) HTTP/1.1\r\nIf-Match: *\r\n\r\n{}\r\n--b" in text
    assert "Content-ID: 2\r\n\r\nDELETE /api/x(2) HTTP/1.1\r\n\r\n" in text


def test_parts_come_back_in_order_with_status_headers_and_body():
    body = part("200 OK", '{"a":1}', "ETag: W/1", content_id="1") + part("204 No Content", "", "OData-EntityId: x(2)")
    parts = decode(TYPE, (body + END).encode())
    assert [(p.status, p.body.strip(), p.content_id) for p in parts] == [(200, b'{"a":1}', "1"), (204, b"", "")]
    assert parts[1].headers["odata-entityid"] == "x(2)"


def test_a_part_without_headers_keeps_its_body():
    assert decode(TYPE, (part("400 Bad Request", '{"error":{}}') + END).encode())[0].body == b'{"error":{}}'


def test_bare_line_feeds_are_read_too():
    body = (part("200 OK", '{"a":1}', "ETag: W/1") + END).replace("\r\n", "\n")
    assert decode(TYPE, body.encode())[0].body == b'{"a":1}'


def test_a_preamble_and_a_quoted_boundary_are_read():
    body = "hello\r\n" + part("204 No Content") + END
    assert decode('multipart/mixed; boundary="batchresponse_1"', body.encode())[0].status == 204


def test_a_boundary_inside_a_text_is_not_a_boundary():
    body = part("200 OK", '{"a":"--batchresponse_1"}', "ETag: W/1")
    assert decode(TYPE, (body + END).encode())[0].body == b'{"a":"--batchresponse_1"}'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", "{}"),
        (TYPE, "<html></html>"),
        (TYPE, part("200 OK", "{}")),
        (TYPE, part("nonsense", "{}") + END),
    ],
)
def test_an_answer_that_is_not_whole_is_refused(content_type, body):
    with pytest.raises(BatchError):
        decode(content_type, body.encode())


@given(st.lists(st.binary().filter(lambda body: b"--batch" not in body and b"\n" not in body), min_size=1, max_size=4))
def test_bodies_arrive_as_they_were_sent(bodies):
    head = b"Content-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n"
    whole = b"".join(b"--batch\r\n" + head + body + b"\r\n" for body in bodies) + b"--batch--\r\n"
    assert [part.body for part in decode("multipart/mixed; boundary=batch", whole)] == bodies
