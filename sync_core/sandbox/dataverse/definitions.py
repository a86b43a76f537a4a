"""Reads the metadata bodies that clients post (tables, columns, lookups, keys) into the forms of ``schema``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.schema import Column, Option, Relationship, Table

Payload = Mapping[str, Any]
TYPE_NAME = re.compile(r"Microsoft\.Dynamics\.CRM\.(?:Complex)?(\w+?)(?:Attribute)?Metadata$")
SCHEMA_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]+$")
WIDEST = {"Decimal": Decimal(100_000_000_000), "Double": Decimal(100_000_000_000), "Money": Decimal(922_337_203_685_477)}
MAX_FILE_KB = 32_768
KINDS = {
    "String", "Memo", "Integer", "BigInt", "Decimal", "Double", "Money", "Boolean", "Picklist", "DateTime",
    "UniqueIdentifier", "File",
}  # fmt: skip


def label_text(label: Any) -> str:
    """The first text of a Label body; empty when there is none."""
    found = (label or {}).get("LocalizedLabels") or ()
    return str(found[0].get("Label", "")) if found else ""


def kind_of(payload: Payload) -> str:
    """``Money`` of ``Microsoft.Dynamics.CRM.MoneyAttributeMetadata``, plain or Complex."""
    match = TYPE_NAME.match(str(payload.get("@odata.type", "")).lstrip("#"))
    if match is None:
        raise errors.bad_payload("A type annotation '@odata.type' is required to create this component.")
    return match.group(1)


def schema_name(payload: Payload) -> str:
    """The SchemaName, which must carry a customisation prefix."""
    name = str(payload.get("SchemaName", ""))
    if not SCHEMA_NAME.match(name):
        raise errors.DataverseError(
            400, "0x8004f510", f"The schema name '{name}' must begin with a valid customization prefix."
        )
    return name


def read_column(payload: Payload, metadata_id: str) -> Column:
    """A column from an attribute body; lookups come through relationships instead."""
    kind = kind_of(payload)
    if kind not in KINDS:
        raise errors.bad_payload(f"Attributes of type '{kind}' cannot be created through this operation.")
    values: dict[str, Any] = {
        "schema": schema_name(payload),
        "type": "Uniqueidentifier" if kind == "UniqueIdentifier" else kind,
        "label": label_text(payload.get("DisplayName")),
        "required": (payload.get("RequiredLevel") or {}).get("Value", "None"),
        "custom": True,
        "metadata_id": metadata_id,
    }
    return Column(**values, **_details(kind, payload))


def _details(kind: str, payload: Payload) -> dict[str, Any]:
    if kind in ("String", "Memo"):
        length = int(payload.get("MaxLength") or (100 if kind == "String" else 2000))
        form = (payload.get("FormatName") or {}).get("Value") or payload.get("Format") or "Text"
        return {"max_length": length, "format": form}
    if kind in ("Integer", "BigInt", "Decimal", "Double", "Money"):
        return _number(kind, payload)
    if kind in ("Boolean", "Picklist"):
        return {"options": read_options(kind, payload), "default": _default_choice(kind, payload)}
    if kind == "File":
        return {"max_length": int(payload.get("MaxSizeInKB") or MAX_FILE_KB), "creatable": False, "updatable": False}
    if kind == "DateTime":
        behavior = (payload.get("DateTimeBehavior") or {}).get("Value", "UserLocal")
        return {"behavior": behavior, "format": payload.get("Format") or "DateAndTime"}
    return {}


def _number(kind: str, payload: Payload) -> dict[str, Any]:
    widest = WIDEST.get(kind, Decimal(2_147_483_647 if kind == "Integer" else 9_223_372_036_854_775_807))
    low, high, source = payload.get("MinValue"), payload.get("MaxValue"), payload.get("PrecisionSource")
    return {
        "precision": int(payload.get("Precision") or (0 if kind in ("Integer", "BigInt") else 2)),
        "precision_source": (2 if kind == "Money" else 0) if source is None else int(source),
        "minimum": -widest if low is None else Decimal(low),
        "maximum": widest if high is None else Decimal(high),
    }


def read_options(kind: str, payload: Payload) -> tuple[Option, ...]:
    """The choices of a Boolean or Picklist body."""
    body = payload.get("OptionSet") or {}
    if kind == "Boolean":
        pair = (body.get("FalseOption"), body.get("TrueOption"))
        return tuple(
            Option(value, label_text((option or {}).get("Label")) or fallback)
            for value, option, fallback in zip((0, 1), pair, ("No", "Yes"), strict=True)
        )
    return tuple(Option(int(o["Value"]), label_text(o.get("Label"))) for o in body.get("Options") or ())


def _default_choice(kind: str, payload: Payload) -> Any:
    if kind == "Boolean":
        return bool(payload.get("DefaultValue", False))
    value = payload.get("DefaultFormValue")
    return None if value in (None, -1) else int(value)


def read_lookup(payload: Payload, targets: tuple[str, ...], metadata_id: str) -> Column:
    """The lookup column of a relationship body; several targets make a Customer lookup."""
    schema = schema_name(payload)
    navs = (schema,) if len(targets) == 1 else tuple(f"{schema}_{target}" for target in targets)
    return Column(
        schema=schema,
        type="Lookup" if len(targets) == 1 else "Customer",
        label=label_text(payload.get("DisplayName")),
        required=(payload.get("RequiredLevel") or {}).get("Value", "None"),
        targets=targets,
        navs=navs,
        custom=True,
        metadata_id=metadata_id,
    )


def read_relationship(payload: Payload, column: Column, metadata_id: str) -> Relationship:
    """A one-to-many relationship whose lookup is ``column``."""
    schema = schema_name(payload)
    referenced = str(payload["ReferencedEntity"])
    return Relationship(
        schema=schema,
        referenced=referenced,
        referencing=str(payload["ReferencingEntity"]),
        column=column.logical,
        nav=column.navs[column.targets.index(referenced)],
        collection=str(payload.get("ReferencedEntityNavigationPropertyName") or schema),
        on_delete=str((payload.get("CascadeConfiguration") or {}).get("Delete", "RemoveLink")),
        custom=True,
        metadata_id=metadata_id,
    )


def plural(logical: str) -> str:
    """The English plural that Dataverse makes of a new table's logical name for its entity set."""
    if re.search(r"[^aeiou]y$", logical):
        return logical[:-1] + "ies"
    return logical + ("es" if re.search(r"(s|x|ch|sh|z)$", logical) else "s")


def read_table(payload: Payload, metadata_id: str) -> Table:
    """A custom table without its columns."""
    schema = schema_name(payload)
    names = [a for a in payload.get("Attributes") or () if a.get("IsPrimaryName")]
    if not names:
        raise errors.bad_payload("The entity must have a primary name attribute.")
    return Table(
        schema=schema,
        set_name=str(payload.get("EntitySetName") or plural(schema.lower())),
        label=label_text(payload.get("DisplayName")),
        plural_label=label_text(payload.get("DisplayCollectionName")),
        primary_id=f"{schema.lower()}id",
        primary_name=schema_name(names[0]).lower(),
        ownership=str(payload.get("OwnershipType") or "UserOwned"),
        tracking=bool(payload.get("ChangeTrackingEnabled", False)),
        custom=True,
        metadata_id=metadata_id,
    )
