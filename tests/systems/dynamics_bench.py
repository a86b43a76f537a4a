"""The Dynamics side of the contract, for every test that wants a client on a sandbox that was set up."""

from __future__ import annotations

import uuid

from contract import Bench

from sync_core.model import Side, Verb
from sync_core.rules.entities import entity
from sync_core.systems.base import Write
from sync_core.systems.dataverse import Dataverse
from sync_core.systems.oauth import EntraTokens


class DynamicsBench(Bench):
    side, name, tag = Side.CRM, "dataverse", "accountnumber"
    stream = entity("contacts").crm[0]
    missing_id = "00000000-0000-4000-8000-000000000001"
    wrong = (
        {"dynamics_client_secret": "wrong-secret"},
        {"dynamics_client_id": missing_id},
        {"dynamics_tenant_id": missing_id},
    )
    system: Dataverse

    def connect(self, settings):
        tokens = self.keep(EntraTokens(settings, self.clock))
        return self.keep(Dataverse(settings, self.clock, tokens, lambda: "contract"))

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
        return self.rows("account")

    def rows(self, table):
        """What the sandbox holds of ``table``."""
        return self.sandbox.run(lambda: list(self.sandbox.kernel.collection(f"dataverse.{table}").values()))
