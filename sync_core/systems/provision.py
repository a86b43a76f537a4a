"""Setting Dynamics up: Tieout's tables, columns, lookups and keys, and change tracking on the standard tables.

Idempotent: it reads what is there and makes only what is missing, one piece at a time (Dataverse locks its customisation).
Each piece is whole or absent, so a set-up that was cut off goes on where it stopped: by itself, as long as every lost answer
came after something that was made, else when it is run again. The solution's version is raised last: until then the next run
knows that publishing is still due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync_core.errors import Configure, Retryable, Unknown
from sync_core.systems import odata
from sync_core.systems.base import Clock
from sync_core.systems.dataverse_tables import DEFINITIONS, definitions
from sync_core.systems.http import Answer, Forbidden, Http
from sync_core.systems.own_tables import PUBLISHER, SOLUTION, TABLES, VERSION, Table
from sync_core.systems.provision_bodies import Body, publish_body, publisher_body, solution_body
from sync_core.systems.provision_pieces import (
    Environment,
    Found,
    Piece,
    address,
    found_table,
    key_is_built,
    key_states,
    pieces,
)

Progress = Callable[[str], None]
_NOT_YET = frozenset({"0x80060888", "0x80040217"})
_CUSTOMISING = "0x80071151"
_TRIES = 12
_PAUSE_S = 5.0
_KEY_POLLS = 60
_CONTEXT = "@odata.context"


class _LostError(Retryable):
    """A change whose answer did not come: only a look tells whether it was made."""


@dataclass(frozen=True, slots=True)
class ProvisionReport:
    """``created``: what was made, in words; ``already``: how many pieces were there."""

    created: list[str]
    already: int


def provision(http: Http, clock: Clock, progress: Progress) -> ProvisionReport:
    """Make what is missing. Raises Configure when a right is lacking or a column of another type is in the way."""
    return _Setup(http, clock, progress).run()


def missing(http: Http) -> list[str]:
    """What a set-up would make, in words; empty when everything is there and published. Three calls."""
    found = survey(http)
    absent = [piece.name for piece in pieces(found) if not piece.there]
    return absent or (["publishing"] if _is_behind(found.version) else [])


def survey(http: Http) -> Environment:
    """What Dynamics has of ours. Three calls, whatever there is."""
    publishers = _list(http, "/publishers", select="publisherid", filter=_named(PUBLISHER))
    solutions = _list(http, "/solutions", select="solutionid,version", filter=_named(SOLUTION))
    solution = solutions[0] if solutions else {}
    return Environment(
        publisher=publishers[0]["publisherid"] if publishers else "",
        solution=solution.get("solutionid", ""),
        version=solution.get("version", ""),
        tables=_tables(http),
    )


def _is_behind(version: str) -> bool:
    """Whether the solution's version is older than ours. A higher one is an administrator's doing and stays."""
    numbers = [int(part) if part.isdigit() else 0 for part in version.split(".")]
    return numbers < [int(part) for part in VERSION.split(".")]


def _tables(http: Http) -> dict[str, Found]:
    rows, refused = definitions(
        lambda address: _request(http, "GET", address),
        [table.name for table in TABLES],
        select="LogicalName,MetadataId,ChangeTrackingEnabled",
        expand="Attributes($select=LogicalName,AttributeType),Keys($select=LogicalName,SchemaName,EntityKeyIndexStatus)",
    )
    if refused is not None:
        raise _refused(refused, DEFINITIONS)
    return {row["LogicalName"]: found_table(_with_parts(http, row)) for row in rows}


def _with_parts(http: Http, row: dict[str, Any]) -> dict[str, Any]:
    """A table's definition with its columns and keys, asked for by themselves where a server does not expand them in a list."""
    whole = f"/EntityDefinitions(LogicalName='{row['LogicalName']}')"
    columns = {"Attributes": "LogicalName,AttributeType", "Keys": "LogicalName,SchemaName,EntityKeyIndexStatus"}
    return row | {part: _list(http, f"{whole}/{part}", select=some) for part, some in columns.items() if row.get(part) is None}


def _named(unique_name: str) -> str:
    return odata.equals("uniquename", unique_name, is_id=False)


def _list(http: Http, path: str, **options: str) -> list[dict[str, Any]]:
    answer = _request(http, "GET", path + odata.query(**options))
    if answer.status != 200:
        raise _refused(answer, path)
    rows: list[dict[str, Any]] = answer.json()["value"]
    return rows


