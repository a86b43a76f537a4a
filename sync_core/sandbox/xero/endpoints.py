"""From method and path to an answer: collections, single records, and what hangs below a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import allocations, files, groups, linked, settings, wire
from sync_core.sandbox.xero.context import Context
from sync_core.sandbox.xero.derived import DERIVED, derived_answer
from sync_core.sandbox.xero.errors import RuleError, as_errors, not_allowed, not_found, validation
from sync_core.sandbox.xero.fields import Spec, id_of, read
from sync_core.sandbox.xero.listing import Query, list_rows
from sync_core.sandbox.xero.render import render
from sync_core.sandbox.xero.render_documents import CREDITS
from sync_core.sandbox.xero.render_money import allocation_answer
from sync_core.sandbox.xero.resources import BY_PATH, Resource
from sync_core.sandbox.xero.specs import ALLOCATION, GROUP_MEMBER, HISTORY, OPTION
from sync_core.sandbox.xero.store import Store
from sync_core.sandbox.xero.views import View
from sync_core.sandbox.xero.writes import WRITERS, Order, elements_of, parse, write_all, write_one

Content = Row | files.Binary | None
BY_NUMBER = {**dict.fromkeys(("Invoices", "CreditNotes", "Contacts", "Quotes", "PurchaseOrders"), "number"), "Items": "code"}
ACTIONS = (
    "CreateApprovedInvoice",
    "CreateApprovedBill",
    "CreateDraftInvoice",
    "CreateDraftBill",
    "CreateInvoicePayment",
    "CreateRepeatingInvoice",
    "CreateSentQuote",
    "AttachFilesIntoInvoice",
    "UseMulticurrency",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised request. ``path`` holds the segments below /api.xro/2.0."""

    store: Store
    method: str
    path: tuple[str, ...]
    query: Query
    body: bytes

    def order(self) -> Order:
        summarize = self.query.params.get("summarizeerrors", "true").lower() != "false"
        return Order(self.method, self.query.app, self.query.unitdp, summarize)

    def context(self) -> Context:
        return Context(self.store, self.query.app, self.method, self.query.unitdp)

    def elements(self, spec: Spec, name: str) -> list[Row]:
        errors: list[str] = []
        rows = [read(spec, element, errors) for element in elements_of(parse(self.body), name)]
        if errors:
            raise RuleError(*errors)
        return rows


def resource_of(path: tuple[str, ...]) -> Resource:
    """The resource that a path begins with. Raises a 404 for an unknown one."""
    resource = BY_PATH.get(path[0].lower()) if path else None
    if resource is None:
        raise not_found()
    return resource


