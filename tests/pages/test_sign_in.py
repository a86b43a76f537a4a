"""Where people sign in: what somebody without a role, a viewer, an operator see, and what a click of theirs does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console import sign_in
from console.actions import ASKED
from sync_core.errors import Configure
from tests.pages.conftest import ROOT, app

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "c" * 40,
    "client_id": "client",
    "client_secret": "planted",
    "server_metadata_url": "http://127.0.0.1:9/tenant/v2.0/.well-known/openid-configuration",
}

LOOKS = ("Sign out", "Review the ", "See both sides", "Look again")
"""Buttons that only lead somewhere."""


@pytest.fixture
def signed_in(service):
    """A page as somebody with these app roles sees it; ``roles`` None: somebody who did not sign in."""

    def shower(name, roles, *, hours_ago=0.0):
        at = app()
        at.secrets["auth"] = AUTH
        at.user = {"is_logged_in": roles is not None}
        if roles is not None:
            since = datetime.now(UTC) - timedelta(hours=hours_ago)
            at.user |= {"preferred_username": "ana@example.com", "roles": roles, "iat": int(since.timestamp())}
        return at.switch_page(str(ROOT / "pages" / f"{name}.py")).run()

    return shower


def text(said):
    """Without the signs that keep Streamlit from reading a sentence as Markdown."""
    return said.replace("\\", "")


def button(at, label):
    return next(b for b in at.button if b.label == label)


def test_nobody_sees_a_page_before_they_sign_in(service, signed_in, words):
    at = signed_in("invoices", None)
    assert "Sign in to see this organisation's figures." in text(words(at))
    assert [b.label for b in at.button] == ["Sign in with Microsoft"]
    assert not at.dataframe


def test_somebody_without_a_role_is_told_whom_to_ask(service, signed_in, words):
    at = signed_in("overview", ["Approver"])
    assert "You are signed in as ana@example.com, but have no role in Tieout." in text(words(at))
    assert [b.label for b in at.button] == ["Sign out"]


@pytest.mark.parametrize(
    "name", ["schedule", "problems", *(pytest.param(n, marks=pytest.mark.soak) for n in ("overview", "resync", "close"))]
)
def test_a_viewer_sees_everything_and_can_press_nothing_that_acts(service, signed_in, words, name):
    at = signed_in(name, ["Viewer"])
    assert "Viewer: you may look at everything." in text(words(at))
    acts = [b for b in at.button if not b.label.startswith(LOOKS)]
    assert acts
    assert [b.label for b in acts if not b.disabled] == []
    assert all("This needs the role" in b.help for b in acts)


def test_an_operator_acts_in_the_name_that_they_signed_in_with(service, signed_in, words):
    at = signed_in("overview", ["Operator"])
    assert "Your name" not in [t.label for t in at.text_input]
    button(at, "Sync now").click().run()
    asked = at.session_state[ASKED][-1]
    assert service.request(asked.id).args["who"] == "ana@example.com"
    service._workspace.state.finish_request(asked.id, "Left out.")


def test_an_admin_who_signed_in_this_morning_signs_in_again_for_a_rule(service, signed_in, words):
    at = signed_in("schedule", ["Admin"], hours_ago=9)
    button(at, "Pause").click().run()
    assert "You signed in more than 8 hours ago. Sign out and in again, then repeat this." in text(words(at))
    assert not service.schedule().paused


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_secret": ""}, "lacks client_secret"),
        ({"redirect_uri": "http://localhost:8501/"}, "end in /oauth2callback"),
        ({"cookie_secret": "short"}, "at least 32 random characters"),
    ],
)
def test_a_sign_in_that_cannot_work_is_named_at_the_start(monkeypatch, changed, said):
    monkeypatch.setattr(sign_in, "_settings", lambda: AUTH | changed)
    with pytest.raises(Configure, match=said):
        sign_in.check()
