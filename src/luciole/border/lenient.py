"""How documents of the Fediverse are read: leniently, value by value. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from luciole.border.activities import ACTIVITY_STREAMS, PUBLIC
from luciole.border.addresses import origin_of
from luciole.border.documents import Document

PUBLIC_NAMES = (PUBLIC, "as:Public", "Public")
MAX_URI_CHARS = 2048


class NotTaken(Exception):
    """Something that we do not take. `code` says why, in words for a log and a table."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def id_of(value: Any) -> str | None:
    """The address of what may stand there as itself, as an object with an id, or as a list of
    one."""
    value = single(value)
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and is_address(value) else None


def is_address(text: str) -> bool:
    if len(text) > MAX_URI_CHARS or not text.isascii() or not text.isprintable() or " " in text:
        return False
    return origin_of(text) is not None


def single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def type_of(document: Document, known: tuple[str, ...]) -> str:
    """The first of its types that we know; "" where there is none."""
    for one in listed(document.get("type")):
        if one in known:
            return str(one)
    return ""


def need_context(document: Document) -> None:
    """Without a context a document is taken for ActivityStreams (section 2.1); with others only, it
    is something else."""
    if document.get("@context") is None:
        return
    given = listed(document["@context"])
    if ACTIVITY_STREAMS not in given and ACTIVITY_STREAMS + "#" not in given:
        raise NotTaken("not-activitystreams")


def is_public(document: Document) -> bool:
    given = [*listed(document.get("to")), *listed(document.get("cc"))]
    return any(isinstance(one, str) and one in PUBLIC_NAMES for one in given)


def string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def number(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**31 else 0


def moment_of(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
