"""Connecting an ordinary Xero app: a person agrees once in the browser, and Tieout keeps the sign-in from then on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from sync_core.errors import Configure
from sync_core.settings import Settings, load_settings
from sync_core.store.state import State, open_state
from sync_core.systems.base import Clock
from sync_core.systems.callback import Callback
from sync_core.systems.xero_consent import Consent, Tenant, choose, tenants

XERO_SIGN_IN = "xero"
"""The name under which the sign-in to Xero is kept."""
AGREED_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Connected:
    """The organisation that Tieout signs in to from now on; ``to_set``: the settings do not name it yet."""

    tenant_id: str
    name: str
    to_set: bool


def connect_xero(
    show: Callable[[str], None],
    *,
    clock: Clock,
    settings: Settings | None = None,
    port: int,
    broad: bool = False,
    within: timedelta = AGREED_WITHIN,
) -> Connected:
    """Wait until a person agreed on the page whose address ``show`` is given, and keep the sign-in, encrypted.

    Needs neither the cache nor a connection to Dynamics. ``port``: where the browser comes back to, 0 for any free one.
    Raises Configure or Retryable with one sentence; then nothing was kept, and an older sign-in is as it was.
    """
    chosen = settings if settings is not None else load_settings()
    chosen.require("dynamics_url", "xero_client_id")
    if not chosen.secret_key.get_secret_value():
        raise Configure(
            "The setting TIEOUT_SECRET_KEY is missing: it encrypts the sign-in to Xero. Set it to a long random text, keep a "
            "copy in a safe place, then try again."
        )
    _state(chosen, clock).close()  # a state that cannot be used is told before anybody is sent to the browser
    with Callback(port) as callback:
        consent = Consent(chosen, clock, callback.address, broad=broad)
        show(consent.address)
        signed_in = consent.redeem(callback.wait(within.total_seconds()))
    tenant = choose(tenants(chosen, clock, signed_in["access_token"]), chosen.xero_tenant_id)
    with closing(_state(chosen.model_copy(update={"xero_tenant_id": tenant.id}), clock)) as state:
        _keep(state, signed_in, tenant, clock)
    return Connected(tenant.id, tenant.name, to_set=not chosen.xero_tenant_id)


def _keep(state: State, signed_in: dict[str, str], tenant: Tenant, clock: Clock) -> None:
    store = state.credential_store(XERO_SIGN_IN)
    with store.lock():
        store.save(signed_in)
    after = {"organisation": tenant.name, "client": signed_in["client_id"]}
    state.append_audit("command line", "connect xero", tenant.id, None, after, clock.now())


def _state(settings: Settings, clock: Clock) -> State:
    secret = settings.secret_key.get_secret_value()
    return open_state(settings.state_address, settings.organisation, secret, settings.data_dir, now=clock.now)
