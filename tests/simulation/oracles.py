"""What must hold when the dust has settled, read from both systems' own rows and logs.

Each oracle answers with breaches in words, [] when all is well. Only what Tieout *says* of a record comes from Tieout: an
oracle needs its word for a difference that is listed.

Of the invariants I1 to I20 these oracles show I1 to I7, I9 to I12 and I14; ``settle`` shows I3 and I4. The others need a
situation of their own:
I8 tests/plants (``cursor_first``), tests/scenarios (killed at any point); I13 tests/systems/test_oauth_xero.py;
I15 tests/flows/test_bad_values.py, test_faults_in_runs.py (some elements refused); I16 scenarios 21 and 22,
tests/rules/test_mapping.py, test_downloads.py; I18 tests/flows/test_lost_data.py, tests/systems/test_http_redaction.py;
I17 tests/test_service_permission.py; I19, I20 tests/flows/test_lost_data.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from itertools import groupby, pairwise

from sync_core.model import Side, Status
from sync_core.rules.entities import entity as entity_called
from sync_core.rules.types import DEFAULTS
from sync_core.sandbox.kernel import LogEntry
from tests.scenarios.holdings import STAMPS, breaches
from tests.simulation.arena import Arena, Edit
from tests.simulation.operations import RETRY_AFTER
from tests.simulation.scene import KINDS, Pair, Scene, all_pairs, differences, ended, over, pair_of, values_of


def once(arena: Arena) -> list[str]:
    """I1, I5: nothing twice, every amount exact."""
    return breaches(arena.kernel)


def never_doubled(arena: Arena) -> list[str]:
    """I1 alone, which holds at every moment; amounts agree in calm only."""
    return [breach for breach in breaches(arena.kernel) if "more than once" in breach]


def in_step(scene: Scene) -> list[str]:
    """I3: the systems differ in nothing that is not listed."""
    return [
        f"{pair.entity} {pair.crm_id}: {what}, yet {word.status if word else 'no word'}"
        for pair in all_pairs(scene)
        if not over(pair)
        for what in differences(scene, pair)
        if not scene.listed(pair.entity, pair.crm_id, pair.xero_id)
        for word in [scene.word(pair.entity, pair.crm_id, pair.xero_id)]
    ]


def nobody_forgotten(scene: Scene) -> list[str]:
    """I3, I20: every record without a partner is listed with its reason."""
    found = []
    for entity, (tables, kinds) in KINDS.items():
        links = scene.links[entity]
        there = set(links.values())
        for table in tables:
            lonely = [i for i in scene.rows(f"dataverse.{table}") if i not in links and not scene.listed(entity, i)]
            found += [f"{entity} {i} of Dynamics has neither partner nor reason" for i in lonely]
        for kind in kinds:
            lonely = [i for i in scene.rows(f"xero.{kind}") if i not in there and not scene.listed(entity, "", i)]
            found += [f"{entity} {i} of Xero has neither partner nor reason" for i in lonely]
        here = {i for table in tables for i in scene.rows(f"dataverse.{table}")}
        standing = {i for kind in kinds for i, row in scene.rows(f"xero.{kind}").items() if not ended(row)}
        alone = [(c, x) for c, x in links.items() if c not in here and x in standing and not scene.listed(entity, c, x)]
        found += [f"{entity} {x} of Xero stands without {c}, and nothing is said" for c, x in alone]
    return found


def nothing_lost(scene: Scene) -> list[str]:
    """I2: what a person entered is on the other side, or stands in the conflict list with both values."""
    by_record: dict[tuple[str, str, str], list[Edit]] = {}
    partners = {(e, x): c for e in KINDS for c, x in scene.links[e].items()}
    for edit in scene.arena.edits:
        crm_id = edit.id if edit.side is Side.CRM else partners.get((edit.entity, edit.id), "")
        if crm_id in scene.links[edit.entity]:
            by_record.setdefault((edit.entity, crm_id, edit.field), []).append(edit)
    found = []
    for (entity, crm_id, field), edits in by_record.items():
        pair = pair_of(scene, entity, crm_id)
        if pair is not None and not over(pair):
            found += [f"{entity} {crm_id} {field}: {what}" for what in _lost(scene, pair, field, edits)]
    return [*found, *_lost_meanwhile(scene)]


def grouped(scene: Scene) -> list[str]:
    """R17: whose type is a contact group of Xero is in it, or something is said."""
    members = {g["Name"]: g["Contacts"] for g in scene.rows("xero.ContactGroups").values() if g["Status"] == "ACTIVE"}
    found = []
    for pair in scene.pairs("contacts", *KINDS["contacts"]):
        type_ = DEFAULTS.get(str(pair.crm.get("customertypecode")))
        apart = type_ is not None and pair.xero_id not in members.get(type_, ())
        if apart and not over(pair) and not ended(pair.xero) and not scene.listed(pair.entity, pair.crm_id, pair.xero_id):
            found.append(f"contacts {pair.crm_id} is no {type_} in Xero, and nothing is said")
    return found


def settled(scene: Scene) -> list[str]:
    """I9: every intended write has its outcome."""
    return [f"{i.entity} {i.tag} is still {i.status}" for i in scene.open_intents]


def intended(scene: Scene) -> list[str]:
    """I9: whatever was sent to Xero stood in the state as an intent before."""
    keys = scene.intent_keys
    sent = (e for e in scene.arena.sandbox.log("xero") if e.run is not None and e.detail.get("idempotency_key"))
    return [f"{e.method} {e.path} was sent without an intent" for e in sent if e.detail["idempotency_key"] not in keys]


def honest(scene: Scene) -> list[str]:
    """I6: what Tieout calls missing is missing."""
    found = []
    for pair in all_pairs(scene):
        word = scene.word(pair.entity, pair.crm_id, pair.xero_id)
        ended = pair.xero.get("Status") in ("VOIDED", "DELETED")
        if word is not None and word.status in (Status.MISSING_IN_CRM, Status.MISSING_IN_XERO) and not ended:
            found.append(f"{pair.entity} {pair.crm_id} is said to be {word.status}, and both stand there")
    return found


def stamped(scene: Scene) -> list[str]:
    """R12: Dynamics shows each record's status as Tieout keeps it."""
    kept = {"account": "contacts", "contact": "contacts", "invoice": "invoices"}
    shown = {r["tie_recordkey"]: r for r in scene.rows("dataverse.tie_xerodetail").values()}
    found = []
    for table, entity in kept.items():
        for row_id in scene.rows(f"dataverse.{table}"):
            word, stamp = scene.statuses.get((entity, Side.CRM, row_id)), shown.get(f"{table}:{row_id}")
            told = STAMPS[stamp["tie_syncstatus"]] if stamp else "nothing"
            if word is not None and told != word.status:
                found.append(f"{entity} {row_id} is {word.status}, and Dynamics shows {told}")
    return found


