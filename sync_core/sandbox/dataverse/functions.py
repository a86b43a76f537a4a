"""Functions that are bound to no table: who calls, which organisation answers, and how much it holds."""

from __future__ import annotations

import re
from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.messages import Message
from sync_core.sandbox.dataverse.options import with_aliases
from sync_core.sandbox.dataverse.requests import Answer, Call, with_json

NAMED_TABLE = re.compile(r"['\"](\w+)['\"]")
VERSION = "9.2.26101.00190"
ENGLISH = 1033
ENDPOINTS = {
    "WebApplication": "",
    "OrganizationService": "XRMServices/2011/Organization.svc",
    "OrganizationDataService": "XRMServices/2011/OrganizationData.svc",
}


def _response(call: Call, name: str, content: dict[str, Any]) -> Answer:
    return with_json({"@odata.context": f"{call.service}$metadata#Microsoft.Dynamics.CRM.{name}Response"} | content)


def who_am_i(env: Environment, call: Call) -> Answer:
    """The ids of the caller, its unit and its organisation."""
    unit = next((i for i, _ in env.store.rows("businessunit").rows.items()), None)
    organisation = env.organization.get("organizationid")
    return _response(call, "WhoAmI", {"BusinessUnitId": unit, "UserId": call.user, "OrganizationId": organisation})


def retrieve_version(_env: Environment, call: Call) -> Answer:
    """RetrieveVersion: the version of the service."""
    return _response(call, "RetrieveVersion", {"Version": VERSION})


def available_languages(_env: Environment, call: Call) -> Answer:
    """RetrieveAvailableLanguages: English alone."""
    return _response(call, "RetrieveAvailableLanguages", {"LocaleIds": [ENGLISH]})


def provisioned_languages(_env: Environment, call: Call) -> Answer:
    """RetrieveProvisionedLanguages: English alone."""
    return _response(call, "RetrieveProvisionedLanguages", {"RetrieveProvisionedLanguages": [ENGLISH]})


def current_organization(env: Environment, call: Call) -> Answer:
    """RetrieveCurrentOrganization: the organisation's names, ids and addresses. Clients ask it when they connect."""
    row, root = env.organization, call.service.partition("api/data")[0]
    detail = {
        "OrganizationId": row.get("organizationid"),
        "FriendlyName": row.get("name"),
        "OrganizationVersion": VERSION,
        "EnvironmentId": row.get("organizationid"),
        "UniqueName": row.get("name"),
        "UrlName": re.sub(r"[^a-z0-9]", "", str(row.get("name")).lower()),
        "State": "Enabled",
        "Endpoints": {
            "Count": len(ENDPOINTS),
            "IsReadOnly": False,
            "Keys": list(ENDPOINTS),
            "Values": [root + path for path in ENDPOINTS.values()],
        },
    }
    return _response(call, "RetrieveCurrentOrganization", {"Detail": detail})


def retrieve_total_record_count(env: Environment, call: Call) -> Answer:
    """RetrieveTotalRecordCount: how many rows some tables have; ``EntityNames`` is a list, or an alias of one."""
    names = NAMED_TABLE.findall(with_aliases(call.path, call.options).partition("(")[2])
    if not names:
        raise errors.bad_payload("The required parameter 'EntityNames' is missing.")
    counts = [sum(1 for _ in env.store.rows(env.catalog.table(name).logical).rows.items()) for name in names]
    found = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    return _response(call, "RetrieveTotalRecordCount", {"EntityRecordCountCollection": found})


FUNCTIONS: dict[str, Message] = {
    "WhoAmI": who_am_i,
    "RetrieveVersion": retrieve_version,
    "RetrieveCurrentOrganization": current_organization,
    "RetrieveAvailableLanguages": available_languages,
    "RetrieveProvisionedLanguages": provisioned_languages,
    "RetrieveTotalRecordCount": retrieve_total_record_count,
}
