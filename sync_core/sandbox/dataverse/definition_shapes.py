"""What kind of JSON value each property of a definition takes, so that a body of another shape is refused whole.

Properties that are not named here pass, and null stands for nothing given, as in the service's own reader.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.requests import Call

MOST_DIGITS = 10


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _are(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _is_choice(value: Any) -> bool:
    return isinstance(value.get("Value"), int) and isinstance(value.get("Label"), dict | None)


KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "an object": (
        (
            "DisplayName DisplayCollectionName Description RequiredLevel FormatName DateTimeBehavior OptionSet TrueOption "
            "FalseOption CascadeConfiguration Lookup AttributeTypeName"
        ),
        lambda value: isinstance(value, dict),
    ),
    "a list of objects": ("Attributes Entities OneToManyRelationships LocalizedLabels", _are(dict)),
    "a list of choices": ("Options", lambda value: _are(dict)(value) and all(map(_is_choice, value))),
    "a list of texts": ("KeyAttributes", _are(str)),
    "a text": (
        (
            "SchemaName LogicalName EntitySetName OwnershipType Format ReferencedEntity ReferencedAttribute ReferencingEntity "
            "ReferencedEntityNavigationPropertyName @odata.type EntityLogicalName EntityKeyLogicalName"
        ),
        lambda value: isinstance(value, str),
    ),
    "a number": ("MaxLength MinValue MaxValue DefaultFormValue", _is_number),
    f"a number from 0 to {MOST_DIGITS}": (
        "Precision PrecisionSource",
        lambda value: _is_number(value) and 0 <= value <= MOST_DIGITS,
    ),
}
SHAPES = {name: (kind, test) for kind, (names, test) in KINDS.items() for name in names.split()}


def definition_of(call: Call) -> dict[str, Any]:
    """The body of a call that changes metadata.

    Raises:
        DataverseError: the body is no JSON object, or a property in it has another kind of value than it takes.
    """
    body = call.object()
    _check(body)
    return body


def _check(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for name, inner in value.items():
            kind, test = SHAPES.get(name, ("", None))
            if test is not None and inner is not None and not test(inner):
                raise errors.bad_payload(f"The property '{name}' takes {kind}.")
            _check(inner)
