"""The organisation's rows with the indexes that keep 100,000 invoices fast.

Rows are never changed in place: take one, make a new dict, ``put`` it. ``put`` gives a new ``UpdatedDateUTC``
(strictly growing over all resources, whole milliseconds) unless told not to, and keeps the indexes right. The
indexes hold nothing of their own: :meth:`Store.rebuild` makes them from the rows.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from weakref import WeakKeyDictionary, ref
from zoneinfo import ZoneInfo

from sync_core.sandbox.kernel import Collection, Kernel, Row
from sync_core.sandbox.xero import wire
from sync_core.sandbox.xero.amounts import places
from sync_core.sandbox.xero.resources import RESOURCES, Resource
from sync_core.sandbox.xero.where import fold

Unique = Callable[[Row], str | None]
MILLISECOND = timedelta(milliseconds=1)


def _number(types: str, field: str) -> Unique:
    def key(row: Row) -> str | None:
        return row[field].lower() if row["Type"] == types and row["Status"] != "DELETED" else None

    return key


def _active(field: str, status: str) -> Unique:
    def key(row: Row) -> str | None:
        return row[field].strip().lower() if row[status] == "ACTIVE" and row.get(field) else None

    return key


def _present(field: str) -> Unique:
    def key(row: Row) -> str | None:
        return row[field].lower() if row.get(field) else None

    return key


UNIQUES: dict[str, dict[str, Unique]] = {
    "Invoices": {"number": _number("ACCREC", "InvoiceNumber")},
    "CreditNotes": {"number": _number("ACCRECCREDIT", "CreditNoteNumber")},
    "Quotes": {"number": _present("QuoteNumber")},
    "PurchaseOrders": {"number": _present("PurchaseOrderNumber")},
    "Contacts": {"number": _present("ContactNumber"), "name": _active("Name", "ContactStatus")},
    "Accounts": {"code": _present("Code"), "name": _present("Name")},
    "Items": {"code": _present("Code")},
    "ContactGroups": {"name": _active("Name", "Status")},
    "TrackingCategories": {"name": _active("Name", "Status")},
}
BY_CONTACT = ("Invoices", "CreditNotes", "Prepayments", "Overpayments", "BankTransactions")
GROUPED = {
    **dict.fromkeys(BY_CONTACT, ("ContactID",)),
    "Invoices": ("ContactID", "InvoiceNumber", "Reference"),
    "CreditNotes": ("ContactID", "CreditNoteNumber"),
    "Payments": ("InvoiceID", "Reference"),
}


class Table:
    """The rows of one resource."""

    def __init__(self, resource: Resource, rows: Collection) -> None:
        self.resource = resource
        self.rows = rows
        self.rebuild()

    def rebuild(self) -> None:
        """Make every index anew."""
        self.stamps: list[tuple[datetime, str]] = []
        self.uniques: dict[str, dict[str, str]] = {name: {} for name in UNIQUES.get(self.resource.name, {})}
        self.groups: dict[str, dict[str, dict[str, None]]] = {f: {} for f in GROUPED.get(self.resource.name, ())}
        for row_id, row in self.rows.items():
            self._index(row_id, row)
        if self.resource.stamped:
            self.stamps = sorted((row["UpdatedDateUTC"], row_id) for row_id, row in self.rows.items())

    def _index(self, row_id: str, row: Row) -> None:
        for name, key_of in UNIQUES.get(self.resource.name, {}).items():
            key = key_of(row)
            if key is not None:
                self.uniques[name][key] = row_id
        for name, group in self.groups.items():
            if row.get(name):
                group.setdefault(fold(row[name]), {})[row_id] = None

    def _forget(self, row_id: str, row: Row) -> None:
        if self.resource.stamped:
            del self.stamps[bisect_left(self.stamps, (row["UpdatedDateUTC"], row_id))]
        for name, key_of in UNIQUES.get(self.resource.name, {}).items():
            key = key_of(row)
            if key is not None and self.uniques[name].get(key) == row_id:
                del self.uniques[name][key]
        for name, group in self.groups.items():
            if row.get(name):
                group[fold(row[name])].pop(row_id, None)

    def get(self, row_id: str | None) -> Row | None:
        return self.rows.get(row_id) if row_id else None

    def put(self, row: Row) -> None:
        row_id = row[self.resource.key]
        old = self.rows.get(row_id)
        if old is not None:
            self._forget(row_id, old)
        self.rows.put(row_id, row)
        if self.resource.stamped:
            # Usually the newest, but a change that does not move the stamp puts an old one back in its place.
            insort(self.stamps, (row["UpdatedDateUTC"], row_id))
        self._index(row_id, row)

    def remove(self, row_id: str) -> None:
        old = self.rows.remove(row_id)
        if old is not None:
            self._forget(row_id, old)

    def find(self, unique: str, value: str | None) -> Row | None:
        """The row that holds this number, code or active name; case does not matter."""
        return self.get(self.uniques[unique].get(value.strip().lower())) if value else None

    def having(self, field: str, value: str) -> Iterator[Row]:
        """The rows with this value in a grouped field, compared as Xero compares text."""
        for row_id in self.groups[field].get(fold(value), ()):
            row = self.rows.get(row_id)
            if row is not None:
                yield row

    def of_contact(self, contact_id: str) -> Iterator[Row]:
        return self.having("ContactID", contact_id)

    def values(self) -> Iterator[Row]:
        return self.rows.values()

    def changed_since(self, instant: datetime) -> int:
        """Where in ``stamps`` the rows begin that were changed at ``instant`` or later."""
        return bisect_left(self.stamps, (instant, ""))

    def __len__(self) -> int:
        return len(self.rows)


class Store:
    """All tables of the one organisation."""

    def __init__(self, kernel: Kernel) -> None:
        # A strong reference would keep every kernel of a test run alive through the registry below.
        self._kernel = ref(kernel)
        self.tables = {r.name: Table(r, kernel.collection(f"xero.{r.name}")) for r in RESOURCES.values()}
        self._last_stamp = self._newest()
        self._groups: dict[str, list[str]] | None = None

    @property
    def kernel(self) -> Kernel:
        kernel = self._kernel()
        if kernel is None:
            raise RuntimeError("the kernel of this store is gone")
        return kernel

    def rebuild(self) -> None:
        for table in self.tables.values():
            table.rebuild()
        self._last_stamp = self._newest()
        self._groups = None

    def _newest(self) -> datetime:
        newest = [table.stamps[-1][0] for table in self.tables.values() if table.stamps]
        return max(newest, default=datetime(2000, 1, 1, tzinfo=UTC))

    def __getitem__(self, resource: str) -> Table:
        return self.tables[resource]

    def put(self, resource: str, row: Row, *, bump: bool = True) -> Row:
        """Store ``row`` and return it as stored. Without ``bump`` it keeps the ``UpdatedDateUTC`` it has."""
        table = self.tables[resource]
        if table.resource.stamped and (bump or "UpdatedDateUTC" not in row):
            row = row | {"UpdatedDateUTC": self.next_stamp()}
        table.put(row)
        if resource == "ContactGroups":
            self._groups = None
        return row

    def next_stamp(self) -> datetime:
        self._last_stamp = max(wire.floor_to_ms(self.kernel.clock.now()), self._last_stamp + MILLISECOND)
        return self._last_stamp

    @property
    def organisation(self) -> Row:
        return next(self["Organisations"].values(), {})

    @property
    def base_currency(self) -> str:
        return str(self.organisation.get("BaseCurrency", "NZD"))

    def today(self) -> date:
        """The date in the organisation's time zone."""
        zone = self.organisation.get("_zone", "Pacific/Auckland")
        return self.kernel.clock.now().astimezone(ZoneInfo(zone)).date()

    def day_rate(self, currency: str) -> Decimal:
        """Units of ``currency`` for one unit of the base currency."""
        row = self["Currencies"].get(currency) or {}
        return places(row.get("_rate", Decimal(1)), 6)

    def groups_of(self, contact_id: str) -> list[str]:
        """The ids of the active groups that a contact is in."""
        if self._groups is None:
            self._groups = {}
            for group in self["ContactGroups"].values():
                for member in group["Contacts"] if group["Status"] == "ACTIVE" else ():
                    self._groups.setdefault(member, []).append(group["ContactGroupID"])
        return self._groups.get(contact_id, [])

    def system_account(self, kind: str) -> Row | None:
        return next((a for a in self["Accounts"].values() if a.get("SystemAccount") == kind), None)


_stores: WeakKeyDictionary[Kernel, Store] = WeakKeyDictionary()


def store_of(kernel: Kernel) -> Store:
    """The one store of a kernel; made on first use and rebuilt at each reset."""
    found = _stores.get(kernel)
    if found is None:
        found = _stores[kernel] = Store(kernel)
        kernel.on_reset.append(found.rebuild)
    return found
