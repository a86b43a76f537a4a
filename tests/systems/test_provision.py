"""Setting Dynamics up: everything once, nothing twice, and on from wherever it was cut off."""

from __future__ import annotations

import json

import httpx
import pytest
from dynamics_script import client
from metadata_fake import Metadata
from virtual import VirtualClock

from sync_core.errors import Configure, Retryable
from sync_core.model import Side, Status
from sync_core.rules.entities import DETAILS, ENTITIES
from sync_core.systems.own_tables import SYNC_STATUSES, TABLES
from sync_core.systems.provision import missing, provision


class CutOffError(Exception):
    """The process dies here."""


def set_up(dynamics, clock=None, said=None):
    clock = clock or VirtualClock()
    return provision(client(dynamics, clock).http, clock, (said if said is not None else []).append)


def still_missing(dynamics):
    return missing(client(dynamics).http)


def refuse(status, code, *, times, method="POST"):
    left = [times]

    def stumble(request):
        if request.method == method and left[0]:
            left[0] -= 1
            return httpx.Response(status, json={"error": {"code": code, "message": "Not now"}})
        return None

    return stumble


def test_a_fresh_environment_gets_everything_once():
    dynamics, said = Metadata(), []
    report = set_up(dynamics, said=said)
    assert len(report.created) == len(dynamics.changes) - len(TABLES) - 1
    assert report.already == 0
    assert len([line for line in said if line.startswith("Made ")]) == len(report.created)
    assert dynamics.published == [table.name for table in TABLES]
    assert all(table["ChangeTrackingEnabled"] for table in dynamics.tables.values())
    assert still_missing(dynamics) == []


def test_a_second_run_changes_nothing():
    dynamics = Metadata()
    first = set_up(dynamics)
    dynamics.changes.clear()
    second = set_up(dynamics)
    assert dynamics.changes == []
    assert (second.created, second.already) == ([], len(first.created))


def test_columns_and_keys_are_asked_for_where_a_list_does_not_expand_them():
    dynamics = Metadata()
    dynamics.left_out = {"Attributes", "Keys", "ChangeTrackingEnabled"}
    assert set_up(dynamics).created
    assert still_missing(dynamics) == []


@pytest.mark.parametrize("refused", ["$expand", "$filter"])
def test_definitions_are_asked_for_another_way_where_a_server_refuses_their_list(refused):
    dynamics = Metadata()
    dynamics.stumble = lambda request: httpx.Response(501) if _lists_tables(request, refused) else None
    dynamics.left_out = {"Attributes", "Keys"}
    assert set_up(dynamics).created
    assert still_missing(dynamics) == []


def test_a_server_without_any_definitions_says_so():
    dynamics = Metadata()
    dynamics.tables.clear()
    dynamics.stumble = lambda request: httpx.Response(404) if _lists_tables(request, "$filter") else None
    with pytest.raises(Configure, match="refused a step of the set-up"):
        set_up(dynamics)


def _lists_tables(request, option):
    return request.url.path.endswith("/EntityDefinitions") and option in request.url.params


def test_what_is_there_is_left_alone_and_the_rest_made():
    dynamics = Metadata()
    set_up(dynamics)
    invoice = dynamics.tables["invoice"]
    invoice["Attributes"] = [c for c in invoice["Attributes"] if c["LogicalName"] != "tie_invoicedate"]
    assert still_missing(dynamics) == ["column invoice.tie_invoicedate"]
    assert set_up(dynamics).created == ["column invoice.tie_invoicedate"]


def test_it_goes_on_after_a_cut_at_any_change():
    whole = Metadata()
    set_up(whole)
    for cut in range(0, len(whole.changes), 7):
        dynamics = Metadata()
        dynamics.after = lambda _request, d=dynamics, at=cut: (
            (_ for _ in ()).throw(CutOffError) if len(d.changes) == at + 1 else None
        )
        with pytest.raises(CutOffError):
            set_up(dynamics)
        set_up(dynamics)
        assert (sorted(dynamics.tables), dynamics.solutions[0]["version"]) == (sorted(whole.tables), "1.0.0.0")
        assert still_missing(dynamics) == []


@pytest.mark.parametrize("made", [True, False])
def test_it_goes_on_by_itself_after_lost_answers(made):
    whole, dynamics, turns, clock = Metadata(), Metadata(), [], VirtualClock()
    created = set_up(whole).created

    def lose(request):
        turns.append(request)
        if request.method == "POST" and len(turns) % 20 == 19:
            raise httpx.ReadError("cut")

    setattr(dynamics, "after" if made else "stumble", lose)
    assert set_up(dynamics, clock).created == created
    assert clock.slept.count(5.0) >= 5
    assert still_missing(dynamics) == []


def test_what_was_made_although_its_answer_was_lost_is_progress():
    dynamics, turns = Metadata(), []

    def lose(request):
        turns.append(request)
        if request.url.path.endswith("/Attributes") and len(turns) < 20:
            raise httpx.ReadError("cut")

    dynamics.after = lose
    assert set_up(dynamics).created
    assert still_missing(dynamics) == []


def test_it_gives_up_when_nothing_is_made_between_two_lost_answers():
    dynamics, lost = Metadata(), []

    def lose(request):
        if request.method == "POST":
            lost.append(request)
            raise httpx.ReadError("cut")

    dynamics.stumble = lose
    with pytest.raises(Retryable, match="Run it again") as given_up:
        set_up(dynamics)
    assert given_up.value.remedy == "retryable"
    assert len(lost) == 2


