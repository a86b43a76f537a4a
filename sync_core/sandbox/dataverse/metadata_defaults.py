"""What definitions say beside what the sandbox knows: every other property of the service's metadata, at its usual value.

Clients select these by name, and the real service knows them all. Source: the EntityMetadata, AttributeMetadata and
OneToManyRelationshipMetadata types of the Web API.
"""

from __future__ import annotations

from typing import Any


def managed(value: Any, name: str) -> dict[str, Any]:
    """A property that a solution may lock."""
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": name}


def _usual(*, none: str = "", false: str = "", true: str = "", locked_off: str = "", locked_on: str = "") -> dict[str, Any]:
    plain = {**dict.fromkeys(none.split()), **dict.fromkeys(false.split(), False), **dict.fromkeys(true.split(), True)}
    off = {name: managed(value=False, name=name.lower()) for name in locked_off.split()}
    return {**plain, **off, **{name: managed(value=True, name=name.lower()) for name in locked_on.split()}}


VERSION = {"IntroducedVersion": "5.0.0.0"}
TABLE = VERSION | _usual(
    none="ActivityTypeMask CreatedOn DataProviderId DataSourceId DaysSinceRecordLastModified EntityColor EntityHelpUrl "
    "ExternalCollectionName ExternalName HasChanged IconLargeName IconMediumName IconSmallName IconVectorName "
    "MobileOfflineFilters ModifiedOn OwnerId OwnerIdType PrimaryImageAttribute RecurrenceBaseEntityLogicalName "
    "ReportViewName SettingOf",
    false="AutoCreateAccessTeams AutoRouteToOwnerQueue EnforceStateTransitions EntityHelpUrlEnabled HasEmailAddresses "
    "HasFeedback IsActivityParty IsAIRUpdated IsArchivalEnabled IsAvailableOffline IsBPFEntity IsBusinessProcessEnabled "
    "IsChildEntity IsDocumentManagementEnabled IsDocumentRecommendationsEnabled IsEnabledForExternalChannels "
    "IsEnabledForTrace IsInteractionCentricEnabled IsKnowledgeManagementEnabled IsLogicalEntity "
    "IsMSTeamsIntegrationEnabled IsOneNoteIntegrationEnabled IsQuickCreateEnabled IsReadingPaneEnabled "
    "IsRetentionEnabled IsRetrieveAuditEnabled IsRetrieveMultipleAuditEnabled IsSLAEnabled IsSolutionAware "
    "IsStateModelAware SyncToExternalSearchIndex UsesBusinessDataLabelTable",
    true="CanTriggerWorkflow IsEnabledForCharts IsImportable",
    locked_off="CanEnableSyncToExternalSearchIndex IsAuditEnabled IsConnectionsEnabled IsDuplicateDetectionEnabled "
    "IsMailMergeEnabled IsOfflineInMobileClient IsReadOnlyInMobileClient IsValidForQueue IsVisibleInMobile "
    "IsVisibleInMobileClient",
    locked_on="CanBeInCustomEntityAssociation CanBeInManyToMany CanBePrimaryEntityInRelationship "
    "CanBeRelatedEntityInRelationship CanChangeHierarchicalRelationship CanCreateAttributes CanCreateCharts "
    "CanCreateForms CanCreateViews CanModifyAdditionalSettings IsMappable",
)
COLUMN = VERSION | _usual(
    none="AutoNumberFormat CreatedOn DeprecatedVersion ExternalName HasChanged InheritsFrom LinkedAttributeId ModifiedOn",
    false="CanBeSecuredForCreate CanBeSecuredForRead CanBeSecuredForUpdate IsDataSourceSecret IsFilterable IsRequiredForForm "
    "IsSearchable IsSecured",
    true="IsRetrievable IsValidForForm IsValidForGrid IsValidODataAttribute",
    locked_off="IsAuditEnabled IsGlobalFilterEnabled IsSortableEnabled",
    locked_on="CanModifyAdditionalSettings IsCustomizable IsRenameable IsValidForAdvancedFind",
)
RELATIONSHIP = VERSION | _usual(
    none="DenormalizedAttributeName EntityKey HasChanged",
    false="IsDenormalizedLookup IsHierarchical IsRelationshipAttributeDenormalized",
    true="IsValidForAdvancedFind",
    locked_on="IsCustomizable",
)
RELATIONSHIP |= {"SecurityTypes": "Append", "RelationshipBehavior": 1, "RelationshipAttributes": []}
MENU = {"Behavior": "UseCollectionName", "Group": "Details", "Order": 10000, "IsCustomizable": True, "AvailableOffline": True}
RELATIONSHIP["AssociatedMenuConfiguration"] = {**MENU, "Icon": None, "MenuId": None, "QueryApi": None, "ViewId": None}
