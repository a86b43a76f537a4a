"""A person chooses the ledger account and the tax rate of lines that wait for them; both go onto the lines in Dynamics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from console import actions
from console.door import service
from console.permitted import held
from console.texts import count, money
from sync_core.service import CodeChoices, LineCodes, Service, UncodedLine

CODED = "coded"
"""The rule that such records break; it is the reason in their status."""
SHOWN = 20
"""Descriptions that are shown at once; the next come when these are done."""
PICK = "Choose"


@dataclass(frozen=True, slots=True)
class Alike:
    """Lines with one description and currency, and the same codes still to choose: they get the same ones."""

    description: str
    currency: str
    account: str
    tax: str
    lines: tuple[UncodedLine, ...]

    @property
    def words(self) -> str:
        net = sum((line.net for line in self.lines if line.net is not None), Decimal(0))
        return f"{count(len(self.lines), 'line')}, {money(net, self.currency)} before tax"


def alike(lines: Sequence[UncodedLine]) -> list[Alike]:
    """Lines brought together, those on the most lines first."""
    found: dict[tuple[str, str, str, str], list[UncodedLine]] = defaultdict(list)
    for line in lines:
        found[line.description, line.currency, line.account, line.tax].append(line)
    made = [Alike(*key, tuple(some)) for key, some in found.items()]
    return sorted(made, key=lambda each: (-len(each.lines), each.description))


def draw(entity: str, documents: Collection[str], label: str, key: str) -> None:
    """One pair of choices per description, and one button. ``documents``: Dynamics ids; ``label``: what they are called."""
    waiting = alike(service().uncoded_lines(entity, sorted(documents)))
    if not waiting:
        st.text("No line waits for a ledger account or a tax rate any more. Resync to send what is ready.")
        return
    choices = service().code_choices()
    chosen = {}
    for place, each in enumerate(waiting[:SHOWN]):
        picked = _pick(each, choices, f"{key}_{place}_{each.lines[0].id}")
        if picked is not None:
            chosen |= {(line.document, line.id): picked for line in each.lines}
    if len(waiting) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(waiting):,} descriptions; the others follow once these are done.")
    words = f"Put on {count(len(chosen), 'line')} and try again" if chosen else "Put on the lines and try again"
    st.button(
        words,
        key=f"code_{key}",
        on_click=actions.code_lines,
        args=(entity, _by_document(chosen), sorted(documents), label),
        **held(
            Service.code_lines,
            disabled=not chosen,
            help="Writes both to the lines in Dynamics, then syncs just these records.",
        ),
    )


def _pick(each: Alike, choices: CodeChoices, key: str) -> LineCodes | None:
    """Both choices of one description; None until both are made. An account proposes its own tax rate."""
    said, left, right = st.columns([3, 3, 3], vertical_alignment="center")
    said.text(each.description)
    said.caption(each.words)
    account = _choice(left, "Ledger account", choices.accounts, each.account, f"account_{key}")
    proposed = each.tax or choices.usual.get(account, "")
    tax = _choice(right, "Tax rate", choices.taxes, proposed, f"tax_{account}_{key}")
    return LineCodes(account, tax) if account and tax else None


def _choice(
    place: st.delta_generator.DeltaGenerator, label: str, options: Sequence[tuple[str, str]], first: str, key: str
) -> str:
    names = dict(options)
    codes = list(names)
    at = codes.index(first) if first in names else None
    return place.selectbox(label, codes, at, format_func=names.__getitem__, placeholder=PICK, key=key) or ""


def _by_document(chosen: Mapping[tuple[str, str], LineCodes]) -> dict[str, dict[str, LineCodes]]:
    by: dict[str, dict[str, LineCodes]] = defaultdict(dict)
    for (document, line), codes in chosen.items():
        by[document][line] = codes
    return dict(by)