def areas_of(path: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes, without ``accounting.``, of which one is needed for a path. Raises a 404 for an unknown one."""
    if len(path) > 2 and path[2].lower() == "attachments":
        return ("attachments",)
    derived = DERIVED.get(path[0].lower()) if path else None
    return derived.areas if derived else resource_of(path).areas


def answer(call: Call) -> tuple[int, Content]:
    """Status and content of the answer; refusals are raised."""
    derived = derived_answer(call.store, call.method, call.path, call.query)
    if derived is not None:
        return 200, derived
    resource = resource_of(call.path)
    if len(call.path) == 1:
        return _collection(call, resource)
    if resource.name == "Organisations" and call.path[1].lower() == "actions":
        return 200, {"Actions": [{"Name": name, "Status": "ALLOWED"} for name in ACTIONS]}
    row = _find(call.store, resource, call.path[1])
    if len(call.path) == 2:
        return _record(call, resource, row)
    below = _BELOW.get((call.path[2].lower(), len(call.path)))
    if below is None:
        raise not_found()
    return below(call, resource, row)


def _collection(call: Call, resource: Resource) -> tuple[int, Row]:
    if call.method not in resource.verbs.split():
        raise not_allowed()
    if call.method == "GET":
        return 200, list_rows(call.store, resource, call.query)
    elements = elements_of(parse(call.body), resource.name)
    return 200, write_all(call.store, resource, elements, call.order())


def _find(store: Store, resource: Resource, key: str) -> Row:
    table = store[resource.name]
    row = table.get(key) or table.get(id_of(key))
    if row is None and resource.name in BY_NUMBER:
        row = table.find(BY_NUMBER[resource.name], key)
    if row is None:
        raise not_found()
    return row


def _record(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if call.method == "GET":
        shown = render(call.store, resource.name, row, View("one", call.query.unitdp))
        return 200, {resource.name: [shown]}
    if call.method == "POST" and resource.name in WRITERS:
        element = elements_of(parse(call.body), resource.name)[0]
        return 200, write_one(call.store, resource, row, element, call.order())
    if call.method == "DELETE" and resource.name in _DELETES:
        return _guarded(resource, row, lambda: _DELETES[resource.name](call, row))
    raise not_allowed()


def _guarded(resource: Resource, row: Row, work: Callable[[], tuple[int, Row | None]]) -> tuple[int, Row | None]:
    """Turn a broken rule into the usual 400."""
    try:
        return work()
    except RuleError as broken:
        echo = {resource.key: row[resource.key], "ValidationErrors": as_errors(broken.messages)}
        raise validation([echo]) from broken


def _delete_account(call: Call, row: Row) -> tuple[int, Row | None]:
    return 200, {"Accounts": [wire.plain(settings.delete_account(call.context(), row))]}


def _delete_item(call: Call, row: Row) -> tuple[int, Row | None]:
    call.store["Items"].remove(row["ItemID"])
    return 204, None


def _delete_category(call: Call, row: Row) -> tuple[int, Row | None]:
    call.store["TrackingCategories"].remove(row["TrackingCategoryID"])
    return 200, {"TrackingCategories": [wire.plain({**row, "Status": "DELETED"})]}


def _delete_link(call: Call, row: Row) -> tuple[int, Row | None]:
    linked.delete(call.store, row)
    return 204, None


_DELETES = {
    "Accounts": _delete_account,
    "Items": _delete_item,
    "TrackingCategories": _delete_category,
    "LinkedTransactions": _delete_link,
}


def _history(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    notes = call.store.kernel.collection("xero.History")
    key = f"{resource.name}/{row[resource.key]}"
    records = (notes.get(key) or {"records": []})["records"]
    if call.method == "GET":
        return 200, {"HistoryRecords": [_note(record) for record in reversed(records)]}
    if call.method != "PUT":
        raise not_allowed()
    return _guarded(resource, row, lambda: _add_history(call, key, records))


def _add_history(call: Call, key: str, records: list[Row]) -> tuple[int, Row | None]:
    now = call.store.kernel.clock.now()
    given = call.elements(HISTORY, "HistoryRecords")
    if not all(record.get("Details") for record in given):
        raise RuleError("The details of the history record must be specified.")
    made = [{"Details": record["Details"], "at": now} for record in given]
    call.store.kernel.collection("xero.History").put(key, {"records": [*records, *made]})
    shown = [{k: v for k, v in _note(r).items() if k not in {"Changes", "User"}} for r in made]
    return 200, {"HistoryRecords": [{**note, "ValidationErrors": []} for note in shown]}


def _note(record: Row) -> Row:
    return {
        "Changes": "Note",
        "DateUTCString": record["at"].strftime("%Y-%m-%dT%H:%M:%S"),
        "DateUTC": wire.ms_instant(record["at"]),
        "User": "System Generated",
        "Details": record["Details"],
    }


def _allocations(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if call.method != "PUT" or resource.name not in CREDITS:
        raise not_allowed()
    shown: list[Any] = []
    broken: list[Any] = []
    for given in call.elements(ALLOCATION, "Allocations"):
        try:
            row, made = allocations.allocate(call.context(), resource.name, row, given)
            shown.append(allocation_answer(row, resource.name, made))
        except RuleError as refused:
            echo = {**wire.plain(given), "ValidationErrors": as_errors(refused.messages)}
            broken.append(echo)
            shown.append({**echo, "StatusAttributeString": "ERROR"})
    if broken and call.order().summarize:
        raise validation(broken)
    return 200, {"Allocations": shown}


def _allocation(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if call.method != "DELETE" or resource.name not in CREDITS:
        raise not_allowed()
    work = allocations.remove_allocation
    return _guarded(resource, row, lambda: (200, work(call.context(), resource.name, row, id_of(call.path[3]))))


def _members(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if resource.name != "ContactGroups" or call.method not in {"PUT", "DELETE"}:
        raise not_allowed()
    if call.method == "DELETE":
        groups.remove_members(call.context(), row, None)
        return 204, None
    return _guarded(resource, row, lambda: _add_members(call, row))


def _add_members(call: Call, row: Row) -> tuple[int, Row | None]:
    added = groups.add_members(call.context(), row, call.elements(GROUP_MEMBER, "Contacts"))
    empty: Row = {name: [] for name in ("Addresses", "Phones", "ContactGroups", "ContactPersons")}
    shown = [{"ContactID": i, **empty, "HasValidationErrors": False, "ValidationErrors": []} for i in added]
    return 200, {"Contacts": shown}


def _member(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if resource.name != "ContactGroups" or call.method != "DELETE":
        raise not_allowed()
    if not groups.remove_members(call.context(), row, id_of(call.path[3])):
        raise not_found()
    return 204, None


def _options(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if resource.name != "TrackingCategories" or call.method != "PUT":
        raise not_allowed()
    return _guarded(resource, row, lambda: _write_option(call, row, None))


def _option(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if resource.name != "TrackingCategories" or call.method not in {"POST", "DELETE"}:
        raise not_allowed()
    wanted = id_of(call.path[3])
    if all(option["TrackingOptionID"] != wanted for option in row["Options"]):
        raise not_found()
    return _guarded(resource, row, lambda: _write_option(call, row, wanted))


def _write_option(call: Call, row: Row, option_id: str | None) -> tuple[int, Row | None]:
    given = {"Status": "DELETED"} if call.method == "DELETE" else call.elements(OPTION, "Options")[0]
    option = settings.write_option(call.context(), row, given, option_id)
    flags = {"HasValidationErrors": False, "IsDeleted": option["Status"] == "DELETED"}
    return 200, {"Options": [{**option, **flags, "IsActive": option["Status"] == "ACTIVE"}]}


def _online_invoice(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    if resource.name != "Invoices" or call.method != "GET":
        raise not_allowed()
    if row["Type"] != "ACCREC" or row["Status"] not in {"AUTHORISED", "PAID"}:
        raise not_found()
    return 200, {"OnlineInvoices": [{"OnlineInvoiceUrl": f"https://in.xero.com/{row['InvoiceID'].replace('-', '')}"}]}


def _email(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    """Sent to the contact. This is one of the changes that do not move UpdatedDateUTC."""
    if resource.name != "Invoices" or call.method != "POST":
        raise not_allowed()
    return _guarded(resource, row, lambda: _send(call, row))


def _send(call: Call, row: Row) -> tuple[int, Row | None]:
    if row["Type"] != "ACCREC" or row["Status"] not in {"SUBMITTED", "AUTHORISED", "PAID"}:
        raise RuleError("Only sales invoices that are submitted, approved or paid can be sent by email.")
    contact = call.store["Contacts"].get(row["ContactID"]) or {}
    if not contact.get("EmailAddress"):
        raise RuleError("The contact of this invoice has no email address.")
    call.store.put("Invoices", {**row, "SentToContact": True}, bump=False)
    return 204, None


def _printed(call: Call, resource: Resource, row: Row) -> tuple[int, Content]:
    if resource.name not in files.PRINTED or call.method != "GET":
        raise not_found()
    return 200, files.printed(resource.name, render(call.store, resource.name, row, View("one", call.query.unitdp)))


def _none_below(name: str, *of: str) -> Callable[[Call, Resource, Row], tuple[int, Content]]:
    """What records of some resources could have, and none has here."""

    def answer_none(call: Call, resource: Resource, _row: Row) -> tuple[int, Content]:
        if resource.name not in of or call.method != "GET":
            raise not_found()
        return 200, {name: []}

    return answer_none


def _attachments(call: Call, resource: Resource, row: Row) -> tuple[int, Content]:
    if call.method != "GET" or not _attachable(call, resource, row):
        raise not_allowed()
    return 200, {"Attachments": files.attachments(call.store, resource, row)}


def _attachable(call: Call, resource: Resource, row: Row) -> bool:
    return "HasAttachments" in render(call.store, resource.name, row, View())


def _attachment(call: Call, resource: Resource, row: Row) -> tuple[int, Content]:
    if call.method not in {"GET", "PUT", "POST"} or not _attachable(call, resource, row):
        raise not_allowed()
    if call.method == "GET":
        return 200, files.attached(call.store, resource, row, call.path[3])
    return _guarded(resource, row, lambda: _attach(call, resource, row))


def _attach(call: Call, resource: Resource, row: Row) -> tuple[int, Row | None]:
    return 200, {"Attachments": [files.attach(call.store, resource, row, call.path[3], call.body)]}


_BELOW: dict[tuple[str, int], Callable[[Call, Resource, Row], tuple[int, Content]]] = {
    ("history", 3): _history,
    ("pdf", 3): _printed,
    ("paymentservices", 3): _none_below("PaymentServices", "BrandingThemes"),
    ("cissettings", 3): _none_below("CISSettings", "Contacts", "Organisations"),
    ("onlineinvoice", 3): _online_invoice,
    ("email", 3): _email,
    ("attachments", 3): _attachments,
    ("attachments", 4): _attachment,
    ("allocations", 3): _allocations,
    ("allocations", 4): _allocation,
    ("contacts", 3): _members,
    ("contacts", 4): _member,
    ("options", 3): _options,
    ("options", 4): _option,
}
