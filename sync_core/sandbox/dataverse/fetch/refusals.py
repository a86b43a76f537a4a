"""Why a query is refused. Codes are those of Microsoft's list of service errors (QueryBuilder...)."""

from __future__ import annotations

from sync_core.sandbox.dataverse.errors import MISSING_VALUE, DataverseError


def _refusal(code: str, message: str) -> DataverseError:
    return DataverseError(400, code, message)


def bad_xml(detail: str = "Invalid XML.") -> DataverseError:
    return _refusal("0x80040201", detail)


def bad_argument(message: str) -> DataverseError:
    return _refusal(MISSING_VALUE, message)


def no_entity(name: str) -> DataverseError:
    message = f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache."
    return _refusal("0x80041102", message)


def no_attribute(table: str, name: str) -> DataverseError:
    message = f"'{table}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'."
    return _refusal("0x80041103", message)


def bad_condition(message: str) -> DataverseError:
    return _refusal("0x80041106", message)


def plain_attribute() -> DataverseError:
    return _refusal("0x80041107", "Attribute can not be specified if an aggregate operation is requested.")


def bad_value(value: str, attribute: str) -> DataverseError:
    return _refusal("0x80041108", f"The value '{value}' is not valid for the attribute '{attribute}'.")


def bad_alias(alias: str) -> DataverseError:
    message = (
        f"Invalid character specified for alias: {alias}. Only characters within the ranges [A-Z], [a-z] or [0-9] or _ are "
        "allowed.  The first character may only be in the ranges [A-Z], [a-z] or _."
    )
    return _refusal("0x80041109", message)


def unknown_alias(alias: str) -> DataverseError:
    return _refusal("0x8004110a", f"The alias '{alias}' does not exist in the query.")


def no_alias() -> DataverseError:
    return _refusal("0x8004110b", "An alias is required for every attribute of an aggregate query.")


def bad_child(name: str, valid: str) -> DataverseError:
    return _refusal("0x8004111c", f"Invalid Child Node, valid nodes are {valid}. NodeName = {name}")


def too_many_links() -> DataverseError:
    return _refusal("0x8004430d", "Number of link entities in query exceeded maximum limit.")


def too_many_rows() -> DataverseError:
    return _refusal("0x8004e023", "AggregateQueryRecordLimit exceeded. Cannot perform this operation.")
