"""Every open difference by money at risk and age, and what changed since yesterday. Currencies are never added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from console import casework, movements, opened, paging
from console.door import service
from console.frame import never_synced, nothing_read
from console.movements import TITLES
from console.segments import segments
from console.texts import MATCH_WORDS, amount, day, lower_first
from console.widgets import Column, empty, filled, left, list_height, pick_some, right, shown_of, table
from sync_core.service import Ageing, AgeingLine, Bucket, WorkFilters, WorkItem, WorkSort

ROWS = 100
PAGE = "work_page"
SORTS = {
    WorkSort.AT_RISK: "Money at risk",
    WorkSort.FIRST_SEEN: "Open the longest",
    WorkSort.DUE_DATE: "Due first",
    WorkSort.ASSIGNEE: "Who has it",
    WorkSort.CONTACT: "Contact",
    WorkSort.NUMBER: "Number",
}


def draw() -> None:
    """Filters, ageing, the list, and the work on what is selected."""
    entity = segments("Documents", "of", {"": "All", **TITLES}, _first_page) or None
    ageing(service().ageing(entity))
    asked, sort = _asked(entity)
    down, pages = sort is WorkSort.AT_RISK, paging.pages_of(service().worklist(asked, limit=0).count, ROWS)
    offset = ROWS * (paging.page(PAGE, pages) - 1)
    page = service().worklist(asked, sort=sort, descending=down, limit=ROWS, offset=offset)
    if not page.count:
        _nothing()
    else:
        if entity and page.count > 1 and st.toggle(f"Work on all {page.count:,}", key="worklist_all"):
            casework.acts_or_why_not(entity, _every_row(asked), f"all_{entity}")
        _items(page.items, page.count, pages)
    if page.count or not nothing_read():
        changed(entity)


def _first_page() -> None:
    paging.first(PAGE)


def _every_row(asked: WorkFilters) -> list[str]:
    found = service().worklist(asked, limit=casework.MOST_AT_ONCE + 1)
    return [item.difference.row for item in found.items]


def _asked(entity: str | None) -> tuple[WorkFilters, WorkSort]:
    with st.container(horizontal=True):
        search = _typed("Search", "work_search", "Number or contact", 300)
        person = _typed("With", "work_with", "A name, or nobody", 200, help="Who has it")
        sort = st.selectbox(
            "Sort by", list(SORTS), format_func=lambda s: SORTS[s], key="work_sort", width=200, on_change=_first_page
        )
    assignee = {"": None, "nobody": ""}.get(person.lower(), person)
    return WorkFilters(entity=entity, assignee=assignee, search=search), sort or WorkSort.AT_RISK


def _typed(label: str, key: str, placeholder: str, width: int, help: str | None = None) -> str:  # noqa: A002  # Streamlit's word
    """What somebody typed to narrow the list; the address keeps it."""
    typed = st.text_input(
        label, key=key, placeholder=placeholder, bind="query-params", width=width, help=help, on_change=_first_page
    )
    return (typed or "").strip()


def ageing(found: Ageing) -> None:
    """How much is open since when, and how long it is due, per currency."""
    if not found.by_due and not found.by_seen:
        return
    currencies = sorted({line.currency for line in (*found.by_due, *found.by_seen)})
    columns: dict[str, Column] = {"what": left("At risk", width=178)}
    columns |= {str(bucket): right(str(bucket).capitalize(), width=124) for bucket in Bucket}
    rows = []
    for title, lines in (("since it was due", found.by_due), ("since it was first seen", found.by_seen)):
        for currency in currencies:
            cells = {str(line.bucket): _cell(line) for line in lines if line.currency == currency}
            if cells:
                rows.append({"what": f"{currency} {title}", **cells})
    table(rows, columns, "Money at risk by age and currency")
    if found.without_rate:
        st.caption(f"Without an exchange rate, sorted last: {', '.join(found.without_rate)}.")


def _cell(line: AgeingLine) -> str:
    return f"{amount(line.at_risk, line.currency)} ({line.count:,})"


def _items(items: Sequence[WorkItem], total: int, pages: int) -> None:
    st.markdown(f"**{shown_of(len(items), total, 'open difference', 'open differences')}**")
    columns: dict[str, Column] = {
        "risk": right("At risk", width=80),
        "currency": left("Cur.", width=44),
        "status": left("Status and reason", width=234),
        "kind": left("Kind", width=78),
        "number": left("Number", width=74),
        "contact": left("Contact", width=124),
        "difference": right("Difference", width=82),
        "due": left("Due", width=84),
        "open": right("Open", width=48),
        "with": left("With", width=100),
        "work": left("Work", width=120),
    }
    rows = [_line(item) for item in items]
    columns = filled(columns, rows, "with", "work")
    ids = [f"{item.difference.entity}|{item.difference.row}" for item in items]
    picked = pick_some("worklist", rows, columns, ids, "Open differences, by money at risk", height=list_height(len(rows)))
    paging.turn(PAGE, pages)
    _work(picked, dict(zip(ids, items, strict=True)))


def _line(item: WorkItem) -> Mapping[str, str]:
    each = item.difference
    return {
        "risk": amount(each.at_risk, each.currency),
        "status": f"{MATCH_WORDS[each.status].split(' ')[0]} {lower_first(each.words or each.status)}",
        "kind": TITLES.get(each.entity, each.entity),
        "number": each.number,
        "contact": each.contact,
        "difference": amount(each.difference, each.currency),
        "currency": each.currency,
        "due": day(each.due_date),
        "open": f"{item.days_open} d",
        "with": item.case.assignee if item.case else "",
        "work": casework.standing(item.case),
    }


def _work(picked: Sequence[str], items: Mapping[str, WorkItem]) -> None:
    if not picked:
        st.caption("Select rows to work on them. One row opens in full.")
        return
    casework.acts_on("work", picked, {name: item.case for name, item in items.items()})
    if len(picked) == 1:
        each = items[picked[0]].difference
        if st.button("Open it in full", key=f"open_{each.row}"):
            opened.go(each.entity, each.row, each.number or each.row.partition(":")[2])


def changed(entity: str | None) -> None:
    """What is new, otherwise or solved since the day began."""
    found = service().changes_since(service().start_of_today(), entity)
    st.markdown("**Changed since yesterday**")
    if not found:
        st.text("Nothing.")
        return
    movements.draw(found[:ROWS], movements.COLUMNS, "Differences that are new, otherwise or solved since yesterday")
    if len(found) > ROWS:
        st.caption(f"{len(found) - ROWS:,} more.")


def _nothing() -> None:
    if not nothing_read():
        empty("No difference is open.", "Differences appear here after the sync that finds them.")
    else:
        never_synced()
