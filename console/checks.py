"""The doctor's checks and the settings, as lines of a table."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from console.door import service
from sync_core.service import Check, Service

HELD = "set, not shown"
SET_UP = "Dynamics set-up"
"""The check of Tieout's own tables in Dynamics, as the doctor calls it."""
CONNECT_XERO = "python -m sync_core connect-xero"


def check() -> tuple[datetime, list[Check]]:
    """When it was asked, and every answer. A system that cannot be reached is an answer too."""
    return datetime.now(UTC), service().doctor()


def settings_lines(opened: Service) -> list[dict[str, str]]:
    """Every setting by the name that it has in the environment. Secrets only say whether they are there."""
    settings = opened.settings
    values = {
        "TIEOUT_DYNAMICS_URL": (settings.dynamics_url, "Dynamics"),
        "TIEOUT_DYNAMICS_IDENTITY_URL": (settings.dynamics_identity_url, "Dynamics sign-in"),
        "TIEOUT_DYNAMICS_TENANT_ID": (settings.dynamics_tenant_id, "Dynamics sign-in"),
        "TIEOUT_DYNAMICS_CLIENT_ID": (settings.dynamics_client_id, "Dynamics sign-in"),
        "TIEOUT_DYNAMICS_CLIENT_SECRET": (_held(settings.dynamics_client_secret), "Dynamics sign-in"),
        "TIEOUT_DYNAMICS_CERTIFICATE": (str(settings.dynamics_certificate or "not set"), "Dynamics sign-in"),
        "TIEOUT_XERO_URL": (settings.xero_url, "Xero"),
        "TIEOUT_XERO_IDENTITY_URL": (settings.xero_identity_url, "Xero sign-in"),
        "TIEOUT_XERO_CLIENT_ID": (settings.xero_client_id, "Xero sign-in"),
        "TIEOUT_XERO_CLIENT_SECRET": (_held(settings.xero_client_secret), "Xero sign-in"),
        "TIEOUT_XERO_TENANT_ID": (settings.xero_tenant_id, "Xero"),
        "TIEOUT_XERO_WEBHOOK_KEY": (_held(settings.xero_webhook_key), "Notices from Xero"),
        "TIEOUT_DATA_DIR": (str(settings.data_dir.resolve()), "Where the cache and the state are kept"),
        "TIEOUT_STATE_URL": (_without_password(settings.state_address), "State"),
        "TIEOUT_SECRET_KEY": (_held(settings.secret_key), "Encrypts kept sign-ins"),
        "TIEOUT_ALLOW_LOOPBACK": ("yes" if settings.allow_loopback else "no", "Plain http to this machine, for the sandbox"),
        "TIEOUT_SYNC_MINUTES": (str(settings.sync_minutes), "Schedule"),
        "TIEOUT_DEMO": ("yes" if settings.demo else "no", "Demo company"),
    }
    return [{"name": name, "value": value or "not set", "from": where} for name, (value, where) in values.items()]


def _held(secret: object) -> str:
    return HELD if str(secret) else "not set"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.password:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:…@{host}", query="", fragment=""))
