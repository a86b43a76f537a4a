"""The command line: ``python -m sync_core COMMAND``. Results go to stdout, logs to stderr.

Exit codes: 0 all well, 1 partial (some records failed or differ), 2 wrong use or configuration, 3 refused by a rail, 4 busy.
With ``--json`` the last line of stdout is one JSON object.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from sync_core.errors import Busy, Configure, Retryable, TieoutError
from sync_core.model import RunSummary
from sync_core.printing import plain, print_json, run_as_json, say, show_reconciliation, show_run, show_verification

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Tieout: Dynamics 365 and Xero in step, and tied out.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
DEMO_PORTS = (8811, 8812)
CALLBACK_PORT = 8765


def _guarded(as_json: bool, work: Callable[[], int]) -> None:
    """Run a command; every error becomes one sentence and its exit code."""
    try:
        code = work()
    except TieoutError as error:
        if as_json:
            print_json({"status": error.remedy, "error": error.message})
        else:
            sys.stderr.write(f"{error.message}\n")
        # A run that was cut off says so in its result; what ends here never began, because a system could not be used.
        code = Configure.exit_code if isinstance(error, Retryable) else error.exit_code
    except Exception:
        if as_json:
            print_json({"status": "error", "error": "Tieout failed in a way it was not built for; stderr says where."})
        raise
    raise typer.Exit(code)


@app.command()
def sync(
    entities: Annotated[
        list[str] | None, typer.Argument(metavar="ENTITY", help="Only these; everything when left out.")
    ] = None,
    record: Annotated[
        list[str] | None, typer.Option(metavar="ENTITY:ID", help="Only this record, by either side's id.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Pull everything again instead of what changed.")] = False,
    allow: Annotated[str, typer.Option(metavar="PLAN", help="Allow exactly this refused plan, once.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring both systems in step now."""

    def work() -> int:
        from sync_core.service import load_settings, open_service  # the engine is heavy: load it only when it is needed

        scope = _scope(entities or [], record or [], full=full)
        settings = load_settings()
        try:
            with open_service(settings) as service:
                if allow:
                    service.allow_plan(allow, who="command line")
                result = service.sync(scope, trigger="command line", dry_run=dry_run)
                summary, plan = result.summary, service.plan_view(result)
        except Busy:
            if dry_run or allow:
                raise
            summary, plan = _followed(settings, scope), None
        show_run(summary, plan, dry_run=dry_run, as_json=as_json)
        return summary.status.exit_code

    _guarded(as_json, work)


def _followed(settings: Any, scope: Any) -> RunSummary:
    """Another process owns the cache: hand it the request, and wait for what comes of it."""
    from sync_core.service import follow_sync

    return follow_sync(settings, scope, who="command line")


def _scope(entities: list[str], records: list[str], *, full: bool) -> Any:
    from sync_core.service import Scope

    only: dict[str, set[str]] = {}
    for text in records:
        name, separator, row_id = text.partition(":")
        if not separator or not row_id:
            raise Configure(
                f"--record takes ENTITY:ID, for example invoices:1f0c..., and not {text!r}. Name the record like that."
            )
        only.setdefault(name, set()).add(row_id.strip())
    picked = {name: frozenset(i for v in ids for i in (v, v.lower())) for name, ids in only.items()} or None
    return Scope(tuple(entities), picked, full)


@app.command()
def reconcile(
    entity: Annotated[str, typer.Argument(metavar="[ENTITY]")] = "invoices",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write the CSV and its control file there.")] = None,
    kind: Annotated[str, typer.Option("--format", help="What --out writes: csv, xlsx, or pack, a zip of the close.")] = "csv",
    as_json: AsJson = False,
) -> None:
    """Compare both sides as they were last pulled: counts, control totals, and the CSV for the close file."""

    def work() -> int:
        from sync_core.service import RECONCILE, ask

        folder = "" if out is None else str(out.resolve())
        body = ask(RECONCILE, {"entity": entity, "out": folder, "format": kind})
        if as_json:
            print_json(body)
        else:
            show_reconciliation(entity, body)
        return 0

    _guarded(as_json, work)


