"""The sandboxed Xero Accounting API.

``routes`` serves it, ``seed`` puts a company in, ``merge_contacts`` and ``change_organisation`` do what
people can only do in Xero's own screens, ``set_limits`` changes the rate limits. ``resources`` is the table
that the rest reads.
"""

from __future__ import annotations

from sync_core.sandbox.xero.app import routes
from sync_core.sandbox.xero.by_hand import change_organisation, merge_contacts
from sync_core.sandbox.xero.limits import set_limits
from sync_core.sandbox.xero.seed import seed

__all__ = ["change_organisation", "merge_contacts", "routes", "seed", "set_limits"]
