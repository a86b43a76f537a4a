"""One row in full, below the grid: what differs first, then lines, payments, both systems, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import streamlit as st

from console import applied, casework, decide, history, line_codes, linking, record_resync, verify, xero_details
from console.door import service
from console.sheets import Sheet
from console.texts import MATCH_WORDS, amount, day, plain, state_words
from console.widgets import Column, beside, left, right, table
from sync_core.model import MatchStatus, RecordStatus, Side
from sync_core.service import Balance, FieldLine, LinePair, RowDetail, data_flows

LINE_CODES = (("account_code", "Account", "Ledger account"), ("tax_type", "Tax rate", "Tax rate"))
"""Codes of a line, their headings, and what a verdict calls them: shown where a line differs in them."""
LINE_AMOUNTS = (("quantity", "Qty."), ("unit_price", "Price"), ("net", "Net"), ("tax", "Tax"))
SIDES = 520
"""How wide, in pixels, what stands of both sides is."""
BALANCES = (("total", "Total"), ("tax", "of which tax"), ("paid", "Paid"), ("credited", "Credited"), ("due", "Due"))


def draw(sheet: Sheet, found: RowDetail) -> None:
    """``found`` as the service tells it; buttons act on ids, never on positions."""
    row = found.row
    st.subheader(f"{plain(str(row['number'] or 'Without a number'))} · {plain(str(row['contact'] or 'no contact'))}")
    st.text(f"{MATCH_WORDS[MatchStatus(str(row['status']))]}{_because(row)}")
    statuses = statuses_of(sheet, row)
    buttons(sheet, row)
    sides, details = beside(SIDES, 450)
    with sides:
        balances(sheet, found)
        fields(sheet, found)
    with details:
        xero_details.draw(sheet.entity, row, statuses)
    decide.draw(sheet, found, statuses)
    _codes(sheet, row, statuses)
    _lines(sheet, found)
    applied.draw(found)
    _alternatives(found)
    _link(sheet, str(row["row_id"]))
    casework.draw(sheet.entity, str(row["row_id"]))
    ids = (str(row[name]) if row[name] else None for name in ("crm_id", "xero_id"))
    history.draw(sheet.entity, *ids, max(statuses, key=lambda status: status.last_attempt).run if statuses else "")


def look(sheet: Sheet, found: RowDetail) -> None:
    """The same of an earlier day: nothing can be done about it any more."""
    row = found.row
    st.subheader(f"{plain(str(row['number'] or 'Without a number'))} · {plain(str(row['contact'] or 'no contact'))}")
    st.text(f"{MATCH_WORDS[MatchStatus(str(row['status']))]}{_because(row)}")
    balances(sheet, found)
    fields(sheet, found)
    _lines(sheet, found)
    applied.draw(found)


def _because(row: Mapping[str, object]) -> str:
    parts = [str(row[name]) for name in ("words",) if row[name]]
    if row["matched_by"]:
        parts.append(f"matched by {row['matched_by']}")
    return "".join(f" · {part}" for part in parts)


def _ids(row: Mapping[str, object]) -> dict[Side, str]:
    return {side: str(row[f"{side}_id"]) for side in Side if row[f"{side}_id"]}


def statuses_of(sheet: Sheet, row: Mapping[str, object]) -> list[RecordStatus]:
    found = [service().status_of(sheet.entity, side, row_id) for side, row_id in _ids(row).items()]
    return [status for status in found if status is not None]


def buttons(sheet: Sheet, row: Mapping[str, object]) -> None:
    ids, label = sorted(_ids(row).values()), str(row["number"] or sheet.singular)
    key = f"{sheet.entity}_{row['row_id']}"
    with st.container(horizontal=True):
        for side, row_id in _ids(row).items():
            url = service().link_to(side, sheet.entity, row_id)
            if url:
                st.link_button(f"Open in {side.label}", url)
        record_resync.button(f"Resync this {sheet.singular}…", sheet.entity, ids, label, key)
        if len(ids) == len(Side):
            verify.button(sheet.entity, str(row["row_id"]), ids)
    verify.result(sheet.entity, str(row["row_id"]))
    record_resync.draw(key)


def balances(sheet: Sheet, found: RowDetail) -> None:
    """Both sides' amounts with the difference in the middle, and whether the pieces below account for what is open."""
    row, currency = found.row, str(found.row["currency"] or "")
    labels = dict(BALANCES) | {name: heading.capitalize() for name, heading in sheet.amounts}
    if sheet.entity != "invoices":
        labels["credited"] = "Used"
    held = {f"{side}_{name}": row[f"{side}_{name}"] for side in Side for name in labels} | _used(found)
    lines = []
    for name, label in labels.items():
        crm, xero = held[f"crm_{name}"], held[f"xero_{name}"]
        if crm is not None or xero is not None:
            apart = crm - xero if crm is not None and xero is not None else None  # type: ignore[operator]  # decimals
            cells = {"crm": crm, "difference": apart, "xero": xero}
            lines.append({"label": label} | {k: amount(v, currency) for k, v in cells.items()})  # type: ignore[arg-type]
    if row["rate_note"]:
        base = str(row["base_currency"])
        cells = {"crm": row["crm_base"], "difference": row["base_difference"], "xero": row["xero_base"]}
        lines.append({"label": f"Total in {base}"} | {k: amount(v, base) for k, v in cells.items()})  # type: ignore[arg-type]
    st.markdown(f"**Balances**{f', {plain(currency)}' if currency else ''}")
    columns = {"label": left("Amount", width=110)}
    columns |= {k: right(v, width=96) for k, v in (("crm", "Dynamics"), ("difference", "Difference"), ("xero", "Xero"))}
    table(lines, columns, f"Balances of the {sheet.singular} on both sides", width="content")
    if row["rate_note"]:
        st.caption(plain(f"{row['rate_note']}."))
    for side, balance in _balances(found).items():
        if not balance.agrees:
            st.warning(_unaccounted(side, balance, currency))


