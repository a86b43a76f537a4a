"""Which differences are small enough, per currency: kept in the state, changed by people, audited."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from sync_core.errors import Rejected
from sync_core.flows.casework import ignored_rows
from sync_core.flows.choices import parted
from sync_core.flows.surroundings import locked_until
from sync_core.rules.people import Role
from sync_core.rules.reconcile import Terms, Tolerance
from sync_core.service.desk import Desk
from sync_core.service.permission import needs

PREFIX, PERCENT = "tolerance.", ".percent"
MOST = Decimal(1_000_000)


class Tolerances(Desk):
    """Reads and writes the state only."""

    def tolerances(self) -> tuple[Tolerance, ...]:
        """Every currency that has a tolerance, in alphabetical order."""
        texts = self._workspace.state.mappings(PREFIX)
        currencies = sorted({key.removeprefix(PREFIX).removesuffix(PERCENT) for key in texts})
        return tuple(
            Tolerance(
                currency,
                Decimal(texts.get(f"{PREFIX}{currency}", "0")),
                Decimal(texts.get(f"{PREFIX}{currency}{PERCENT}", "0")),
            )
            for currency in currencies
        )

    @needs(Role.ADMIN)
    def set_tolerance(self, currency: str, absolute: Decimal, percent: Decimal = Decimal(0), *, who: str) -> None:
        """From now on a difference of at most ``absolute``, or of ``percent`` of the larger total, is within tolerance.

        Nought for both takes the currency's tolerance away. Raises Rejected for a value that cannot be meant.
        """
        code = currency.strip().upper()
        if len(code) != 3 or not code.isalpha():
            raise Rejected(f"“{currency}” is no currency. Give its three letters, as NZD.", field="currency")
        chosen = {
            f"{PREFIX}{code}": _checked("The amount", absolute, MOST),
            f"{PREFIX}{code}{PERCENT}": _checked("The percentage", percent, Decimal(100)),
        }
        state, now = self._workspace.state, self._workspace.clock.now()
        with state.together():
            before = {key: state.mapping(key) for key in chosen}
            for key, amount in chosen.items():
                if amount:
                    state.set_mapping(key, f"{amount:f}", who, now)
                else:
                    state.remove_mapping(key)
            after = {key: f"{amount:f}" if amount else None for key, amount in chosen.items()}
            state.append_audit(who, "tolerance", code, before, after, now)

    def _terms(self, name: str) -> Terms:
        chosen = self.tolerances()
        organisation = self._workspace.surroundings.organisation
        return Terms(
            tolerance={each.currency: each.absolute for each in chosen},
            ignored=ignored_rows(self._workspace, name),
            percent={each.currency: each.percent for each in chosen if each.percent},
            base_currency=str(organisation.get("BaseCurrency") or ""),
            locked_until=locked_until(organisation),
            apart=parted(self._workspace, name),
        )


def _checked(what: str, value: Decimal, most: Decimal) -> Decimal:
    try:
        whole = value.quantize(Decimal("0.0001"))
    except InvalidOperation:
        whole = None
    if whole is None or whole != value or not 0 <= value <= most:
        raise Rejected(f"{what} {value} cannot be a tolerance. Give one from 0 to {most:f} with at most 4 decimals.")
    return value
