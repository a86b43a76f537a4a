"""What drivers say becomes an error by its remedy, and what nobody foresaw stays as it is."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, OperationalError

from sync_core.errors import Busy, Configure, Retryable
from sync_core.store.failures import translate


class Said(Exception):
    def __init__(self, **told):
        super().__init__("raw words")
        vars(self).update(told)


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        ({"sqlite_errorname": "SQLITE_BUSY_SNAPSHOT"}, Busy),
        ({"sqlite_errorname": "SQLITE_FULL"}, Configure),
        ({"sqlite_errorname": "SQLITE_READONLY_DIRECTORY"}, Configure),
        ({"sqlite_errorname": "SQLITE_CORRUPT_INDEX"}, Configure),
        ({"sqlstate": "40P01"}, Busy),
        ({"sqlstate": "53100"}, Configure),
        ({"sqlstate": "28P01"}, Configure),
        ({"sqlstate": "25006"}, Configure),
        ({"sqlstate": "57P01"}, Retryable),
        ({}, Retryable),
    ],
)
def test_known_words_have_a_remedy(told, remedy):
    error = translate(OperationalError("SELECT 1", {"password": "canary"}, Said(**told)))
    assert type(error) is remedy
    assert "raw words" in error.detail
    assert "raw words" not in error.message
    assert "canary" not in error.message + error.detail


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("INSERT", {}, Said(sqlite_errorname="SQLITE_CONSTRAINT_UNIQUE")),
        DatabaseError("SELECT", {}, Said(sqlstate="42P01")),
        DatabaseError("SELECT", {}, Said()),
    ],
)
def test_a_fault_of_the_program_is_not_dressed_up(error):
    assert translate(error) is None


def test_each_failure_is_an_error_of_its_own():
    raw = InterfaceError("SELECT 1", {}, sqlite3.InterfaceError("gone"))
    assert translate(raw) is not translate(raw)
