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

    with serving(app, tmp_path, monkeypatch) as port, DataverseClient(f"https://127.0.0.1:{port}", Credential()) as made:
        yield made


class serving:
    """Serve an app over https with a throw-away certificate; gives the port."""

    def __init__(self, app, folder, monkeypatch):
        authority = trustme.CA()
        certificate, trusted = folder / "server.pem", folder / "ca.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        authority.cert_pem.write_to_path(trusted)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        config = uvicorn.Config(app, port=0, log_level="error", ssl_certfile=str(certificate), lifespan="off")
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
