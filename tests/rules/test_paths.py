"""Dotted paths into native rows: what is picked, what is put, and what counts as one element."""

from __future__ import annotations

import pytest

from sync_core.rules.paths import complete, pick, put, segments, shares_element

ROW = {
    "Name": "Kahu",
    "Empty": "",
    "Zero": 0,
    "Contact": {"ContactID": "x1", "Nothing": None},
    "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "021"}, {"PhoneType": "DEFAULT", "PhoneNumber": "525 0001"}],
}
PHONE = "Phones[PhoneType=DEFAULT].PhoneNumber"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Name", "Kahu"),
        ("Contact.ContactID", "x1"),
        (PHONE, "525 0001"),
        ("Zero", 0),
        ("Missing|Name", "Kahu"),
        ("Empty|Contact.Nothing|Name", "Kahu"),
        ("Empty", None),
        ("Name.Deeper", None),
        ("Phones[PhoneType=FAX].PhoneNumber", None),
        ("Contact[PhoneType=DEFAULT].PhoneNumber", None),
        ("Empty|=Refund of {Contact.ContactID} to {Name}", "Refund of x1 to Kahu"),
        ("=Refund of {Contact.Nothing}|=Refund", "Refund"),
        ("Name|=Refund", "Kahu"),
    ],
)
def test_pick(path, expected):
    assert pick(ROW, path) == expected


def test_put_makes_what_is_on_the_way_and_finds_the_element_again():
    body = {}
    put(body, PHONE, "1")
    put(body, "Phones[PhoneType=DEFAULT].PhoneAreaCode", "")
    put(body, "Contact.ContactID|Other", "x1")
    phones = [{"PhoneType": "DEFAULT", "PhoneNumber": "1", "PhoneAreaCode": ""}]
    assert body == {"Phones": phones, "Contact": {"ContactID": "x1"}}


def test_words_are_read_and_never_written():
    with pytest.raises(ValueError, match="words"):
        put({}, "=Refund", "x")


@pytest.mark.parametrize("path", [PHONE, "Name", "Contact.ContactID"])
def test_what_was_put_is_picked(path):
    body = {}
    put(body, path, "v")
    assert pick(body, path) == "v"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("A[T=P].Line", "A[T=P].City", True),
        ("A[T=P].Line", "A[T=S].City", False),
        ("Contact.ContactID", "Contact.Name", False),
        ("Name", "Name", False),
    ],
)
def test_fields_of_one_element_are_written_together(one, other, expected):
    assert shares_element(one, other) is expected


def test_a_path_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not a path segment"):
        segments("[x=y]")


def test_what_nobody_maps_goes_along_with_an_element_that_is_replaced_whole():
    body = {"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1"}]}
    native = {
        "Phones": [{"PhoneType": "MOBILE", "Note": "x"}, {"PhoneType": "DEFAULT", "PhoneNumber": "2", "Note": "y", "B": ""}]
    }
    complete(body, PHONE, native)
    assert body == {"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1", "Note": "y"}]}
    for nothing in ({}, {"Name": "x"}):
        complete(nothing, PHONE, native)
        complete(nothing, "Name", native)
    assert nothing == {"Name": "x"}
