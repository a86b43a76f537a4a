"""The page of one kind of document: filter, control totals, grid, and the selected row below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import streamlit as st

from console import actions, answers, bridge, casework, detail, moments, opened, paging, resync, sheets, verify
from console.closing import pack_address
from console.door import service
from console.filters import address
from console.frame import never_synced, reader_zone
from console.periods import ANY, PERIODS, limits
from console.permitted import held
from console.sheets import Sheet
from console.texts import MATCH_WORDS, SETTLED, plain
from console.widgets import all_selected, control_totals, empty, list_height, selection_key, shown_of
from sync_core.errors import Rejected
from sync_core.model import MatchStatus
from sync_core.service import Filters, RowKey, Service, Sort

ROWS = 100
OPEN = "open"
OPEN_STATUSES = tuple(status for status in MatchStatus if status not in SETTLED)


def draw(sheet: Sheet) -> None:
    """The whole page."""
    st.title(sheet.title)
    as_of = st.query_params.get(f"{sheet.entity}_as_of", "")
    as_of = "" if as_of == moments.OTHER else as_of
    try:
        with st.spinner("Comparing both sides"):
            everything = answers.summary(sheet.entity, Filters(), as_of)
    except Rejected as error:
        st.error(plain(error.message))
        moments.choose(sheet.entity)
        return
    if not everything.rows and not as_of:
        _nothing(sheet)
        return
    for gap in () if as_of else answers.gaps(sheet.entity):
        st.warning(plain(gap.sentence))
    chosen = _filters(sheet, [total.currency for total in everything.totals])
    if as_of:
        st.info("This is how both sides stood then. Nothing can be changed here.")
    status = _status(sheet, chosen, as_of)
    filters = replace(chosen, statuses=_statuses(status))
    sums = answers.summary(sheet.entity, filters, as_of)
    page = paging.page(_page_name(sheet), paging.pages_of(sums.rows, ROWS))
    rows = answers.rows(sheet.entity, filters, ROWS, ROWS * (page - 1), as_of)
    control_totals({"": sums.totals})
    if any(total.by_reason for total in sums.totals):
        with st.expander("From Dynamics to Xero, step by step", key=f"{sheet.entity}_bridge"):
            bridge.draw(sums.totals)
    if _bar(sheet, filters, as_of, shown=len(rows), left=sums.rows):
        casework.acts_or_why_not(sheet.entity, _every_row(sheet, filters), f"all_{sheet.entity}")
    picked = _grid(sheet, rows if as_of else _with_work(sheet, rows), sums.rows)
    if not picked:
        together = "" if as_of else ", or several to work on them together"
        st.caption(f"Select a row to see the {sheet.singular} in full{together}.")
        return
    if len(picked) > 1 and not as_of:
        _together(sheet, picked)
        return
    try:
        found = answers.detail(sheet.entity, picked[0], as_of)
        (detail.look if as_of else detail.draw)(sheet, found)
    except Rejected as error:
        st.info(plain(error.message))


def _nothing(sheet: Sheet) -> None:
    age = service().data_age()
    if age.crm is None or age.xero is None:
        never_synced()
    else:
        empty(f"There are no {sheet.plural} in either system.", "They appear here after the sync that finds the first one.")


def _filters(sheet: Sheet, currencies: list[str]) -> Filters:
    """What is chosen above the grid, all but the status; it stands in the page's address."""
    key = f"{sheet.entity}_"
    with st.container(horizontal=True):
        text = st.text_input(
            "Search",
            key=f"{key}search",
            placeholder="Number, contact, reference or id",
            bind="query-params",
            on_change=_first_page,
            args=(sheet,),
            width=228,
        )
        code = _choice(sheet, "Currency", f"{key}currency", ["All", *currencies], 96)
        within = _choice(sheet, "Period", f"{key}period", list(PERIODS), 142)
        ways = [_sort_label(s, turned) for s in Sort for turned in (False, True)]
        sort = _choice(sheet, "Sort by", f"{key}sort", ways, 190)
        moments.choose(sheet.entity)
    since, until = limits(within or ANY, datetime.now(reader_zone()).date())
    way = sort or _sort_label(Sort.NUMBER, turned=False)
    return Filters(
        currency=None if code in (None, "All") else code,
        search=text or "",
        since=since,
        until=until,
        sort=next(s for s in Sort if way in (_sort_label(s, turned=False), _sort_label(s, turned=True))),
        descending=way.endswith(DOWN),
    )


DOWN = ", descending"


def _sort_label(sort: Sort, turned: bool) -> str:
    return f"{sort[:1].upper()}{sort[1:]}{DOWN if turned else ''}"


def _choice(sheet: Sheet, label: str, key: str, options: list[str], width: int) -> str | None:
    return st.selectbox(label, options, key=key, bind="query-params", on_change=_first_page, args=(sheet,), width=width)


def _first_page(sheet: Sheet) -> None:
    paging.first(_page_name(sheet))
    opened.shut(opened.row_of(sheet.entity))


def _page_name(sheet: Sheet) -> str:
    return f"{sheet.entity}_page"


def _status(sheet: Sheet, filters: Filters, as_of: str) -> str:
    """Status with the counts that the other filters leave. Counts move, so the address keeps the status and not the label."""
    counts = answers.summary(sheet.entity, filters, as_of).statuses
    name = f"{sheet.entity}_status"
    current = st.query_params.get(name, "")
    labels = _status_labels(counts, current)
    current = current if current in labels else ""
    key = f"{name}_{sha256(str(labels).encode()).hexdigest()[:8]}"

    def chosen() -> None:
        st.query_params[name] = st.session_state[key] or ""
        if not st.query_params[name]:
            del st.query_params[name]
        _first_page(sheet)

    st.segmented_control(
        "Status",
        list(labels),
        default=current,
        format_func=lambda o: labels.get(o, o),
        key=key,
        required=True,
        on_change=chosen,
    )
    return current


