"""The small company that every scenario begins with: set up, synced once, and photographed, so that each starts in a moment.

``Books`` holds both systems (one running sandbox) and the folder of Tieout's own data. Time is the sandbox's: it stands at a
fixed day, passes by itself, and jumps when somebody waits.
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sync_core.sandbox.kernel import LogEntry
from sync_core.sandbox.serve import Sandbox
from sync_core.sandbox.world import Company, LedgerAccount, Party, Product, TaxRate
from sync_core.service import Service, load_settings, open_service
from sync_core.settings import Settings

START = datetime(2026, 11, 23, 1, tzinfo=UTC)
LOCKED_UNTIL = datetime(2026, 6, 30, tzinfo=UTC).date()


def small_company(_seed: int = 1, _invoices: int = 0) -> Company:
    """One customer and two products that both systems know, and as few settings as a company can have."""
    return Company(
        name="Takaka Tents Ltd",
        organisation_short_code="!tKk4a",
        period_lock_date=LOCKED_UNTIL,
        currencies=(("NZD", "New Zealand Dollar", Decimal(1)), ("USD", "United States Dollar", Decimal("0.6"))),
        ledger_accounts=(
            LedgerAccount("090", "Cheque Account", "BANK", klass="ASSET"),
            LedgerAccount("200", "Sales", "REVENUE", "OUTPUT2"),
            LedgerAccount("205", "Repairs", "REVENUE", "OUTPUT2"),
            LedgerAccount("610", "Accounts Receivable", "CURRENT", klass="ASSET", system_account="DEBTORS"),
        ),
        tax_rates=(
            TaxRate("OUTPUT2", "15% GST on Income", Decimal(15)),
            TaxRate("ZERORATED", "Zero Rated", Decimal(0)),
            TaxRate("NONE", "No GST", Decimal(0)),
        ),
        branding_themes=("Standard",),
        parties=(Party("kahu", "account", "Kahu Guiding Co", email="pay@kahu.example", account_number="A-1001"),),
        products=(
            Product("tent", "TENT", "Two-person tent", Decimal("619.00")),
            Product("repair", "REPAIR", "Repair, per hour", Decimal("78.00"), account_code="205"),
        ),
    )


class SandboxClock:
    """The sandbox's time, for the engine. Whoever waits moves it on, also from a forked process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._owner = os.getpid()

    def now(self) -> datetime:
        return self._sandbox.kernel.clock.now()

    def sleep(self, seconds: float) -> None:
        if os.getpid() == self._owner:
            self._sandbox.advance(seconds)
            return
        body = json.dumps({"advance_seconds": round(seconds, 3)}).encode()
        request = urllib.request.Request(f"{self._sandbox.xero_url}/_sandbox/clock", body)  # noqa: S310  # our own address
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
        self._sandbox.kernel.clock.advance(seconds)  # a fork's own copy of the clock


class Books:
    """Both systems and Tieout's data. ``begin_again`` puts everything back to the start in some milliseconds."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.clock = SandboxClock(sandbox)
        self.data, self._kept = folder / "data", folder / "kept"
        names = {n.removeprefix("TIEOUT_").lower(): v for n, v in sandbox.environment().items()}
        self.settings: Settings = load_settings(**names, data_dir=self.data, secret_key="for tests only")
        sandbox.run(lambda: sandbox.kernel.clock.set(START, frozen=False))
        with self.open() as service:
            service.set_up()
            self._set_up = sandbox.picture()
            first = service.sync()
            assert first.summary.status == "success", first.summary
        self._in_step = sandbox.picture()
        shutil.copytree(self.data, self._kept)

    @contextmanager
    def open(self, step: Callable[[str], None] | None = None) -> Iterator[Service]:
        more = {} if step is None else {"step": step}
        with open_service(self.settings, clock=self.clock, **more) as service:
            yield service

    def begin_again(self, *, never_synced: bool = False) -> None:
        """Both systems as they stood after set-up and first sync, or, ``never_synced``, as they stood before it."""
        shutil.rmtree(self.data)
        if never_synced:
            self.data.mkdir()
        else:
            shutil.copytree(self._kept, self.data)
        self.sandbox.return_to(self._set_up if never_synced else self._in_step)

    def forget(self, name: str) -> None:
        """Lose one of Tieout's databases: ``cache-`` or ``state.sqlite``."""
        for path in self.data.glob(f"{name}*"):
            path.unlink()

    def writes(self, since: int = 0) -> list[LogEntry]:
        """What Tieout asked either system to change, by the systems' own logs, after entry number ``since``."""
        return [e for e in self.sandbox.log() if e.number > since and e.run is not None and e.method != "GET"]

    @property
    def logged(self) -> int:
        return self.sandbox.run(lambda: self.sandbox.kernel.logged)
