"""Access tokens for both systems: what to import. Each has ``token(force) -> str``; ``force``: the last one was refused."""

from __future__ import annotations

from sync_core.systems.oauth_entra import EntraTokens
from sync_core.systems.oauth_xero import TokenStore, XeroTokens

__all__ = ["EntraTokens", "TokenStore", "XeroTokens"]
