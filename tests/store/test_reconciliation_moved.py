"""Renewing the kept rows for what moved gives the same rows as making all of them anew, whatever moves."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from ledger_pair import Ledgers

from sync_core.rules.reconcile import NO_TERMS
from sync_core.store import reconciliation_kept, reconciliation_moved
from sync_core.store.prints import EVERY
from sync_core.store.reconciliation import rows
from sync_core.store.reconciliation_sql import agreed_name

SIDES = ("crm", "xero")
PAIRS = 14
ENTITIES = ("invoices", "payments", "contacts")


class Rollback(Exception):
    """Ends a transaction whose rows were only looked at."""


class Books:
    """Two ledgers in which anything can happen. Every edit gives the record another stamp, as a pull does."""

    def __init__(self, seed):
        self.chance = random.Random(seed)  # a game, no secret
        self.ledgers, self.clock = Ledgers(), 0
        for name in ("k", "l", "m"):
            self.ledgers.customer(f"crm-{name}", f"xero-{name}", f"Contact {name}")
        for n in range(PAIRS):
            self.ledgers.pair(f"A{n}", contact=None)
            self.set("invoices", "crm", f"c-A{n}", contact="crm-" + "klm"[n % 3])
            self.set("invoices", "xero", f"x-A{n}", contact="xero-" + "klm"[n % 3])

    def set(self, entity, side, id_, **values):
        self.clock += 1
        values |= {"stamp": str(self.clock)}
        sets = ", ".join(f"{name} = ?" for name in values)
        where = "entity = ? AND side = ? AND id = ?"
        self.run(f"UPDATE record SET {sets} WHERE {where}", *values.values(), entity, side, id_)  # noqa: S608  # our names

    def run(self, sql, *values):
        self.ledgers.root.execute(sql, list(values)).fetchall()
        self.ledgers.root.execute(EVERY).fetchall()
        self.ledgers.cache.changes += 1
        self.ledgers.cache.touches += 1

    def edit(self):
        chosen = self.chance.choice([e for e in dir(self) if e.startswith("may_")])
        side = self.chance.choice(SIDES)
        getattr(self, chosen)(side, f"{side[0]}-A{self.chance.randrange(PAIRS)}")

    def may_change_the_total(self, side, id_):
        self.set("invoices", side, id_, total=self.chance.choice(["115", "115.01", "230"]))

    def may_change_the_lines(self, side, id_):
        lines = [{"net": self.chance.choice(["100", "200"]), "description": self.chance.choice(["Fees", "Other fees"])}]
        self.set("invoices", side, id_, fields=json.dumps({"lines": lines}), hash=f"new {self.clock}")

    def may_change_and_agree_again(self, side, id_):
        self.set("invoices", side, id_, hash=f"other {self.clock}", agreed_hash=f"other {self.clock}")

    def may_change_unagreed(self, side, id_):
        self.set("invoices", side, id_, hash=f"new {self.clock}")

    def may_part(self, side, id_):
        self.run("UPDATE record SET partner = NULL WHERE id = ? AND side = ?", id_, side)

    def may_link(self, _side, id_):
        self.run("UPDATE record SET partner = ? WHERE id = ?", f"x-{id_[2:]}", f"c-{id_[2:]}")
        self.run("UPDATE record SET partner = ? WHERE id = ?", f"c-{id_[2:]}", f"x-{id_[2:]}")

    def may_link_to_another(self, side, id_):
        other = "x" if side == "crm" else "c"
        self.run("UPDATE record SET partner = ? WHERE id = ?", f"{other}-A{self.chance.randrange(PAIRS)}", id_)

    def may_void(self, side, id_):
        self.set("invoices", side, id_, gone=self.chance.choice(["", "voided", "deleted", "archived"]))

    def may_stand_against_another_contact(self, side, id_):
        self.set("invoices", side, id_, contact=self.chance.choice([None, f"{side}-k", f"{side}-l", f"{side}-new"]))

    def may_have_another_number(self, side, id_):
        self.set("invoices", side, id_, number=f"A{self.chance.randrange(PAIRS)}")

    def may_get_a_contact(self, side, _id):
        self.run("DELETE FROM record WHERE entity = 'contacts' AND id = ?", f"{side}-new")
        self.ledgers.add("contacts", side, f"{side}-new", title="New one", partner="xero-l" if side == "crm" else None)

    def may_merge_a_contact(self, side, _id):
        self.set("contacts", side, f"{side}-l", gone=self.chance.choice(["", "merged"]))

    def may_link_a_contact_to_another(self, side, _id):
        partner = ("xero-" if side == "crm" else "crm-") + self.chance.choice("klm")
        self.run("UPDATE record SET partner = ? WHERE entity = 'contacts' AND id = ?", partner, f"{side}-k")

    def may_pay(self, side, id_):
        self.clock += 1
        self.ledgers.add("payments", side, f"p{self.clock}", document=id_, total="15", currency="NZD", stamp=str(self.clock))

    def may_allocate(self, side, id_):
        self.clock += 1
        self.ledgers.add("allocations", side, f"a{self.clock}", document=id_, total="5", currency="NZD", stamp=str(self.clock))

    def may_move_a_payment(self, side, id_):
        self.clock += 1
        self.run(
            "UPDATE record SET document = ?, stamp = ? WHERE seq = (SELECT min(seq) FROM record WHERE entity = 'payments')",
            id_,
            str(self.clock),
        )

    def may_tell_the_amount_paid(self, _side, id_):
        self.set("invoices", "xero", f"x-{id_[2:]}", amount_paid=self.chance.choice(["0", "15", "30"]))

    def may_lose_a_record(self, _side, id_):
        self.run("DELETE FROM record WHERE id = ?", id_)


def differing(cache, entity):
    """Rows that only one of both ways gives."""
    kept = reconciliation_kept.kept_name(entity)
    found = []
    tables = ((kept, "whole"), (agreed_name(kept), agreed_name("whole")))
    try:
        with cache.transaction(counted=False) as transaction:
            reconciliation_kept.make(transaction, entity, NO_TERMS, "whole")
            for one, other in (*tables, *((b, a) for a, b in tables)):
                found += transaction.query(f"FROM {one} EXCEPT ALL FROM {other}").to_pylist()  # our names
            raise Rollback
    except Rollback:
        return found


@pytest.fixture
def partly(monkeypatch):
    """Every record has a print of its own, and however much moves, only that is made anew."""
    monkeypatch.setattr(reconciliation_moved, "_NEAR", 1)
    monkeypatch.setattr(reconciliation_moved, "_MANY", 2)


def played(seed, rounds, edits, entities):
    books = Books(seed)
    for number in range(rounds):
        for entity in entities:
            rows(books.ledgers.cache, entity, limit=1)
        for _ in range(edits):
            books.edit()
        for entity in entities:
            rows(books.ledgers.cache, entity, limit=1)
            assert differing(books.ledgers.cache, entity) == [], (seed, number, entity)


@pytest.mark.usefixtures("partly")
def test_what_is_renewed_is_what_would_be_made():
    played(11, rounds=4, edits=5, entities=("invoices",))


@pytest.mark.soak
@pytest.mark.usefixtures("partly")
@pytest.mark.parametrize("seed", range(12))
def test_what_is_renewed_is_what_would_be_made_often(seed):
    played(seed, rounds=6, edits=1 + seed % 9, entities=ENTITIES)


@pytest.mark.usefixtures("partly")
def test_pairs_that_nothing_touches_are_left_alone():
    books = Books(1)
    cache, kept = books.ledgers.cache, agreed_name(reconciliation_kept.kept_name("invoices"))
    rows(cache, "invoices", limit=1)
    before = cache.query(f"SELECT rowid, crm_seq FROM {kept} ORDER BY 1").to_pylist()  # noqa: S608  # our names
    books.set("invoices", "crm", "c-A3", total="230")
    rows(cache, "invoices", limit=1)
    after = cache.query(f"SELECT rowid, crm_seq FROM {kept} ORDER BY 1").to_pylist()  # noqa: S608  # our names
    assert len([row for row in after if row in before]) == PAIRS - 1