def no_destruction(arena: Arena) -> list[str]:
    """I6, I7: Tieout deletes, voids, cancels and archives nothing; but lines leave an invoice, and contacts a group."""
    ours = [e for e in arena.sandbox.log() if e.run is not None and e.method != "GET"]
    found = [f"DELETE {e.path}" for e in ours if _deletes(e)]
    return found + [f"{e.method} {e.path}: {e.detail['body'][:200]}" for e in ours if ENDING.search(e.detail.get("body") or "")]


def never_resent(arena: Arena) -> list[str]:
    """I1: what Xero answered with a server error is not sent again under the same key; it keeps errors as well."""
    failed: set[str] = set()
    found = []
    for entry in arena.sandbox.log("xero"):
        key = entry.detail.get("idempotency_key")
        if entry.run is None or not key:
            continue
        if key in failed:
            found.append(f"{entry.method} {entry.path} was sent again after a server error")
        if entry.status >= 500:
            failed.add(key)
    return found


ENDING = re.compile(r'"Status":"(VOIDED|DELETED)"|"ContactStatus":"ARCHIVED"|"statecode":(1|3)')


def _deletes(entry: LogEntry) -> bool:
    batched = re.search(r"^DELETE (?!.*invoicedetails)", entry.detail.get("body") or "", re.MULTILINE)
    leaves = re.search("invoicedetails|/ContactGroups/[^/]+/Contacts/", entry.path)
    return (entry.method == "DELETE" and leaves is None) or batched is not None


