"""Queries over several tables: FetchXML, ``$apply`` and ``sql`` are read into one :class:`Query` and answered by one engine."""
