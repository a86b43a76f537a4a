"""The errors of the Web API: an HTTP status, Microsoft's hexadecimal code and a sentence.

Codes and texts follow Microsoft's published list of service error codes; a client should compare codes, never texts.
"""

from __future__ import annotations

from typing import Any

NOT_FOUND = "0x80040217"
NOT_FOUND_BY_KEY = "0x80060891"
BAD_PAYLOAD = "0x80048d19"
BAD_QUERY = "0x80060888"
TOO_LONG = "0x80044331"
OUT_OF_RANGE = "0x80044330"
UNKNOWN_OPTION = "0x8004431a"
BUSINESS_RULE = "0x80040265"
STATUS_PAIR = "0x80048408"
UNEXPECTED = "0x80040216"
MISSING_VALUE = "0x80040203"
VERSION_MISMATCH = "0x80060882"
DUPLICATE_KEY = "0x80060892"
DUPLICATE_ID = "0x80040237"
ASSOCIATED = "0x80040227"
TRACKING_EXPIRED = "0x80044352"
NOT_SUPPORTED = "0x80040800"
NOT_A_MEMBER = "0x80072560"


class DataverseError(Exception):
    """A refusal that the Web API answers with ``status`` and a body of ``code`` and ``message``."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self, *, details: bool = False) -> dict[str, Any]:
        """The JSON body; ``details`` adds what ``include-annotations="*"`` asks for."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if details:
            error["@Microsoft.PowerApps.CDS.ErrorDetails.ApiExceptionSourceKey"] = "Sandbox"
            error["@Microsoft.PowerApps.CDS.HelpLink"] = (
                f"http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{self.code[2:]}"
            )
            error["@Microsoft.PowerApps.CDS.TraceText"] = ""
            error["@Microsoft.PowerApps.CDS.InnerError.Message"] = self.message
        return {"error": error}


def row_missing(table: str, row_id: str) -> DataverseError:
    return DataverseError(404, NOT_FOUND, f"{table} With Id = {row_id} Does Not Exist")


def keyed_row_missing(table: str) -> DataverseError:
    message = f"A record with the specified key values does not exist in {table} entity"
    return DataverseError(404, NOT_FOUND_BY_KEY, message)


def segment_missing(segment: str) -> DataverseError:
    return DataverseError(404, BAD_QUERY, f"Resource not found for the segment '{segment}'.")


def bad_payload(message: str) -> DataverseError:
    return DataverseError(400, BAD_PAYLOAD, message)


def unsupported_body(sent_as: str) -> DataverseError:
    return DataverseError(
        415, BAD_QUERY, f"A supported MIME type could not be found that matches the content type '{sent_as}'."
    )


def unknown_property(table: str, name: str) -> DataverseError:
    """A property that the table does not have, in a body."""
    return bad_payload(
        f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table}'. ---> "
        f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table}'. "
        "Make sure to only use property names that are defined by the type."
    )


def undeclared_bind(name: str) -> DataverseError:
    """``@odata.bind`` on a navigation property that does not exist, perhaps in the wrong case."""
    return bad_payload(
        f"An undeclared property '{name}' which only has property annotations in the payload but no property "
        "value was found in the payload. In OData, only declared navigation properties and declared named "
        "streams can be represented as properties without values."
    )


def wrong_type(value: object, edm: str) -> DataverseError:
    return bad_payload(f"Cannot convert the literal '{value}' to the expected type 'Edm.{edm}'.")


def bad_query(message: str) -> DataverseError:
    return DataverseError(400, BAD_QUERY, message)


def unknown_column(table: str, name: str) -> DataverseError:
    return bad_query(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.")


def rule_broken(message: str) -> DataverseError:
    """A business rule of the Sales application said no."""
    return DataverseError(400, BUSINESS_RULE, message)


def value_missing(column: str) -> DataverseError:
    return DataverseError(400, MISSING_VALUE, f"Required field '{column}' is missing.")


def version_mismatch() -> DataverseError:
    message = "The version of the existing record doesn't match the RowVersion property provided."
    return DataverseError(412, VERSION_MISMATCH, message)


def record_exists() -> DataverseError:
    return DataverseError(412, DUPLICATE_KEY, "A record with matching key values already exists.")


def duplicate_id() -> DataverseError:
    return DataverseError(412, DUPLICATE_ID, "Cannot insert duplicate key.")


def method_not_allowed(method: str) -> DataverseError:
    return DataverseError(405, "0x80060888", f"The requested resource does not support http method '{method}'.")


def key_taken(key: str, columns: tuple[str, ...]) -> DataverseError:
    """Another row holds the same alternate key."""
    message = (
        f"Entity Key {key} violated. A record with the same value for {', '.join(columns)} already exists. "
        "A duplicate record cannot be created. Select one or more unique values and try again."
    )
    return DataverseError(412, DUPLICATE_KEY, message)
