"""How Xero refuses: errors of one element, and refusals of a whole request.

Bodies follow the public description's ``Error`` schema and what the facts record for 401, 403 and 404. Texts
that nobody could verify say in plain words what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

EMPTY_ID = "00000000-0000-0000-0000-000000000000"


class RuleError(Exception):
    """One element breaks rules; ``messages`` become its ValidationErrors."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = list(messages)


class RefusedError(Exception):
    """The whole request is answered with this status and body."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers or {}


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> RefusedError:
    """A refusal by the gateway, before any document was looked at."""
    body: dict[str, Any] = {"Type": None, "Title": title, "Status": status, "Detail": detail, "Extensions": {}}
    return RefusedError(status, body, headers)


def not_found() -> RefusedError:
    return problem(404, "NotFound", "The resource you're looking for cannot be found")


def not_allowed() -> RefusedError:
    return problem(405, "MethodNotAllowed", "The requested resource does not support this method")


def fault(number: int, kind: str, message: str) -> RefusedError:
    """A refusal in the form ErrorNumber, Type, Message."""
    return RefusedError(400, {"ErrorNumber": number, "Type": kind, "Message": message})


def bad_query(message: str) -> RefusedError:
    return fault(16, "QueryParseException", message)


def bad_data(message: str, form: str = "JSON") -> RefusedError:
    return fault(14, "PostDataInvalidException", f"{form} for post data was invalid,{message}")


def no_data(resource: str) -> RefusedError:
    return fault(
        17,
        "NoDataProcessedException",
        "No data has been processed for this endpoint. This endpoint is expecting "
        f"{resource} data to be specified in the request body.",
    )


def validation(elements: list[Any]) -> RefusedError:
    """Some elements broke rules; only those are shown."""
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": elements,
    }
    return RefusedError(400, body)


def as_errors(messages: Iterable[str]) -> list[dict[str, str]]:
    return [{"Message": message} for message in messages]


def require(condition: object, message: str) -> None:
    """Raise :class:`RuleError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise RuleError(message)
