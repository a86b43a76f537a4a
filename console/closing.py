"""Closing a period: one person prepares it, another signs it, and whatever changes in it afterwards is named."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlencode

import streamlit as st

from console import actions, paging
from console.door import service
from console.frame import reader_zone, say_what_came
from console.periods import limits
from console.permitted import held
from console.texts import amount, count, plain, when, zone_name
from console.widgets import Column, filled, leading, left, pick, right, table
from sync_core.service import CloseStatus, LateChange, Service, SignOff, data_flows

SHAPES = {CloseStatus.PREPARED: "◔ prepared", CloseStatus.SIGNED: "● signed", CloseStatus.REOPENED: "○ opened again"}
ON_A_PAGE = 100
"""Documents whose changes stand on one page."""
AMOUNTS = {
    "crm": "Dynamics",
    "difference": "Difference",
    "xero": "Xero",
    "explained": "Explained",
    "unexplained": "Unexplained",
}


def pack_address(since: date | None, until: date | None) -> str:
    """Where the close pack of these days is."""
    parts = {name: day.isoformat() for name, day in (("since", since), ("until", until)) if day is not None}
    return "/download/close-pack.zip" + (f"?{urlencode(parts)}" if parts else "")


def locks() -> None:
    """Xero's lock dates, and what is refused because of them."""
    found = service().lock_dates()
    parts = [f"period {found.period.isoformat()}"] if found.period else []
    parts += [f"end of year {found.end_of_year.isoformat()}"] if found.end_of_year else []
    if parts and found.until is not None:
        st.text(f"Locked in Xero: {', '.join(parts)}. Nothing dated on or before {found.until.isoformat()} is sent.")
    else:
        st.text("No period is locked in Xero.")


