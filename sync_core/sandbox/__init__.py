"""Dynamics 365 and Xero as two HTTP servers on loopback, with a believable company in them.

An independent witness: it is written from what the systems are known to do and imports nothing of the engine.
``kernel`` holds what both share (time, rows, log, faults); ``world`` and ``company`` the company; ``dataverse/`` and
``xero/`` the two APIs; ``identity`` the two token services. Round them stand ``gate`` (log, faults, durability; with
``faults``, ``fault_play``, ``rejections``, ``exchange``), ``control`` (the ``/_sandbox`` routes), ``edits`` and
``person`` (what people do in the systems), ``journal`` (rows on disk), ``servers`` and ``serve`` (start it all).
"""
