"""Dynamics 365 and Xero as two HTTP servers on loopback, with a believable company in them.

An independent witness: it is written from what the systems are known to do and imports nothing of the engine.
``kernel`` holds what both share (time, rows, log, faults); ``world`` the company; ``dataverse/`` and ``xero/`` the two
APIs; ``identity`` the two token services; ``control`` the ``/_sandbox`` routes; ``serve`` starts it all.
"""
