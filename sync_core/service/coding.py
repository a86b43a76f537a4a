"""Ledger accounts and tax rates for lines without: which lines wait, what can be chosen, and putting it on the lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

from sync_core.flows.line_codes import Chosen, put_codes, uncoded_lines
from sync_core.flows.run import new_run_id
from sync_core.rules.eligibility import UncodedLine
from sync_core.rules.entities import entity
from sync_core.rules.people import Role
from sync_core.service.desk import Desk, known
from sync_core.service.permission import needs
from sync_core.store import master_data


@dataclass(frozen=True, slots=True)
class CodeChoices:
    """What may be chosen: (code, what people call it), as Xero takes it on lines. ``usual``: by account its tax rate."""

    accounts: tuple[tuple[str, str], ...]
    taxes: tuple[tuple[str, str], ...]
    usual: dict[str, str]


class Coding(Desk):
    """Reads the cache; writes the lines in Dynamics."""

    def uncoded_lines(self, name: str, documents: Collection[str]) -> list[UncodedLine]:
        """The lines of these documents (Dynamics ids) that cannot be sent for want of a ledger account or a tax rate."""
        known(name)
        return uncoded_lines(self._workspace, entity(name), documents)

    def code_choices(self) -> CodeChoices:
        """Ledger accounts and tax rates as Xero takes them on lines; archived ones and bank accounts are not offered."""
        accounts, taxes = (
            [code for code in master_data.codes(self._workspace.cache, name) if code.bookable]
            for name in ("ledger_accounts", "tax_rates")
        )
        usual = master_data.usual_taxes(self._workspace.cache)
        return CodeChoices(tuple((c.code, c.label) for c in accounts), tuple((c.code, c.label) for c in taxes), usual)

    @needs(Role.OPERATOR)
    def code_lines(self, name: str, chosen: Chosen, *, who: str) -> int:
        """Put what a person chose on the lines in Dynamics; answers with how many lines. A resync of the documents sends them.

        Raises Rejected for a line that waits no more or moved meanwhile, and for a code that is not in use; Busy while a sync
        is running.
        """
        known(name)
        state, now = self._workspace.state, self._workspace.clock.now()

        def note() -> None:
            told = [
                (f"{name}:{document}", None, {line: asdict(codes) for line, codes in lines.items()})
                for document, lines in sorted(chosen.items())
            ]
            state.append_audits(who, "choose codes", told, now)

        return put_codes(self._workspace, entity(name), chosen, new_run_id(), note)
