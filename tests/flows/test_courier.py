"""Batches on their way: several at once, every element with its own answer, and nothing sent once one ended it all."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from sync_core.errors import Busy, Retryable, TieoutError, Unknown
from sync_core.flows.courier import Courier
from sync_core.model import IntentStatus, Side
from sync_core.systems.base import Receipt

AT_ONCE = 3


class Element:
    def __init__(self, name):
        self.intent = SimpleNamespace(id=name, side=Side.XERO)

    def write(self):
        return self.intent.id


class System:
    """Answers each batch by what is arranged for it; remembers how many were under way together."""

    at_once = AT_ONCE

    def __init__(self, **arranged):
        self.arranged, self.sent, self.under_way, self.most = arranged, [], 0, 0
        self._lock, self._full = threading.Lock(), threading.Barrier(AT_ONCE)

    def write(self, writes):
        with self._lock:
            self.sent.append(writes)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        if "together" in self.arranged:
            self._full.wait(timeout=30)
        with self._lock:
            self.under_way -= 1
        error = self.arranged.get(writes[0])
        if error is not None:
            raise error
        return [Receipt(id=name, native={}) for name in writes]


class State:
    def __init__(self):
        self.marked, self.settled, self.lost = [], {}, False

    def together(self):
        return threading.Lock()

    def renew(self, lease):
        if self.lost:
            raise Busy("Another run took over.")
        return lease

    def plan_intents(self, intents):
        self.planned = [i.id for i in intents]

    def mark_sending(self, ids, at, lease):
        self.marked += ids

    def settle(self, outcomes):
        self.settled.update({i: (status, reason) for i, status, _, reason in outcomes})


def courier(system, step=lambda _name: None):
    state = State()
    clock = SimpleNamespace(now=lambda: None)
    return Courier(SimpleNamespace(state=state, systems={Side.XERO: system}, clock=clock, step=step), "lease"), state


BATCHES = [[Element(f"{letter}1"), Element(f"{letter}2")] for letter in "abcdef"]


def test_as_many_as_the_system_takes_are_under_way_and_answers_keep_their_order():
    system = System(together=None)
    sender, state = courier(system)
    delivery = sender.deliver(BATCHES)
    assert system.most == AT_ONCE
    assert [e.intent.id for e, _ in delivery.answered] == state.planned == state.marked
    assert all(receipt.id == element.intent.id for element, receipt in delivery.answered)
    assert (delivery.lost, delivery.ended) == ([], None)


def test_a_lost_answer_is_told_apart_and_stops_no_other():
    delivery = courier(System(b1=Unknown("Nobody knows.")))[0].deliver(BATCHES)
    assert [e.intent.id for batch, _ in delivery.lost for e in batch] == ["b1", "b2"]
    assert len(delivery.answered) == 10


def test_once_a_system_ends_it_nothing_more_is_sent_and_each_element_says_so():
    system = System(a1=Retryable("Xero asks to be left alone."))
    sender, state = courier(system)
    delivery = sender.deliver(BATCHES)
    assert delivery.ended is not None
    sent = {name for writes in system.sent for name in writes}
    assert {"e1", "f1"} & sent == set()
    answered = {e.intent.id for e, _ in delivery.answered}
    assert answered | set(state.settled) == {e.intent.id for b in BATCHES for e in b}
    assert {reason for _, reason in state.settled.values()} == {"not sent: Xero asks to be left alone."}
    assert {status for status, _ in state.settled.values()} == {IntentStatus.REJECTED}


@pytest.mark.parametrize("point", ["marked as sending", "answered"])
def test_a_person_who_stops_the_run_loses_no_answer(point):
    passed = []

    def step(name):
        passed.append(name)
        if passed.count(point) == 2:
            raise TieoutError("Stopped by Mere.")

    system = System()
    sender, state = courier(system, step)
    delivery = sender.deliver(BATCHES)
    assert str(delivery.ended) == "Stopped by Mere."
    answered = {e.intent.id for e, _ in delivery.answered}
    assert answered == {name for writes in system.sent for name in writes}
    assert set(state.settled) == {e.intent.id for b in BATCHES for e in b} - answered


def test_a_run_that_was_overtaken_sends_nothing_more():
    system = System()
    sender, state = courier(system, lambda name: setattr(state, "lost", name == "answered"))
    with pytest.raises(Busy):
        sender.deliver(BATCHES)
    assert len(system.sent) <= AT_ONCE
