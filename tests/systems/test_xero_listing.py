"""Pulling from Xero while people keep working: no row is missed, and every loop ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from test_xero import CURRENCIES, INVOICES, ITEMS, query, xero_on
from virtual import Script, answer

from sync_core.errors import Expired, Rejected, Retryable

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def stamp(moment):
    return f"/Date({int(moment.timestamp() * 1000)}+0000)/"


class Ledger:
    """Invoices in a scripted Xero: If-Modified-Since, order and pages as documented. ``after`` runs after each page.

    ``deaf``: it takes no notice of If-Modified-Since.
    """

    def __init__(self, moments, size=3, now=NOON):
        self.rows = {f"i{n}": moment for n, moment in enumerate(moments)}
        self.size, self.now, self.requests = size, now, []
        self.after, self.deaf = (lambda ledger: None), False

    def __call__(self, request):
        self.requests.append(request)
        start = request.headers.get("if-modified-since")
        floor = (
            datetime.fromisoformat(start).replace(tzinfo=UTC) if start and not self.deaf else datetime.min.replace(tzinfo=UTC)
        )
        found = sorted((m, i) for i, m in self.rows.items() if m >= floor)
        page = int(query(request)["page"])
        rows = [{"InvoiceID": i, "UpdatedDateUTC": stamp(m)} for m, i in found[(page - 1) * self.size : page * self.size]]
        count = -(-len(found) // self.size)
        paging = {"page": page, "pageSize": self.size, "pageCount": count, "itemCount": len(found)}
        body = {"DateTimeUTC": stamp(self.now), "pagination": paging, "Invoices": rows}
        self.after(self)
        return httpx.Response(200, json=body)


def pull(ledger, cursor=None):
    found = list(xero_on(Script(ledger)).changed_since(INVOICES, cursor))
    assert [page.cursor is None for page in found] == [True] * (len(found) - 1) + [False]
    return [row["InvoiceID"] for page in found for row in page.rows], found[-1]


def minutes(*ago):
    return [NOON - timedelta(minutes=m) for m in ago]


def test_everything_comes_once_and_in_order():
    ledger = Ledger(minutes(*range(80, 10, -10)))
    ids, last = pull(ledger)
    assert ids == [f"i{n}" for n in range(7)]
    assert last.expected == 7
    assert query(ledger.requests[0]) == {
        "where": 'Type=="ACCREC"',
        "order": "UpdatedDateUTC ASC",
        "page": "1",
        "pageSize": "1000",
        "unitdp": "4",
        "includeArchived": "true",
    }


def test_the_cursor_is_the_newest_row_and_the_next_pull_overlaps():
    ledger = Ledger(minutes(60, 30))
    _, last = pull(ledger)
    assert last.cursor == (NOON - timedelta(minutes=30)).isoformat()
    ids, again = pull(ledger, last.cursor)
    assert ledger.requests[-1].headers["if-modified-since"] == "2026-11-23T11:25:00"
    assert (ids, again.cursor) == (["i1"], f"{last.cursor}/settled")


def test_in_a_quiet_company_the_last_burst_is_read_again_once():
    ledger = Ledger(minutes(33, 32, 30))
    _, last = pull(ledger)
    ids, again = pull(ledger, last.cursor)
    assert len(ids) == 3
    ids, third = pull(ledger, again.cursor)
    assert len(ids) == 1
    assert third.cursor == again.cursor


def test_a_burst_of_the_last_minutes_is_not_settled_yet():
    """Its like may still become visible late."""
    ledger = Ledger(minutes(8, 3))
    _, last = pull(ledger)
    assert pull(ledger, last.cursor)[1].cursor == last.cursor


def test_the_cursor_never_passes_the_start_of_the_pull():
    _, last = pull(Ledger([NOON + timedelta(hours=3)]))
    assert last.cursor == NOON.isoformat()


def test_an_empty_pull_keeps_its_place():
    assert pull(Ledger([]))[1].cursor == NOON.isoformat()
    place = (NOON - timedelta(days=1)).isoformat()
    assert pull(Ledger([]), place)[1].cursor == f"{place}/settled"


@pytest.mark.parametrize("page", range(1, 5))
@pytest.mark.parametrize("edited", ["i0", "i1", "i4", "i8"])
def test_a_row_edited_while_paging_hides_no_other(page, edited):
    ledger = Ledger(minutes(*range(100, 10, -10)))

    def edit(where):
        if len(where.requests) == page:
            where.rows[edited] = NOON + timedelta(seconds=1)

    ledger.after = edit
    ids, last = pull(ledger)
    assert set(ids) == set(ledger.rows)
    assert len(ledger.requests) <= 5, "the list had to be read twice"
    assert datetime.fromisoformat(last.cursor) <= NOON


def test_rows_of_one_second_on_both_sides_of_a_page_all_come():
    pairs = [moment + timedelta(milliseconds=part) for moment in minutes(*range(80, 10, -10)) for part in (0, 300)]
    assert set(pull(Ledger(pairs))[0]) == {f"i{n}" for n in range(14)}


def test_edits_all_the_time_still_come_to_an_end():
    ledger = Ledger(minutes(*range(400, 0, -10)), size=5)

    def edit(where):
        oldest = min(where.rows, key=lambda i: where.rows[i])
        where.rows[oldest] = NOON + timedelta(seconds=len(where.requests))

    ledger.after = edit
    assert set(pull(ledger)[0]) == set(ledger.rows)
    assert len(ledger.requests) < 40


def test_a_burst_of_one_second_is_paged_through():
    ledger = Ledger([NOON - timedelta(hours=1)] * 20 + minutes(10, 5))
    ids, _ = pull(ledger)
    assert sorted(ids) == sorted(ledger.rows)
    assert len(ledger.requests) < 12


def test_an_edit_inside_a_burst_is_made_good_by_reading_again():
    ledger = Ledger([NOON - timedelta(hours=1)] * 9)

    def edit(where):
        if len(where.requests) == 1:
            where.rows["i0"] = NOON

    ledger.after = edit
    assert set(pull(ledger)[0]) == set(ledger.rows)


def test_a_list_that_stays_short_gives_no_cursor():
    def short(request):
        paging = {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": 3}
        row = {"InvoiceID": "i1", "UpdatedDateUTC": stamp(NOON)}
        return httpx.Response(200, json={"DateTimeUTC": stamp(NOON), "pagination": paging, "Invoices": [row]})

    with pytest.raises(Retryable, match="listed 1 of 3 Invoices, twice"):
        list(xero_on(Script(short)).changed_since(INVOICES, None))


def unsorted(ids, *, counted, edited=None):
    """A Xero that ignores the order asked for: pages of 100, rows as they were made. ``edited`` moves during the first page."""

    def serve(request):
        page, start = int(query(request)["page"]), request.headers.get("if-modified-since")
        floor = datetime.fromisoformat(start).replace(tzinfo=UTC) if start else NOON - timedelta(days=999)
        found = [(i, m) for i, m in ids.items() if m >= floor]
        rows = [{"InvoiceID": i, "UpdatedDateUTC": stamp(m)} for i, m in found[(page - 1) * 100 : page * 100]]
        paging = {"page": page, "pageSize": 100, "pageCount": -(-len(found) // 100), "itemCount": len(found)}
        if edited and ids[edited] <= NOON:
            del ids[edited]
            ids[edited] = NOON + timedelta(minutes=1)
        body = {"DateTimeUTC": stamp(NOON), "Invoices": rows}
        return httpx.Response(200, json={**body, "pagination": paging} if counted else body)

    return serve


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("newest", [0, 50, 99])
def test_a_list_that_is_in_no_order_is_read_page_by_page(counted, newest):
    ids = {f"i{n}": NOON - timedelta(days=300 - n) for n in range(250)}
    ids[f"i{newest}"] = NOON
    found = list(xero_on(Script(unsorted(ids, counted=counted))).changed_since(INVOICES, None))
    assert sorted(row["InvoiceID"] for page in found for row in page.rows) == sorted(ids)


def test_a_row_that_moves_in_a_list_without_a_count_hides_no_other():
    ids = {f"i{n}": NOON - timedelta(days=300 - n) for n in range(250)}
    found = list(xero_on(Script(unsorted(ids, counted=False, edited="i0"))).changed_since(INVOICES, None))
    assert {row["InvoiceID"] for page in found for row in page.rows} == set(ids)


def lists_of(*sizes, **more):
    """Answers of so many rows each, the first ones first; the last answer is given again and again."""
    rows = [{"InvoiceID": f"i{n}", "UpdatedDateUTC": stamp(NOON)} for n in range(sum(sizes))]
    places = [sum(sizes[:at]) for at in range(len(sizes))]
    found = [rows[start : start + size] for start, size in zip(places, sizes, strict=True)]
    return Script(*(answer(200, {"Invoices": some, **more}) for some in found))


@pytest.mark.parametrize("cursor", [None, (NOON - timedelta(minutes=15)).isoformat()])
def test_a_server_that_lists_everything_whatever_was_asked_for_is_read_page_by_page(cursor):
    ledger = Ledger(minutes(*range(80, 10, -10)))
    ledger.deaf = True
    ids, last = pull(ledger, cursor)
    assert (ids, last.expected) == ([f"i{n}" for n in range(7)], 7)
    assert len(ledger.requests) <= 4


def test_the_same_page_for_ever_is_noticed():
    script = lists_of(100, pagination={"page": 1, "pageCount": 3, "itemCount": 300})
    with pytest.raises(Retryable, match="keeps sending the same page"):
        list(xero_on(script).changed_since(INVOICES, None))
    assert len(script.requests) == 2


@pytest.mark.parametrize("sizes", [(100, 0), (3, 3, 2, 0), (150,)])
def test_without_a_paging_block_pages_are_read_until_one_is_empty_or_brings_the_same_again(sizes):
    found = list(xero_on(lists_of(*sizes)).changed_since(INVOICES, None))
    assert sum(len(page.rows) for page in found) == sum(sizes)


def test_tables_without_pages_are_asked_for_changes_in_one_call():
    body = {"DateTimeUTC": stamp(NOON), "Items": [{"ItemID": "1", "UpdatedDateUTC": stamp(NOON - timedelta(hours=1))}]}
    script = Script(answer(200, body))
    page = next(xero_on(script).changed_since(ITEMS, "2026-11-23T09:00:00+00:00"))
    assert page.cursor == "2026-11-23T11:00:00+00:00"
    assert script.requests[0].headers["if-modified-since"] == "2026-11-23T08:55:00"
    assert query(script.requests[0]) == {"unitdp": "4"}


def test_tables_without_changes_come_whole():
    script = Script(answer(200, {"Currencies": [{"Code": "GBP"}]}))
    page = next(xero_on(script).changed_since(CURRENCIES, "full"))
    assert (page.rows, page.cursor) == ([{"Code": "GBP"}], "full")
    assert "if-modified-since" not in script.requests[0].headers


def test_xeros_own_clock_may_come_from_the_header():
    script = Script(answer(200, {"Items": []}, date="Mon, 23 Nov 2026 12:00:00 GMT"))
    assert next(xero_on(script).changed_since(ITEMS, None)).cursor == NOON.isoformat()


@pytest.mark.parametrize("stamped", ["/Date(soon)/", 17, None])
def test_one_row_with_an_unreadable_instant_stops_no_other(stamped):
    rows = [{"ItemID": "1", "UpdatedDateUTC": stamped}, {"ItemID": "2", "UpdatedDateUTC": stamp(NOON)}]
    page = next(xero_on(Script(answer(200, {"Items": rows}, date="nonsense"))).changed_since(ITEMS, None))
    assert (page.rows, page.cursor) == (rows, NOON.isoformat())


@pytest.mark.parametrize("body", [[], {"Items": None}, {"Items": ["x"]}, {}])
def test_an_answer_without_rows_is_tried_later(body):
    with pytest.raises(Retryable, match="without a list of Items"):
        list(xero_on(Script(answer(200, body))).changed_since(ITEMS, None))


def test_not_modified_means_nothing_new():
    script = Script(lambda _: httpx.Response(304))
    place = NOON.isoformat()
    assert next(xero_on(script).changed_since(ITEMS, place)).cursor == place


@pytest.mark.parametrize("cursor", ["", "yesterday", "full", "2026-11-23T12:00:00"])
def test_a_cursor_that_is_none_of_ours_has_expired(cursor):
    with pytest.raises(Expired):
        list(xero_on(Script(answer())).changed_since(INVOICES, cursor))


def test_a_query_that_xero_refuses_is_said():
    body = {"ErrorNumber": 16, "Type": "QueryParseException", "Message": "Syntax error"}
    with pytest.raises(Rejected, match="Syntax error"):
        list(xero_on(Script(answer(400, body))).changed_since(INVOICES, None))