@app.command()
def verify(
    entity: Annotated[str, typer.Argument(metavar="[ENTITY]")] = "invoices",
    record: Annotated[str, typer.Option(metavar="ID", help="Only this record, by either side's id.")] = "",
    as_json: AsJson = False,
) -> None:
    """Read both systems again, live, and compare linked records field by field."""

    def work() -> int:
        from sync_core.service import VERIFY, ask

        body = ask(VERIFY, {"entity": entity, "record": record})
        if as_json:
            print_json(body)
        else:
            show_verification(entity, body)
        return 1 if body["differ"] else 0

    _guarded(as_json, work)


@app.command("verify-audit")
def verify_audit(as_json: AsJson = False) -> None:
    """Prove that nobody changed or removed an entry of the audit trail; names the first that is broken."""

    def work() -> int:
        from sync_core.service import audit_report

        report = audit_report()
        body = {"status": "whole" if report.whole else "broken", **asdict(report)}
        if as_json:
            print_json(body)
        elif report.whole:
            say(f"The audit trail is whole: {report.entries} entries, the last with hash {report.head}.")
        else:
            say(f"The audit trail is broken at {len(report.broken)} entries. {report.first}")
        return 0 if report.whole else 1

    _guarded(as_json, work)


@app.command("connect-xero")
def connect_xero_app(
    port: Annotated[int, typer.Option(help="Where the browser comes back to on this machine.")] = CALLBACK_PORT,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser, where there is one.")] = True,
    broad_scopes: Annotated[bool, typer.Option("--broad-scopes", help="For a Xero app from before March 2026.")] = False,
    as_json: AsJson = False,
) -> None:
    """Connect an ordinary Xero app: agree once in the browser, and Tieout stays signed in."""

    def show(address: str) -> None:
        say(f"Open this address, sign in to Xero, and allow Tieout to reach one organisation:\n{address}")
        if browser and _has_browser():
            webbrowser.open(address)

    def work() -> int:
        from sync_core.service import SystemClock, connect_xero

        done = connect_xero(show, clock=SystemClock(), port=port, broad=broad_scopes)
        if as_json:
            print_json({"status": "success", "tenant": done.tenant_id, "organisation": done.name})
            return 0
        say(f"Connected to {done.name}. Tieout stays signed in as long as it syncs once in 60 days.")
        if done.to_set:
            say(f"Now put this into the settings: TIEOUT_XERO_TENANT_ID={done.tenant_id}")
        return 0

    _guarded(as_json, work)


def _has_browser() -> bool:
    """A browser with windows: one that fills the terminal would hide what is printed there."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@app.command()
def setup(as_json: AsJson = False) -> None:
    """Make Tieout's tables, columns and keys in Dynamics; what is there already is left alone."""

    def work() -> int:
        from sync_core.service import set_up_anywhere

        body = set_up_anywhere(lambda line: None if as_json else say(f"  {line}"))
        if as_json:
            print_json(body)
        else:
            say(f"Set-up is complete: {len(body['created'])} pieces made, {body['already']} were there.")
        return 0

    _guarded(as_json, work)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check settings, both connections, the set-up in Dynamics, and Tieout's own databases."""

    def work() -> int:
        from sync_core.service import DOCTOR, ask

        body = ask(DOCTOR, {})
        if as_json:
            print_json(body)
        else:
            for check in body["checks"]:
                say(f"{'good ' if check['good'] else 'WRONG'}  {check['name']}: {check['message']}")
        return 0 if body["status"] == "success" else 2

    _guarded(as_json, work)


