"""GET of a collection: which rows, in which order, which page of them, in how much detail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from sync_core.sandbox.kernel import Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.errors import bad_query
from sync_core.sandbox.xero.fields import id_of
from sync_core.sandbox.xero.linked import has_status
from sync_core.sandbox.xero.render import render
from sync_core.sandbox.xero.resources import RESOURCES, Resource
from sync_core.sandbox.xero.store import Store, Table
from sync_core.sandbox.xero.views import View
from sync_core.sandbox.xero.where import Getter, Predicate, Where, fold, parse_order, parse_where, sort_rows

WHOLE = re.compile(r"\s*[+-]?[0-9]{1,10}\s*$")
GREATEST = 2**31 - 1
MANY_ROWS = 100_000
LINKS = {
    "contact": ("ContactID", "Contacts"),
    "account": ("AccountID", "Accounts"),
    "bankaccount": ("AccountID", "Accounts"),
    "invoice": ("InvoiceID", "Invoices"),
    "creditnote": ("CreditNoteID", "CreditNotes"),
    "prepayment": ("PrepaymentID", "Prepayments"),
    "overpayment": ("OverpaymentID", "Overpayments"),
    "batchpayment": ("BatchPaymentID", "BatchPayments"),
}
SEARCHED = {
    "Invoices": ("InvoiceNumber", "Reference"),
    "Contacts": ("Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress"),
}
OFFERS = {"Quotes": ("Status", "QuoteNumber", "ContactID"), "PurchaseOrders": ("Status",)}
LINKED = ("LinkedTransactionID", "SourceTransactionID", "ContactID", "TargetTransactionID")
"""Fields that a parameter of the same name filters on."""
HIDDEN = {"Contacts": "ContactStatus", "TrackingCategories": "Status"}


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of one GET; names are lower case. ``app`` is who asks."""

    params: Mapping[str, str]
    since: datetime | None
    app: str

    def flag(self, name: str) -> bool:
        return self.params.get(name, "").lower() == "true"

    def items(self, name: str) -> list[str]:
        return [item.strip() for item in self.params.get(name, "").split(",") if item.strip()]

    def whole(self, name: str, default: int) -> int:
        value = self.params.get(name, "")
        if value and not (WHOLE.match(value) and abs(int(value)) <= GREATEST):
            raise bad_query(f"The value '{value}' of {name} is not a whole number")
        return int(value) if value else default

    @property
    def unitdp(self) -> int:
        return 4 if self.params.get("unitdp") == "4" else 2


def modified_since(header: str | None) -> datetime | None:
    """The instant of an If-Modified-Since header at Xero's accuracy of one second."""
    if not header:
        return None
    instant = wire.parse_instant(header)
    if instant is None:
        try:
            instant = parsedate_to_datetime(header).astimezone(UTC)
        except ValueError as error:
            raise bad_query(f"The If-Modified-Since header '{header}' is not a date") from error
    return instant.replace(microsecond=0)


