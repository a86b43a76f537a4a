"""The settings that must hold, checked at every start. Where nobody signs in, the console serves this machine only."""

from __future__ import annotations

import os

import streamlit as st
from streamlit import config

from console import sign_in
from sync_core.errors import Configure

ADDRESS = "127.0.0.1"
HOSTS = ["127.0.0.1", "localhost"]

REQUIRED: dict[str, object] = {
    "server.address": ADDRESS,
    "server.allowedHosts": HOSTS,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.fileWatcherType": "none",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "client.disableDataExport": True,
    "browser.gatherUsageStats": False,
    "runner.magicEnabled": False,
}
MOST_UPLOAD = 5


def hosts() -> list[str]:
    """The names that the console answers to."""
    return [*HOSTS, *([sign_in.host()] if sign_in.host() not in ("", *HOSTS) else [])]


def assert_hardened(address: str = ADDRESS) -> None:
    """Raise Configure naming the first setting that is not as it must be for serving on ``address``."""
    sign_in.check()
    if address != ADDRESS and not sign_in.is_needed():
        raise Configure(
            f"Without a sign-in the console serves {ADDRESS} only, and not {address}. The README says how people sign in."
        )
    asked = {st.get_option("server.address"), os.environ.get("STREAMLIT_SERVER_ADDRESS", ADDRESS)}
    if asked != {ADDRESS}:
        raise Configure(
            f"The console serves {ADDRESS} only, or where people sign in what --address says. Take the other address out of"
            " .streamlit/config.toml and STREAMLIT_SERVER_ADDRESS."
        )
    for name, wanted in REQUIRED.items():
        if st.get_option(name) != wanted:
            raise Configure(
                f"The Streamlit setting {name} must be {_toml(wanted)}. Start the console in the folder that holds"
                " .streamlit/config.toml, and leave that file as it is."
            )
    if int(st.get_option("server.maxUploadSize")) > MOST_UPLOAD:
        raise Configure(f"The Streamlit setting server.maxUploadSize must be at most {MOST_UPLOAD}.")
    config.set_option("server.allowedHosts", hosts())


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).replace("'", '"')
