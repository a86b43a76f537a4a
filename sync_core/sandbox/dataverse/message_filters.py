"""``sdkmessagefilters``: which tables take which bulk message, as Microsoft tells clients to ask before they use one."""

from __future__ import annotations

from typing import Any

from sync_core.sandbox.dataverse import errors
from sync_core.sandbox.dataverse.environment import Environment
from sync_core.sandbox.dataverse.filters import parse_filter
from sync_core.sandbox.dataverse.messages import BULK
from sync_core.sandbox.dataverse.metadata import Objects
from sync_core.sandbox.dataverse.options import names_of
from sync_core.sandbox.dataverse.requests import Answer, Call, with_json


def read_message_filters(env: Environment, call: Call) -> Answer:
    """The list, filtered, with the message itself where it is expanded."""
    if call.method != "GET":
        raise errors.method_not_allowed(call.method)
    options = call.options
    found = [_filter(env, table, message) for table in env.catalog.tables for message in BULK]
    if options.get("$filter"):
        test = parse_filter(options["$filter"], Objects(env.kernel.clock.now())).test
        found = [entry for entry in found if test(entry)]
    shown = {*(names_of(options.get("$select")) or ("sdkmessagefilterid", "primaryobjecttypecode")), "sdkmessagefilterid"}
    if options.get("$expand", "").startswith("sdkmessageid"):
        shown.add("sdkmessageid")
    value = [{name: part for name, part in entry.items() if name in shown} for entry in found]
    return with_json({"@odata.context": f"{call.service}$metadata#sdkmessagefilters", "value": value})


def _filter(env: Environment, table: str, message: str) -> dict[str, Any]:
    ids = [env.kernel.stable_id("dataverse", "message", *names) for names in ((message,), (table, message))]
    entry = {"sdkmessagefilterid": ids[1], "primaryobjecttypecode": table, "_sdkmessageid_value": ids[0]}
    return {**entry, "sdkmessageid": {"sdkmessageid": ids[0], "name": message}}
