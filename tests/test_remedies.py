"""Every error and every remark of a trouble tells a person what to do, not only what happened."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sync_core
from sync_core.errors import Rejected, Stale
from sync_core.model import Record, Side, Verb
from sync_core.rules import remarks
from sync_core.rules.entities import entity
from sync_core.systems.base import Write
from sync_core.systems.dataverse_errors import rejection
from sync_core.systems.odata import Failure

ROOM = Path(sync_core.__file__).parent
FOR_A_PERSON = {"Configure", "Refused", "Forbidden", "Busy", "Retryable", "Rejected"}
REMEDY = re.compile(
    r"\b(add|agree|allow|ask|change|check|choose|clear|close|connect|correct|delete|enter|fill|find|follows|free|get|give|goes|"
    r"install|installed|is sent again|link|look at|look once|looked up|make|mend|move|must|name|narrow|next sync|open|pick|"
    r"point|put|reactivate|reload|remove|rename|restore|resync|resumes|run|say|set|shorten|sign|start|stop|sync first|"
    r"sync once|sync it|take the|try|turn|type|update|use|wait|write a)\b",
    re.IGNORECASE,
)
NOTHING_TO_DO = {
    # There is nothing that was to be undone, stopped or done again.
    "There is nothing of yours to take back.",
    "No sync is running.",
    # Said by one part of the engine to another, which goes by the code; nobody reads these.
    "The write {} was never planned, so nothing was changed.",
    "The write {} is {} already, so nothing was changed.",
    "The request {} is not known.",
    "Xero has no way to {} {} through its interface.",
    "Xero cannot look up {} by a text that is all quotation marks.",
    "Dynamics does not offer {}.",
    "This Xero organisation does not offer {}.",
}
INVOICES, CRM, XERO = entity("invoices"), Side.CRM, Side.XERO


def messages() -> Iterator[tuple[str, str]]:
    """(place, text) of each error whose words stand where it is made; what is put into them is {}."""
    for path in sorted(ROOM.rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FOR_A_PERSON and node.args:
                text = words(node.args[0])
                if text.strip("{} "):
                    yield f"{path.relative_to(ROOM)}:{node.lineno}", text


def words(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(map(words, node.values)) if isinstance(node, ast.JoinedStr) else "{}"


def test_every_error_names_a_remedy():
    found = list(messages())
    assert len(found) > 80
    # A value at the end may bring it, such as what a permission is wanting for.
    bare = [(place, text) for place, text in found if not REMEDY.search(text) and not text.endswith((". {}", ". {}."))]
    assert [(place, text) for place, text in bare if text not in NOTHING_TO_DO] == []
    assert {text for _, text in bare} >= NOTHING_TO_DO


TROUBLES = [
    remarks.ambiguous(INVOICES, XERO, 2, "number"),
    remarks.waits_for(INVOICES, "Contact", "Kahu", "Xero"),
    *(remarks.parent_gone("Contact", "Kahu", means, XERO) for means in ("merged", "archived")),
    remarks.unlisted("Branding theme", XERO),
    remarks.only_in(INVOICES, XERO),
    remarks.gone_one_side(INVOICES, Record(XERO, "invoices", "x", "Invoices", "1", {}, "voided")),
    remarks.read_only(INVOICES, ["Due date"]),
    remarks.switched_off(INVOICES, "Invoices to Xero", "invoices.to_xero"),
    remarks.added_late(INVOICES, "payment", "P-1"),
    remarks.whole_amounts(INVOICES, "Lines"),
    remarks.clashing(INVOICES, []),
    remarks.made_again(INVOICES),
]


@pytest.mark.parametrize("text", TROUBLES)
def test_every_remark_of_a_trouble_names_a_remedy(text: str):
    assert REMEDY.search(text)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (412, "0x80060892"),
        (412, "0x80060882"),
        (404, "0x80040217"),
        (400, "0x80060891"),
        (403, "0x80040220"),
        (400, "0x80044331"),
        (400, "0x80048d19"),
        (400, "0x80048408"),
        (400, "0x80040265"),
    ],
)
def test_every_refusal_of_dynamics_names_a_remedy(status: int, code: str):
    write = Write(INVOICES.crm[0], Verb.UPDATE, {"name": "x"}, "key", "00000000-0000-0000-0000-000000000001")
    refused = rejection(write, Failure(status, code, "It said something."))
    assert isinstance(refused, Stale) == (code == "0x80060882")
    assert isinstance(refused, Rejected)
    assert REMEDY.search(refused.message.partition(". ")[2])
