"""Dynamics 365 Sales' Dataverse Web API, driven by metadata.

``routes(kernel)`` are its routes, ``seed(kernel, company)`` fills it, ``expire_tokens(kernel)`` ages every delta token.
Inside, from the edge inwards: ``app`` and ``batch`` (HTTP), ``service`` (which part answers), ``records``, ``messages``,
``members``, ``metadata`` and ``customizing`` (the parts), ``query``, ``tracking`` and ``render`` (reading),
``payloads``, ``writes``, ``rules`` and ``invoicing`` (writing), ``store``, ``catalog`` and ``schema`` (what there is),
``standard_*`` (the tables that come with Dynamics) and ``seeding`` (the demo company).
"""

from __future__ import annotations

from sync_core.sandbox.dataverse.app import routes
from sync_core.sandbox.dataverse.seeding import seed
from sync_core.sandbox.dataverse.tracking import expire_tokens

__all__ = ["expire_tokens", "routes", "seed"]
