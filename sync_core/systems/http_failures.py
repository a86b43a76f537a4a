"""What went wrong on the way, as errors in whole sentences that say what happened and what helps."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from sync_core.errors import Configure, Retryable, Unknown
from sync_core.systems.http_answer import Answer, Forbidden
from sync_core.systems.redaction import redact


def unsafe_address(system: str) -> Configure:
    return Configure(
        f"The address of {system} must begin with https://. Plain http is only for the sandbox on this machine, with "
        "TIEOUT_ALLOW_LOOPBACK=1."
    )


def other_origin(system: str, host: str, url: str) -> Configure:
    return Configure(
        f"{system} sent a link to another address ({redact(urlsplit(url).netloc)}), but Tieout only talks to {host}. Check "
        "the address in the settings."
    )


def redirected(system: str, host: str, answer: Answer) -> Configure:
    return Configure(
        f"{system} answered with a redirect, which Tieout does not follow. Check its address in the settings ({host}).",
        detail=redact(answer.headers.get("location", "")),
    )


def forbidden(system: str, answer: Answer) -> Forbidden:
    return Forbidden(f"{system} refused access. {_permission(system)}", answer)


def unauthorised(system: str, answer: Answer) -> Configure:
    return Configure(
        f"{system} does not accept Tieout's sign-in, not even with a fresh token. Check the client id, the secret and the "
        "tenant in the settings.",
        detail=answer.text(),
    )


def too_busy(system: str, answer: Answer) -> Retryable:
    message = f"{system} is answering too many requests at once. Try again in a minute."
    return Retryable(message, after=timedelta(minutes=1), detail=answer.text())


def failing(system: str, answer: Answer, after: timedelta | None) -> Retryable:
    return Retryable(
        f"{system} is failing on its own side (status {answer.status}). Nothing has to be changed here; try again later.",
        after=after,
        detail=answer.text(),
    )


def unreachable(system: str, host: str, error: Exception) -> Retryable:
    return Retryable(
        f"{system} could not be reached at {host}. Check the network connection and the address in the settings, then try "
        "again.",
        detail=reason(error),
    )


def incomplete(system: str, host: str, error: Exception) -> Retryable:
    return Retryable(
        f"{system} at {host} did not answer completely. Check the network connection, then try again.",
        detail=reason(error),
    )


def too_large(system: str, cap: int) -> Retryable:
    size = cap // (1024 * 1024)
    return Retryable(f"{system} answered with more than {size} MB at once, which Tieout does not read. Try again later.")


def unknown(system: str, why: str, detail: str) -> Unknown:
    return Unknown(
        f"{system} was sent a change and {why}, so nobody knows yet whether it was made. The record must be looked up before "
        "anything is sent again.",
        detail=detail,
    )


def reason(error: Exception) -> str:
    """The technical name of what happened, for the expander."""
    return redact(f"{type(error).__name__}: {error}")


def _permission(system: str) -> str:
    if system.startswith("Dynamics"):
        return "Probably the application user lacks a security role that covers this table; give it one, then try again."
    if system.startswith("Xero"):
        return "Probably the app lacks a scope, or the organisation is no longer connected to it; check both in Xero."
    return "Probably the application lacks a permission; give it one, then try again."
