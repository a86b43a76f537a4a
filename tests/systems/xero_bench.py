"""The Xero side of the contract."""

from __future__ import annotations

from contract import Bench

from sync_core.model import Side, Verb
from sync_core.rules.entities import entity
from sync_core.systems.base import Write
from sync_core.systems.oauth import XeroTokens
from sync_core.systems.xero import Xero


class XeroBench(Bench):
    side, name, tag = Side.XERO, "xero", "ContactNumber"
    stream = entity("contacts").xero[0]
    missing_id = "00000000-0000-4000-8000-000000000001"
    wrong = (
        {"xero_client_secret": "wrong-secret"},
        {"xero_client_id": "wrong-client"},
        {"xero_tenant_id": missing_id},
    )

    def connect(self, settings):
        tokens = self.keep(XeroTokens(settings, self.clock))
        return self.keep(Xero(settings, self.clock, tokens, lambda: "contract"))

    def new(self, tag):
        return Write(self.stream, Verb.CREATE, {"Name": f"Customer {tag}", self.tag: tag}, f"create-{tag}")

    def refused(self, tag):
        return Write(self.stream, Verb.CREATE, {self.tag: tag}, f"create-{tag}")

    def rename(self, row, name, version=None):
        return Write(self.stream, Verb.UPDATE, {"Name": name}, f"rename-{name}", id=self.id_of(row), version=version)

    def person_renames(self, row_id, name):
        self.sandbox.edit(self.name, "Contacts", row_id, Name=name)

    def goes(self, row):
        self.sandbox.edit(self.name, "Contacts", self.id_of(row), ContactStatus="ARCHIVED")

    def is_gone(self, pages, row_id):
        rows = {self.id_of(row): row for page in pages for row in page.rows}
        return rows[row_id]["ContactStatus"] == "ARCHIVED"

    def name_of(self, row):
        return row["Name"]

    def version_of(self, row):
        return row["UpdatedDateUTC"]

    def held(self):
        return self.sandbox.run(lambda: list(self.sandbox.kernel.collection("xero.Contacts").values()))