def test_a_cut_before_publishing_publishes_next_time():
    dynamics = Metadata()

    def die_at_publishing(request):
        if request.url.path.endswith("/PublishXml"):
            raise CutOffError

    dynamics.stumble = die_at_publishing
    with pytest.raises(CutOffError):
        set_up(dynamics)
    dynamics.stumble = lambda _request: None
    assert still_missing(dynamics) == ["publishing"]
    assert set_up(dynamics).created == []
    assert dynamics.published == [table.name for table in TABLES]


def test_publishing_that_was_cut_off_half_way_begins_again():
    dynamics = Metadata()
    dynamics.after = lambda _request: (_ for _ in ()).throw(CutOffError) if len(dynamics.published) == 3 else None
    with pytest.raises(CutOffError):
        set_up(dynamics)
    dynamics.after, dynamics.published = lambda _request: None, []
    assert set_up(dynamics).created == []
    assert dynamics.published == [table.name for table in TABLES]
    assert still_missing(dynamics) == []


def test_a_version_that_an_administrator_raised_stays():
    dynamics = Metadata()
    set_up(dynamics)
    dynamics.solutions[0]["version"] = "1.2.0.1"
    dynamics.changes.clear()
    assert set_up(dynamics).created == []
    assert (dynamics.changes, dynamics.solutions[0]["version"]) == ([], "1.2.0.1")


def test_changes_run_one_at_a_time_inside_the_solution():
    dynamics = Metadata()
    set_up(dynamics)
    pieces = [r for r in dynamics.changes if "Definitions" in r.url.path and r.method == "POST"]
    assert {r.headers["MSCRM.SolutionUniqueName"] for r in pieces} == {"Tieout"}
    assert {r.headers["MSCRM.MergeLabels"] for r in dynamics.changes if r.method == "PUT"} == {"true"}


@pytest.mark.parametrize("code", ["0x80060888", "0x80071151"])
def test_it_waits_until_dynamics_knows_what_is_new_and_is_free(code):
    dynamics, clock = Metadata(), VirtualClock()
    refusing = refuse(400, code, times=3)
    dynamics.stumble = lambda request: refusing(request) if "Attributes" in request.url.path else None
    set_up(dynamics, clock)
    assert len(clock.slept) == 3
    assert still_missing(dynamics) == []


def test_it_waits_for_the_keys():
    dynamics, clock = Metadata(), VirtualClock()
    dynamics.key_state = "Pending"
    clock_sleep = clock.sleep

    def sleep(seconds):
        clock_sleep(seconds)
        for key in (key for table in dynamics.tables.values() for key in table["Keys"]):
            key["EntityKeyIndexStatus"] = "Active" if len(clock.slept) > 2 else "InProgress"

    clock.sleep = sleep
    set_up(dynamics, clock)
    assert len(clock.slept) == 3


def test_keys_that_never_come_are_reported():
    dynamics = Metadata()
    dynamics.key_state = "Pending"
    with pytest.raises(Retryable, match="keys"):
        set_up(dynamics)
    assert dynamics.published == []


def test_a_key_that_failed_is_reported():
    dynamics = Metadata()
    dynamics.key_state = "Failed"
    with pytest.raises(Configure, match="same value"):
        set_up(dynamics)


@pytest.mark.parametrize(
    ("status", "words"), [(403, "System Customizer"), (400, "refused a step"), (500, "goes on where it stopped")]
)
def test_what_stands_in_the_way_is_said_in_one_sentence(status, words):
    dynamics = Metadata()
    dynamics.stumble = refuse(status, "0x80040216", times=2)
    with pytest.raises((Configure, Retryable), match=words):
        set_up(dynamics)


def test_a_column_of_another_type_is_reported():
    dynamics = Metadata()
    dynamics.tables["invoice"]["Attributes"].append({"LogicalName": "tie_invoicedate", "AttributeType": "String"})
    with pytest.raises(Configure, match=r"tie_invoicedate of invoice is a String"):
        set_up(dynamics)
    assert dynamics.changes == []


def test_without_the_sales_application_it_says_so():
    dynamics = Metadata()
    del dynamics.tables["invoice"]
    with pytest.raises(Configure, match="Sales application"):
        set_up(dynamics)


def test_lookups_are_spelt_like_their_columns():
    dynamics = Metadata()
    set_up(dynamics)
    names = {r["Lookup"]["SchemaName"] for r in dynamics.relationships}
    assert names == {name.lower() for name in names}
    assert all(len(r["SchemaName"]) <= 100 for r in dynamics.relationships)


def test_choices_are_numbered_after_the_publisher():
    dynamics = Metadata()
    set_up(dynamics)
    column = next(c for c in dynamics.tables["tie_xerodetail"]["Attributes"] if c["LogicalName"] == "tie_syncstatus")
    options = column["OptionSet"]["Options"]
    assert [o["Value"] for o in options] == list(range(727000000, 727000012))
    assert tuple(Status) == SYNC_STATUSES


def test_every_column_that_the_entities_read_is_provided():
    have = {table.name: {c.name for c in (*table.columns, *table.lookups)} | {"tie_name"} for table in TABLES}
    streams = {s.name: s for e in ENTITIES for s in (*e.crm, *e.children) if s.side is Side.CRM} | {DETAILS.name: DETAILS}
    for stream in streams.values():
        read = {c.removeprefix("_").removesuffix("_value") for c in (*stream.columns, stream.parent_key)}
        assert {c for c in read if c.startswith("tie_")} <= have.get(stream.table, set()), stream.name


def test_bodies_are_json_that_a_server_can_read():
    dynamics = Metadata()
    set_up(dynamics)
    rate = next(c for c in dynamics.tables["tie_payment"]["Attributes"] if c["LogicalName"] == "tie_rate")
    assert (rate["Precision"], rate["MaxValue"]) == (10, 100000000000)
    assert all(json.loads(r.content) for r in dynamics.changes)
