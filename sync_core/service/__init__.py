"""The one door: everything that the console, the command line and notebooks may ask of Tieout.

``open_service`` opens the cache, the state and both systems of the organisation in the settings. Verbs answer with frozen
values; errors are of ``sync_core.errors`` and their message is for people.
"""

from __future__ import annotations

from sync_core.flows.line_codes import LineCodes
from sync_core.flows.preview import Change, PlannedRecord, Preview
from sync_core.flows.schedule import ScheduleView
from sync_core.flows.scope import Scope
from sync_core.rules.ageing import Ageing, AgeingLine, Bucket, Difference, Moved, Movement
from sync_core.rules.bridge import variance_bridge
from sync_core.rules.cases import Case, CaseAct, CaseEntry, CaseStatus, RowKey
from sync_core.rules.closing import CloseStatus, LateChange, LockDates, SignOff
from sync_core.rules.eligibility import UncodedLine
from sync_core.rules.people import AT_THIS_MACHINE, Person, Role, role_among
from sync_core.rules.reconcile import Filters, Reconciliation, Sort, Tolerance
from sync_core.rules.rulebook import EligibilityRule, FieldRule
from sync_core.rules.types import ContactType, Relationship, TypeLine, TypeMapping
from sync_core.service.answers import AuditReport, Check, Download, Flow, Overview, data_flows, entities
from sync_core.service.asking import ask, follow_sync, overview_of, set_up_anywhere
from sync_core.service.closing import Past
from sync_core.service.coding import CodeChoices
from sync_core.service.connecting import Connected, connect_xero
from sync_core.service.listing import Apart, Candidate, Event, RecordLine, RecordList
from sync_core.service.opening import Service, SystemClock, audit_report, open_service, run_worker
from sync_core.service.permission import role_of
from sync_core.service.previewing import Progress
from sync_core.service.questions import DOCTOR, RECONCILE, VERIFY
from sync_core.service.ruling import Setting
from sync_core.service.worklist import WorkItem, WorkPage
from sync_core.settings import Settings, load_settings
from sync_core.store.differences import WorkFilters, WorkSort
from sync_core.views import (
    Applied,
    Balance,
    FieldLine,
    Gap,
    LinePair,
    ReconciliationPage,
    RowDetail,
    VarianceBridge,
    XeroDetails,
)

__all__ = [
    "AT_THIS_MACHINE",
    "DOCTOR",
    "RECONCILE",
    "VERIFY",
    "Ageing",
    "AgeingLine",
    "Apart",
    "Applied",
    "AuditReport",
    "Balance",
    "Bucket",
    "Candidate",
    "Case",
    "CaseAct",
    "CaseEntry",
    "CaseStatus",
    "Change",
    "Check",
    "CloseStatus",
    "CodeChoices",
    "Connected",
    "ContactType",
    "Difference",
    "Download",
    "EligibilityRule",
    "Event",
    "FieldLine",
    "FieldRule",
    "Filters",
    "Flow",
    "Gap",
    "LateChange",
    "LineCodes",
    "LinePair",
    "LockDates",
    "Moved",
    "Movement",
    "Overview",
    "Past",
    "Person",
    "PlannedRecord",
    "Preview",
    "Progress",
    "Reconciliation",
    "ReconciliationPage",
    "RecordLine",
    "RecordList",
    "Relationship",
    "Role",
    "RowDetail",
    "RowKey",
    "ScheduleView",
    "Scope",
    "Service",
    "Setting",
    "Settings",
    "SignOff",
    "Sort",
    "SystemClock",
    "Tolerance",
    "TypeLine",
    "TypeMapping",
    "UncodedLine",
    "VarianceBridge",
    "WorkFilters",
    "WorkItem",
    "WorkPage",
    "WorkSort",
    "XeroDetails",
    "ask",
    "audit_report",
    "connect_xero",
    "data_flows",
    "entities",
    "follow_sync",
    "load_settings",
    "open_service",
    "overview_of",
    "role_among",
    "role_of",
    "run_worker",
    "set_up_anywhere",
    "variance_bridge",
]
