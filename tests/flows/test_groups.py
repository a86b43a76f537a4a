"""Relationship types as contact groups of Xero: who is in which, in both systems' own rows, whatever happens on the way."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import pytest

from sync_core.model import Outcome, RunStatus
from sync_core.rules.types import STANDARD
from sync_core.sandbox.xero.store import store_of
from sync_core.service import ContactType, Scope
from tests.flows.killed import killed_at
from tests.flows.shop import act, at_rest, remark, rows, sync
from tests.scenarios.books import Books

KAHU = "Kahu Guiding Co"
CUSTOMER, PARTNER, SUPPLIER, VENDOR = 3, 5, 10, 11
JOIN = {"system": "xero", "method": "PUT", "path": "/ContactGroups/.*/Contacts$"}
LEAVE = {"system": "xero", "method": "DELETE", "path": "/ContactGroups/.*/Contacts/"}
MAKE = {"system": "xero", "method": "PUT", "path": "/ContactGroups$"}
LOST = ["drop_after", "drop_before"]


def new(books: Books, name: str, code: int | None, *, person: bool = False) -> None:
    more = {} if code is None else {"customertypecode": code}
    act(books, "customer in Dynamics", {"name": name, "person": person, **more})


def retype(books: Books, code: int | None, name: str = KAHU) -> None:
    act(books, "set in Dynamics", {"customer": name, "customertypecode": code})


def groups(books: Books) -> dict[str, list[str]]:
    """Names of the members of each group that is in use in Xero."""
    names = {r["ContactID"]: r["Name"] for r in rows(books, "xero.Contacts")}
    alive = [g for g in rows(books, "xero.ContactGroups") if g["Status"] == "ACTIVE"]
    return {g["Name"]: sorted(names[i] for i in g["Contacts"]) for g in alive}


def group_calls(books: Books, since: int) -> list[str]:
    return [e.method for e in books.sandbox.log("xero") if e.number > since and "ContactGroups" in e.path]


def group_id(books: Books, name: str) -> str:
    return next(g["ContactGroupID"] for g in rows(books, "xero.ContactGroups") if g["Name"] == name)


def by_hand(books: Books, name: str, *members: str) -> None:
    """Somebody puts contacts into a group in Xero, which is made when it is not there. Moves no contact's own stamp."""
    ids = [r["ContactID"] for r in rows(books, "xero.Contacts") if r["Name"] in members]
    known = books.sandbox.kernel.collection("xero.ContactGroups")
    kept = next((g for g in known.values() if g["Name"] == name and g["Status"] == "ACTIVE"), None)
    blank = {"ContactGroupID": str(uuid5(NAMESPACE_URL, name)), "Name": name, "Status": "ACTIVE"}
    row = {**(kept or blank), "Contacts": ids}
    books.sandbox.run(lambda: store_of(books.sandbox.kernel).put("ContactGroups", row))


def test_new_contacts_join_the_group_of_their_type_and_the_next_sync_writes_nothing(books):
    new(books, "Onekaka Kayaks", CUSTOMER)
    new(books, "Pakawau Supplies", VENDOR)
    new(books, "Bainham Stores", SUPPLIER)
    new(books, "Collingwood Partners", PARTNER)
    assert sync(books).summary.status is RunStatus.SUCCESS
    assert groups(books) == {"Customer": ["Onekaka Kayaks"], "Vendor": ["Bainham Stores", "Pakawau Supplies"]}
    status, text = remark(books, "Onekaka Kayaks", "contacts")
    assert status == "Success"
    assert text.startswith("Created in Xero as Onekaka Kayaks")
    assert text.endswith("In Xero's contact group Customer.")
    at_rest(books)


def test_when_nothing_changed_types_cost_one_call_and_none_when_nobody_has_one(books):
    since = books.logged
    sync(books)
    assert group_calls(books, since) == []
    retype(books, CUSTOMER)
    sync(books)
    for _ in range(2):
        books.sandbox.advance(900)
        since = books.logged
        sync(books)
        assert group_calls(books, since) == ["GET"]


PLAIN = "a plain contact in Xero, in no contact group."
NO_GROUP = [
    (None, f"No relationship type in Dynamics: {PLAIN}"),
    (PARTNER, f"Relationship type Partner has no group of its own: {PLAIN}"),
    (7, f"Relationship type 7 is not in the type mapping: {PLAIN}"),
]


