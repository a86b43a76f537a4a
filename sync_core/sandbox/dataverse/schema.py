"""What a table is made of: columns, keys and relationships, and a short notation to declare the standard ones.

A declaration is one column per line: ``SchemaName type word=value ... flag``. Flags: ``ro`` is set by the platform only,
``create`` is writable at create only, ``!`` must be given, ``~`` is marked required but not enforced (Dataverse enforces
"application required" in its own forms only, not in the Web API).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

OPTION_BASE = re.compile(r"(\d+):([^|]+)")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice; ``state`` is the statecode that a status reason belongs to."""

    value: int
    label: str
    state: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``type`` is Dataverse's AttributeType; ``navs`` names the navigation property for each target."""

    schema: str
    type: str
    label: str = ""
    required: str = "None"
    max_length: int | None = None
    precision: int | None = None
    precision_source: int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    format: str | None = None
    behavior: str | None = None
    options: tuple[Option, ...] = ()
    targets: tuple[str, ...] = ()
    navs: tuple[str, ...] = ()
    creatable: bool = True
    updatable: bool = True
    default: Any = None
    base_of: str | None = None
    custom: bool = False
    metadata_id: str = ""

    @property
    def logical(self) -> str:
        return self.schema.lower()

    @property
    def is_lookup(self) -> bool:
        return self.type in ("Lookup", "Customer", "Owner")

    @property
    def property_name(self) -> str:
        """The name in JSON: lookups are read as ``_name_value``."""
        return f"_{self.logical}_value" if self.is_lookup else self.logical

    @property
    def date_only(self) -> bool:
        return self.type == "DateTime" and self.behavior == "DateOnly"


@dataclass(frozen=True, slots=True)
class Relationship:
    """One-to-many: ``referencing.column`` points at ``referenced``; ``collection`` is the nav property on the one side."""

    schema: str
    referenced: str
    referencing: str
    column: str
    nav: str
    collection: str
    on_delete: str = "RemoveLink"
    custom: bool = False
    metadata_id: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """An alternate key over ``columns``."""

    schema: str
    columns: tuple[str, ...]
    metadata_id: str = ""
    label: str = ""


@dataclass(slots=True)
class Table:
    """A table with all that is known about it; columns by logical name."""

    schema: str
    set_name: str
    label: str
    plural_label: str
    primary_id: str
    primary_name: str
    ownership: str = "UserOwned"
    trackable: bool = True
    tracking: bool = False
    custom: bool = False
    metadata_id: str = ""
    type_code: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    one_to_many: dict[str, Relationship] = field(default_factory=dict)

    @property
    def logical(self) -> str:
        return self.schema.lower()

    @property
    def states(self) -> dict[int, list[int]]:
        """Allowed status reasons by statecode, the default one first."""
        found: dict[int, list[int]] = {}
        status = self.columns.get("statuscode")
        for option in status.options if status else ():
            found.setdefault(option.state or 0, []).append(option.value)
        return found

    def by_property(self, name: str) -> Column | None:
        """The column that JSON calls ``name`` (``_x_value`` for lookups); the plain name of a lookup is accepted too."""
        if name.startswith("_") and name.endswith("_value"):
            column = self.columns.get(name[1:-6])
            return column if column and column.is_lookup else None
        return self.columns.get(name)

    def by_nav(self, name: str) -> tuple[Column, str] | None:
        """The lookup column and target table of a single-valued navigation property; case-sensitive."""
        for column in self.columns.values():
            if name in column.navs:
                return column, column.targets[column.navs.index(name)]
        return None


def parse_column(line: str) -> Column:
    """Read one line of the notation above."""
    head, _, options = line.partition(" options=")
    schema, kind, *words = head.split()
    flags = {w for w in words if "=" not in w}
    args = dict(w.split("=", 1) for w in words if "=" in w)
    values: dict[str, Any] = {"schema": schema, "label": args.pop("label", split_words(schema))}
    values |= KINDS[kind](schema, args)
    values |= _access(flags)
    values["options"] = tuple(Option(int(v), t.strip()) for v, t in OPTION_BASE.findall(options))
    return Column(**values)


def split_words(schema: str) -> str:
    """``TotalLineItemAmount`` -> ``Total Line Item Amount``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", schema)


def _access(flags: set[str]) -> dict[str, Any]:
    level = "SystemRequired" if "!" in flags else "ApplicationRequired" if "~" in flags else "None"
    read_only = "ro" in flags
    return {"required": level, "creatable": not read_only, "updatable": not read_only and "create" not in flags}


def _text(kind: str, length: str) -> Any:
    return lambda _schema, args: {"type": kind, "max_length": int(args.get("length", length)), "format": "Text"}


def _number(kind: str, precision: int, low: str, high: str) -> Any:
    def build(_schema: str, args: dict[str, str]) -> dict[str, Any]:
        return {
            "type": kind,
            "precision": int(args.get("precision", precision)),
            "precision_source": int(args.get("source", 0)),
            "minimum": Decimal(args.get("min", low)),
            "maximum": Decimal(args.get("max", high)),
            "default": Decimal(args["default"]) if "default" in args else None,
        }

    return build


def _whole(schema: str, args: dict[str, str]) -> dict[str, Any]:
    built: dict[str, Any] = _number("Integer", 0, "-2147483648", "2147483647")(schema, args)
    return built | {"default": int(args["default"]) if "default" in args else None}


def _when(behavior: str, form: str) -> Any:
    return lambda _schema, _args: {"type": "DateTime", "behavior": behavior, "format": form}


def _choice(kind: str) -> Any:
    return lambda _schema, args: {"type": kind, "default": int(args["default"]) if "default" in args else None}


def _flag(_schema: str, args: dict[str, str]) -> dict[str, Any]:
    return {"type": "Boolean", "default": args.get("default") == "true"}


def _lookup(schema: str, args: dict[str, str]) -> dict[str, Any]:
    targets = tuple(args["to"].split(","))
    name = schema.lower()
    navs = (name,) if len(targets) == 1 else tuple(f"{name}_{target}" for target in targets)
    return {"type": "Customer" if "customer" in args else "Lookup", "targets": targets, "navs": navs}


KINDS: dict[str, Any] = {
    "string": _text("String", "100"),
    "memo": _text("Memo", "2000"),
    "int": _whole,
    "decimal": _number("Decimal", 2, "-100000000000", "100000000000"),
    "money": _number("Money", 2, "-922337203685477", "922337203685477"),
    "bool": _flag,
    "date": _when("DateOnly", "DateOnly"),
    "datetime": _when("UserLocal", "DateAndTime"),
    "localdate": _when("UserLocal", "DateOnly"),
    "choice": _choice("Picklist"),
    "lookup": _lookup,
    "guid": lambda _schema, _args: {"type": "Uniqueidentifier"},
}
