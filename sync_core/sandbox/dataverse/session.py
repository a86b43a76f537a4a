"""Who writes, when, and what must be worked out once the write is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sync_core.sandbox.dataverse.environment import Environment


@dataclass(slots=True)
class Session:
    """One operation. ``touched`` are the invoices whose totals have to be computed again at its end."""

    env: Environment
    user: str
    now: datetime
    upsert: bool = False
    touched: dict[str, None] = field(default_factory=dict)

    @property
    def skips_pricing(self) -> bool:
        """Sales order processing integration is on and this is its user, or system pricing is off altogether."""
        if not self.env.setting("oobpricecalculationenabled"):
            return True
        user = self.env.row("systemuser", self.user) or {}
        return bool(self.env.setting("issopintegrationenabled")) and bool(user.get("isintegrationuser"))


def start(env: Environment, user: str, *, upsert: bool = False) -> Session:
    """A session of ``user`` at the kernel's present second."""
    return Session(env, user, env.kernel.clock.now().replace(microsecond=0), upsert=upsert)
