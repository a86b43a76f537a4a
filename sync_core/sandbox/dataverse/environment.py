"""One Dataverse environment: its catalogue of tables and its rows, made once for each kernel."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary, ref

from sync_core.sandbox.dataverse.catalog import Catalog
from sync_core.sandbox.dataverse.schema import Column, Table
from sync_core.sandbox.dataverse.store import Store
from sync_core.sandbox.dataverse.values import rounded
from sync_core.sandbox.kernel import Kernel, Row

Read = Callable[[Row], Any]
BASE_DIGITS = 4
# The kernel keeps its environment alive (on_reset); here it must not, or neither would ever go.
_ENVIRONMENTS: WeakKeyDictionary[Kernel, ref[Environment]] = WeakKeyDictionary()


class Environment:
    """The catalogue and the store of one kernel; both are rebuilt from its collections after a reset."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.build()

    def build(self) -> None:
        """Read everything again from the kernel's collections."""
        self.catalog = Catalog(self.kernel)
        self.store = Store(self.kernel, self.catalog.tables)

    @staticmethod
    def of(kernel: Kernel) -> Environment:
        """The environment of this kernel, built at first use."""
        known = _ENVIRONMENTS.get(kernel)
        found = known() if known else None
        if found is None:
            found = Environment(kernel)
            _ENVIRONMENTS[kernel] = ref(found)
            kernel.on_reset.append(found.build)
        return found

    @property
    def organization(self) -> Row:
        """The row of the organisation; an empty one before anything is seeded."""
        return next(iter(self.kernel.collection("dataverse.organization").values()), {})

    def setting(self, name: str) -> Any:
        """A column of the organisation, or its default."""
        column = self.catalog.tables["organization"].columns[name]
        return self.organization.get(name, column.default)

    @property
    def base_currency(self) -> str | None:
        found: str | None = self.organization.get("basecurrencyid")
        return found

    def row(self, table: str, row_id: str | None) -> Row | None:
        return None if row_id is None else self.store.rows(table).get(row_id)

    def target_of(self, column: Column, row: Row) -> str:
        """The table that a lookup's value belongs to."""
        if len(column.targets) == 1:
            return column.targets[0]
        return str(row.get(f"{column.logical}type") or column.targets[0])

    def name_of(self, table: str, row_id: str | None) -> str | None:
        """The primary name of a row, as lookups show it."""
        row = self.row(table, row_id)
        return None if row is None else row.get(self.catalog.tables[table].primary_name)

    def currency(self, row: Row) -> tuple[str, int]:
        """(symbol, decimals) of a row's currency."""
        found = self.row("transactioncurrency", row.get("transactioncurrencyid") or self.base_currency) or {}
        return found.get("currencysymbol") or "", found.get("currencyprecision", 2)

    def rate(self, row: Row) -> Decimal | None:
        """The present exchange rate of a row's currency: units of it for one of the base currency."""
        currency = self.row("transactioncurrency", row.get("transactioncurrencyid"))
        return currency.get("exchangerate") if currency else None

    def money_digits(self, column: Column, row: Row) -> int:
        """Decimals of a Money column: its own, the organisation's for prices, or the currency's."""
        if column.precision_source == 1:
            return int(self.setting("pricingdecimalprecision"))
        return self.currency(row)[1] if column.precision_source else column.precision or 0

    def reader(self, table: Table, column: Column) -> Read:
        """How to read a column: stored, defaulted, or derived from others."""
        derive = DERIVED.get((table.logical, column.logical))
        if derive is not None:
            return lambda row: derive(self, row)
        if column.logical in ("owninguser", "owningbusinessunit"):
            return self._owner_reader(column.logical)
        if column.base_of is not None:
            money = column.base_of
            return lambda row: in_base(row.get(money), row.get("exchangerate"))
        name, default = column.logical, column.default
        return lambda row: row.get(name, default)

    @staticmethod
    def is_stored(table: Table, column: Column) -> bool:
        """Whether rows hold the column themselves, so that an index over them can find it."""
        derived = (table.logical, column.logical) in DERIVED or column.base_of is not None
        return not derived and column.logical not in ("owninguser", "owningbusinessunit")

    def _owner_reader(self, name: str) -> Read:
        if name == "owninguser":
            return lambda row: row.get("ownerid")
        return lambda row: (self.row("systemuser", row.get("ownerid")) or {}).get("businessunitid")


def in_base(value: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """An amount in the organisation's currency: value divided by the rate kept on the row."""
    return None if value is None or not rate else rounded(value / rate, BASE_DIGITS)


def _of_invoice(name: str, default: Any) -> Callable[[Environment, Row], Any]:
    return lambda env, row: (env.row("invoice", row.get("invoiceid")) or {}).get(name, default)


def _customer(kind: str) -> Callable[[Environment, Row], Any]:
    return lambda _env, row: row.get("customerid") if row.get("customeridtype") == kind else None


DERIVED: dict[tuple[str, str], Callable[[Environment, Row], Any]] = {
    ("invoicedetail", "invoicestatecode"): _of_invoice("statecode", 0),
    ("invoicedetail", "invoiceispricelocked"): _of_invoice("ispricelocked", False),
    ("invoicedetail", "productnumber"): lambda env, row: (env.row("product", row.get("productid")) or {}).get("productnumber"),
    ("invoicedetail", "invoicedetailname"): lambda env, row: (
        row.get("productdescription") or env.name_of("product", row.get("productid"))
    ),
    ("invoice", "accountid"): _customer("account"),
    ("invoice", "contactid"): _customer("contact"),
    ("productpricelevel", "productidname"): lambda env, row: env.name_of("product", row.get("productid")),
}
