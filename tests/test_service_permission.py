"""Roles are asked for inside the service (I17): whatever a page lets through, a viewer changes nothing."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest

from sync_core.errors import Forbidden
from sync_core.rules.people import Person, Role
from sync_core.service import Service
from tests.scenarios.books import Books

VERBS = {name: verb for name, verb in inspect.getmembers(Service, inspect.isfunction) if not name.startswith("_")}
GUARDED = {name: verb.needs for name, verb in VERBS.items() if hasattr(verb, "needs")}
CALLED = {
    "enqueue_sync": {},
    "link": {"name": "contacts", "crm_id": "a", "xero_id": "b"},
    "assign": {"name": "invoices", "row_ids": ["crm:a"], "assignee": "Ana"},
    "set_minutes": {"minutes": 5},
    "pause": {},
}


def person(service: Service, role: Role, *, signed_in: timedelta = timedelta()) -> Service:
    return service.as_person(Person(f"{role}@example.com", role, service.now() - signed_in))


def test_every_verb_that_is_done_in_a_name_asks_for_a_role():
    named = {name for name, verb in VERBS.items() if "who" in inspect.signature(verb).parameters}
    assert named <= set(GUARDED)
    assert set(GUARDED) - named == {"set_up", "sync", "verify"}


def test_a_viewer_changes_nothing(books: Books):
    """Not even where a page forgot to ask: the calls are made as a page makes them."""
    before = books.logged
    with books.open() as service:
        viewer, audit = person(service, Role.VIEWER), service._workspace.state.audit_head()
        for name in [*CALLED, *GUARDED]:
            with pytest.raises(Forbidden, match="with the role viewer"):
                getattr(viewer, name)(**CALLED.get(name, {}), **({"who": "Mere"} if name in CALLED else {}))
        assert service._workspace.state.audit_head() == audit
        assert viewer.reconciliation("contacts").row_count > 0
        assert viewer.schedule() == service.schedule()
    assert books.logged == before


def test_an_operator_works_and_an_admin_sets_the_rules(books: Books):
    with books.open() as service:
        operator, admin = person(service, Role.OPERATOR), person(service, Role.ADMIN)
        row = service.reconciliation_rows("contacts").to_pylist()[0]["row_id"]
        operator.assign("contacts", [row], "Ana", who="Mere")
        with pytest.raises(Forbidden, match="needs the role admin"):
            operator.pause(who="Mere")
        admin.pause(who="Mere")
        assert service.schedule().paused


def test_who_signed_in_is_who_did_it_whatever_the_caller_says(books: Books):
    with books.open() as service:
        operator = person(service, Role.OPERATOR)
        row = service.reconciliation_rows("contacts").to_pylist()[0]["row_id"]
        operator.comment("contacts", [row], "Looked at", who="Mere")
        assert [act.who for act in service.case_history("contacts", row)] == ["operator@example.com"]
        service.comment("contacts", [row], "Looked at again", who="Mere")
        assert service.case_history("contacts", row)[-1].who == "Mere"


def test_a_sign_in_of_yesterday_looks_on_but_changes_no_rule(books: Books):
    with books.open() as service:
        admin = person(service, Role.ADMIN, signed_in=timedelta(hours=9))
        with pytest.raises(Forbidden, match="more than 8 hours ago"):
            admin.set_minutes(5, who="Mere")
        assert admin.overview().runs
