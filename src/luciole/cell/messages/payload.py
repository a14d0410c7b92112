"""What is inside of a disclosed message, for who judges it; `messages/payload.ts` writes it.

Of a known kind only the words are given on, and which clip was sent along: no key of a photo or a
recording, no id of a device. What is no such JSON is given as the text that it is. Pure.
"""

from __future__ import annotations

from typing import Any, get_args
from uuid import UUID

import msgspec

from luciole.cell.messages.model import Said, SaidKind

KINDS: tuple[SaidKind, ...] = get_args(SaidKind)
MAX_TEXT_CHARS = 4000


def said(content: bytes) -> Said:
    """What a message says, whatever its bytes are."""
    try:
        told: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    if not isinstance(told, dict):
        return Said("unknown", _shown(content.decode("utf-8", "replace")))
    kind: SaidKind = next((one for one in KINDS if one == told.get("kind")), "unknown")
    words = told.get("name" if kind == "name" else "text")
    text = _shown(words) if isinstance(words, str) else ""
    return Said(kind, text, _clip(told.get("clip_id")) if kind == "clip" else None)


def _shown(text: str) -> str:
    shown = "".join(one for one in text if one == "\n" or one.isprintable())
    return shown[:MAX_TEXT_CHARS]


def _clip(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
