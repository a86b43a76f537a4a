"""What people do in the two systems themselves, in a bookkeeper's words, through the systems' public APIs.

Every act of a scenario is a method of :class:`People` named like the act with ``_`` for spaces. Records are called by their
names and numbers. Nothing here carries Tieout's run header, so the systems' logs tell people and Tieout apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx

from sync_core.sandbox.exchange import read_json, write_json
from sync_core.sandbox.identity import credentials
from sync_core.sandbox.serve import Sandbox

Given = Mapping[str, Any]
JSON = {"content-type": "application/json", "accept": "application/json"}
CENT = Decimal("0.01")
BANK = {"Account": {"Code": "090"}}
WORDS = {
    "Dynamics": {
        "due": "duedate",
        "date": "tie_invoicedate",
        "name": "name",
        "email": "emailaddress1",
        "phone": "telephone1",
        "city": "address1_city",
        "subject": "name",
        "discount": "discountamount",
        "discount percent": "discountpercentage",
        "freight": "freightamount",
        "amount": "tie_amount",
        "total": "tie_total",
        "bank": "tie_bankaccount",
        "rate": "tie_rate",
    },
    "Xero": {"due": "DueDate", "date": "Date", "name": "Name", "email": "EmailAddress", "reference": "Reference"},
}
NAMED = {
    "invoice": ("invoice", "invoicenumber"),
    "customer": ("account", "name"),
    "person": ("contact", "fullname"),
    "payment": ("tie_payment", "tie_name"),
    "credit note": ("tie_creditnote", "tie_number"),
    "allocation": ("tie_allocation", "tie_name"),
}
WHOLE = ("discount", "discount percent", "freight")
STATES = {"active": (0, 1), "paid": (2, 100001), "canceled": (3, 100003)}


class Refused(Exception):
    """A system refused what a person wanted; a scenario that meets this is written wrong."""


class People:
    """The people of the small company, signed in to both systems."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._rows = sandbox.kernel.collection
        self._known = credentials(sandbox.kernel)
        # Plain http: reading the list of certificate authorities would take longer than all that people do.
        self._crm = httpx.Client(base_url=f"{sandbox.dynamics_url}/api/data/v9.2/", timeout=10, verify=False)  # noqa: S501
        self._xero = httpx.Client(base_url=f"{sandbox.xero_url}/api.xro/2.0/", timeout=10, verify=False)  # noqa: S501
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> People:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._crm.close()
        self._xero.close()

    def act(self, name: str, given: Any) -> None:
        """Do what a step of a scenario says."""
        method: Callable[[Any], None] = getattr(self, name.replace(" ", "_").replace("-", "_"))
        method(given)

    # In Dynamics

    def customer_in_Dynamics(self, given: Given) -> None:  # noqa: N802  # acts are spelt as in the scenarios
        values = {k: v for k, v in given.items() if k not in ("person", "name")}
        named = {WORDS["Dynamics"].get(k, k): v for k, v in values.items()}
        if given.get("person"):
            first, _, last = given["name"].partition(" ")
            self.crm("POST", "contacts", {"firstname": first, "lastname": last, **named})
        else:
            self.crm("POST", "accounts", {"name": given["name"], **named})

    def product_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        unit, group = next(self._rows("dataverse.uom").items())[0], next(self._rows("dataverse.uomschedule").items())[0]
        body = {
            "name": given["name"],
            "productnumber": given["code"],
            "price": given["price"],
            "quantitydecimal": 2,
            "defaultuomid@odata.bind": f"/uoms({unit})",
            "defaultuomscheduleid@odata.bind": f"/uomschedules({group})",
        }
        self.crm("POST", "products", body)
        product = self.find("dataverse.product", productnumber=given["code"])
        price = {
            "amount": given["price"],
            "pricelevelid@odata.bind": f"/pricelevels({self._price_list()})",
            "productid@odata.bind": f"/products({product})",
            "uomid@odata.bind": f"/uoms({unit})",
        }
        self.crm("POST", "productpricelevels", price)
        self.crm("PATCH", f"products({product})", {"statecode": 0})

    def invoice_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        currency = self.find("dataverse.transactioncurrency", isocurrencycode=given.get("currency", "NZD"))
        body = {
            "name": given.get("subject", f"Sale {given['number']}"),
            "invoicenumber": given["number"],
            **self._customer(given["customer"]),
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})",
            "pricelevelid@odata.bind": f"/pricelevels({self._price_list(given.get('currency', 'NZD'))})",
            "duedate": given.get("due", "2026-12-20"),
            "tie_invoicedate": given.get("date", "2026-11-20"),
            "invoice_details": [
                {"lineitemnumber": n, **self.line_for_dynamics(line)} for n, line in enumerate(given["lines"], 1)
            ],
        }
        self.crm("POST", "invoices", {**body, **{WORDS["Dynamics"][k]: given[k] for k in WHOLE if k in given}})
        if "state" in given:
            self.set_in_Dynamics({"invoice": given["number"], "state": given["state"]})

    def set_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        kind, name = next((k, given[k]) for k in NAMED if k in given)
        table, column = NAMED[kind]
        wanted = {column: name}
        if "of city" in given:
            wanted["address1_city"] = given["of city"]
        values = {WORDS["Dynamics"].get(k, k): v for k, v in given.items() if k not in (kind, "state", "of city")}
        if "state" in given:
            values["statecode"], values["statuscode"] = STATES[given["state"]]
        self.crm("PATCH", f"{table}s({self.find(f'dataverse.{table}', **wanted)})", values)

    def payment_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        """Enter money received for an invoice, or paid back for a credit note, prepayment or overpayment."""
        body = {
            "tie_name": given.get("name", f"Payment {given.get('reference', '')}".strip()),
            "tie_amount": given["amount"],
            "tie_date": given.get("date", "2026-11-22"),
            "tie_bankaccount": str(given.get("bank", "090")),
            **({"tie_reference": given["reference"]} if "reference" in given else {}),
            **({"tie_rate": given["rate"]} if "rate" in given else {}),
            **self._own(given),
        }
        self.crm("POST", "tie_payments", body)

    def credit_note_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        named = {"tie_name": given["number"], "tie_number": given["number"], "tie_date": given.get("date", "2026-11-21")}
        more = {"tie_total": given["total"]} if "total" in given else {}
        account = self.find("dataverse.account", name=given["customer"])
        own = self._own({k: given[k] for k in ("currency",) if k in given})
        self.crm("POST", "tie_creditnotes", {**named, **more, **own, "tie_accountid@odata.bind": f"/accounts({account})"})
        for line in given["lines"]:
            self.credit_note_line_in_Dynamics({"credit note": given["number"], **line})

    def credit_note_line_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        words = {"text": "tie_description", "quantity": "tie_quantity", "price": "tie_unitprice", "amount": "tie_amount"}
        words |= {"tax": "tie_tax", "account": "tie_accountcode", "tax rate": "tie_taxtype"}
        body = {words[k]: str(v) if k == "account" else v for k, v in given.items() if k in words}
        self.crm("POST", "tie_creditnotelines", {"tie_name": given["text"], **body, **self._own(given)})

    def allocation_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        body = {"tie_name": f"to {given['to']}", "tie_amount": given["amount"], "tie_date": given.get("date", "2026-11-22")}
        self.crm("POST", "tie_allocations", {**body, **self._own({**given, "invoice": given["to"]}, advance="tie_paymentid")})

    def _own(self, given: Given, advance: str = "tie_advanceid") -> dict[str, str]:
        """What a row of Tieout's own tables refers to."""
        binds = {}
        if "invoice" in given:
            binds["tie_invoiceid@odata.bind"] = f"/invoices({self.find('dataverse.invoice', invoicenumber=given['invoice'])})"
        if "credit note" in given:
            note = self.find("dataverse.tie_creditnote", tie_number=given["credit note"])
            binds["tie_creditnoteid@odata.bind"] = f"/tie_creditnotes({note})"
        for word in ("prepayment", "overpayment"):
            if word in given:
                paid = self.find("dataverse.tie_payment", tie_reference=given[word])
                binds[f"{advance}@odata.bind"] = f"/tie_payments({paid})"
        if "currency" in given:
            money = self.find("dataverse.transactioncurrency", isocurrencycode=given["currency"])
            binds["transactioncurrencyid@odata.bind"] = f"/transactioncurrencies({money})"
        return binds

    def line_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        """Change one line: choose its codes, or its quantity, price and tax."""
        invoice = self.find("dataverse.invoice", invoicenumber=given["invoice"])
        line = self.find("dataverse.invoicedetail", invoiceid=invoice, lineitemnumber=given["line"])
        body = {k: given[w] for k, w in (("quantity", "quantity"), ("priceperunit", "price"), ("tax", "tax")) if w in given}
        self.crm("PATCH", f"invoicedetails({line})", {**body, **self._codes(given)})

    def merge_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        loser, survivor = (self.find("dataverse.account", name=given[k]) for k in ("customer", "into"))
        self._sandbox.merge("dataverse", "account", loser, survivor)

    def deactivate_in_Dynamics(self, customer: str) -> None:  # noqa: N802
        self.crm("PATCH", f"accounts({self.find('dataverse.account', name=customer)})", {"statecode": 1, "statuscode": 2})

    def delete_in_Dynamics(self, given: Given) -> None:  # noqa: N802
        kind, name = next(iter(given.items()))
        table, column = (NAMED | {"payment": ("tie_payment", "tie_reference")})[kind]
        self.crm("DELETE", f"{table}s({self.find(f'dataverse.{table}', **{column: name})})")

    # In Xero

    def contact_in_Xero(self, given: Given) -> None:  # noqa: N802
        body = {WORDS["Xero"].get(k, k): v for k, v in given.items() if k != "account number"}
        if "account number" in given:
            body["AccountNumber"] = given["account number"]
        self.xero("PUT", "Contacts", body)

    def invoice_in_Xero(self, given: Given) -> None:  # noqa: N802
        self.xero("PUT", "Invoices", self._paper(given) | {"Type": "ACCREC", "InvoiceNumber": given["number"]})

    def set_in_Xero(self, given: Given) -> None:  # noqa: N802
        kind, name = next((k, given[k]) for k in ("invoice", "contact") if k in given)
        row_id = self._invoice(name) if kind == "invoice" else self._contact(name)
        table = "Invoices" if kind == "invoice" else "Contacts"
        body = {WORDS["Xero"].get(k, k): v for k, v in given.items() if k not in (kind, "city")}
        if "city" in given:
            body["Addresses"] = [{"AddressType": "POBOX", "City": given["city"]}]
        self.xero("POST", f"{table}/{row_id}", body)

    def line_in_Xero(self, given: Given) -> None:  # noqa: N802
        """Change the quantity of one line; Xero works its amounts out anew."""
        invoice = self._rows("xero.Invoices").get(self._invoice(given["invoice"])) or {}
        lines = [{"LineItemID": line["LineItemID"]} for line in invoice["LineItems"]]
        lines[given["line"] - 1] |= {"Quantity": given["quantity"]}
        self.xero("POST", f"Invoices/{invoice['InvoiceID']}", {"LineItems": lines})

    def archive_in_Xero(self, contact: str) -> None:  # noqa: N802
        self.xero("POST", f"Contacts/{self._contact(contact)}", {"ContactStatus": "ARCHIVED"})

    def restore_in_Xero(self, contact: str) -> None:  # noqa: N802
        self.xero("POST", f"Contacts/{self._contact(contact)}", {"ContactStatus": "ACTIVE"})

    def merge_in_Xero(self, given: Given) -> None:  # noqa: N802
        self._sandbox.merge("xero", "Contacts", self._contact(given["contact"]), self._contact(given["into"]))

    def void_in_Xero(self, invoice: str) -> None:  # noqa: N802
        self.xero("POST", f"Invoices/{self._invoice(invoice)}", {"Status": "VOIDED"})

    def void_credit_note_in_Xero(self, number: str) -> None:  # noqa: N802
        note = self.find("xero.CreditNotes", CreditNoteNumber=number)
        self.xero("POST", f"CreditNotes/{note}", {"Status": "VOIDED"})

    def lock_Xero_until(self, day: Any) -> None:  # noqa: N802
        organisation = next(self._rows("xero.Organisations").items())[0]
        self._sandbox.edit("xero", "Organisations", organisation, PeriodLockDate=str(day))

    def payment_in_Xero(self, given: Given) -> None:  # noqa: N802
        body = {"Invoice": {"InvoiceID": self._invoice(given["invoice"])}, **self._money(given), **BANK}
        self.xero("PUT", "Payments", body)

    def batch_payment_in_Xero(self, given: Given) -> None:  # noqa: N802
        parts = [{"Invoice": {"InvoiceID": self._invoice(n)}, "Amount": a} for n, a in given["invoices"].items()]
        body = {"Date": str(given.get("date", "2026-11-22")), "Reference": given["reference"], "Payments": parts, **BANK}
        self.xero("PUT", "BatchPayments", {**body, "Account": {"AccountID": self.find("xero.Accounts", Code="090")}})

    def delete_payment_in_Xero(self, invoice: str) -> None:  # noqa: N802
        paid = self.find("xero.Payments", InvoiceID=self._invoice(invoice), Status="AUTHORISED")
        self.xero("POST", f"Payments/{paid}", {"Status": "DELETED"})

    def delete_batch_payment_in_Xero(self, reference: str) -> None:  # noqa: N802
        batch = self.find("xero.BatchPayments", Reference=reference)
        self.xero("POST", "BatchPayments", {"BatchPaymentID": batch, "Status": "DELETED"})

    def credit_note_in_Xero(self, given: Given) -> None:  # noqa: N802
        body = self._paper(given) | {"Type": "ACCRECCREDIT", "CreditNoteNumber": given["number"]}
        body.pop("DueDate")
        self.xero("PUT", "CreditNotes", body)

    def allocate_in_Xero(self, given: Given) -> None:  # noqa: N802
        table, row_id = self._credit(given)
        part = {"Invoice": {"InvoiceID": self._invoice(given["to"])}, "Amount": given["amount"], "Date": "2026-11-22"}
        self.xero("PUT", f"{table}/{row_id}/Allocations", {"Allocations": [part]})

    def unallocate_in_Xero(self, given: Given) -> None:  # noqa: N802
        table, row_id = self._credit(given)
        row = self._rows(f"xero.{table}").get(row_id) or {}
        (allocation,) = [a["AllocationID"] for a in row["_allocations"] if a["InvoiceID"] == self._invoice(given["from"])]
        self.xero("DELETE", f"{table}/{row_id}/Allocations/{allocation}")

    def refund_in_Xero(self, given: Given) -> None:  # noqa: N802
        table, row_id = self._credit(given)
        kind = table.removesuffix("s")
        self.xero("PUT", "Payments", {kind: {f"{kind}ID": row_id}, **self._money(given), **BANK})

    def prepayment_in_Xero(self, given: Given) -> None:  # noqa: N802
        self._advance("RECEIVE-PREPAYMENT", "200", given)

    def overpayment_in_Xero(self, given: Given) -> None:  # noqa: N802
        self._advance("RECEIVE-OVERPAYMENT", "610", given)

    def nothing(self, _given: Any) -> None:
        """Somebody looks, and touches nothing."""

    # How

    def find(self, collection: str, **wanted: Any) -> str:
        """The id of the one row that holds these values."""
        found = [i for i, row in self._rows(collection).items() if all(row.get(k) == v for k, v in wanted.items())]
        if len(found) != 1:
            raise Refused(f"{len(found)} rows of {collection} hold {wanted}")
        return found[0]

    def crm(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self._sandbox.dynamics_url}/{self._known.tenant_id}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self._known.dynamics_person_client_id,
            "client_secret": self._known.dynamics_person_client_secret,
            "scope": f"{self._sandbox.dynamics_url}/.default",
        }
        return self._send(self._crm, method, path, body, {"odata-version": "4.0"}, url, data=form)

    def xero(self, method: str, path: str, body: Any = None) -> Any:
        pair = (self._known.xero_person_client_id, self._known.xero_person_client_secret)
        headers, form = {"xero-tenant-id": self._known.xero_tenant_id}, {"grant_type": "client_credentials"}
        url = f"{self._sandbox.xero_url}/connect/token"
        return self._send(self._xero, method, path, body, headers, url, data=form, auth=pair)

    def _send(
        self, client: httpx.Client, method: str, path: str, body: Any, headers: dict[str, str], sign_in: str, **form: Any
    ) -> Any:
        """With the token of before; with a new one when that is not accepted any more."""
        content = write_json(_plain(body)) if body is not None else None
        for kept in (True, False):
            if not kept or sign_in not in self._tokens:
                self._tokens[sign_in] = client.post(sign_in, **form).raise_for_status().json()["access_token"]
            signed = {"authorization": f"Bearer {self._tokens[sign_in]}", **JSON, **headers}
            answer = client.request(method, path, content=content, headers=signed)
            if answer.status_code != 401:
                break
        if answer.status_code >= 400:
            raise Refused(f"{method} {path}: {answer.text}")
        return read_json(answer.content) if answer.content else None

    def _customer(self, name: str) -> dict[str, str]:
        for table, column in (("account", "name"), ("contact", "fullname")):
            for row_id, row in self._rows(f"dataverse.{table}").items():
                if row.get(column) == name:
                    return {f"customerid_{table}@odata.bind": f"/{table}s({row_id})"}
        raise Refused(f"Dynamics has no customer {name}")

    def line_for_dynamics(self, line: Given) -> dict[str, Any]:
        price, quantity = Decimal(str(line.get("price", 0))), Decimal(str(line.get("quantity", 1)))
        if "product" in line:
            product = self.find("dataverse.product", productnumber=line["product"])
            listed = (self._rows("dataverse.product").get(product) or {})["price"]
            price = price or listed
            unit = next(self._rows("dataverse.uom").items())[0]
            what = {"productid@odata.bind": f"/products({product})", "uomid@odata.bind": f"/uoms({unit})"}
            what |= {"ispriceoverridden": True} if price != listed else {}
        else:
            what = {"isproductoverridden": True, "productdescription": line["text"]}
        discount = Decimal(str(line.get("discount", 0)))
        net = (quantity * price).quantize(CENT, ROUND_HALF_UP) - discount
        tax = Decimal(str(line["tax"])) if "tax" in line else (net * 15 / 100).quantize(CENT, ROUND_HALF_UP)
        amounts = {"quantity": quantity, "priceperunit": price, "tax": tax, "manualdiscountamount": discount}
        return {**what, **amounts, **self._codes(line)}

    def _price_list(self, currency: str = "NZD") -> str:
        money = self.find("dataverse.transactioncurrency", isocurrencycode=currency)
        return self.find("dataverse.pricelevel", transactioncurrencyid=money)

    def _codes(self, given: Given) -> dict[str, str]:
        binds = {}
        if "account" in given:
            account = self.find("dataverse.tie_ledgeraccount", tie_code=str(given["account"]))
            binds["tie_ledgeraccountid@odata.bind"] = f"/tie_ledgeraccounts({account})"
        if "tax rate" in given:
            rate = self.find("dataverse.tie_taxrate", tie_taxtype=given["tax rate"])
            binds["tie_taxrateid@odata.bind"] = f"/tie_taxrates({rate})"
        return binds

    def _paper(self, given: Given) -> dict[str, Any]:
        return {
            "Contact": {"ContactID": self._contact(given["contact"])},
            "Date": str(given.get("date", "2026-11-20")),
            "DueDate": str(given.get("due", "2026-12-20")),
            "CurrencyCode": given.get("currency", "NZD"),
            "LineAmountTypes": "Exclusive",
            "Status": given.get("status", "AUTHORISED"),
            "LineItems": [_xero_line(line) for line in given["lines"]],
        }

    def _money(self, given: Given) -> dict[str, Any]:
        more = {"CurrencyRate": given["rate"]} if "rate" in given else {}
        return {"Date": str(given.get("date", "2026-11-22")), "Amount": given["amount"], **_reference(given), **more}

    def _advance(self, kind: str, code: str, given: Given) -> None:
        line = {"Description": "Advance", "Quantity": 1, "UnitAmount": given["amount"], "AccountCode": code, "TaxType": "NONE"}
        body = {
            "Type": kind,
            "Contact": {"ContactID": self._contact(given["contact"])},
            "BankAccount": {"AccountID": self.find("xero.Accounts", Code="090")},
            "Date": "2026-11-21",
            "LineAmountTypes": "NoTax",
            "LineItems": [line],
            **_reference(given),
        }
        self.xero("PUT", "BankTransactions", body)

    def _credit(self, given: Given) -> tuple[str, str]:
        for word, table, field in (
            ("credit note", "CreditNotes", "CreditNoteNumber"),
            ("prepayment", "Prepayments", "Reference"),
            ("overpayment", "Overpayments", "Reference"),
        ):
            if word in given:
                return table, self.find(f"xero.{table}", **{field: given[word]})
        raise Refused(f"no credit in {given}")

    def _invoice(self, number: str) -> str:
        return self.find("xero.Invoices", InvoiceNumber=number)

    def _contact(self, name: str) -> str:
        return self.find("xero.Contacts", Name=name)


def _reference(given: Given) -> dict[str, Any]:
    return {"Reference": given["reference"]} if "reference" in given else {}


def _xero_line(line: Given) -> dict[str, Any]:
    amount = {"Quantity": line.get("quantity", 1), "UnitAmount": line["price"]}
    more = {"ItemCode": line["product"]} if "product" in line else {}
    text = line.get("text", line.get("product"))
    tax = {"TaxAmount": line["tax"]} if "tax" in line else {}
    coded = {"AccountCode": str(line.get("account", "200")), "TaxType": line.get("tax rate", "OUTPUT2")}
    return {"Description": text, **amount, **coded, **more, **tax}


def _plain(value: Any) -> Any:
    """Dates and amounts as JSON takes them: amounts exact, dates as text."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return Decimal(str(value))
    return value.isoformat() if hasattr(value, "isoformat") else value


WAIT = timedelta(minutes=15)
"""How long the people of a scenario take between a sync and what they do next."""
