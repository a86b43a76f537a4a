"""Does the proof have teeth? Each planted bug must be caught by the oracle, or the test, that is named beside it.

With ``--every-point`` each trial is also played without its bug, and must be clean then, and the bugs that one test catches
are planted under that test.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from sync_core.model import Side
from sync_core.service import Scope
from tests.plants import planting
from tests.plants.planting import Plant
from tests.simulation.arena import LEASE_AND_MORE, Arena
from tests.simulation.oracles import honest
from tests.simulation.scene import Scene
from tests.simulation.schedules import Report, settle

Trial = Callable[[Arena], None]
XERO_INVOICES = {"system": "xero", "path": "/Invoices$"}


def _sell(arena: Arena, *numbers: str) -> None:
    with arena.people() as people:
        for number in numbers:
            people.act("invoice in Dynamics", {"number": number, "customer": "Mere Motors", "lines": [{"product": "TENT"}]})


def sale(arena: Arena) -> None:
    _sell(arena, "T-1", "T-2")
    arena.sync()


def sale_after_a_sync(arena: Arena) -> None:
    arena.sync()
    sale(arena)


def odd_payment(arena: Arena) -> None:
    sale(arena)
    with arena.people() as people:
        people.act("payment in Xero", {"invoice": "T-1", "amount": "8.29"})
    arena.sync()


def empty_listing(arena: Arena) -> None:
    sale(arena)
    arena.sandbox.advance(3600)
    arena.arm("empty_listing", times=None, **XERO_INVOICES)
    arena.sync(Scope(full=True))


def taken_over_after_its_first_write(arena: Arena) -> None:
    _sell(arena, "T-1", "T-2")
    waiting = [True]

    def step(name: str) -> None:
        if name == "settled" and waiting:
            waiting.clear()
            arena._contender(LEASE_AND_MORE)

    arena.step = step
    try:
        arena.sync()
    finally:
        arena.step = None
    assert arena.events["taken over"] == 1


def email_on_both_sides_at_the_last_moment(arena: Arena) -> None:
    row = next(r for r in arena.rows("dataverse.account") if r["name"] == "Mere Motors")
    with arena.people() as people:
        people.xero("POST", f"Contacts/{row['tie_xeroid']}", {"EmailAddress": "xero@x.example"})
    arena.note("contacts", Side.XERO, row["tie_xeroid"], "email", "xero@x.example", "office@mere.example")
    edit = {"system": "dataverse", "table": "account", "id": row["accountid"], "set": {"emailaddress1": "crm@x.example"}}
    struck = arena.arm("edit_before", system="dataverse", method="PATCH", path="/accounts", edit=edit)
    arena.sync()
    assert struck.fired == 1
    arena.note("contacts", Side.CRM, row["accountid"], "email", "crm@x.example", "office@mere.example")


def server_error_after_the_write(arena: Arena) -> None:
    arena.arm("error_after", method="PUT", **XERO_INVOICES)
    sale(arena)


PLAYED: list[tuple[Plant, Trial, str]] = [
    (planting.no_intent_row, sale, "intended"),
    (planting.intents_never_settled, sale, "settled"),
    (planting.cursor_first, sale_after_a_sync, "nobody_forgotten"),
    (planting.float_money, odd_payment, "once"),
    (planting.absence_is_deletion, empty_listing, "honest"),
    (planting.no_fence, taken_over_after_its_first_write, "one_at_a_time"),
    (planting.stamps_without_lease, taken_over_after_its_first_write, "one_at_a_time"),
    (planting.etag_ignored, email_on_both_sides_at_the_last_moment, "nothing_lost"),
    (planting.server_error_retried_blindly, server_error_after_the_write, "never_resent"),
    (planting.stable_key_only, server_error_after_the_write, "never_resent"),
]


def _breaches(arena: Arena, trial: Trial) -> list[str]:
    arena.begin()
    report = Report(0, [])
    try:
        trial(arena)
        report.breaches += [f"honest: {breach}" for breach in honest(Scene(arena))]  # a later sync may take it back
        settle(arena, report)
    finally:
        arena.leave()
    return report.breaches


@pytest.mark.parametrize(("plant", "trial", "oracle"), PLAYED, ids=lambda x: getattr(x, "__name__", x))
def test_a_planted_bug_is_caught_by_its_oracle(
    playground: Arena, plant: Plant, trial: Trial, oracle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        plant(patch)
        found = _breaches(playground, trial)
    assert {b.split(":")[0] for b in found} >= {oracle}, found


@pytest.mark.soak
@pytest.mark.parametrize("trial", dict.fromkeys(t for _, t, _ in PLAYED), ids=lambda t: t.__name__)
def test_the_same_trial_without_a_bug_is_clean(playground: Arena, trial: Trial) -> None:
    assert _breaches(playground, trial) == []


NAMED: list[tuple[str, str]] = [
    ("refresh_token_unsaved", "tests/systems/test_oauth_xero.py::test_a_refresh_is_saved_before_it_is_used"),
    ("batch_matched_by_index_only", "tests/systems/test_xero.py::test_an_answer_that_does_not_fit_leaves_all_unknown"),
    ("post_for_put", "tests/systems/test_xero.py::test_a_batch_is_put_once_with_numbers_as_they_are"),
    ("local_time_cursor", "tests/systems/test_xero_listing.py::test_the_cursor_is_the_newest_row_and_the_next_pull_overlaps"),
    ("no_overlap", "tests/systems/test_xero_listing.py::test_the_cursor_is_the_newest_row_and_the_next_pull_overlaps"),
    ("role_check_only_in_the_page", "tests/test_service_permission.py::test_a_viewer_changes_nothing"),
    ("redaction_off", "tests/systems/test_http_redaction.py::test_shapes_of_secrets_are_masked"),
]


@pytest.mark.soak
@pytest.mark.parametrize(("plant", "test"), NAMED, ids=[plant for plant, _ in NAMED])
def test_a_planted_bug_is_caught_by_its_test(plant: str, test: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.plants.planting", "-p", "no:cacheprovider", test]
    environment: dict[str, Any] = {**os.environ, "TIEOUT_PLANT": plant, "PYTEST_ADDOPTS": ""}
    found = subprocess.run([*command, "-n0"], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == pytest.ExitCode.TESTS_FAILED, found.stdout[-2000:] + found.stderr[-2000:]