def _status_labels(counts: Mapping[MatchStatus, int], current: str) -> dict[str, str]:
    waiting = sum(counts[status] for status in OPEN_STATUSES)
    singles = {str(s): f"{MATCH_WORDS[s]} {counts[s]:,}" for s in MatchStatus if counts[s] or s == current}
    return {"": f"All {sum(counts.values()):,}", OPEN: f"Does not tie out {waiting:,}"} | singles


def _statuses(status: str) -> tuple[MatchStatus, ...]:
    if status == OPEN:
        return OPEN_STATUSES
    return (MatchStatus(status),) if status else ()


def _bar(sheet: Sheet, filters: Filters, as_of: str, *, shown: int, left: int) -> bool:
    """How many rows there are and what can be done with all of them. True when people want to work on all."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{shown_of(shown, left, sheet.singular, sheet.plural)}**")
        if not as_of:
            _resync_filtered(sheet, filters, left)
        with st.popover("Download", key=f"{sheet.entity}_download"):
            _downloads(sheet, filters, as_of, left)
        return not as_of and left > 1 and st.toggle(f"Work on all {left:,}", key=f"{sheet.entity}_all")


def _every_row(sheet: Sheet, filters: Filters) -> list[str]:
    """The rows that the filters leave, one more than can be worked on at once where there are too many."""
    rows = service().reconciliation_rows(sheet.entity, filters, limit=casework.MOST_AT_ONCE + 1)
    return [str(row_id) for row_id in rows["row_id"].to_pylist()]


def _resync_filtered(sheet: Sheet, filters: Filters, left: int) -> None:
    words = f"Resync these {left:,}…" if left > 1 else "Resync this one…"
    if st.button(words, key=f"{sheet.entity}_resync", **held(Service.enqueue_preview, disabled=not left)):
        label = f"{left:,} {sheet.singular if left == 1 else sheet.plural}"
        resync.show(actions.preview_of(lambda: service().scope_of_filters(sheet.entity, filters), label))


def _downloads(sheet: Sheet, filters: Filters, as_of: str, left: int) -> None:
    """Every file of what is on screen. A workbook and the close pack are of now."""
    entity = sheet.entity
    st.text(f"All {left:,} rows that the filters leave, in this order.")
    st.link_button("CSV for Excel", address(entity, filters, excel=True, as_of=as_of))
    st.link_button("Plain CSV", address(entity, filters, as_of=as_of))
    control = "control.json"
    st.link_button("Control file of the CSV for Excel", address(entity, filters, kind=control, excel=True, as_of=as_of))
    st.link_button("Control file of the plain CSV", address(entity, filters, kind=control, as_of=as_of))
    if not as_of:
        st.link_button("Workbook (XLSX)", address(entity, filters, kind="xlsx"))
        st.link_button("Close pack of these days, all documents", pack_address(filters.since, filters.until))


def _together(sheet: Sheet, picked: list[str]) -> None:
    """Work on several selected rows at once."""
    key = f"{sheet.entity}_{selection_key('together', picked)}"
    st.subheader(f"{len(picked):,} {sheet.plural} selected")
    casework.acts(sheet.entity, picked, key)
    with st.container(horizontal=True):
        resyncing = st.button("Resync these…", key=f"resync_{key}", **held(Service.enqueue_preview))
        verify.these(sheet.entity, picked, key)
    if resyncing:
        filters = Filters(rows=tuple(picked))
        label = f"{len(picked):,} {sheet.plural}"
        resync.show(actions.preview_of(lambda: service().scope_of_filters(sheet.entity, filters), label))
    verify.of_these(sheet.entity, key)


def _grid(sheet: Sheet, rows: list[dict[str, object]], left: int) -> list[str]:
    """Draws the rows and answers with the ids of those that are selected."""
    if not rows:
        st.info(f"No {sheet.singular} is left by these filters.")
        return []
    cells, columns = sheets.frame(sheet, rows)
    ids, name = [str(row["row_id"]) for row in rows], opened.row_of(sheet.entity)
    event = st.dataframe(
        cells,
        column_config=columns,
        hide_index=True,
        height=list_height(len(rows)),
        key=selection_key(f"{sheet.entity}_grid", ids),
        on_select="rerun",
        selection_mode="multi-row",
        selection_default=opened.first(name, ids, alone=left == 1),
        alt=f"{sheet.title} of Dynamics and Xero side by side",
    )
    paging.turn(_page_name(sheet), paging.pages_of(left, ROWS), name)
    return opened.keep(name, ids, all_selected(event, ids))


def _with_work(sheet: Sheet, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows with who has each, and since when it does not tie out."""
    keys = [RowKey(row["crm_id"], row["xero_id"]) for row in rows]  # type: ignore[arg-type]  # text in the cache's table
    cases, seen = service().row_cases(sheet.entity, keys), service().first_seen(sheet.entity, [key.row_id for key in keys])
    now = datetime.now(UTC)
    return [
        row | {"case": cases.get(key.row_id), "open_days": (now - at).days if (at := seen.get(key.row_id)) else None}
        for row, key in zip(rows, keys, strict=True)
    ]