def test_no_unmapped_or_unknown_type_is_a_plain_contact_and_the_remark_says_so(books, monkeypatch):
    monkeypatch.delitem(STANDARD["account"], "7")
    for code, _ in NO_GROUP:
        new(books, f"Type {code}", code)
    sync(books)
    assert groups(books) == {}
    details = {d["tie_name"]: d["tie_remark"] for d in rows(books, "dataverse.tie_xerodetail")}
    for code, words in NO_GROUP:
        assert remark(books, f"Type {code}", "contacts")[1].endswith(words)
        assert details[f"Type {code}"].endswith(words)
    at_rest(books)


def test_another_type_in_dynamics_moves_the_membership(books):
    retype(books, CUSTOMER)
    sync(books)
    by_hand(books, "Trade customers", KAHU)
    retype(books, VENDOR)
    counts = sync(books).summary.counts
    assert groups(books) == {"Customer": [], "Vendor": [KAHU], "Trade customers": [KAHU]}
    assert remark(books, KAHU, "contacts")[1] == (
        "Relationship type brought to Xero: put into Xero's contact group Vendor and taken out of the group Customer."
    )
    assert counts[Outcome.UPDATED] == 1
    at_rest(books)


def test_a_type_that_is_taken_away_takes_the_contact_out_of_its_group(books):
    retype(books, CUSTOMER)
    sync(books)
    retype(books, None)
    sync(books)
    assert groups(books) == {"Customer": []}
    assert "No relationship type in Dynamics" in remark(books, KAHU, "contacts")[1]
    at_rest(books)


def test_the_counts_of_a_sync_add_up_when_only_a_type_moved(books):
    before = sum(sync(books).summary.by_entity["contacts"].values())
    retype(books, CUSTOMER)
    assert sum(sync(books).summary.by_entity["contacts"].values()) == before


def test_a_group_that_somebody_filled_before_is_adopted_and_its_others_stay(books):
    act(books, "contact in Xero", {"name": "Walk-in"})
    by_hand(books, "Customer", KAHU, "Walk-in")
    retype(books, CUSTOMER)
    since = books.logged
    sync(books)
    assert [e.path for e in books.writes(since) if "ContactGroups" in e.path] == []
    retype(books, VENDOR)
    sync(books)
    assert groups(books) == {"Customer": ["Walk-in"], "Vendor": [KAHU]}
    at_rest(books)


def test_a_membership_that_somebody_else_made_is_left_and_said(books):
    by_hand(books, "Employee", KAHU)
    retype(books, CUSTOMER)
    sync(books)
    assert groups(books) == {"Employee": [KAHU], "Customer": [KAHU]}
    retype(books, None)
    sync(books)
    assert groups(books) == {"Employee": [KAHU], "Customer": []}
    assert "left in the group Employee where somebody put it" in remark(books, KAHU, "contacts")[1]
    at_rest(books)


def test_a_group_that_somebody_deleted_is_made_again_with_its_members(books):
    retype(books, CUSTOMER)
    sync(books)
    books.sandbox.edit("xero", "ContactGroups", group_id(books, "Customer"), Status="DELETED")
    assert groups(books) == {}
    sync(books)
    assert groups(books) == {"Customer": [KAHU]}
    at_rest(books)


def test_a_group_that_goes_away_between_looking_and_writing_is_made_again_next_time(books):
    retype(books, CUSTOMER)
    sync(books)
    new(books, "Onekaka Kayaks", CUSTOMER)
    edit = {"system": "xero", "table": "ContactGroups", "id": group_id(books, "Customer"), "set": {"Status": "DELETED"}}
    fault = books.sandbox.fault("edit_before", edit=edit, **JOIN)
    sync(books)
    assert fault.fired == 1
    sync(books)
    assert groups(books) == {"Customer": sorted([KAHU, "Onekaka Kayaks"])}
    at_rest(books)


def test_a_member_that_somebody_took_out_is_put_back_by_a_full_sync(books):
    retype(books, CUSTOMER)
    sync(books)
    by_hand(books, "Customer")
    with books.open() as service:
        service.sync(Scope(full=True))
    assert groups(books) == {"Customer": [KAHU]}
    at_rest(books)


def test_a_member_that_somebody_took_out_is_put_back_when_its_contact_moves(books):
    retype(books, CUSTOMER)
    sync(books)
    by_hand(books, "Customer")
    act(books, "set in Xero", {"contact": KAHU, "email": "new@kahu.example"})
    sync(books)
    assert groups(books) == {"Customer": [KAHU]}
    at_rest(books)


