"""Links by hand: take a pair apart, or choose what an unlinked record belongs to."""

from __future__ import annotations

import streamlit as st

from console import actions, casework
from console.door import service
from console.frame import say_what_came
from console.permitted import held
from console.texts import listed, plain
from console.widgets import Column, leading, left, pick, right
from sync_core.model import Side
from sync_core.service import Candidate, RecordLine, Service

CELLS = {"contact": 140, "date": 88, "currency": 70, "total": 80, "amount": 80, "code": 80, "city": 90}
"""In pixels, of what tells candidates apart."""
TELLING = ("contact", "email", "phone", "account_number", "city", "code", "date", "currency", "total", "amount")


def draw(entity: str, line: RecordLine) -> None:
    """The way out of a link, or the candidates for one; and the way back."""
    if line.crm_id and line.xero_id:
        with st.popover("Take the link apart", key=f"apart_{line.row_id}"):
            st.text("The two records stay as they are. They are not linked again by themselves.")
            st.button(
                "Take it apart",
                key=f"unlink_{line.row_id}",
                on_click=actions.unlink,
                args=(entity, line.crm_id, line.xero_id),
                **held(Service.unlink),
            )
    elif line.crm_id or line.xero_id:
        _candidates(entity, line)
        casework.take_back(f"link_{line.row_id}")
    say_what_came()


def _candidates(entity: str, line: RecordLine) -> None:
    side, row_id = (Side.CRM, line.crm_id) if line.crm_id else (Side.XERO, line.xero_id)
    st.markdown(f"**Link it with a record of {side.other.label}**")
    search = st.text_input(
        "Look for another one", key=f"candidates_{line.row_id}", placeholder="Name, number, email or id", width=420
    )
    found = service().candidates(entity, side, str(row_id), search or "")
    if not found:
        said = "holds that text" if search else "looks like this one"
        st.text(f"No unlinked record of {side.other.label} {said}.")
        return
    chosen = _pick(entity, line, found)
    if chosen is None:
        st.caption("Select the one that is the same. Scores are out of 100.")
        return
    pair = (str(row_id), chosen.id) if side is Side.CRM else (chosen.id, str(row_id))
    why = listed(chosen.reasons) or "chosen by hand"
    st.text(f"{line.name} in {side.label} and {chosen.name} in {side.other.label}: {why}.")
    with st.container(horizontal=True):
        st.button(
            "Link these two",
            type=leading(),
            key=f"link_{line.row_id}_{chosen.id}",
            **held(Service.link, help="Makes the pair and resyncs it at once."),
            on_click=actions.link,
            args=(entity, *pair, line.name),
        )
        st.button(
            "They are not the same",
            key=f"keep_apart_{line.row_id}_{chosen.id}",
            **held(Service.keep_apart, help="It is not offered again, and not matched by itself."),
            on_click=actions.keep_apart,
            args=(entity, *pair),
        )


def _pick(entity: str, line: RecordLine, found: list[Candidate]) -> Candidate | None:
    held = [name for name in TELLING if any(each.cells.get(name) for each in found)]
    columns: dict[str, Column] = {
        "score": right("Score", width=60),
        "name": left("Name", width=150),
        "reasons": left("Because", width=220),
        **{name: left(name.replace("_", " ").capitalize(), width=CELLS.get(name, 120)) for name in held},
    }
    rows = [
        dict(each.cells) | {"score": str(each.score), "name": each.name, "reasons": ", ".join(each.reasons)} for each in found
    ]
    ids = [each.id for each in found]
    name, alt = f"candidates_{entity}_{line.row_id}", f"Records that could be {plain(line.name)}"
    picked = pick(name, rows, columns, ids, alt, whole=True)
    return next((each for each in found if each.id == picked), None)