def _balances(found: RowDetail) -> dict[Side, Balance]:
    both = {Side.CRM: found.crm_balance, Side.XERO: found.xero_balance}
    return {side: balance for side, balance in both.items() if balance is not None}


def _used(found: RowDetail) -> dict[str, Decimal]:
    """Of a credit note or an advance, how much of it other documents have used, with the sign of its total."""
    if found.entity == "invoices":
        return {}
    return {
        f"{side}_credited": -balance.applied if (found.row[f"{side}_total"] or 0) < 0 else balance.applied  # type: ignore[operator]
        for side, balance in _balances(found).items()
    }


def _unaccounted(side: Side, held: Balance, currency: str) -> str:
    told, made = amount(held.told, currency), amount(held.open, currency)
    return plain(f"{side.label} says {told} is open, but what is paid and credited below leaves {made}.")


def fields(sheet: Sheet, found: RowDetail) -> None:
    differing = [line for line in found.fields if not line.same]
    every = st.toggle("Show all fields", key=f"{sheet.entity}_all_fields", persist_state="session")
    shown = sorted(found.fields, key=lambda line: line.same) if every else differing
    if not shown:
        st.text("Every field is the same on both sides." if found.fields else "There is only one side to show.")
        return
    names = ("label", "crm", "agreed", "xero", "verdict")
    rows = [{name: _spoken(line, name) for name in names} for line in shown]
    values = {"crm": "Dynamics", "agreed": "Last agreed", "xero": "Xero"}
    told = [name for name in values if any(row[name] for row in rows)]
    columns: dict[str, Column] = {"label": left("Field", width=100)}
    columns |= {name: left(values[name], width=(SIDES - 214) // len(told)) for name in told}
    table(rows, columns | {"verdict": left("Verdict", width=114)}, "Fields of both records")


def _spoken(line: FieldLine, name: str) -> str:
    """A cell of the field table."""
    text = str(getattr(line, name))
    return state_words(text) if line.name == "state" else text


def _link(sheet: Sheet, row_id: str) -> None:
    """The link of a document that either side may begin. Copies of what Xero owns are linked from their making on."""
    flow = next(flow for flow in data_flows() if flow.entity == sheet.entity)
    line = service().record(sheet.entity, row_id) if flow.to_crm and flow.to_xero else None
    if line is not None:
        if line.crm_id and line.xero_id:
            st.markdown("**Link**")
        linking.draw(sheet.entity, line)


def _codes(sheet: Sheet, row: Mapping[str, object], statuses: Sequence[RecordStatus]) -> None:
    """Where lines hold the record back for want of a code, the choice of one."""
    held_back = [status.id for status in statuses if status.side is Side.CRM and status.reason == line_codes.CODED]
    if held_back:
        st.markdown("**Ledger account and tax rate of its lines**")
        line_codes.draw(sheet.entity, held_back, str(row["number"] or sheet.singular), f"{sheet.entity}_{row['row_id']}")


def _lines(sheet: Sheet, found: RowDetail) -> None:
    if not found.lines:
        return
    st.markdown("**Lines**")
    currency = str(found.row["currency"] or "")
    told = {name for pair in found.lines for name in pair.differing}
    codes = [(name, heading) for name, heading, called in LINE_CODES if called in told]
    columns = {"verdict": left("Verdict", width=90 if codes else 110)}
    text, number = (72, 52) if codes else (150, 60)  # so that both sides fit beside each other
    for side in Side:
        columns[f"{side} description"] = left(f"{side.label} line", width=text)
        columns |= {f"{side} {name}": left(heading, width=64) for name, heading in codes}
        columns |= {f"{side} {name}": right(heading, width=number) for name, heading in LINE_AMOUNTS}
    rows = (
        {"verdict": _line_verdict(each)} | _cells("crm", each.crm, currency) | _cells("xero", each.xero, currency)
        for each in found.lines
    )
    table(rows, columns, f"Lines of the {sheet.singular} on both sides")


def _cells(side: str, line: Mapping[str, str] | None, currency: str) -> dict[str, str]:
    """Amounts of a line come as text; quantities keep the digits that they have."""
    if line is None:
        return {}
    sums = {name: amount(Decimal(line[name]), currency) for name in ("unit_price", "net", "tax") if line.get(name)}
    texts = {name: line.get(name, "") for name in ("description", "quantity", *(code for code, _, _ in LINE_CODES))}
    return {f"{side} {name}": text for name, text in (texts | sums).items()}


def _line_verdict(pair: LinePair) -> str:
    if pair.crm is None or pair.xero is None:
        return f"only in {(Side.CRM if pair.xero is None else Side.XERO).label}"
    return "differs: " + ", ".join(pair.differing) if pair.differing else "same"


def _alternatives(found: RowDetail) -> None:
    """Other records that the row could belong to, or that it looks like, each with why. Nothing is guessed."""
    if not found.alternatives:
        return
    st.markdown("**Could also be**")
    columns = {
        "number": left("Number", width=110),
        "contact": left("Contact", width=200),
        "date": left("Date", width=90),
        "amount": right("Amount", width=110),
        "currency": left("Cur.", width=50),
        "why": left("Because", width=320),
    }
    rows = (
        {"number": each.number, "contact": each.contact, "date": day(each.date), "currency": each.currency, "why": each.why}
        | {"amount": amount(each.amount, each.currency)}
        for each in found.alternatives
    )
    table(rows, columns, "Other records that this row could belong to")
