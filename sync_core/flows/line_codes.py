"""Ledger accounts and tax rates that a person chooses for lines without (R23): put on the lines in Dynamics, where they belong.

What is chosen is written like anything else: under the lease, with an intent first, and only where the line still stands as
it was read. The sync that follows sends the document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sync_core.errors import Rejected
from sync_core.flows.decide import reading
from sync_core.flows.leasing import held_lease
from sync_core.flows.line_writes import LineWriter
from sync_core.flows.workspace import Workspace
from sync_core.model import Side, Status
from sync_core.rules.declaration import Entity
from sync_core.rules.eligibility import UncodedLine, uncoded
from sync_core.rules.lines import LineWrite, code_columns
from sync_core.rules.plan import Act, Decision


@dataclass(frozen=True, slots=True)
class LineCodes:
    """What a person chose for a line: the code of a ledger account and the type of a tax rate, as Xero spells them."""

    account: str
    tax: str


Chosen = Mapping[str, Mapping[str, LineCodes]]
"""By document and line, both by their Dynamics ids."""


def uncoded_lines(workspace: Workspace, entity: Entity, documents: Collection[str]) -> list[UncodedLine]:
    """The lines of these documents (Dynamics ids) that wait for a code, as the cache holds them; document by document."""
    found, books = reading(workspace.cache)(entity, Side.CRM, sorted(documents)), workspace.surroundings.books
    return [line for document in documents if document in found for line in uncoded(found[document], books)]


def put_codes(workspace: Workspace, entity: Entity, chosen: Chosen, run: str, note: Callable[[], None]) -> int:
    """Write what was chosen to Dynamics; answers with how many lines took it. ``note`` is called before the first is sent.

    Raises Rejected where a line does not wait for a code any more, a code is not in use, or Dynamics refuses; Busy while a
    sync is running.
    """
    waiting = {line.id: line for line in uncoded_lines(workspace, entity, sorted(chosen))}
    writes = {
        document: [_write(workspace, waiting.get(line), line, codes) for line, codes in sorted(lines.items())]
        for document, lines in chosen.items()
    }
    with held_lease(workspace) as lease:
        note()
        writer = LineWriter(workspace, entity, run, lease)
        taken, failed = writer.put([(_choice(entity, document), lines) for document, lines in writes.items()])
    if failed:
        raise Rejected(f"{failed[0][1].message} {_count(taken)} changed. Sync, then choose again.", detail=failed[0][1].detail)
    return taken


def _write(workspace: Workspace, waiting: UncodedLine | None, line: str, codes: LineCodes) -> LineWrite:
    if waiting is None:
        raise Rejected("One of these lines does not wait for a ledger account any more. Reload the page.", field=line)
    books, named = workspace.surroundings.books, f"Line {waiting.position} “{waiting.description}”"
    for word, code, in_use in (("ledger account", codes.account, books.accounts), ("tax rate", codes.tax, books.taxes)):
        if code not in in_use:
            raise Rejected(f"{named}: {word} {code or 'none'} is not in use in Xero. Choose another one.", field=word)
    columns = code_columns({"account_code": codes.account, "tax_type": codes.tax}, workspace.surroundings.context.ids)
    if len(columns) < 2:
        raise Rejected(f"{named}: Dynamics does not have {codes.account} or {codes.tax} yet. Sync first, then choose again.")
    return LineWrite(waiting.id, "", columns)


def _choice(entity: Entity, document: str) -> Decision:
    return Decision(entity.name, Act.UPDATE, document, None, Status.BLOCKED, "A person chose codes for its lines.")


def _count(taken: int) -> str:
    return "No line was" if not taken else "1 line was" if taken == 1 else f"{taken:,} lines were"
