"""Dynamics' metadata in memory, just enough to set up: it keeps what it is sent and counts the changes."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

_OF = re.compile(r"/EntityDefinitions\(LogicalName='(\w+)'\)/(Attributes|Keys)$")
_ONE = re.compile(r"/EntityDefinitions\(LogicalName='(\w+)'\)$")
_BY_ID = re.compile(r"/EntityDefinitions\(id-(\w+)\)$")
STANDARD = ("account", "contact", "product", "invoice", "invoicedetail")


class Metadata(httpx.MockTransport):
    """``stumble`` answers a request before it is carried out, ``after`` afterwards; both may raise."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.publishers: list[dict[str, Any]] = []
        self.solutions: list[dict[str, Any]] = []
        self.tables = {name: _table(name, tracked=False) for name in STANDARD}
        self.relationships: list[dict[str, Any]] = []
        self.changes: list[httpx.Request] = []
        self.published: list[str] = []
        self.stumble: Any = lambda _request: None
        self.after: Any = lambda _request: None
        self.key_state = "Active"
        self.left_out: set[str] = set()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        stumbled = self.stumble(request)
        if stumbled is not None:
            return stumbled
        if request.method == "GET":
            return self._read(request)
        self.changes.append(request)
        path, body = request.url.path.partition("/v9.2")[2], json.loads(request.content)
        answer = self._change(request.method, path, body)
        self.after(request)
        return answer

    def _read(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.partition("/v9.2")[2]
        if by_id := _BY_ID.search(path):
            table = self.tables[by_id[1]]
            return httpx.Response(200, json={"@odata.context": "x", **table, "Attributes": None, "Keys": None})
        if of := _OF.search(path):
            return httpx.Response(200, json={"value": self.tables[of[1]][of[2]]})
        if one := _ONE.search(path):
            return self._show(one[1])
        rows: Any = {"/publishers": self.publishers, "/solutions": self.solutions}.get(path, list(self.tables.values()))
        rows = [{name: value for name, value in row.items() if name not in self.left_out} for row in rows]
        return httpx.Response(200, json={"value": rows})

    def _show(self, name: str) -> httpx.Response:
        return httpx.Response(200, json=self.tables[name]) if name in self.tables else httpx.Response(404)

    def _change(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        if path in ("/publishers", "/solutions"):
            row = {**body, "publisherid": "p-1", "solutionid": "s-1"}
            (self.publishers if path == "/publishers" else self.solutions).append(row)
            return httpx.Response(204)
        if path == "/PublishXml":
            self.published += re.findall(r"<entity>(\w+)</entity>", body["ParameterXml"])
        elif method == "PATCH":
            self.solutions[0] |= body
        elif method == "PUT":
            self.tables[body["LogicalName"]]["ChangeTrackingEnabled"] = body["ChangeTrackingEnabled"]
        else:
            self._add(path, body)
        return httpx.Response(204)

    def _add(self, path: str, body: dict[str, Any]) -> None:
        name = body["SchemaName"]
        if path == "/EntityDefinitions":
            assert name not in self.tables
            self.tables[name] = _table(name, tracked=body["ChangeTrackingEnabled"])
            for column in body["Attributes"]:
                self._add_column(name, column)
        elif path == "/RelationshipDefinitions":
            assert {body["ReferencedEntity"], body["ReferencingEntity"]} <= set(self.tables)
            assert name not in {r["SchemaName"] for r in self.relationships}
            self.relationships.append(body)
            self._add_column(body["ReferencingEntity"], body["Lookup"])
        else:
            table, kind = _OF.search(path).groups()
            add = self._add_column if kind == "Attributes" else self._add_key
            add(table, body)

    def _add_column(self, table: str, body: dict[str, Any]) -> None:
        columns = self.tables[table]["Attributes"]
        assert body["SchemaName"] not in {c["LogicalName"] for c in columns}
        columns.append({**body, "LogicalName": body["SchemaName"].lower()})

    def _add_key(self, table: str, body: dict[str, Any]) -> None:
        assert set(body["KeyAttributes"]) <= {c["LogicalName"] for c in self.tables[table]["Attributes"]}
        self.tables[table]["Keys"].append({**body, "EntityKeyIndexStatus": self.key_state})


def _table(name: str, *, tracked: bool) -> dict[str, Any]:
    return {
        "LogicalName": name,
        "MetadataId": f"id-{name}",
        "ChangeTrackingEnabled": tracked,
        "CanChangeTrackingBeEnabled": {"Value": True},
        "Attributes": [],
        "Keys": [],
    }
