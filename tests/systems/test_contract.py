"""The contract of both clients, on the sandbox."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from contract import Bench, SandboxClock, SystemContract

from sync_core.model import Side, Verb
from sync_core.rules.entities import entity
from sync_core.sandbox.serve import Sandbox
from sync_core.systems.base import Write
from sync_core.systems.dataverse import Dataverse
from sync_core.systems.oauth import EntraTokens
from sync_core.systems.provision import provision


class Dynamics(Bench):
    side, name, tag = Side.CRM, "dataverse", "accountnumber"
    stream = entity("contacts").crm[0]
    missing_id = "00000000-0000-4000-8000-000000000001"
    guards = True
    wrong = (
        {"dynamics_client_secret": "wrong-secret"},
        {"dynamics_client_id": missing_id},
        {"dynamics_tenant_id": missing_id},
    )

    def connect(self, settings):
        return Dataverse(settings, self.clock, EntraTokens(settings, self.clock), lambda: "contract")

    def new(self, tag):
        return Write(self.stream, Verb.CREATE, {"name": f"Customer {tag}", self.tag: tag}, tag, id=str(uuid.uuid4()))

    def refused(self, tag):
        return Write(self.stream, Verb.CREATE, {"name": "x" * 161, self.tag: tag}, tag, id=str(uuid.uuid4()))

    def rename(self, row, name, version=None):
        return Write(self.stream, Verb.UPDATE, {"name": name}, name, id=self.id_of(row), version=version)

    def person_renames(self, row_id, name):
        self.sandbox.edit(self.name, "account", row_id, name=name)

    def goes(self, row):
        (receipt,) = self.system.write([Write(self.stream, Verb.DELETE, {}, "gone", id=self.id_of(row))])
        assert receipt.error is None

    def is_gone(self, pages, row_id):
        return row_id in [gone for page in pages for gone in page.gone]

    def name_of(self, row):
        return row["name"]

    def version_of(self, row):
        return row["@odata.etag"]

    def held(self):
        return list(self.sandbox.run(lambda: list(self.sandbox.kernel.collection("dataverse.account").values())))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(seed=1) as sandbox:
        clock = SandboxClock(sandbox)
        bench = Dynamics(sandbox)
        provision(bench.system.http, clock, lambda _text: None)
        yield sandbox


@pytest.fixture
def quiet(server: Sandbox) -> Sandbox:
    """The running sandbox without faults; rows stay, each test makes its own."""
    server.run(server.kernel.faults.clear)
    return server


class TestDynamics(SystemContract):
    @pytest.fixture
    def bench(self, quiet: Sandbox) -> Dynamics:
        return Dynamics(quiet)
