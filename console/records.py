"""Records of one entity as a list: where each stands, its own fields, and the selected one in full below."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from console import answers, decide, detail, history, linking, opened, paging, xero_details
from console.door import service
from console.frame import never_synced, reader_zone
from console.segments import segments
from console.sheets import Sheet
from console.texts import STATUS_WORDS, amount, plain, when
from console.widgets import Column, beside, empty, left, list_height, pick, right, shown_of
from sync_core.errors import Rejected
from sync_core.model import Side, Status
from sync_core.service import RecordLine, RecordList, Relationship, RowDetail

ROWS = 100
WIDTHS = {"email": 144, "phone": 116, "code": 84, "rate": 70, "price": 90, "sort_order": 90}
"""In pixels, of the fields that need more or less than others."""
ROOM, LEAST, MOST = 897, 120, 300
"""In pixels: what a window of 1280 leaves for columns, and how wide remarks are; without room for them, people scroll there."""
NUMBERS = ("price", "rate")
"""Fields that stand to the right, with as many decimals each."""


@dataclass(frozen=True, slots=True)
class Listed:
    """How one entity is listed: which of its fields stand in the grid, beside the name, and how its records are called."""

    entity: str
    title: str
    singular: str
    plural: str
    cells: tuple[str, ...]

    @property
    def sheet(self) -> Sheet:
        return Sheet(self.entity, self.title, self.singular, self.plural, "Name", ())


def draw(listed: Listed) -> None:
    """Filters, grid and the selected record. Everything that is chosen stands in the address."""
    search = st.text_input(
        "Search",
        key=f"{listed.entity}_search",
        placeholder="Any text in either record: name, number, email, id",
        bind="query-params",
        on_change=_first_page,
        args=(listed,),
    )
    counted = service().record_list(listed.entity, (), search or "", limit=0)
    status = _status(listed, counted)
    picked = () if not status else (Status(status),)
    total = sum(number for each, number in counted.counts.items() if each in (picked or tuple(Status)))
    name, pages = f"{listed.entity}_page", paging.pages_of(total, ROWS)
    offset = ROWS * (paging.page(name, pages) - 1)
    found = service().record_list(listed.entity, picked, search or "", limit=ROWS, offset=offset)
    if not total:
        _nothing(listed, searched=bool(search or status))
        return
    st.markdown(f"**{shown_of(len(found.lines), total, listed.singular, listed.plural)}**")
    row_id = _grid(listed, found, alone=total == 1)
    paging.turn(name, pages, opened.row_of(listed.entity))
    line = next((each for each in found.lines if each.row_id == row_id), None)
    if line is None and row_id:
        line = service().record(listed.entity, row_id)
    if line is None:
        st.caption(f"Select a row to see the {listed.singular} in full.")
        return
    one(listed, line)


def one(listed: Listed, line: RecordLine) -> None:
    """One record in full: where it stands, its Xero details, its fields on both sides, what can be done, what was done."""
    st.subheader(plain(line.name))
    row = {"row_id": line.row_id, "crm_id": line.crm_id, "xero_id": line.xero_id, "number": line.name}
    statuses = detail.statuses_of(listed.sheet, row)
    detail.buttons(listed.sheet, row)
    sides, details = beside(520, 450)
    with details:
        xero_details.draw(line.entity, row, statuses, _more(line))
    with sides:
        found = _found(line) if line.crm_id and line.xero_id else None
        if found is not None:
            detail.fields(listed.sheet, found)
            decide.draw(listed.sheet, found, statuses)
        else:
            st.text("It is not linked, so there are no two sides to compare.")
    linking.draw(listed.entity, line)
    history.draw(line.entity, line.crm_id, line.xero_id, line.standing.run if line.standing else "")


def _found(line: RecordLine) -> RowDetail | None:
    """Both sides of the record; None where it stands with the record that it would be matched with, and not by itself."""
    try:
        return answers.detail(line.entity, line.row_id)
    except Rejected:
        return None


def _more(line: RecordLine) -> dict[str, str]:
    """What Tieout takes a record for, and what Xero by itself concludes from a contact's documents."""
    told = {"Type": line.type, "State": "" if line.state == "in use" else line.state}
    related = service().relationship(line.crm_id) if line.entity == "contacts" and line.crm_id else None
    if related is not None:
        told |= {"Groups in Xero": ", ".join(related.groups), "Xero says": _flags(related)}
    return {name: value for name, value in told.items() if value}