@pytest.mark.parametrize("kind", [LOST[0], pytest.param(LOST[1], marks=pytest.mark.soak)])
@pytest.mark.parametrize("what", [MAKE, JOIN, LEAVE], ids=["make", "join", "leave"])
def test_a_lost_answer_leaves_everybody_in_the_right_group_once(books, kind, what):
    retype(books, CUSTOMER)
    if what is LEAVE:
        sync(books)
        retype(books, VENDOR)
    fault = books.sandbox.fault(kind, **what)
    sync(books)
    assert fault.fired == 1
    assert groups(books) == ({"Customer": [], "Vendor": [KAHU]} if what is LEAVE else {"Customer": [KAHU]})
    assert len(rows(books, "xero.ContactGroups")) == (2 if what is LEAVE else 1)
    at_rest(books)


def test_one_contact_that_xero_does_not_take_stops_no_other(books):
    for n in range(6):
        new(books, f"Customer {n}", CUSTOMER)
    sync(books)
    for n in range(6):
        retype(books, VENDOR, f"Customer {n}")
    contact = next(r["ContactID"] for r in rows(books, "xero.Contacts") if r["Name"] == "Customer 3")
    edit = {"system": "xero", "table": "Contacts", "id": contact, "set": {"ContactStatus": "ARCHIVED"}}
    fault = books.sandbox.fault("edit_before", edit=edit, **JOIN)
    summary = sync(books).summary
    assert fault.fired == 1
    assert summary.counts[Outcome.FAILED] == 1
    assert groups(books)["Vendor"] == [f"Customer {n}" for n in (0, 1, 2, 4, 5)]
    status, text = remark(books, "Customer 3", "contacts")
    assert status == "Failed"
    assert "archived" in text


def test_what_xero_refused_is_not_sent_again_until_something_changes(books):
    retype(books, CUSTOMER)
    by_hand(books, "customer", KAHU)
    assert sync(books).summary.counts[Outcome.FAILED] == 1
    assert "already exists" in remark(books, KAHU, "contacts")[1]
    since = books.logged
    assert sync(books).summary.counts[Outcome.FAILED] == 1
    assert books.writes(since) == []
    books.sandbox.edit("xero", "ContactGroups", group_id(books, "customer"), Name="Friends")
    sync(books)
    assert groups(books) == {"Customer": [KAHU], "Friends": [KAHU]}
    assert remark(books, KAHU, "contacts")[0] == "Success"
    at_rest(books)


def test_switched_off_there_is_no_call_and_no_word(books):
    with books.open() as service:
        service.switch_types(on=False, who="Mere")
        assert not service.type_mapping().on
    new(books, "Onekaka Kayaks", CUSTOMER)
    since = books.logged
    result = sync(books)
    assert (group_calls(books, since), groups(books)) == ([], {})
    assert "Relationship types: Skipped (off)" in result.notes
    assert "group" not in remark(books, "Onekaka Kayaks", "contacts")[1]
    with books.open() as service:
        service.switch_types(on=True, who="Mere")
    sync(books)
    assert groups(books) == {"Customer": ["Onekaka Kayaks"]}
    at_rest(books)


def test_a_person_maps_a_type_and_the_next_sync_moves_its_records(books):
    retype(books, PARTNER)
    sync(books)
    with books.open() as service:
        service.set_type_mapping("account", "5", "Employee", who="Mere")
        (line,) = [x for x in service.type_mapping().lines if (x.table, x.code) == ("account", "5")]
        assert (line.label, line.type, line.decided, line.records) == ("Partner", ContactType.EMPLOYEE, True, 1)
    sync(books)
    assert groups(books) == {"Employee": [KAHU]}
    with books.open() as service:
        service.set_type_mapping("account", "5", None, who="Mere")
        trail = service._workspace.state.audit(10, "account:5")
    assert [(e.who, e.before, e.after) for e in trail] == [
        ("Mere", {"type": "Employee"}, {"type": None}),
        ("Mere", {"type": None}, {"type": "Employee"}),
    ]
    sync(books)
    assert groups(books) == {"Employee": []}
    at_rest(books)


def test_a_type_is_shown_beside_what_xero_concludes(books):
    retype(books, CUSTOMER)
    sync(books)
    (crm_id,) = [i for i, r in books.sandbox.kernel.collection("dataverse.account").items() if r["name"] == KAHU]
    with books.open() as service:
        shown = service.relationship(crm_id)
    assert (shown.code, shown.type, shown.groups) == ("3", ContactType.CUSTOMER, ("Customer",))
    assert (shown.is_customer, shown.is_supplier) == (False, False)


