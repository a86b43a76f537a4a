"""The console serves without a sign-in, so it serves this machine only: the settings that must hold, checked at every start."""

from __future__ import annotations

import os

import streamlit as st

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


def assert_hardened() -> None:
    """Raise Configure naming the first Streamlit setting that is not as it must be."""
    asked = {st.get_option("server.address"), os.environ.get("STREAMLIT_SERVER_ADDRESS", ADDRESS)}
    if asked != {ADDRESS}:
        raise Configure(
            f"The console listens on {ADDRESS} only, because it has no sign-in. Take the other address out of"
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


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).replace("'", '"')