class _Setup:
    def __init__(self, http: Http, clock: Clock, progress: Progress) -> None:
        self._http, self._clock, self._progress = http, clock, progress
        self._created: list[str] = []
        self._making = ""
        self._published: list[str] = []
        self._changes = 0

    def run(self) -> ProvisionReport:
        found = survey(self._http)
        already = sum(piece.there for piece in pieces(found))
        lost_at = -1
        while True:
            try:
                self._complete(found)
            except _LostError:
                if self._changes <= lost_at:
                    raise
                lost_at = self._changes
                self._clock.sleep(_PAUSE_S)
                found = survey(self._http)
                if any(piece.there and piece.name == self._making for piece in pieces(found)):
                    self._changes += 1
                    self._note(self._making)
            else:
                return ProvisionReport(self._created, already)

    def _complete(self, found: Environment) -> None:
        found = self._frame(found)
        for piece in pieces(found):
            if not piece.there:
                self._make(piece)
        if self._created or _is_behind(found.version):
            self._await_keys()
            self._publish(found.solution, found.version)

    def _frame(self, found: Environment) -> Environment:
        """Publisher and solution come first, because everything else is made inside them."""
        publisher, solution = found.publisher, found.solution
        if not publisher:
            publisher = self._new_row("publisher", publisher_body())
        if not solution:
            solution = self._new_row("solution", solution_body(publisher))
        return Environment(publisher, solution, found.version, found.tables)

    def _new_row(self, name: str, body: Body) -> str:
        self._making = f"{name} {body['uniquename']}"
        self._change("POST", f"/{name}s", body)
        self._note(self._making)
        # To be shown what was made is a wish, which a server may leave unfulfilled.
        rows = _list(self._http, f"/{name}s", select=f"{name}id", filter=_named(body["uniquename"]))
        return str(rows[0][f"{name}id"])

    def _make(self, piece: Piece) -> None:
        self._making = piece.name
        if piece.track:
            self._track(piece.track)
        else:
            self._change("POST", piece.path, piece.body or {}, **{"MSCRM.SolutionUniqueName": SOLUTION})
        self._note(piece.name)

    def _note(self, name: str) -> None:
        self._making = ""
        self._created.append(name)
        self._progress(f"Made {name}.")

    def _track(self, table_id: str) -> None:
        """Metadata has no PATCH: the whole definition is read and put back."""
        path = f"/EntityDefinitions({table_id})"
        answer = _request(self._http, "GET", path)
        if answer.status != 200:
            raise _refused(answer, path)
        definition = answer.json()
        allowed = definition.get("CanChangeTrackingBeEnabled")
        if (allowed.get("Value") if isinstance(allowed, dict) else allowed) is False:
            name = definition["LogicalName"]
            raise Configure(
                f"Dynamics does not allow change tracking on the table {name}. Allow it there, then run the set-up."
            )
        body = {key: value for key, value in definition.items() if key != _CONTEXT} | {"ChangeTrackingEnabled": True}
        self._change("PUT", path, body, **{"MSCRM.MergeLabels": "true"})

    def _await_keys(self) -> None:
        """A key's index is built in the background; uniqueness counts only once it is Active."""
        waiting = [table for table in TABLES if table.key]
        for poll in range(_KEY_POLLS):
            waiting = [table for table in waiting if not key_is_built(table, self._key_states(table))]
            if not waiting:
                return
            self._progress(f"Waiting for {len(waiting)} keys to be built.")
            self._clock.sleep(min(_PAUSE_S, 0.5 * 2**poll))
        raise Retryable("Dynamics is still building the keys of Tieout's tables. Run the set-up again in a while.")

    def _key_states(self, table: Table) -> dict[str, str]:
        rows = _list(self._http, f"{address(table)}/Keys", select="SchemaName,EntityKeyIndexStatus")
        return key_states(rows)

    def _publish(self, solution: str, version: str) -> None:
        """One table at a time: all of them in one call can take longer than anything on the way waits for an answer."""
        self._progress("Publishing.")
        for table in TABLES:
            if table.name not in self._published:
                self._change("POST", "/PublishXml", publish_body([table.name]))
                self._published.append(table.name)
        if _is_behind(version):
            self._change("PATCH", f"/solutions({solution})", {"version": VERSION}, **{"If-Match": "*"})

    def _change(self, method: str, path: str, body: Body, **headers: str) -> Answer:
        """What is new is not known everywhere at once, and only one change runs at a time: both are waited for."""
        for _ in range(_TRIES):
            answer = _request(self._http, method, path, body, headers)
            if answer.status < 400:
                self._changes += 1
                return answer
            code = odata.failure(answer.status, answer.body).code
            if code != _CUSTOMISING and not (code in _NOT_YET and self._created):
                break
            self._clock.sleep(_PAUSE_S)
        raise _refused(answer, path)


def _request(http: Http, method: str, path: str, body: Body | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    common = {**odata.READ_HEADERS, "Consistency": "Strong", **({} if body is None else odata.JSON_BODY)}
    content = None if body is None else odata.to_json(body).encode()
    try:
        return http.request(method, path, headers={**common, **(headers or {})}, content=content, write=body is not None)
    except Forbidden as error:
        raise Configure(
            "The application user may not change Dynamics' tables. Give it the security role System Customizer, then run the "
            "set-up again.",
            detail=error.detail,
        ) from None
    except Unknown as error:
        raise _LostError(
            "The connection to Dynamics was lost during the set-up. Run it again; it goes on where it stopped.",
            detail=error.detail,
        ) from None


def _refused(answer: Answer, path: str) -> Configure:
    said = odata.failure(answer.status, answer.body).said
    return Configure(f"Dynamics refused a step of the set-up: {said}. Mend that, then run the set-up again.", detail=path)