def one_at_a_time(arena: Arena) -> list[str]:
    """I10, I11: the writes of two runs never mix; who was overtaken writes nothing more."""
    runs = [e.run for e in arena.sandbox.log() if e.run is not None and e.method != "GET"]
    changes = [run for run, after in pairwise([*runs, None]) if run != after]
    return [f"run {run} wrote again after another one" for run, times in Counter(changes).items() if times > 1]


def within_limits(arena: Arena) -> list[str]:
    """I12: at most 60 calls a minute and 5 at once to Xero, and silence until Retry-After ends.

    A call that a fault turned away at the door Xero does not count. Another process knows only what Xero tells it, whose
    minutes are fixed ones: what it refuses shows whether a limit was met.
    """
    ours = [e for e in arena.sandbox.log() if e.run is not None]
    xero = [e for e in ours if e.system == "xero"]
    counted = [e for e in xero if e.detail.get("handled")]
    found = [f"{e.detail['in_flight']} requests at once" for e in xero if e.detail["in_flight"] > 5]
    for _, some in groupby(counted, key=lambda e: bisect_left(arena.ended, e.number)):
        calls = list(some)
        full = zip(calls, calls[60:], strict=False)
        found += [f"61 calls to Xero within a minute, up to {b.time}" for a, b in full if _close(a, b)]
    found += [f"Xero itself said 429 to {e.path}" for e in xero if e.status == 429 and e.fault != "rate_limited"]
    for first, second in pairwise(ours):
        same = (first.system, first.run) == (second.system, second.run)
        if first.fault == "rate_limited" and same and _too_soon(first, second):
            found.append(f"{second.path} came before Retry-After was over")
    return found


def _close(first: LogEntry, later: LogEntry) -> bool:
    return (later.time - first.time).total_seconds() < 59.9


def _too_soon(first: LogEntry, second: LogEntry) -> bool:
    return (second.time - first.time).total_seconds() < RETRY_AFTER


PATHS = (
    ("tie_taxrates", "tie_ledgeraccounts", "tie_brandingthemes"),
    ("Contacts", "accounts", "contacts"),
    ("Items", "products"),
    ("Invoices", "invoices", "invoicedetails"),
    ("tie_batchpayments",),
    ("tie_creditnotes",),
    ("tie_creditnotelines",),
    ("tie_payments",),
    ("tie_allocations",),
)
"""What is written, parents first."""
OUTGOING = ("Payments", "CreditNotes", "BatchPayments")
FOLLOWING = ("invoices", "tie_creditnotes")
"""What Xero changes by itself where money is made there: what is due of it, what remains of it."""


def parents_first(arena: Arena) -> list[str]:
    """I14: within a run, nothing is written after something that depends on it.

    What money that was made in Xero changed of an invoice or credit note there comes over after it; they were there before.
    So does what was sent in time and got no answer: the same run sends it again when it brings over what moved.
    """
    rank = {name: n for n, names in enumerate(PATHS) for name in names}
    latest: dict[str, int] = {}
    unanswered: set[tuple[str, str]] = set()
    found: list[str] = []
    sent = {e.run for e in arena.sandbox.log("xero") if e.method in ("PUT", "POST") and _table_of(e) in OUTGOING}
    for entry in arena.sandbox.log():
        table = _table_of(entry)
        place = rank.get(table)
        if entry.run is None or entry.method == "GET" or place is None or (table in FOLLOWING and entry.run in sent):
            continue
        if place < latest.get(entry.run, 0):
            if (entry.run, entry.path) not in unanswered:
                found.append(f"run {entry.run} wrote {entry.path} too late")
        elif entry.fault and not entry.path.endswith("$batch"):
            unanswered.add((entry.run, entry.path))
        latest[entry.run] = max(place, latest.get(entry.run, 0))
    return found


