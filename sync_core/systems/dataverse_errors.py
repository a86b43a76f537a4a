"""What Dataverse's refusals mean to us. Decided on Microsoft's codes; texts are only quoted, they may be translated."""

from __future__ import annotations

import re

from sync_core.errors import Configure, Rejected, Stale, TieoutError
from sync_core.model import Native, Verb
from sync_core.systems.base import Write
from sync_core.systems.odata import Failure

CURSOR_TOO_OLD = "0x80044352"
NOT_A_MEMBER = "0x80072560"
NO_PRIVILEGE = "0x80040220"
UNKNOWN_NAME = "0x80060888"
BAD_PAYLOAD = "0x80048d19"
ROW_MISSING = frozenset({"0x80040217", "0x80060891"})
VERSION_MOVED = "0x80060882"
ALREADY_THERE = frozenset({"0x80060892", "0x80040237", "0x80040333"})
TOO_LONG = "0x80044331"
BUSINESS_RULE = "0x80040265"
STATUS_PAIR = "0x80048408"

EXISTS = "exists"
MISSING = "missing"
NOT_SUPPORTED = "not supported"
NOT_PERMITTED = "not permitted"

SETUP = "Run: python -m sync_core setup"
_KEYS = {"tie_xeroid": "Xero id", "tie_recordkey": "record key"}
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PRIVILEGE = re.compile(r"\bprv[A-Z]\w+")
_READ_ONLY = re.compile(r"read[ -]?only", re.IGNORECASE)


def no_access(failed: Failure) -> Configure:
    """401 and 403 of a whole request."""
    if failed.code == NOT_A_MEMBER:
        return Configure(
            "Dynamics knows no application user for TIEOUT_DYNAMICS_CLIENT_ID. Add one in the Power Platform admin "
            "centre, give it a security role with organisation-level rights on the tables to sync, then try again.",
            detail=failed.message,
        )
    named = _PRIVILEGE.search(failed.message)
    return Configure(
        f"Dynamics refused the application user {f'the permission {named[0]}' if named else 'a permission'}. Give it to its "
        "security role, on the level of the organisation, then try again.",
        detail=failed.message,
    )


def cannot_list(table: str, failed: Failure) -> TieoutError:
    """A listing that Dataverse refused for good: as a rule the table or a column is not there."""
    if failed.status in (401, 403):
        return no_access(failed)
    return Configure(
        f"Dynamics does not have the table {table} with all the columns that Tieout reads. {SETUP}",
        detail=failed.message,
    )


def rejection(write: Write, failed: Failure) -> Rejected:
    """Why one write was refused, in plain words, with the field if Dataverse named one."""
    if failed.status == 412:
        return _precondition(write, failed)
    field = named_field(write.body, failed.message)
    sentence, code = _explain(write, failed, field)
    return Rejected(sentence, field=field, code=code, detail=failed.message)


def named_field(body: Native, message: str) -> str:
    """The field of ``body`` that ``message`` speaks of, whatever language it is in.

    It is named outright, or betrayed by its value: a text in quotes, or the id of the row that a lookup points at.
    """
    words = set(re.findall(r"\w+", message.lower()))
    ids = set(_ID.findall(message.lower()))
    named = [name for name in body if _plain(name).lower() in words]
    meant = [name for name, value in body.items() if ids & set(_ID.findall(str(value).lower())) or f"'{value}'" in message]
    return max(map(_plain, named or meant), key=len, default="")


def _plain(name: str) -> str:
    return name.partition("@")[0]


def _precondition(write: Write, failed: Failure) -> Rejected:
    creating = write.verb is Verb.CREATE
    if failed.code in ALREADY_THERE or (creating and failed.code != VERSION_MOVED):
        key = next((_KEYS[name] for name in write.body if name in _KEYS), "key")
        return Rejected(
            f"Another record in Dynamics, perhaps a deactivated or merged one, already has the same "
            f"{key}. Find it there and clear its {key}, then try this record again.",
            code=EXISTS,
            detail=failed.message,
        )
    return Stale(
        "The record was changed in Dynamics after Tieout had read it, so nothing was written. The next sync "
        "decides again, on what stands there now.",
        code=failed.code,
        detail=failed.message,
    )


def _explain(write: Write, failed: Failure, field: str) -> tuple[str, str]:
    table, code = write.stream.table, failed.code
    the_field = f"the field {field}" if field else "a field"
    if failed.status == 404 and (write.id or "").lower() in failed.message.lower():
        return "The record is no longer in Dynamics. The next sync reads that and says what stands in Xero.", MISSING
    if failed.status == 404 or code in ROW_MISSING:
        return (
            f"A record that {the_field} refers to is not in Dynamics. Restore it there, or choose another one, then try again.",
            code,
        )
    if failed.status in (401, 403):
        lacks = f"The application user may not write {table} in Dynamics: its security role lacks a right."
        return f"{lacks} Give it that right; the next sync sends the record again.", NOT_PERMITTED
    if code == TOO_LONG:
        return f"The text in {the_field} is longer than Dynamics allows. Shorten it; the next sync sends it again.", code
    if code in (BAD_PAYLOAD, UNKNOWN_NAME):
        mend = f"Correct the value; if Dynamics lacks the column, run the set-up. {SETUP}"
        return f"Dynamics does not take {the_field} of {table} as it was sent. {mend}", code
    if code == STATUS_PAIR:
        return "Dynamics does not allow this status in the record's present state. Set its status there, then try again.", code
    if _READ_ONLY.search(failed.message):
        return "The record is read-only in Dynamics: a paid or cancelled invoice must be reactivated first.", code
    return f"Dynamics refused the record: {failed.said}. Correct what it names, then try again.", code
