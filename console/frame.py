"""What stands around every page: whose data these are, how old, what is running, and what came of what was asked."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

import streamlit as st

from console import actions, browsers, nav, sign_in
from console.door import service
from console.permitted import held
from console.standing import last_ended, stale_sides
from console.texts import ago, plain, zone
from console.widgets import empty
from sync_core.model import RunStatus, RunSummary, Side
from sync_core.service import Role, ScheduleView, Service

LOOK_EVERY = 2.0
DEMO = "Demo company: both systems are a sandbox on this machine"
SEEN = "last run drawn"
MAY = {
    Role.VIEWER: "Viewer: you may look at everything.",
    Role.OPERATOR: "Operator: you may work on differences and sync.",
    Role.ADMIN: "Admin: you may also change rules and the schedule.",
}


def reader_zone() -> tzinfo:
    return zone(st.context.timezone)


def sidebar() -> None:
    """Who sits here. On one's own machine nobody signs in, so people say it themselves."""
    person = sign_in.person()
    if not person.is_signed_in:
        st.session_state.setdefault(actions.NAME, browsers.name())
        typed = st.sidebar.text_input("Your name", key=actions.NAME, placeholder="for the audit trail", persist_state="session")
        browsers.keep_name((typed or "").strip())
        return
    st.sidebar.text(person.name)
    st.sidebar.caption(MAY[person.role])
    st.sidebar.button("Sign out", type="tertiary", on_click=st.logout)


@st.fragment(run_every=LOOK_EVERY)
def bar() -> None:
    """Looks every other second; the page itself is drawn again only when a run came to its end."""
    overview, schedule, now = service().overview(), service().schedule(), datetime.now(UTC)
    latest = overview.runs[0] if overview.runs else None
    stale = stale_sides(overview.age, schedule.minutes, now)
    freshness = " · ".join(
        f"{side.label} {ago(at, now)}{' (stale)' if side in stale else ''}" if at else f"{side.label} never read"
        for side, at in ((Side.CRM, overview.age.crm), (Side.XERO, overview.age.xero))
    )
    name = plain(overview.organisation or "This organisation")
    with st.container(horizontal=True, vertical_alignment="center"):
        if overview.demo:
            st.badge(DEMO, color="blue")
        st.caption(f"**{name}** in Dynamics and Xero · {freshness} · {_doing(latest, schedule)}", width="content")
        if service().running is not None:
            st.button(
                "Stop it",
                key="stop_run",
                type="tertiary",
                on_click=actions.stop,
                **held(Service.stop_run, help="What was written stays."),
            )
    _answers()
    if _moved(latest):
        st.rerun()


def say_what_came() -> None:
    """What came of the last click, once."""
    told = st.session_state.pop(actions.TOLD, None)
    if told:
        st.success(plain(told))


def last_word() -> None:
    """What came of a click, where the page had no place for it: the rows that it was about may be gone from the page."""
    said = st.session_state.pop(actions.TOLD, None)
    if said:
        st.toast(plain(said))


def nothing_read() -> bool:
    """Whether neither system was ever read to its end, so that an empty list says nothing. A run may have failed before."""
    age = service().data_age()
    return age.crm is None and age.xero is None


def never_synced() -> None:
    """Where a page has nothing to draw yet: what fills it, or why that failed."""
    why = service().schedule().trouble or _why_failed()
    empty("Nothing has been synced yet.", "The first sync fills this page." + ("" if why else " It begins by itself."))
    if why:
        st.warning(plain(f"The last attempt failed: {why}"))
        st.page_link(nav.file_of("connections"), label="Check the connections →")


def _why_failed() -> str:
    ended = last_ended(service().runs(5))
    return ended.message if ended is not None and ended.status in (RunStatus.FAILED, RunStatus.CONFIGURE) else ""


def _doing(latest: RunSummary | None, schedule: ScheduleView) -> str:
    if service().running is not None or (latest is not None and latest.status is RunStatus.RUNNING):
        return _running()
    if schedule.trouble:
        return "✕ the last sync failed, Overview says why"
    return "schedule paused" if schedule.paused else "no sync is running"


def _running() -> str:
    progress = service().progress()
    if progress is None:
        return "… a sync is running in another process"
    if progress.stopping:
        return "… a sync is ending"
    written = f", {progress.writes:,} batches written" if progress.writes else ""
    waits = f"; waiting for Xero's limit until {progress.waits_until:%H:%M} UTC" if progress.waits_until else ""
    return f"… a sync is running: {progress.read} of {progress.lists} lists read{written}{waits}"


def _answers() -> None:
    for asked in st.session_state.get(actions.ASKED, []):
        st.caption(f"… {plain(asked.label)} waits or runs")
    answer = st.session_state.get(actions.ANSWERED)
    if answer:
        sentence, failed = answer
        looked = sentence.startswith(actions.LOOKED)
        (st.warning if failed else st.info if looked else st.success)(plain(sentence))


def _moved(latest: RunSummary | None) -> bool:
    """Whether a request or a run came to its end since the page was drawn."""
    answered = actions.follow()
    mark = None if latest is None else (latest.run, latest.finished)
    before = st.session_state.get(SEEN, mark)
    st.session_state[SEEN] = mark
    return answered or (before != mark and mark is not None and mark[1] is not None)
