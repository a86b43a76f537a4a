"""A bare client for the tests: plain requests, answers with exact numbers."""

from __future__ import annotations

import asyncio
import json
import re
from decimal import Decimal
from typing import Any

import httpx

from sync_core.sandbox.identity import credentials
from sync_core.sandbox.identity_tokens import issue
from sync_core.sandbox.kernel import Kernel

ROOT = "/api/data/v9.2"
SERVICE = f"http://testserver{ROOT}/"
GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Api:
    """Calls as the engine's application user; ``as_person`` gives the same as the human user."""

    def __init__(self, kernel: Kernel, app: Any, user: str | None = None) -> None:
        self.kernel, self.app = kernel, app
        self.user = user or credentials(kernel).dynamics_user_id
        self.token = issue(kernel, "dataverse", "test", ["/.default"], 30 * 24 * 3600, user=self.user)

    def as_person(self) -> Api:
        return Api(self.kernel, self.app, credentials(self.kernel).dynamics_person_user_id)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        url = path if path.startswith("http") else f"{ROOT}/{path}"
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, str | bytes | None) else json.dumps(body, default=number)
        return asyncio.run(self._send(method, url, content, {"Authorization": f"Bearer {self.token}", **names}))

    async def _send(self, method: str, url: str, content: Any, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, url, content=content, headers=headers)

    def get(self, path: str, **headers: str) -> Any:
        answer = self.send("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return exact(answer)

    def rows(self, path: str, **headers: str) -> list[dict[str, Any]]:
        return self.get(path, **headers)["value"]

    def create(self, table: str, body: Any) -> str:
        answer = self.send("POST", table, body)
        assert answer.status_code == 204, answer.text
        return GUID.findall(answer.headers["OData-EntityId"])[-1]

    def patch(self, path: str, body: Any, **headers: str) -> None:
        answer = self.send("PATCH", path, body, **headers)
        assert answer.status_code == 204, answer.text

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """(status, error code) of an answer that must be an error."""
        answer = self.send(method, path, body, **headers)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["error"]["code"]

    def id_of(self, table: str, where: str) -> str:
        row = self.rows(f"{table}?$filter={where}")[0]
        return GUID.findall(row[min((k for k in row if k in KEYS), key=KEYS.index)])[0]


KEYS = ["invoicedetailid", "invoiceid", "productid", "accountid", "contactid", "pricelevelid", "transactioncurrencyid"]
KEYS += ["uomid", "uomscheduleid", "organizationid", "systemuserid"]


def exact(answer: Any) -> Any:
    return json.loads(answer.content, parse_float=Decimal)


def number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value))


def new_invoice(api: Api, **values: Any) -> str:
    """An open invoice for Acme in NZD."""
    acme, prices = api.id_of("accounts", "name eq 'Acme Ltd'"), api.id_of("pricelevels", "startswith(name,'NZD')")
    currency = api.id_of("transactioncurrencies", "isocurrencycode eq 'NZD'")
    body = {
        "name": "Test",
        "customerid_account@odata.bind": f"/accounts({acme})",
        "pricelevelid@odata.bind": f"/pricelevels({prices})",
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})",
    }
    return api.create("invoices", body | values)


def write_in(invoice: str | None, price: Any, quantity: Any = 1, **values: Any) -> dict[str, Any]:
    line = {"isproductoverridden": True, "productdescription": "Work", "quantity": quantity, "priceperunit": price}
    bind = {"invoiceid@odata.bind": f"/invoices({invoice})"} if invoice else {}
    return line | bind | values
