"""What every write needs: the store, who writes, and the checks that several resources share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero.amounts import places
from sync_core.sandbox.xero.errors import RuleError
from sync_core.sandbox.xero.store import Store

LOCKS = (("EndOfYearLockDate", "end of year lock date"), ("PeriodLockDate", "period lock date"))
DOUBTFUL_RATE = Decimal("0.5")


@dataclass
class Context:
    """One element of one write. ``warnings`` are told with a good answer; ``app`` is the writing app's client
    id.
    """

    store: Store
    app: str = ""
    method: str = "POST"
    unitdp: int = 2
    warnings: list[str] = field(default_factory=list)


def lock_error(store: Store, day: date | None) -> str | None:
    """Why nothing may be written on ``day``; None when the period is open."""
    for name, words in LOCKS:
        locked = store.organisation.get(name)
        if locked and day and day <= locked:
            shown = f"{locked.day} {locked:%B %Y}"
            return f"The document date cannot be before the {words}, currently set at {shown}"
    return None


def check_open(store: Store, *days: date | None) -> None:
    """Raise :class:`RuleError` when any of ``days`` lies in a locked period."""
    for day in days:
        reason = lock_error(store, day)
        if reason:
            raise RuleError(reason)


def currency_of(ctx: Context, given: Row, default: str, errors: list[str]) -> tuple[str, Decimal]:
    """Currency and rate of a document: the rate defaults to the day's; a doubtful one is warned about."""
    store = ctx.store
    code = given.get("CurrencyCode") or default
    if code not in store["Currencies"].rows:
        errors.append(f"Organisation is not subscribed to currency {code}")
        return code, Decimal(1)
    day_rate = store.day_rate(code)
    rate = given.get("CurrencyRate")
    if rate is None or code == store.base_currency:
        return code, day_rate if code != store.base_currency else places(Decimal(1), 6)
    if rate <= 0:
        errors.append("The currency rate must be greater than zero")
        return code, day_rate
    if abs(rate - day_rate) > day_rate * DOUBTFUL_RATE:
        ctx.warnings.append(f"The CurrencyRate {rate} differs widely from the day's rate {day_rate}")
    return code, places(rate, 6)


def account_by(store: Store, given: Row) -> Row | None:
    """The account that a reference by AccountID or Code names."""
    if given.get("AccountID"):
        return store["Accounts"].get(given["AccountID"])
    return store["Accounts"].find("code", given.get("Code"))


def bank_account(store: Store, given: Row | None, *, payments: bool) -> Row:
    """The account that money moves on; ``payments`` allows accounts enabled for payments as well."""
    if not given:
        raise RuleError("An account must be specified")
    account = account_by(store, given)
    if account is None:
        raise RuleError("Account could not be found")
    if account["Status"] != "ACTIVE":
        raise RuleError(f"Account code '{account.get('Code', '')}' has been archived or has been deleted")
    if account["Type"] != "BANK" and not (payments and account.get("EnablePaymentsToAccount")):
        raise RuleError("The account must be a bank account or be enabled for payments")
    return account


def raise_all(errors: Iterable[str]) -> None:
    """Raise :class:`RuleError` with all of ``errors``, unless there are none."""
    found = list(dict.fromkeys(errors))
    if found:
        raise RuleError(*found)
