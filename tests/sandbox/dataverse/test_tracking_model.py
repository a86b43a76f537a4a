"""A mirror that only follows deltas holds what the table holds, whatever happens in between and however it pages."""

from __future__ import annotations

from dataverse_client import Api
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from small_company import COMPANY, START
from starlette.applications import Starlette

from sync_core.sandbox import dataverse
from sync_core.sandbox.kernel import Kernel

BULK = "accounts/Microsoft.Dynamics.CRM."
KIND = {"@odata.type": "Microsoft.Dynamics.CRM.account"}


class Mirror(RuleBasedStateMachine):
    """Accounts under change tracking, written at random, mirrored by id -> name."""

    @initialize(size=st.integers(1, 4))
    def start(self, size):
        kernel = Kernel(seed=1)
        kernel.clock.set(START, frozen=True)
        dataverse.seed(kernel, COMPANY)
        self.kernel, self.api = kernel, Api(kernel, Starlette(routes=dataverse.routes(kernel)))
        path = "EntityDefinitions(LogicalName='account')"
        self.api.send("PUT", path, self.api.get(path) | {"ChangeTrackingEnabled": True})
        self.held, self.mine, self.link = {}, [], "accounts?$select=name"
        self.follow(size)

    def prefer(self, size):
        return {"Prefer": f"odata.track-changes,odata.maxpagesize={size}"}

    @rule(name=st.sampled_from("abcdef"))
    def create(self, name):
        self.mine.append(self.api.create("accounts", {"name": name}))

    @precondition(lambda self: self.mine)
    @rule(data=st.data(), name=st.sampled_from("ghijkl"))
    def update(self, data, name):
        self.api.patch(f"accounts({data.draw(st.sampled_from(self.mine))})", {"name": name})

    @precondition(lambda self: self.mine)
    @rule(data=st.data())
    def delete(self, data):
        gone = data.draw(st.sampled_from(self.mine))
        self.mine.remove(gone)
        assert self.api.send("DELETE", f"accounts({gone})").status_code == 204

    @precondition(lambda self: self.mine)
    @rule(data=st.data())
    def fail_halfway(self, data):
        first = KIND | {"accountid": data.draw(st.sampled_from(self.mine)), "name": "undone"}
        body = {"Targets": [first, KIND | {"accountid": first["accountid"], "name": 5}]}
        assert self.api.send("POST", f"{BULK}UpdateMultiple", body).status_code == 400

    @rule()
    def restart(self):
        self.kernel.rebuild()

    @rule(size=st.integers(1, 4))
    def follow(self, size):
        self.page(size)
        while self.unfinished:
            self.page(size)

    @rule(size=st.integers(1, 4))
    def page(self, size):
        """One page only: what follows may change before the next."""
        body = self.api.get(self.link, **self.prefer(size))
        for row in body["value"]:
            if row.get("reason") == "deleted":
                self.held.pop(row["id"], None)
            else:
                self.held[row["accountid"]] = row["name"]
        self.unfinished = "@odata.nextLink" in body
        self.link = body.get("@odata.nextLink") or body["@odata.deltaLink"]

    def teardown(self):
        if not hasattr(self, "api"):
            return
        self.follow(3)
        self.follow(3)
        assert self.held == {row["accountid"]: row["name"] for row in self.api.rows("accounts?$select=name")}

    @invariant()
    def counts_agree(self):
        if hasattr(self, "api"):
            assert len(self.api.rows("accounts?$select=name")) == len(self.mine) + 2


TestMirror = Mirror.TestCase
TestMirror.settings = settings(max_examples=25, stateful_step_count=25, deadline=None, derandomize=True)
