"""What the cell goes by, as it is in force: settings without secrets, terms, least ages."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from luciole import config
from luciole.config import Settings

# What may hold a secret, or the way to one, is only said to be set.
_HIDDEN = re.compile(r"TOKEN|SECRET|PASSWORD|PIN\b|_URL$|_FILE$")
_ADDRESS = re.compile(r"(?P<kind>[a-z0-9+.-]+):.+", re.S)
#: Of these, only what kind of place it is: a URL may name keys of its own.
_PLACES = frozenset(("LUCIOLE_BLOBS", "LUCIOLE_KEYS_ROOT"))
HIDDEN = "•"


class InForce(msgspec.Struct, frozen=True):
    """A setting as this process has it. `value`: a bullet where it is set and not shown."""

    name: str
    section: str
    value: str
    is_default: bool


def settings_in_force(settings: Settings) -> list[InForce]:
    """All settings, in the order of the reference."""
    found = []
    for name, (section, default) in config.names().items():
        field = name.removeprefix(config.PREFIX).lower()
        holder: Any = getattr(settings, section) if section else settings
        value = getattr(holder, field.removeprefix(f"{section}_") if section else field)
        found.append(InForce(name, section, shown(name, value), value == default))
    return found


def shown(name: str, value: Any) -> str:
    """A value as the console writes it."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not text:
        return ""
    if name in _PLACES:
        address = _ADDRESS.fullmatch(text)
        return f"{address['kind']}:{HIDDEN}" if address else text
    if _HIDDEN.search(name) or ("://" in text and "@" in text):
        return HIDDEN
    return text
