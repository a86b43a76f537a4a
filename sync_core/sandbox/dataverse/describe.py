"""Tables, columns, keys and relationships as the metadata JSON of the Web API."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.dataverse import metadata_defaults
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.metadata_defaults import managed
from sync_core.sandbox.dataverse.paths import key_status
from sync_core.sandbox.dataverse.schema import Column, Key, Option, Relationship, Table

TYPE = "#Microsoft.Dynamics.CRM."
LANGUAGE = 1033
ODATA_NAMES = {"Customer": "Lookup", "Owner": "Lookup", "Uniqueidentifier": "UniqueIdentifier"}


def label(text: str) -> dict[str, Any]:
    localized = {"Label": text, "LanguageCode": LANGUAGE, "IsManaged": False, "HasChanged": None}
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": dict(localized)}


def describe_table(table: Table) -> dict[str, Any]:
    """An EntityMetadata object without its parts."""
    return {
        **metadata_defaults.TABLE,
        "MetadataId": table.metadata_id,
        "LogicalName": table.logical,
        "SchemaName": table.schema,
        "EntitySetName": table.set_name,
        "LogicalCollectionName": table.set_name,
        "CollectionSchemaName": table.set_name,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "ObjectTypeCode": table.type_code,
        "OwnershipType": table.ownership,
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(table.plural_label),
        "Description": label(""),
        "IsCustomEntity": table.custom,
        "IsManaged": not table.custom,
        "IsActivity": False,
        "IsIntersect": False,
        "IsPrivate": False,
        "IsValidForAdvancedFind": True,
        "HasActivities": False,
        "HasNotes": False,
        "ChangeTrackingEnabled": table.tracking,
        "CanChangeTrackingBeEnabled": managed(table.trackable, "canchangetrackingbeenabled"),
        "IsOptimisticConcurrencyEnabled": True,
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsRenameable": managed(True, "isrenameable"),
        "TableType": "Standard",
    }


def describe_column(table: Table, column: Column, number: int = 0) -> dict[str, Any]:
    """An AttributeMetadata object of the column's own type, without its option set."""
    name = ODATA_NAMES.get(column.type, column.type)
    body = {
        **metadata_defaults.COLUMN,
        "@odata.type": f"{TYPE}{name}AttributeMetadata",
        "MetadataId": column.metadata_id,
        "LogicalName": column.logical,
        "SchemaName": column.schema,
        "EntityLogicalName": table.logical,
        "AttributeType": column.type,
        "AttributeTypeName": {"Value": f"{column.type}Type"},
        "AttributeOf": None,
        "ColumnNumber": number,
        "DisplayName": label(column.label),
        "Description": label(""),
        "RequiredLevel": managed(column.required, "canmodifyrequirementlevelsettings"),
        "IsCustomAttribute": column.custom,
        "IsPrimaryId": column.logical == table.primary_id,
        "IsPrimaryName": column.logical == table.primary_name,
        "IsValidForCreate": column.creatable,
        "IsValidForUpdate": column.updatable,
        "IsValidForRead": True,
        "IsLogical": False,
        "IsManaged": not column.custom,
        "SourceType": 0,
    }
    return body | _type_details(column)


def _type_details(column: Column) -> dict[str, Any]:
    if column.type in ("String", "Memo"):
        return {"MaxLength": column.max_length, "Format": column.format, "FormatName": {"Value": column.format}}
    if column.type == "File":
        return {"AttributeType": "Virtual", "MaxSizeInKB": column.max_length}
    if column.type == "Money":
        details = {"PrecisionSource": column.precision_source, "IsBaseCurrency": column.base_of is not None}
        return _limits(column) | details | {"CalculationOf": column.base_of}
    if column.type in ("Integer", "BigInt", "Decimal", "Double"):
        return _limits(column)
    if column.type == "DateTime":
        return {"Format": column.format, "DateTimeBehavior": {"Value": column.behavior}}
    if column.type == "Boolean":
        return {"DefaultValue": bool(column.default)}
    if column.type in ("Picklist", "State", "Status"):
        return {"DefaultFormValue": column.default}
    return {"Targets": list(column.targets)} if column.is_lookup else {}


def _limits(column: Column) -> dict[str, Any]:
    limits: dict[str, Any] = {"MinValue": column.minimum, "MaxValue": column.maximum}
    return limits if column.type in ("Integer", "BigInt") else limits | {"Precision": column.precision}


def describe_options(column: Column) -> dict[str, Any] | None:
    """The OptionSet of a choice column."""
    if column.type == "Boolean":
        options = column.options or (Option(0, "No"), Option(1, "Yes"))
        both = {o.value: {"Value": o.value, "Label": label(o.label)} for o in options}
        return {"OptionSetType": "Boolean", "IsGlobal": False, "TrueOption": both[1], "FalseOption": both[0]}
    if column.type not in ("Picklist", "State", "Status"):
        return None
    return {
        "Name": f"{column.logical}_options",
        "OptionSetType": column.type,
        "IsGlobal": False,
        "Options": [_describe_option(option) for option in column.options],
    }


def _describe_option(option: Option) -> dict[str, Any]:
    body: dict[str, Any] = {"Value": option.value, "Label": label(option.label), "Color": None, "ExternalValue": ""}
    return body if option.state is None else body | {"State": option.state}


def describe_key(env: Environment, table: Table, key: Key) -> dict[str, Any]:
    """An EntityKeyMetadata object, with the state of its index."""
    return {
        "MetadataId": key.metadata_id,
        "SchemaName": key.schema,
        "LogicalName": key.schema.lower(),
        "EntityLogicalName": table.logical,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key_status(env, table, key),
        "DisplayName": label(key.label or key.schema),
        "IsManaged": False,
        "AsyncJob": None,
    }


def describe_relationship(env: Environment, relation: Relationship) -> dict[str, Any]:
    """A OneToManyRelationshipMetadata object."""
    referenced = env.catalog.table(relation.referenced)
    return {
        **metadata_defaults.RELATIONSHIP,
        "@odata.type": f"{TYPE}OneToManyRelationshipMetadata",
        "MetadataId": relation.metadata_id,
        "SchemaName": relation.schema,
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": relation.referenced,
        "ReferencedAttribute": referenced.primary_id,
        "ReferencingEntity": relation.referencing,
        "ReferencingAttribute": relation.column,
        "ReferencedEntityNavigationPropertyName": relation.collection,
        "ReferencingEntityNavigationPropertyName": relation.nav,
        "IsCustomRelationship": relation.custom,
        "IsManaged": not relation.custom,
        "CascadeConfiguration": {
            "Assign": "NoCascade",
            "Delete": relation.on_delete,
            "Merge": "NoCascade",
            "Reparent": "NoCascade",
            "Share": "NoCascade",
            "Unshare": "NoCascade",
        },
    }