def list_rows(store: Store, resource: Resource, query: Query) -> Row:
    """The content of the answer: the rows under the resource's name and, for a page, ``pagination``."""
    table = store[resource.name]
    paged = resource.paged and (query.flag("summaryonly") or bool({"page", "pagesize"} & query.params.keys()))
    size = min(max(query.whole("pagesize", 100), 1), 1000) if paged else 0
    page = max(query.whole("page", 1), 1)
    start = (page - 1) * size
    rows, count = _choose(store, table, query, slice(start, start + size) if paged else slice(None))
    level = "summary" if query.flag("summaryonly") and paged else "page" if paged else "list"
    view = View(level if resource.paged else "page", query.unitdp)
    content: Row = {resource.name: [render(store, resource.name, row, view) for row in rows]}
    if paged:
        pages = max(-(-count // size), 1)
        frame = {"page": page, "pageSize": size, "pageCount": pages, "itemCount": count}
        content = {"pagination": frame, **content}
    return content


def _choose(store: Store, table: Table, query: Query, part: slice) -> tuple[list[Row], int]:
    """The wanted rows and how many there are in all; only a filter or another order looks at every row."""
    where = _where(store, table, query)
    tests = _tests(table, query) + ([where.test] if where else [])
    if table.resource.name == "LinkedTransactions" and query.params.get("status"):
        tests.append(partial(has_status, store, query.params["status"]))
    order = query.params.get("order", "").strip()
    narrowed = _narrowed(table, query, where)
    if not tests and not order and narrowed is None and table.resource.stamped:
        first = table.changed_since(query.since) if query.since and table.resource.since else 0
        begin, end, _ = part.indices(len(table.stamps) - first)
        chosen = [table.rows.get(i) for _, i in table.stamps[first + begin : first + end]]
        return [row for row in chosen if row is not None], len(table.stamps) - first
    candidates = _everything(table, query) if narrowed is None else _by_stamp(table, narrowed, query)
    rows = [row for row in candidates if all(test(row) for test in tests)]
    if order:
        rows = sort_rows(rows, parse_order(order, lambda path: getter(store, table.resource, path, len(table))))
    return rows[part], len(rows)


def _where(store: Store, table: Table, query: Query) -> Where | None:
    expression = query.params.get("where", "").strip()
    if not expression:
        return None
    return parse_where(expression, lambda path: getter(store, table.resource, path, len(table)))


def _narrowed(table: Table, query: Query, where: Where | None) -> Iterable[Row] | None:
    """The few rows that an index finds for the query; None when no index applies."""
    if query.items("ids"):
        found = (table.get(i) for i in dict.fromkeys(map(id_of, query.items("ids"))))
        return [row for row in found if row is not None]
    for parameter, field in (("contactids", "ContactID"), ("invoicenumbers", "InvoiceNumber")):
        if query.items(parameter) and field in table.groups:
            values = dict.fromkeys(map(id_of, query.items(parameter)))
            return [row for value in values for row in table.having(field, value)]
    for path, value in where.equal.items() if where else ():
        name = _grouped(table, path)
        if name and value:
            return table.having(name, value)
    return None


def _grouped(table: Table, path: str) -> str | None:
    """The grouped field that a path means: InvoiceNumber, or ContactID for Contact.ContactID."""
    head, _, rest = path.partition(".")
    linked = LINKS.get(head, ("", ""))[0] if rest else path
    if rest and linked.lower() != rest:
        return None
    return next((name for name in table.groups if name.lower() == linked.lower()), None)


def _everything(table: Table, query: Query) -> Iterable[Row]:
    """All rows, in the default order."""
    if not table.resource.stamped:
        return list(table.values())
    first = table.changed_since(query.since) if query.since and table.resource.since else 0
    return (row for _, i in table.stamps[first:] if (row := table.rows.get(i)) is not None)


def _by_stamp(table: Table, rows: Iterable[Row], query: Query) -> list[Row]:
    if not table.resource.stamped:
        return list(rows)
    since = query.since if table.resource.since else None
    changed = [row for row in rows if since is None or row["UpdatedDateUTC"] >= since]
    return sorted(changed, key=lambda row: row["UpdatedDateUTC"])


def _tests(table: Table, query: Query) -> list[Predicate]:
    """Every condition of the query besides ``where`` that is not answered by an index."""
    name, tests = table.resource.name, list[Predicate]()
    if name in HIDDEN and not query.flag("includearchived"):
        hidden = HIDDEN[name]
        tests.append(lambda row: row[hidden] == "ACTIVE")
    if name == "ContactGroups":
        tests.append(lambda row: row["Status"] == "ACTIVE")
    for parameter, field in (("statuses", "Status"), ("invoicenumbers", "InvoiceNumber"), ("references", "Reference")):
        if field.lower() in table.resource.names() and query.items(parameter):
            tests.append(_member(field, query.items(parameter)))
    if name in OFFERS:
        tests += [_member(field, query.items(field.lower())) for field in OFFERS[name] if query.items(field.lower())]
        tests += _between(query)
    if name == "LinkedTransactions":
        tests += [_member(field, [id_of(query.params[field.lower()])]) for field in LINKED if query.params.get(field.lower())]
    if name == "BankTransfers" and not query.flag("includedeleted"):
        tests.append(lambda row: row["Status"] != "DELETED")
    if query.flag("createdbymyapp"):
        tests.append(lambda row: row.get("_app") == query.app)
    if query.params.get("searchterm") and name in SEARCHED:
        tests.append(_search(SEARCHED[name], query.params["searchterm"]))
    return tests


def _between(query: Query) -> list[Predicate]:
    """``dateFrom`` and ``dateTo``, both included."""
    tests = list[Predicate]()
    for name, sign in (("datefrom", 1), ("dateto", -1)):
        text = query.params.get(name, "")
        day = wire.parse_date(text) if text else None
        if text and day is None:
            raise bad_query(f"The value '{text}' of {name} is not a date")
        if day is not None:
            tests.append(_dated(day, sign))
    return tests


def _dated(day: date, sign: int) -> Predicate:
    return lambda row: (row["Date"] - day).days * sign >= 0


def _member(field: str, wanted: list[str]) -> Predicate:
    folded = {fold(item) for item in wanted}
    return lambda row: fold(row.get(field) or "") in folded


def _search(names: tuple[str, ...], term: str) -> Predicate:
    wanted = fold(term)
    return lambda row: any(wanted in fold(row.get(name) or "") for name in names)


def getter(store: Store, resource: Resource, path: str, rows: int = 0) -> Getter:
    """Reads a dotted path of a row. Raises a QueryParseException for names that the resource does not have."""
    head, _, rest = path.partition(".")
    linked = LINKS.get(head.lower()) if rest else None
    names = resource.names()
    if linked is None and head.lower() not in names:
        raise bad_query(f"No property or field '{head}' exists in type '{resource.name.removesuffix('s')}'")
    known = {name.lower() for name in resource.fast.split()}
    if rows > MANY_ROWS and known and path.lower() not in known:
        raise bad_query(f"'{path}' cannot be filtered or sorted on over more than {MANY_ROWS} records")
    if linked:
        key, other = linked
        inner = getter(store, RESOURCES[other], rest)
        table = store[other]
        return lambda row: inner(table.get(row.get(key)) or {})
    name = names[head.lower()]
    if rest:
        return lambda row: _inside(row.get(name), rest)
    return lambda row: row.get(name)


def _inside(value: Any, rest: str) -> Any:
    named = {key.lower(): inner for key, inner in value.items()} if isinstance(value, dict) else {}
    return named.get(rest.lower())