def test_a_preview_counts_the_memberships_and_asks_xero_nothing_about_them(books):
    retype(books, CUSTOMER)
    since = books.logged
    result = sync(books, dry_run=True)
    assert "Relationship types: 1 contact would change contact group in Xero." in result.notes
    assert (group_calls(books, since), groups(books)) == ([], {})


def test_a_targeted_sync_moves_only_what_it_was_asked_for(books):
    new(books, "Onekaka Kayaks", None)
    sync(books)
    retype(books, CUSTOMER)
    retype(books, CUSTOMER, "Onekaka Kayaks")
    (crm_id,) = [i for i, r in books.sandbox.kernel.collection("dataverse.account").items() if r["name"] == KAHU]
    with books.open() as service:
        service.sync(Scope(only={"contacts": frozenset({crm_id})}))
    assert groups(books) == {"Customer": [KAHU]}
    sync(books)
    assert groups(books) == {"Customer": [KAHU, "Onekaka Kayaks"]}
    at_rest(books)


def test_a_lost_cache_moves_nobody(books):
    retype(books, CUSTOMER)
    sync(books)
    books.forget("cache-")
    since = books.logged
    sync(books)
    assert [e for e in books.writes(since) if e.system == "xero"] == []
    retype(books, VENDOR)
    sync(books)
    assert groups(books) == {"Customer": [], "Vendor": [KAHU]}
    at_rest(books)


def test_more_than_a_batch_goes_in_batches(books):
    for n in range(53):
        new(books, f"Customer {n:02}", CUSTOMER)
    since = books.logged
    sync(books)
    joins = [e for e in books.writes(since) if e.path.endswith("/Contacts") and "ContactGroups" in e.path]
    assert len(joins) == 2
    assert len(groups(books)["Customer"]) == 53


@pytest.mark.parametrize(
    ("step_name", "nth"),
    [("marked as sending", 2), ("answered", 2), *(pytest.param("answered", n, marks=pytest.mark.soak) for n in (1, 3))],
)
def test_a_sync_that_ends_in_the_middle_of_a_move_is_finished_by_the_next(books, step_name, nth):
    """Making the group is the first write of the move, joining the second, leaving the third."""
    retype(books, CUSTOMER)
    sync(books)
    retype(books, VENDOR)
    killed_at(books, f"groups {step_name}", nth)
    sync(books)
    assert groups(books) == {"Customer": [], "Vendor": [KAHU]}
    at_rest(books)


@pytest.mark.parametrize("where", [{"path": "/ContactGroups"}, JOIN], ids=["at all", "to write"])
def test_an_app_that_may_not_use_groups_says_so_on_each_contact_that_has_a_type(books, where):
    new(books, "Onekaka Kayaks", CUSTOMER)
    new(books, "Plain Paddles", None)
    fault = books.sandbox.fault("forbidden", **{"system": "xero", **where}, times=None)
    for turn in range(2):
        before = books.logged
        result = sync(books)
        assert result.summary.status is RunStatus.SUCCESS
        assert any("Relationship types: Skipped (Xero refused" in note for note in result.notes)
        status, text = remark(books, "Onekaka Kayaks", "contacts")
        assert status == "Success"
        assert text.startswith("Created in Xero as Onekaka Kayaks")
        assert "Its contact group in Xero (Customer) could not be read or written. Xero refused" in text
        assert "the app lacks the permission accounting.contacts" in text
        assert text.count("could not be read") == 1
        assert "could not be" not in remark(books, "Plain Paddles", "contacts")[1]
        assert turn == 0 or [e for e in books.writes(before) if e.system == "dataverse"] == []
    fault.times = 0
    sync(books)
    assert groups(books)["Customer"] == ["Onekaka Kayaks"]
    assert remark(books, "Onekaka Kayaks", "contacts")[1].endswith("put into Xero's contact group Customer.")
    at_rest(books)


def test_what_was_said_of_groups_goes_again_where_nothing_had_to_be_moved(books):
    retype(books, CUSTOMER)
    sync(books)
    fault = books.sandbox.fault("forbidden", system="xero", path="/ContactGroups", times=None)
    sync(books)
    assert "could not be read" in remark(books, KAHU, "contacts")[1]
    fault.times = 0
    sync(books)
    assert "could not be" not in remark(books, KAHU, "contacts")[1]
    at_rest(books)
