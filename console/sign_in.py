"""Who is at the console: people sign in with Microsoft Entra ID where that is set up, and nobody does on one's own machine.

It is set up by the section ``[auth]`` of ``.streamlit/secrets.toml``, as Streamlit describes it for ``st.login``. What a
person may do is their app role in Entra: Viewer, Operator or Admin. The service checks it before each act.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import Request
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from console.widgets import leading
from sync_core.errors import Configure, Forbidden
from sync_core.service import AT_THIS_MACHINE, Person, role_among

CALLBACK = "/oauth2callback"
NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
SHORTEST_SECRET = 32
FIRST = "Sign in to see this organisation's figures."
NO_ROLE = (
    "You are signed in as {name}, but have no role in Tieout. Ask whoever manages its app registration in Microsoft Entra ID"
    " for the app role Viewer, Operator or Admin, then sign in again."
)


def _settings() -> Mapping[str, Any]:
    return st.secrets.get("auth", {}) if st.secrets.load_if_toml_exists() else {}


def is_needed() -> bool:
    """Whether people sign in here."""
    return bool(_settings())


def check() -> None:
    """Raise Configure naming what is wrong with the sign-in's settings, if there are any."""
    told = _settings()
    if not told:
        return
    for name in NEEDED:
        if not str(told.get(name, "")).strip():
            raise Configure(f"The section [auth] of .streamlit/secrets.toml lacks {name}. The README says what belongs there.")
    if not str(told["redirect_uri"]).endswith(CALLBACK):
        raise Configure(f"redirect_uri in .streamlit/secrets.toml must be the console's own address and end in {CALLBACK}.")
    if len(str(told["cookie_secret"])) < SHORTEST_SECRET:
        raise Configure(f"cookie_secret in .streamlit/secrets.toml must have at least {SHORTEST_SECRET} random characters.")


def host() -> str:
    """The name that people's browsers call the console by, "" where nobody signs in."""
    return urlsplit(str(_settings().get("redirect_uri", ""))).hostname or ""


def is_encrypted() -> bool:
    """Whether browsers come over https, which something in front of the console ends."""
    return urlsplit(str(_settings().get("redirect_uri", ""))).scheme == "https"


def person() -> Person:
    """Whose page is being drawn. Raises Forbidden for somebody without a role, or who is not signed in."""
    return _person(st.user.to_dict)


def person_of(request: Request) -> Person:
    """Whose request this is, by the cookie that signing in left. Raises Forbidden like :func:`person`."""
    return _person(lambda: _claims_of(request))


def _claims_of(request: Request) -> Mapping[str, Any]:
    secret = get_cookie_secret()

    def signed(name: str) -> bytes | None:
        value = request.cookies.get(name)
        return None if value is None else decode_signed_value(secret, name, value.encode("latin-1"))

    held = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    return json.loads(held) if held else {}


def _person(read_claims: Callable[[], Mapping[str, Any]]) -> Person:
    if not is_needed():
        return AT_THIS_MACHINE
    claims = read_claims()
    if not claims.get("is_logged_in"):
        raise Forbidden(FIRST)
    name = next((str(claims[key]) for key in ("preferred_username", "email", "name", "oid") if claims.get(key)), "somebody")
    role = role_among(claims.get("roles") or ())
    if role is None:
        raise Forbidden(NO_ROLE.format(name=name))
    # When the person typed their password, where Entra says so; a token may be younger than that.
    at = claims.get("auth_time") or claims.get("iat") or 0
    return Person(name, role, datetime.fromtimestamp(int(at), UTC))


def hindrance() -> str:
    """Why whoever is at this page may not see it yet, "" when they may."""
    try:
        person()
    except Forbidden as error:
        return error.message
    return ""


def way_in(why: str) -> None:
    """What is drawn instead of a page for whoever may not see one, and ``why``."""
    st.title("Tieout")
    st.text(why)
    if st.user.get("is_logged_in"):
        st.button("Sign out", on_click=st.logout)
    else:
        st.button("Sign in with Microsoft", type=leading(), on_click=st.login)
