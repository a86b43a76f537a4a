"""Bugs planted on purpose, by name: each takes pytest's monkeypatch and breaks one promise of the engine.

As a pytest plugin (``-p tests.plants.planting`` with ``TIEOUT_PLANT=name``) it runs any test with that bug in place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from sync_core.errors import Retryable
from sync_core.flows import apply, pull, recover, run
from sync_core.flows.arrivals import Arrivals
from sync_core.flows.jobs import Job, JobMaker
from sync_core.model import Verb
from sync_core.rules import mapping
from sync_core.service import permission
from sync_core.store import records, rows
from sync_core.store.intents import Intents
from sync_core.store.leases import Leases
from sync_core.store.state import State
from sync_core.systems import redaction, xero_answers, xero_listing
from sync_core.systems.base import Write
from sync_core.systems.http import Http
from sync_core.systems.oauth_xero import XeroTokens
from sync_core.systems.xero_operations import WRITING, Writing

Plant = Callable[[pytest.MonkeyPatch], None]


def _nothing(*_: Any, **__: Any) -> None:
    return None


def no_intent_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(State, "plan_intents", _nothing)
    patch.setattr(State, "mark_sending", _nothing)
    patch.setattr(Intents, "_require_intents", _nothing)


def intents_never_settled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run, "recover", _nothing)
    settle = State.settle

    def only_links(self: State, _outcomes: Any, links: Any = (), statuses: Any = (), lease: Any = None) -> None:
        settle(self, [], links, statuses, lease)

    patch.setattr(State, "settle", only_links)


def stable_key_only(patch: pytest.MonkeyPatch) -> None:
    """A key made of the record alone is trusted to keep it single: nobody looks whether a lost write arrived."""
    random = JobMaker._intent

    def keyed(self: JobMaker, *args: Any, **more: Any) -> Any:
        made = random(self, *args, **more)
        return replace(made, key=str(uuid5(NAMESPACE_URL, made.tag)))

    patch.setattr(JobMaker, "_intent", keyed)
    patch.setattr(apply, "find_arrived", lambda *_: Arrivals())
    patch.setattr(recover, "find_arrived", lambda *_: Arrivals())
    patch.setattr(records, "exact_matches", lambda *_: [])


def cursor_first(patch: pytest.MonkeyPatch) -> None:
    """The cursor is kept before its rows; the first time that a new invoice comes, the power goes in between."""
    merge_pages = rows.merge_pages
    gone: list[str] = []

    def cut(cache: Any, pages: Any, quiet: Any, run_id: str) -> None:
        torn = [page for page in pages if page.stream.name == "crm.invoice" and page.rows and not gone]
        if torn:
            gone.append(run_id)
            merge_pages(cache, [], {page.stream.name: page.reached for page in pages}, run_id)
            raise Retryable("The power is gone.")
        merge_pages(cache, pages, quiet, run_id)

    patch.setattr(rows, "merge_pages", cut)


def float_money(patch: pytest.MonkeyPatch) -> None:
    exact = mapping._crm_value

    def cents(spec: Any, at: Any, value: Any) -> Any:
        return Decimal(int(float(value) * 100)) / 100 if isinstance(value, Decimal) else exact(spec, at, value)

    patch.setattr(mapping, "_crm_value", cents)


def absence_is_deletion(patch: pytest.MonkeyPatch) -> None:
    def bury(workspace: Any, stream: Any, unseen: list[str], run_id: str) -> int:
        rows.bury(workspace.cache, stream, unseen, run_id)
        return 0

    patch.setattr(pull, "_look_for", bury)


def no_fence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Leases, "_still_held", _nothing)
    patch.setattr(Leases, "_hold_lease", _nothing)


def etag_ignored(patch: pytest.MonkeyPatch) -> None:
    def unguarded(job: Job) -> Write:
        return Write(job.stream, job.verb, job.body, job.intent.key, job.target_id, None)

    patch.setattr(Job, "write", unguarded)


def server_error_retried_blindly(patch: pytest.MonkeyPatch) -> None:
    failing = Http._failing

    def blindly(self: Http, call: Any, answer: Any) -> None:
        call.safe = True
        failing(self, call, answer)

    patch.setattr(Http, "_failing", blindly)


def stamps_without_lease(patch: pytest.MonkeyPatch) -> None:
    from sync_core.flows import stamp

    write = stamp._write

    def unguarded(workspace: Any, run_id: str, lease: Any, bodies: Any) -> int:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Leases, "renew", lambda _self, held: held)
            return write(workspace, run_id, lease, bodies)

    patch.setattr(stamp, "_write", unguarded)


def refresh_token_unsaved(patch: pytest.MonkeyPatch) -> None:
    refresh = XeroTokens._refresh

    class Forgetful:
        save = _nothing

    patch.setattr(XeroTokens, "_refresh", lambda self, _store, stored: refresh(self, Forgetful(), stored))  # type: ignore[arg-type]  # the bug


def batch_matched_by_index_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(xero_answers, "_check_echo", _nothing)


def post_for_put(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(WRITING, ("Invoices", Verb.CREATE), Writing("update_or_create_invoices", 50))


def local_time_cursor(patch: pytest.MonkeyPatch) -> None:
    options = xero_listing._options

    def ahead(stream: Any, start: Any) -> Any:
        return options(stream, start and start + timedelta(hours=13))

    patch.setattr(xero_listing, "_options", ahead)


def no_overlap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(xero_listing, "OVERLAP", timedelta())


def redaction_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(redaction, "_PATTERNS", ())


def role_check_only_in_the_page(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(permission, "permit", _nothing)


@pytest.fixture(scope="session", autouse=True)
def planted() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        plant: Plant = globals()[os.environ["TIEOUT_PLANT"]]
        plant(patch)
        yield