def _flags(related: Relationship) -> str:
    """Xero's own two flags: it sets them from the documents that a contact has, and nobody else can."""
    if related.is_customer is None and related.is_supplier is None:
        return ""
    flags = {"customer": related.is_customer, "supplier": related.is_supplier}
    return ", ".join(name if is_one else f"no {name}" for name, is_one in flags.items())


def _nothing(listed: Listed, *, searched: bool) -> None:
    if searched:
        st.info(f"No {listed.singular} is left by these filters.")
    elif service().data_age().xero is None:
        never_synced()
    else:
        empty(f"There are no {listed.plural} in either system.", "They appear here after the sync that finds the first one.")


def _status(listed: Listed, found: RecordList) -> str:
    """Status with the counts that the search leaves. Counts move, so the address keeps the status and not the label."""
    name = f"{listed.entity}_status"
    current = st.query_params.get(name, "")
    labels = {"": f"All {sum(found.counts.values()):,}"} | {
        str(s): f"{STATUS_WORDS[s]} {found.counts.get(s, 0):,}" for s in Status if found.counts.get(s) or s == current
    }
    return segments("Status", name, labels, lambda: _first_page(listed))


def _grid(listed: Listed, found: RecordList, *, alone: bool) -> str | None:
    labels = dict(found.columns)
    linked = all(line.crm_id and line.xero_id for line in found.lines)
    columns: dict[str, Column] = {"status": left("Status", width=102), "name": left("Name", width=150)}
    if any(line.type for line in found.lines):
        columns["contact type"] = left("Type in Xero", width=92)
    columns |= {
        name: (right if name in NUMBERS else left)(
            labels[name], width=WIDTHS.get(name, 106) + (24 if linked and name == "email" else 0)
        )
        for name in listed.cells
        if name in labels
    }
    if any(line.state != "in use" for line in found.lines):
        columns["state"] = left("State", width=190 if any(line.used for line in found.lines) else 112)
    if not linked:
        columns["link"] = left("Only in", width=68)
    columns["synced"] = left("Last synced", width=120)
    rest = ROOM - sum(column["width"] for column in columns.values())
    columns["remark"] = left("Remark", width=rest if rest > LEAST else MOST)
    rows = [_cells(line) for line in found.lines]
    ids = [line.row_id for line in found.lines]
    return pick(
        f"{listed.entity}_list",
        rows,
        columns,
        ids,
        listed.title,
        height=list_height(len(rows)),
        address=opened.row_of(listed.entity),
        alone=alone,
    )


def _cells(line: RecordLine) -> dict[str, str]:
    remark = line.standing.remark if line.standing else "Not looked at yet."
    own = {
        "status": STATUS_WORDS[line.status],
        "name": line.name,
        "contact type": line.type,
        "state": "" if line.state == "in use" else ", ".join(filter(None, (line.state, line.used))),
        "link": "" if line.crm_id and line.xero_id else (Side.CRM if line.crm_id else Side.XERO).label,
        "synced": when(line.standing.last_synced if line.standing else None, reader_zone()),
        "remark": remark,
    }
    numbers = {name: amount(Decimal(line.cells[name]), "") for name in NUMBERS if line.cells.get(name)}
    return dict(line.cells) | numbers | own


def _first_page(listed: Listed) -> None:
    paging.first(f"{listed.entity}_page")
    opened.shut(opened.row_of(listed.entity))
