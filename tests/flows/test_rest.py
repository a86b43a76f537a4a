"""A company at rest costs no deciding; whatever moves, it is looked at again."""

from __future__ import annotations

import pytest

from sync_core.flows import run
from tests.flows.shop import act, sell


@pytest.fixture
def decided(monkeypatch):
    """The runs that made a plan, since it was last cleared."""
    runs = []
    planned = run._Session._planned

    def noting(self):
        runs.append(self._run)
        return planned(self)

    monkeypatch.setattr(run._Session, "_planned", noting)
    return runs


def until_at_rest(service, decided, books):
    for _ in range(4):
        decided.clear()
        result = service.sync()
        if not decided:
            return result.summary
        books.sandbox.advance(900)
    raise AssertionError("it never came to rest")


def test_nothing_is_decided_for_a_company_at_rest_and_its_counts_stay(books, decided):
    sell(books, "INV-1")
    with books.open() as service:
        service.sync()
        before = service.sync().summary
        quiet = until_at_rest(service, decided, books)
        assert (quiet.counts, quiet.by_entity) == (before.counts, before.by_entity)
        assert sum(quiet.counts.values()) > 0


def test_the_run_after_the_next_is_at_rest_also_in_another_process(books, decided):
    sell(books, "INV-1")
    decisions = []
    for _ in range(3):
        with books.open() as service:
            decided.clear()
            service.sync()
            decisions.append(len(decided))
        books.sandbox.advance(900)
    assert decisions == [1, 1, 0]


@pytest.mark.parametrize(
    "what", ["an edit", "a setting", *(pytest.param(w, marks=pytest.mark.soak) for w in ("a full run", "a preview"))]
)
def test_whatever_moves_wakes_it(books, decided, what):
    sell(books, "INV-1")
    with books.open() as service:
        service.sync()
        until_at_rest(service, decided, books)
        books.sandbox.advance(900)
        wake(books, service, what)
        assert decided


def wake(books, service, what):
    from sync_core.service import Scope

    if what == "an edit":
        act(books, "payment in Xero", {"invoice": "INV-1", "amount": 100})
    if what == "a setting":
        service._workspace.state.set_mapping("default.sales_account", "260", "Mere", service._workspace.clock.now())
    service.sync(Scope(full=what == "a full run"), dry_run=what == "a preview")
