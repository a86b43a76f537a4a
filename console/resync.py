"""A sync that is looked at first: what is asked for, what it would do, and, once it was done, what came of each record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

import streamlit as st

from console import actions, nav
from console.door import service
from console.frame import reader_zone
from console.permitted import held
from console.runs import SYSTEMS
from console.standing import last_ended
from console.texts import STATUS_WORDS, count, listed, lower_first, plain, scope_words, when
from console.widgets import Column, leading, left, table
from sync_core.model import Outcome, RecordStatus, RunStatus, RunSummary, Side, Status
from sync_core.service import Change, PlannedRecord, Preview, Scope, Service, data_flows

VERBS = {"create": "made", "update": "changed", "delete": "removed"}
SHOWN = 200
EVERY = Scope().label
"""The scope of a run of all records, as runs keep it."""
EVERYTHING, ENTITY, DATES, FAILED = "Everything", "One kind of record", "A range of dates", "All that failed"


def ask() -> None:
    """What is to be synced, and the button that shows what would happen."""
    labels = {flow.entity: flow.label for flow in data_flows()}
    st.text("Nothing is written before you have seen what would be.")
    what = st.segmented_control(
        "What", [EVERYTHING, ENTITY, DATES, FAILED], default=EVERYTHING, key="resync_what", required=True
    )
    find: Callable[[], Scope] = Scope
    label = EVERY
    if what == ENTITY:
        name = st.selectbox("Kind", list(labels), format_func=lambda n: labels[n], key="resync_entity", width=300)
        label, find = labels[name].lower(), lambda: Scope(entities=(name,))
    elif what == DATES:
        label, find = _dates(labels)
    elif what == FAILED:
        label, find = "all that failed", lambda: service().scope_of_failed()
    if st.button("Preview", type=leading(), **held(Service.enqueue_preview, disabled=service().running is not None)):
        show(actions.preview_of(find, label))


def _dates(labels: Mapping[str, str]) -> tuple[str, Callable[[], Scope]]:
    today = datetime.now(reader_zone()).date()
    dated = [name for name in ("invoices", "payments", "credit_notes") if name in labels]
    with st.container(horizontal=True):
        names = st.multiselect("Kinds", dated, default=dated, format_func=lambda n: labels[n], key="resync_kinds", width=420)
        since = st.date_input("From", today.replace(day=1), key="resync_since", format="YYYY-MM-DD", width=160)
        until = st.date_input("To", today, key="resync_until", format="YYYY-MM-DD", width=160)
    first, last = _day(since, today), _day(until, today)
    label = f"documents from {first.isoformat()} to {last.isoformat()}"
    return label, lambda: service().scope_of_dates(names, first, last)


def _day(value: object, other: date) -> date:
    return value if isinstance(value, date) else other


def show(request: int | None) -> None:
    """Go to the page of a preview that was asked for."""
    if request is not None:
        st.switch_page(nav.file_of("resync"), query_params={"request": str(request)})


def way_on(runs: Sequence[RunSummary], key: str, run: str = "") -> None:
    """Where the last run was refused, the button that shows its plan as it is now, which can be let through there.

    ``runs`` come latest first. ``run``: only where it is this one. Of many chosen records a run keeps only their number:
    they are asked for where they were chosen.
    """
    last = last_ended(runs)
    if last is None or last.status is not RunStatus.REFUSED or run not in ("", last.run):
        return
    scope = Scope.of_label(last.scope)
    if scope is None:
        return
    if st.button("Look at the plan…", key=key, **held(Service.enqueue_preview, disabled=service().running is not None)):
        show(actions.preview(scope, scope_words(last.scope)))


def draw(request_id: int, agreed: Callable[[int], None]) -> None:
    """The preview of one request, or that it is still being made. ``agreed`` is told the request that does just that."""
    request = service().request(request_id)
    if request is None:
        st.info("This preview is not known any more. Ask for a new one.")
        return
    if request.finished_at is None:
        st.text("Both systems are being read. Nothing is written. This page fills by itself.")
        return
    made = service().preview(request.run) if request.run else None
    if made is None:
        st.warning(plain(request.message))
        return
    _preview(request_id, made, agreed)


def _preview(request_id: int, made: Preview, agreed: Callable[[int], None]) -> None:
    zone = reader_zone()
    st.subheader(_headline(made))
    st.caption(f"Looked at {when(made.made, zone)}: {plain(scope_words(made.scope))}. Plan {plain(made.plan[:12])}.")
    for sentence in made.stopped:
        st.warning(plain(sentence))
    st.text(_cost(made))
    for note in made.notes:
        st.text(note)
    if made.total or made.notes:
        _agree(request_id, made, agreed)
    _written(made)
    _left(made)
    if made.more:
        st.caption(f"{count(made.more, 'more record')} not listed here; all are counted above.")


def _headline(made: Preview) -> str:
    if not made.total:
        waiting = sum(number for outcome, number in made.counts.items() if outcome != Outcome.UNCHANGED)
        stay = "one is left as it is" if waiting == 1 else f"{waiting:,} are left as they are"
        return f"No record would be written; {stay}." if waiting else "Everything is in step."
    flows = {flow.entity: flow for flow in data_flows()}
    parts = []
    for entity, side, verb, number in made.writes:
        records = count(number, flows[entity].singular, lower_first(flows[entity].label))
        parts.append(f"{records} {VERBS.get(verb, verb)} in {Side(side).label}")
    return plain(f"Would be written: {listed(parts)}.")


def _cost(made: Preview) -> str:
    """Calls, out of those that Xero still allows today; and how the records that were looked at came out."""
    reads = listed([f"{count(n, 'call')} to {SYSTEMS[name]}" for name, n in made.reads.items()])
    writes = [f"about {count(n, 'call')} to {SYSTEMS[name]}" for name, n in made.calls.items() if n]
    said = [f"Looking took {reads}; the sync looks once more."]
    if writes:
        said.append(f"Writing takes {listed(writes)}, and notes in Dynamics for the records that change.")
    if made.left_today is not None:
        said.append(f"Xero allows {made.left_today:,} more calls today.")
    outcomes = [f"{number:,} {outcome}" for outcome, number in made.counts.items()]
    if outcomes:
        said.append(f"{sum(made.counts.values()):,} looked at: {listed(outcomes)}.")
    return " ".join(said)


def _agree(request_id: int, made: Preview, agreed: Callable[[int], None]) -> None:
    """The one button. What is done is exactly this, or nothing."""
    plain_way = {0: "Do that", 1: "Write this one"}.get(made.total, f"Write these {made.total:,}")
    label = "Go on anyway, this once" if made.stopped else plain_way
    if st.button(
        label,
        type=leading(),
        key=f"agree_{made.fingerprint}",
        **held(Service.allow_plan if made.stopped else Service.enqueue_agreed, disabled=service().running is not None),
    ):
        if made.stopped and not actions.allow(made.plan):
            return
        asked = actions.agree(request_id, made.fingerprint, scope_words(made.scope))
        if asked is not None:
            agreed(asked)
            st.rerun()


def _records(
    title: str, lines: Iterable[tuple[PlannedRecord, Mapping[str, str]]], columns: Mapping[str, Column], run: str
) -> None:
    """A table under its title: what people call each record, and what is said of it. Nothing when no record is in it."""
    labels = {flow.entity: flow.label for flow in data_flows()}
    rows = [{"kind": labels.get(r.entity, r.entity), "record": r.title or "without a name", **said} for r, said in lines]
    if not rows:
        return
    st.markdown(f"**{title}**")
    table(rows, {"kind": left("Kind", width=110), "record": left("Record", width=170), **columns}, title, name=f"{title} {run}")


def _written(made: Preview) -> None:
    lines = (
        (r, {"outcome": r.outcome, "side": c.side, "field": c.field, "before": c.before, "after": c.after})
        for r in made.written
        for c in (r.changes or _note(r))
    )
    columns = {
        "outcome": left("Becomes", width=80),
        "side": left("In", width=80),
        "field": left("Field", width=130),
        "before": left("Before", width=150),
        "after": left("After", width=210),
    }
    _records("What would be written", lines, columns, made.run)


def _note(record: PlannedRecord) -> list[Change]:
    """A record of which only what people do not see is written."""
    return [Change("Dynamics" if record.crm_id else "Xero", "link", "", "noted")]


def _left(made: Preview) -> None:
    columns = {"outcome": left("Why not", width=90), "remark": left("Remark", width=520)}
    lines = ((r, {"outcome": r.outcome, "remark": r.remark}) for r in made.left)
    _records("What would not be done", lines, columns, made.run)


def result(request_id: int, done_id: int, agreed: Callable[[int], None]) -> None:
    """What came of the sync that was agreed to, record by record. Moved meanwhile: the new preview, to be agreed to."""
    done = service().request(done_id)
    asked = service().request(request_id)
    if done is None or asked is None:
        st.info("This sync is not known any more. The page Runs has it.")
        return
    if done.finished_at is None:
        st.text("The sync is under way. This page fills by itself.")
        return
    run = next((each for each in service().runs(200) if each.run == done.run), None)
    moved = service().preview(done.run) if done.run else None
    if run is not None and run.status is RunStatus.REFUSED and moved is not None:
        st.warning(plain(done.message))
        _preview(request_id, moved, agreed)
        return
    st.subheader(plain(done.message))
    made = service().preview(asked.run)
    if made is not None:
        _remarks((*made.written, *made.left)[:SHOWN], done.run or "")


def _remarks(records: Iterable[PlannedRecord], run: str) -> None:
    """Every record of the preview as it stands now."""
    columns = {
        "status": left("Status", width=140),
        "synced": left("Last synced", width=130),
        "remark": left("Remark", width=370),
    }
    _records("What came of it", ((record, _stands(record)) for record in records), columns, run)


def _stands(record: PlannedRecord) -> dict[str, str]:
    standing = _standing(record)
    return {
        "status": STATUS_WORDS[standing.status if standing else Status.NEVER_SYNCED],
        "remark": standing.remark if standing else "",
        "synced": when(standing.last_synced if standing else None, reader_zone()),
    }


def _standing(record: PlannedRecord) -> RecordStatus | None:
    for side, row_id in ((Side.CRM, record.crm_id), (Side.XERO, record.xero_id)):
        found = service().status_of(record.entity, side, row_id) if row_id else None
        if found is not None:
            return found
    return None
