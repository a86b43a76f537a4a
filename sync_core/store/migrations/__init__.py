"""The history of the durable state's schema, run by :mod:`sync_core.store.migrate`."""
