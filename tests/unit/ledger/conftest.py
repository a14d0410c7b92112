"""How properties are tried here."""

from __future__ import annotations

from hypothesis import settings

# A test asserts no times: a busy machine is no fault of the log.
settings.register_profile("ledger", deadline=None)
settings.load_profile("ledger")
