"""The company of the bench: ``count`` invoices of one customer in twenty, in both systems or in Dynamics alone.

    python -m tests.bench.company COUNT both|dynamics

serves it until its standard input ends, after printing the settings as one JSON object.
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import replace

from sync_core.sandbox.company import demo_company
from sync_core.sandbox.serve import Sandbox
from sync_core.sandbox.world import Company


def both(seed: int, count: int) -> Company:
    """The demo company at scale: most papers stand in both systems and agree, 60 % are paid, 3 % differ."""
    return demo_company(seed, count)


def dynamics_alone(seed: int, count: int) -> Company:
    """Invoices that Xero has never seen; customers and products stand in both."""
    full = demo_company(seed, count)
    bulk = (i for i in full.invoices if i.key.startswith("bulk-inv-"))
    fresh = tuple(replace(i, crm="active", xero=None, lines_in_xero=None, due_in_xero=None) for i in bulk)
    return replace(full, invoices=fresh, payments=(), batches=(), advances=(), credit_notes=())


COMPANIES = {"both": both, "dynamics": dynamics_alone}


def main() -> None:
    count, kind = int(sys.argv[1]), sys.argv[2]
    with Sandbox(1, count, company=COMPANIES[kind]) as sandbox:
        gc.freeze()
        sys.stdout.write(json.dumps(sandbox.environment()) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