@app.command()
def status(as_json: AsJson = False) -> None:
    """How many records stand how, how old the data is, and the last runs."""

    def work() -> int:
        from sync_core.service import overview_of

        view = overview_of()
        body = {
            "organisation": view.organisation,
            "records": {name: {str(s): n for s, n in counts.items()} for name, counts in view.statuses.items()},
            "age": {"dynamics": view.age.crm, "xero": view.age.xero},
            "runs": [run_as_json(r) for r in view.runs],
        }
        if as_json:
            print_json(body)
        else:
            for name, counts in view.statuses.items():
                say(f"{name:<18} " + ", ".join(f"{n} {s}" for s, n in sorted(counts.items())))
            say(f"Dynamics as of {plain(view.age.crm)}, Xero as of {plain(view.age.xero)}")
            for run in view.runs:
                say(f"run {run.run} {plain(run.started)} {run.status}")
        return 0

    _guarded(as_json, work)


@app.command()
def worker(as_json: AsJson = False) -> None:
    """Sync in the background without the console, until it is stopped."""

    def work() -> int:
        from sync_core.service import run_worker

        run_worker()
        if as_json:
            print_json({"status": "success", "message": "Stopped."})
        return 0

    _guarded(as_json, work)


@app.command()
def sandbox(
    port_dynamics: Annotated[int, typer.Option(help="0: any free port.")] = DEMO_PORTS[0],
    port_xero: Annotated[int, typer.Option(help="0: any free port.")] = DEMO_PORTS[1],
    seed: Annotated[int, typer.Option(help="The same seed gives the same company.")] = 1,
    invoices: Annotated[int, typer.Option(help="How many generated invoices beside the demo company.")] = 0,
    state: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the data there over restarts.")] = None,
) -> None:
    """Serve a sandboxed Dynamics 365 and Xero on this machine, with a believable company in both."""
    from sync_core.sandbox.serve import main as serve

    raise typer.Exit(serve(port_dynamics, port_xero, seed, invoices, state))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Where the console is served.")] = 8501,
    console: Annotated[bool, typer.Option(help="Serve the console after the first sync.")] = True,
    data_dir: Annotated[Path, typer.Option(help="Where the demo company is kept.")] = Path(".tieout/demo"),
    as_json: AsJson = False,
) -> None:
    """Start the sandbox, set it up, run the first sync and open the console. Needs no account anywhere."""
    _guarded(as_json, lambda: _demo(port, data_dir, console=console, as_json=as_json))


def _demo(port: int, data_dir: Path, *, console: bool, as_json: bool) -> int:
    from sync_core.sandbox.serve import CannotStart, Sandbox

    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with Sandbox(port_dynamics=DEMO_PORTS[0], port_xero=DEMO_PORTS[1], state=data_dir / "sandbox") as company:
            os.environ.update(company.environment() | {"TIEOUT_DATA_DIR": str(data_dir), "TIEOUT_DEMO": "1"})
            _first_sync(as_json=as_json)
            return _serve_console(port) if console else 0
    except CannotStart as error:
        raise Configure(str(error)) from None


def _first_sync(*, as_json: bool) -> None:
    from sync_core.service import open_service

    with open_service() as service:
        if not as_json:
            say("Setting up the demo company in Dynamics ...")
        service.set_up()
        if not as_json:
            say("Syncing ...")
        result = service.sync(trigger="demo")
        show_run(result.summary, None, dry_run=False, as_json=as_json)


def _serve_console(port: int) -> int:
    say(f"The console is at http://127.0.0.1:{port} (stop with Ctrl+C).")
    serving = subprocess.Popen([sys.executable, "-m", "console", "--port", str(port)])  # noqa: S603  # our own module
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a demo that is ended takes its console with it
    try:
        while serving.poll() is None:
            time.sleep(0.2)
    except KeyboardInterrupt:
        serving.terminate()
    return max(0, serving.wait(timeout=20))


def main(words: list[str]) -> int:
    """Run the command line. Wrong use is told as JSON too, to whoever asked for JSON."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A name in letters that a terminal or pipe does not have (cp1252, say) is no reason to break off.
        sys.stdout.reconfigure(errors="backslashreplace")
    if "--json" not in words:
        app(args=words)
    try:
        return int(app(args=words, standalone_mode=False) or 0)
    except typer.TyperException as error:
        print_json({"status": "configure", "error": error.format_message()})
        return Configure.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
