"""What the command line prints: lines for people, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

from sync_core.model import RunStatus, RunSummary


def plain(value: Any) -> Any:
    """Instants in UTC with Z, amounts as text; anything else as it is."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value


def print_json(body: Any) -> None:
    """One object, as one line; in ASCII where what is written to cannot hold all of its letters."""
    text = json.dumps(body, default=plain, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(body, default=plain)
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """A line for people, shown at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run_as_json(summary: RunSummary) -> dict[str, Any]:
    """The shape of ``sync --json``."""
    seconds = (summary.finished - summary.started).total_seconds() if summary.finished else 0
    return {
        "run": summary.run,
        "status": str(summary.status),
        "counts": dict(summary.counts),
        "calls": {name: {"read": calls.read, "write": calls.write} for name, calls in summary.calls.items()},
        "seconds": round(seconds, 3),
        "message": summary.message,
        "entities": {name: dict(counts) for name, counts in summary.by_entity.items()},
    }


def show_run(summary: RunSummary, plan: Any, *, dry_run: bool, as_json: bool) -> None:
    """What a run did, or what its plan would do."""
    if as_json:
        body = run_as_json(summary)
        print_json(body | {"plan": plan} if plan is not None and (dry_run or summary.status is RunStatus.REFUSED) else body)
        return
    say(f"Run {summary.run}: {summary.status}. {summary.message}".rstrip())
    for name, counts in summary.by_entity.items():
        parts = [f"{count} {outcome}" for outcome, count in counts.items() if count]
        if parts:
            say(f"  {name:<18} {', '.join(parts)}")
    for name, calls in summary.calls.items():
        say(f"  calls to {name:<9} {calls.read} reading, {calls.write} writing")
    if plan is not None and (dry_run or summary.status is RunStatus.REFUSED):
        say(f"  plan {plan['hash']}: {plan['writes']} records to write in about {plan['calls']} calls")


def show_reconciliation(entity: str, body: dict[str, Any]) -> None:
    """Counts and control totals, amounts in columns."""
    say(f"{entity}: {body['rows']} rows. " + ", ".join(f"{n} {s}" for s, n in body["status"].items() if n))
    for total in body["totals"]:
        say(
            f"  {total['currency'] or '-':<4} Dynamics {total['crm']:>14}  Xero {total['xero']:>14}"
            f"  difference {total['difference']:>12}  explained {total['explained']:>12}"
            f"  unexplained {total['unexplained']:>10}"
        )
    for path in body.get("files", []):
        say(f"  wrote {path}")


def show_verification(entity: str, body: dict[str, Any]) -> None:
    """How many pairs agree, and each that does not with its fields."""
    say(f"{body['checked']} {entity} read in both systems: {body['agree']} agree, {body['differ']} differ.")
    for one in body["differences"]:
        fields = "; ".join(f"{d['field']}: Dynamics {d['crm']}, Xero {d['xero']}" for d in one["differences"])
        say(f"  {one['title'] or one['crm_id']}: {fields or 'missing in ' + str(one['missing'])}")
