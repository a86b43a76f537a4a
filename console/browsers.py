"""Which browser a page is drawn for, so that the name that was typed there outlives a reload.

A browser is known by a random cookie that no script can read; the name stays on this side, until the console ends. Where
people sign in there is neither: the name is what they signed in with.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

import streamlit as st

COOKIE = "tieout_browser"
YEAR = 365 * 86_400
MOST = 1_000
_names: OrderedDict[str, str] = OrderedDict()
_one = threading.Lock()


def new_cookie() -> str:
    """The header's value that makes a browser known."""
    return f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Strict"


def name() -> str:
    """What was last typed in this browser, "" for nothing."""
    return _names.get(_here(), "")


def keep_name(typed: str) -> None:
    """Keep what was typed in this browser, in place of what was before; of very many browsers, only the latest."""
    here = _here()
    if not here or _names.get(here, "") == typed:
        return
    with _one:
        _names[here] = typed
        _names.move_to_end(here)
        while len(_names) > MOST:
            _names.popitem(last=False)


def _here() -> str:
    return str(st.context.cookies.get(COOKIE, ""))
