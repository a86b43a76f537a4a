"""Microsoft's own client library against the sandbox, over https on a loopback socket."""

from __future__ import annotations

import ssl
import threading
import time

import pytest
import trustme
import uvicorn
from dataverse_client import Api
from starlette.applications import Starlette

from sync_core.sandbox import dataverse

core = pytest.importorskip("PowerPlatform.Dataverse.core.errors")


@pytest.fixture
def client(kernel, tmp_path, monkeypatch):
    """The client library, signed in as the application user."""
    from azure.core.credentials import AccessToken
    from PowerPlatform.Dataverse.client import DataverseClient

    app = Starlette(routes=dataverse.routes(kernel))
    token = Api(kernel, app).token

    class Credential:
        def get_token(self, *scopes, **options):
            return AccessToken(token, int(time.time()) + 3600)

    with Serving(app, tmp_path, monkeypatch) as port, DataverseClient(f"https://127.0.0.1:{port}", Credential()) as made:
        yield made


def one_request_each(app):
    """The same app on connections that end with their answer: the client keeps some of them open past its own end."""

    async def serve(scope, receive, send):
        async def send_last(message):
            if message["type"] == "http.response.start":
                message = message | {"headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await app(scope, receive, send_last)

    return serve


class Serving:
    """Serve an app over https with a throw-away certificate; gives the port."""

    def __init__(self, app, folder, monkeypatch):
        authority = trustme.CA()
        certificate, trusted = folder / "server.pem", folder / "ca.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        authority.cert_pem.write_to_path(trusted)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        config = uvicorn.Config(one_request_each(app), port=0, log_level="error", ssl_certfile=str(certificate), lifespan="off")
        assert config.ssl_cert_reqs == ssl.CERT_NONE
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)
        return self.server.servers[0].sockets[0].getsockname()[1]

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(timeout=10)


def test_rows(client):
    row_id = client.records.create("account", {"name": "Acme", "paymenttermscode": "Net 45"})
    assert client.records.retrieve("account", row_id, select=["name", "paymenttermscode"])["paymenttermscode"] == 3
    ids = client.records.create("account", [{"name": f"N{n}"} for n in range(5)])
    client.records.update("account", row_id, {"name": "Acme 2"})
    client.records.update("account", ids, {"fax": "1"})
    client.records.update("account", ids[:2], [{"name": "A"}, {"name": "B"}])
    pages = list(client.records.list_pages("account", filter="fax eq '1'", select=["name"], page_size=2))
    names = sorted(row["name"] for page in pages for row in page)
    assert (len(pages), names) == (3, ["A", "B", "N2", "N3", "N4"])
    client.records.delete("account", row_id)
    assert client.records.retrieve("account", row_id) is None
    with pytest.raises(core.HttpError) as refused:
        client.records.update("account", row_id, {"name": "x"})
    assert refused.value.status_code == 404


def test_upserts_by_alternate_key(client):
    from PowerPlatform.Dataverse.models.upsert import UpsertItem

    client.tables.add_columns("account", {"tie_XeroId": "string"})
    client.tables.create_alternate_key("account", "tie_xeroid_key", ["tie_xeroid"])
    assert [client.tables.get_alternate_keys("account")[0].status for _ in range(2)] == ["Pending", "Active"]
    one = UpsertItem(alternate_key={"tie_xeroid": "1"}, record={"name": "One"})
    client.records.upsert("account", [one])
    two = UpsertItem(alternate_key={"tie_xeroid": "2"}, record={"name": "Two"})
    again = UpsertItem(alternate_key={"tie_xeroid": "1"}, record={"name": "One again"})
    client.records.upsert("account", [again, two])
    found = client.records.list("account", filter="tie_xeroid ne null", select=["name"], orderby=["name"])
    assert [row["name"] for row in found] == ["One again", "Two"]
    with pytest.raises(core.HttpError) as refused:
        client.records.create("account", {"name": "x", "tie_xeroid": "2"})
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (412, "0x80060892")


def test_tables_columns_and_lookups(client):
    made = client.tables.create(
        "tie_Payment", {"tie_Amount": "decimal", "tie_Paid": "bool", "tie_When": "datetime", "tie_Note": "memo"}
    )
    assert made.entity_set_name == "tie_payments"
    client.tables.create_lookup_field("tie_payment", "tie_InvoiceId", "invoice")
    row_id = client.records.create("tie_Payment", {"tie_name": "p", "tie_amount": 12.5, "tie_paid": True})
    row = client.records.retrieve("tie_Payment", row_id, select=["tie_amount", "tie_paid"])
    assert (row["tie_amount"], row["tie_paid"]) == (12.5, True)
    assert client.tables.get("tie_Payment").logical_name == "tie_payment"
    client.tables.remove_columns("tie_Payment", "tie_Note")
    client.tables.delete("tie_Payment")
    assert client.tables.get("tie_Payment") is None


def test_batches_and_change_sets(client):
    batch = client.batch.new()
    with batch.changeset() as changes:
        contact = changes.records.create("contact", {"lastname": "New"})
        changes.records.create("account", {"name": "Holds", "primarycontactid@odata.bind": contact})
    batch.records.list("account", filter="name eq 'Holds'", select=["name", "_primarycontactid_value"])
    result = batch.execute()
    assert (result.has_errors, len(result.entity_ids)) == (False, 2)
    assert result.responses[-1].data["value"][0]["_primarycontactid_value"] == result.entity_ids[0]


def test_errors_in_a_batch(client):
    batch = client.batch.new()
    batch.records.create("account", {"name": "x" * 500})
    batch.records.create("account", {"name": "Fine"})
    result = batch.execute(continue_on_error=True)
    assert [item.status_code for item in result.responses] == [400, 204]
    broken = client.batch.new()
    with broken.changeset() as changes:
        changes.records.create("account", {"name": "Undone"})
        changes.records.create("account", {"nmae": "wrong"})
    assert broken.execute(continue_on_error=True).has_errors
    assert client.records.list("account", filter="name eq 'Undone'").records == []
