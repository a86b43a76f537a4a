"""Settings from the environment or ``.env`` (prefix ``TIEOUT_``), checked once and never printed whole."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sync_core.errors import Configure

_REQUIRED = (
    "dynamics_url",
    "dynamics_tenant_id",
    "dynamics_client_id",
    "dynamics_client_secret",
    "xero_client_id",
    "xero_tenant_id",
)
_MICROSOFT_LOGIN = "https://login.microsoftonline.com"
_XERO_API = "https://api.xero.com"
_TOKEN_ENDPOINT = re.compile(r"(/connect|/oauth2(/v2\.0)?)/(token|authorize)/?$")
_XERO_IDENTITY = "https://identity.xero.com"
_XERO_LOGIN = "https://login.xero.com"


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Everything that a run needs to know. Secrets are ``SecretStr``: their text appears in no repr, log or error."""

    model_config = SettingsConfigDict(
        env_prefix="TIEOUT_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    dynamics_url: str = ""
    dynamics_identity_url: str = _MICROSOFT_LOGIN
    dynamics_tenant_id: str = ""
    dynamics_client_id: str = ""
    dynamics_client_secret: SecretStr = SecretStr("")
    dynamics_certificate: Path | None = None
    xero_url: str = _XERO_API
    xero_identity_url: str = _XERO_IDENTITY
    xero_client_id: str = ""
    xero_client_secret: SecretStr = SecretStr("")
    xero_tenant_id: str = ""
    xero_webhook_key: SecretStr = SecretStr("")
    data_dir: Path = Path(".tieout")
    state_url: str = ""
    secret_key: SecretStr = SecretStr("")
    allow_loopback: bool = False
    sync_minutes: int = 15
    demo: bool = False

    @field_validator("dynamics_url", "dynamics_identity_url", "xero_url", "xero_identity_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        """Nor with the path of a token endpoint, which is what sign-in services are often known by."""
        return _TOKEN_ENDPOINT.sub("", url.strip()).rstrip("/")

    @model_validator(mode="after")
    def _addresses_are_safe(self) -> Settings:
        for name in ("dynamics_url", "dynamics_identity_url", "xero_url", "xero_identity_url"):
            _check_address(name, getattr(self, name), allow_loopback=self.allow_loopback)
        return self

    @property
    def cache_path(self) -> Path:
        """The organisation's own cache file: rows of another pair of systems never stand beside these."""
        pair = re.sub(r"[^A-Za-z0-9.-]+", "-", self.organisation)
        return self.data_dir / f"cache-{pair}.duckdb"

    @property
    def state_address(self) -> str:
        return self.state_url or f"sqlite:///{(self.data_dir / 'state.sqlite').resolve()}"

    @property
    def xero_login_url(self) -> str:
        """Where a person agrees: Xero's page has a host of its own, a stand-in's does not."""
        return _XERO_LOGIN if self.xero_identity_url == _XERO_IDENTITY else self.xero_identity_url

    @property
    def organisation(self) -> str:
        """The id of this pair of a Dynamics environment and a Xero organisation."""
        return f"{urlsplit(self.dynamics_url).hostname}|{self.xero_tenant_id}"

    def require_connections(self) -> None:
        """Raise Configure naming the connection settings that are missing. An app of Xero's may have no secret."""
        self.require(*_REQUIRED)

    def require(self, *names: str) -> None:
        """Raise Configure naming those of these settings that are missing."""
        lacking = [f"TIEOUT_{name.upper()}" for name in names if not self._is_there(name)]
        if len(lacking) == 1:
            raise Configure(
                f"The setting {lacking[0]} is missing. Set it in the environment or in the file .env, then try again."
            )
        if lacking:
            raise Configure(
                f"The settings {', '.join(lacking[:-1])} and {lacking[-1]} are missing. "
                "Set them in the environment or in the file .env, then try again."
            )

    def _is_there(self, name: str) -> bool:
        if name == "dynamics_client_secret" and self.dynamics_certificate is not None:
            return True
        value = getattr(self, name)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _check_address(name: str, url: str, *, allow_loopback: bool) -> None:
    if not url:
        return
    parts = urlsplit(url)
    setting = f"TIEOUT_{name.upper()}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{setting} is not a web address: it must look like https://host.")
    if parts.username or parts.password:
        raise ValueError(f"{setting} must not carry a user name or password.")
    if parts.scheme == "http" and not (allow_loopback and is_loopback(url)):
        raise ValueError(
            f"{setting} must begin with https://. "
            "Plain http is only for the sandbox on this machine, with TIEOUT_ALLOW_LOOPBACK=1."
        )


def load_settings(**overrides: Any) -> Settings:
    """Read the settings. Raises Configure with one sentence that names the setting which is wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in first["loc"])
        where = "" if message.startswith("TIEOUT_") else f"The setting TIEOUT_{name.upper()} is wrong: "
        raise Configure(f"{where}{message}") from None