def _table_of(entry: LogEntry) -> str:
    batched = re.search(r"(?:PATCH|POST) \S*/(\w+)", entry.detail.get("body") or "")
    if entry.path.endswith("$batch"):
        return batched.group(1) if batched else ""
    return re.split(r"[(/?]", re.sub(r"^.*/(v9\.2|2\.0)/", "", entry.path))[0]


OF_THE_SYSTEMS = (once, no_destruction, one_at_a_time, within_limits, parents_first, never_resent)
OF_BOTH = (nothing_lost, in_step, nobody_forgotten, grouped, honest, settled, intended, stamped)
"""Oracles that also need to know what Tieout says of each record."""


def judge(arena: Arena) -> list[str]:
    """Every breach that any oracle finds."""
    scene = Scene(arena)
    found = [f"{oracle.__name__}: {breach}" for oracle in OF_THE_SYSTEMS for breach in oracle(arena)]
    return found + [f"{oracle.__name__}: {breach}" for oracle in OF_BOTH for breach in oracle(scene)]


# How


def _waits(entity: str, field: str, remark: str) -> bool:
    """Whether it is said that a change is known and not written yet, beside a conflict about another field."""
    label = entity_called(entity).field({"due": "due_date"}.get(field, field)).label
    return re.search(rf"\b{re.escape(label)}\b[^.]* changed in Dynamics and waits\.", remark) is not None


def _lost(scene: Scene, pair: Pair, field: str, edits: list[Edit]) -> list[str]:
    held = dict(zip(Side, values_of(scene, pair, field), strict=True))
    last = max(edits, key=lambda e: e.number)
    rivals = [e for e in edits if e.side is last.side.other]
    told = scene.word(pair.entity, pair.crm_id, pair.xero_id)
    remark = f"{told.status} {told.remark}" if told else "nothing"
    found = []
    if held[last.side] != last.value:
        found.append(f"{last.value!r}, entered in {last.side.label}, became {held[last.side]!r} there; said: {remark}")
    elif held[last.side.other] != last.value:
        if told is None or told.status is Status.SUCCESS:
            found.append(f"{last.value!r} never came to {last.side.other.label}; said: {remark}")
        elif told.status is Status.CONFLICT and not (
            _names(field, told.remark, held.values()) or _waits(pair.entity, field, told.remark)
        ):
            found.append(f"the conflict does not name both values {held}: {remark}")
    elif rivals:
        rival = max(rivals, key=lambda e: e.number)
        if rival.value != last.value and not _was_seen(rival, edits):
            found.append(f"{rival.value!r} was overwritten unseen by {last.value!r}; said: {remark}")
    return found


def _names(field: str, remark: str, values: Iterable[str]) -> bool:
    """Whether a conflict's remark shows both values; of lines it shows those that differ, in words of its own."""
    return "Lines" in remark if field == "lines" else all(str(v) in remark for v in values)


def _was_seen(rival: Edit, edits: list[Edit]) -> bool:
    """Whether what the rival entered had come over before it was edited there again."""
    return any(e.before == rival.value for e in edits if e.side is not rival.side and e.number > rival.number)


def _lost_meanwhile(scene: Scene) -> list[str]:
    entered: dict[tuple[str, str, str], set[str]] = {}
    for one, struck in scene.arena.meanwhile:
        if struck.fired > struck.in_vain:
            entered.setdefault((one.collection, one.id, one.field), set()).add(one.value)
    return [
        f"{collection} {i}: {field} is {row.get(field)}, entered was {values}"
        for (collection, i, field), values in entered.items()
        for row in [scene.rows(collection).get(i)]
        if row is not None and row.get(field) not in values
    ]
