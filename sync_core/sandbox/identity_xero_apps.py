"""Apps that are registered at Xero, and the scopes that they may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from sync_core.sandbox.identity_tokens import credentials
from sync_core.sandbox.kernel import Kernel

SIGN_IN = frozenset({"openid", "profile", "email", "offline_access"})
SHARED = frozenset({"accounting.contacts", "accounting.contacts.read", "accounting.settings", "accounting.settings.read"})
REPORTS = ("aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary", "profitandloss", "trialbalance")
GRANULAR = SHARED | {
    *(
        f"accounting.{area}{access}"
        for area in ("invoices", "payments", "banktransactions", "manualjournals", "attachments")
        for access in ("", ".read")
    ),
    *(f"accounting.reports.{name}.read" for name in REPORTS),
    "accounting.journals.read",
    "accounting.budgets.read",
}
BROAD = SHARED | {
    "accounting.transactions",
    "accounting.transactions.read",
    "accounting.attachments",
    "accounting.attachments.read",
    "accounting.journals.read",
    "accounting.reports.read",
    "accounting.budgets.read",
}


@dataclass(frozen=True)
class App:
    """An app registration at Xero: its secret (None with PKCE), the grants it may use and the scopes it may
    ask for.
    """

    client_id: str
    secret: str | None
    grants: tuple[str, ...]
    scopes: frozenset[str]

    @property
    def custom(self) -> bool:
        return self.grants == ("client_credentials",)


def apps(kernel: Kernel) -> dict[str, App]:
    """The apps that are registered, by client id."""
    known = credentials(kernel)
    code = ("authorization_code", "refresh_token")
    both = GRANULAR | BROAD | SIGN_IN
    rows = (
        App(known.xero_client_id, known.xero_client_secret, ("client_credentials",), GRANULAR),
        App(known.xero_person_client_id, known.xero_person_client_secret, ("client_credentials",), GRANULAR),
        App(known.xero_web_client_id, known.xero_web_client_secret, code, both),
        App(known.xero_pkce_client_id, None, code, GRANULAR | SIGN_IN),
    )
    return {app.client_id: app for app in rows}