def prepare() -> None:
    """Take the figures of a period as they stand now."""
    start, end = limits("Last month", datetime.now(reader_zone()).date())
    st.markdown("**Prepare a period**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        since = st.date_input("From", start, key="close_since", format="YYYY-MM-DD", width=150)
        until = st.date_input("To", end, key="close_until", format="YYYY-MM-DD", width=150)
        note = st.text_input("Note", key="close_note", placeholder="For the one who signs", width=320)
        both = isinstance(since, date) and isinstance(until, date)
        if (
            st.button("Prepare", type=leading(), **held(Service.prepare_close, disabled=not both))
            and isinstance(since, date)
            and isinstance(until, date)
        ):
            actions.prepare_close(since, until, note or "")
            if not st.session_state.pop(actions.REFUSED, False):
                st.rerun()
        if isinstance(since, date) and isinstance(until, date):
            st.link_button("Close pack of these days", pack_address(since, until))
    say_what_came()


def periods() -> SignOff | None:
    """Every period, the latest first; answers with the selected one."""
    found, zone = service().sign_offs(), reader_zone()
    if not found:
        st.text("No period was prepared yet.")
        return None
    late = service().late_counts()
    columns: dict[str, Column] = {
        "status": left("Status", width=100),
        "period": left("Period", width=164),
        "late": left("Changed since", width=104),
        "preparer": left("Prepared by", width=104),
        "prepared": left("Prepared", width=118),
        "reviewer": left("Signed by", width=96),
        "signed": left("Signed", width=118),
        "note": left("Note", width=92),
    }
    rows = [
        {
            "status": SHAPES[each.status],
            "period": each.label,
            "late": f"▲ {count(late[each.number], 'document')}" if each.number in late else "",
            "preparer": each.preparer,
            "prepared": when(each.prepared_at, zone),
            "reviewer": each.reviewer,
            "signed": when(each.signed_at, zone) if each.signed_at else "",
            "note": each.note,
        }
        for each in found
    ]
    columns = filled(columns, rows, "late", "note")
    picked = pick("closes", rows, columns, [str(each.number) for each in found], "Periods, the latest first", whole=True)
    return next((each for each in found if str(each.number) == picked), None)


def one(period: SignOff) -> None:
    """A period in full: its figures as they were taken, what changed since, and what can be done."""
    st.subheader(f"{plain(period.label)} · {SHAPES[period.status]}")
    with st.container(horizontal=True):
        if period.status is CloseStatus.PREPARED:
            st.button(
                "Sign it",
                type=leading(),
                key=f"sign_{period.number}",
                on_click=actions.sign_close,
                args=(period.number,),
                **held(Service.sign_close),
            )
        if period.status is not CloseStatus.REOPENED:
            with st.popover("Open it again", key=f"reopen_{period.number}"):
                reason = st.text_input("Reason", key=f"reopen_why_{period.number}")
                if st.button("Open it", key=f"reopen_it_{period.number}", type=leading(), **held(Service.reopen_close)):
                    actions.reopen_close(period.number, reason or "")
                    if not st.session_state.pop(actions.REFUSED, False):
                        st.rerun()
        st.link_button("Close pack of this period", pack_address(period.starts, period.ends))
    _totals(period)
    zone = reader_zone()
    st.caption(f"Taken {when(period.prepared_at, zone)} {plain(zone_name(zone))} after run {plain(period.run or 'none')}.")
    st.text(f"Fingerprint of all figures and records: {period.digest}")
    changes(period)


def _totals(period: SignOff) -> None:
    labels = {flow.entity: flow.label for flow in data_flows()}
    columns: dict[str, Column] = {"entity": left("Documents", width=130), "currency": left("Cur.", width=64)}
    columns |= {name: right(label, width=120) for name, label in AMOUNTS.items()}
    rows = [
        {"entity": labels.get(name, name), "currency": str(total["currency"]) or "not said"}
        | {column: amount(Decimal(str(total[column])), str(total["currency"])) for column in AMOUNTS}
        for name, totals in period.totals.items()
        for total in totals
    ]
    if rows:
        table(rows, columns, "Control totals when the period was prepared", width="content")
    else:
        st.text("No document is dated in this period.")


def changes(period: SignOff) -> None:
    """What changed in the period since it was prepared, field by field, some documents at a time; all of it as a file."""
    documents = service().late_count(period.number)
    if not documents:
        st.text("Nothing in this period changed since.")
        return
    st.warning(f"{count(documents, 'document')} of this period changed since it was prepared. Each counts once per system.")
    pages, name = paging.pages_of(documents, ON_A_PAGE), f"late_{period.number}"
    offset = (paging.page(name, pages) - 1) * ON_A_PAGE
    with st.container(horizontal=True, vertical_alignment="center"):
        st.link_button("All changes as CSV", f"/download/late-changes-{period.number}.csv")
        paging.turn(name, pages)
        st.caption(f"Documents {offset + 1:,} to {min(offset + ON_A_PAGE, documents):,}", width="content")
    found = service().close_changes(period.number, limit=ON_A_PAGE, offset=offset)
    if not found:
        st.text("In these documents only values changed that are not shown.")
        return
    table(
        _change_lines(found),
        {
            "entity": left("Documents", width=96),
            "number": left("Number", width=84),
            "side": left("In", width=74),
            "label": left("Field", width=160),
            "before": left("When prepared", width=126),
            "after": left("Now", width=126),
            "at": left("Read", width=122),
            "run": left("Run", width=106),
        },
        "What changed since the period was prepared",
    )


def _grouped(text: str) -> str:
    """An amount as files hold it, with thousands apart; its decimals stay."""
    return f"{Decimal(text):,f}" if text else ""


def _change_lines(found: Iterable[LateChange]) -> Iterable[dict[str, str]]:
    zone, labels = reader_zone(), {flow.entity: flow.label for flow in data_flows()}
    for each in found:
        yield {
            "entity": labels.get(each.entity, each.entity),
            "number": each.number,
            "side": each.side.label,
            "label": each.label,
            "before": _grouped(each.before) if each.money else each.before,
            "after": _grouped(each.after) if each.money else each.after,
            "at": when(each.at, zone),
            "run": each.run,
        }
