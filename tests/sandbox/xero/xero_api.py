"""A caller of the sandboxed Xero in the same process: signs in, sends JSON, reads numbers as Decimal."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal

import httpx
from starlette.applications import Starlette

from sync_core.sandbox import identity, xero
from sync_core.sandbox.company import demo_company
from sync_core.sandbox.kernel import Kernel
from sync_core.sandbox.xero.store import store_of

NOW = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
BASE = "/api.xro/2.0/"


def new_kernel(seed=1):
    kernel = Kernel(seed)
    kernel.clock.set(NOW, frozen=True)
    xero.seed(kernel, demo_company(seed, 0))
    return kernel


def new_app(kernel):
    return Starlette(routes=[*xero.routes(kernel), *identity.xero_routes(kernel)])


class InProcess:
    """A synchronous client of an ASGI application, without a socket."""

    def __init__(self, app):
        self.transport = httpx.ASGITransport(app)

    def request(self, method, path, **options):
        return asyncio.run(self._request(method, path, options))

    async def _request(self, method, path, options):
        async with httpx.AsyncClient(transport=self.transport, base_url="http://localhost:8000") as client:
            return await client.request(method, path, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)


class Api:
    """The Accounting API of one kernel, as the custom connection sees it."""

    def __init__(self, kernel, scope=""):
        self.kernel = kernel
        self.known = identity.credentials(kernel)
        self.client = InProcess(new_app(kernel))
        self.sign_in(scope)

    def sign_in(self, scope=""):
        form = {"grant_type": "client_credentials", "scope": scope}
        pair = (self.known.xero_client_id, self.known.xero_client_secret)
        granted = self.client.post("/connect/token", data=form, auth=pair)
        assert granted.status_code == 200, granted.text
        token = granted.json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self.headers["xero-tenant-id"] = self.known.xero_tenant_id

    def send(self, method, path, body=None, headers=None, **params):
        content = None if body is None else json.dumps(body, default=str).encode()
        more = {"Content-Type": "application/json"} if content else {}
        sent = {**self.headers, **more, **(headers or {})}
        return self.client.request(method, BASE + path, content=content, headers=sent, params=params)

    def good(self, method, path, body=None, headers=None, **params):
        """The content of a good answer; one element when the answer holds one resource with one element."""
        answer = self.send(method, path, body, headers, **params)
        assert answer.status_code in (200, 204), answer.text
        return json.loads(answer.content, parse_float=Decimal) if answer.content else None

    def get(self, path, headers=None, **params):
        return self.good("GET", path, None, headers, **params)

    def one(self, method, path, body=None, **params):
        """The single element of a good answer."""
        content = self.good(method, path, body, **params)
        (element,) = next(v for k, v in content.items() if isinstance(v, list))
        return element

    def refused(self, method, path, body=None, status=400, headers=None, **params):
        """The texts of a refusal."""
        answer = self.send(method, path, body, headers, **params)
        assert answer.status_code == status, (answer.status_code, answer.text)
        content = answer.json()
        if "Elements" in content:
            return [e["Message"] for element in content["Elements"] for e in element["ValidationErrors"]]
        return [content.get("Message") or content.get("Detail")]

    def invoice(self, *lines, **values):
        """Create a sales invoice with PUT; lines are amounts or line dicts."""
        return self.one("PUT", "Invoices", {"Invoices": [draft(*lines, **values)]})

    def pay(self, invoice, amount, **values):
        body = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": amount}
        return self.one("PUT", "Payments", {"Payments": [{**body, "Date": "2026-11-20", **values}]})

    def row(self, resource, key):
        """One record, read anew."""
        return self.one("GET", f"{resource}/{key}")

    @property
    def store(self):
        return store_of(self.kernel)


def line(amount, **values):
    return {"Description": "Work", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200", **values}


def draft(*lines, **values):
    """A sales invoice as a request body, approved unless said otherwise."""
    return {
        "Type": "ACCREC",
        "Contact": {"Name": "Rimu Joinery"},
        "Date": "2026-11-02",
        "DueDate": "2026-11-30",
        "Status": "AUTHORISED",
        "LineAmountTypes": "Exclusive",
        "LineItems": [item if isinstance(item, dict) else line(item) for item in lines or ("100.00",)],
        **values,
    }
