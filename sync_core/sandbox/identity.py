"""Both identity servers, as the rest of the sandbox sees them.

``entra_routes`` goes on the Dynamics port, ``xero_routes`` on the Xero port; ``bearer`` says who sent a
request and ``credentials`` gives the ready-made client ids and secrets of a seed.
"""

from __future__ import annotations

from sync_core.sandbox.identity_entra import entra_routes, register_certificate
from sync_core.sandbox.identity_tokens import AnyCaseRoute, Credentials, Principal, bearer, credentials, object_of
from sync_core.sandbox.identity_xero import xero_routes

__all__ = [
    "AnyCaseRoute",
    "Credentials",
    "Principal",
    "bearer",
    "credentials",
    "entra_routes",
    "object_of",
    "register_certificate",
    "xero_routes",
]
