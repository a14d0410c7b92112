"""How a cell takes people. Pure: no database, no clock."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec

Mode = Literal["open", "invitation", "approval", "closed"]
RequestState = Literal["waiting", "approved", "refused"]
Admission = Literal["approve", "refuse", "invite", "withdraw"]

MODES: tuple[Mode, ...] = ("open", "invitation", "approval", "closed")
MAX_USES = 10_000
MAX_DAYS = 365
MAX_WORDS_CHARS = 300
MAX_REASON_CHARS = 300
MAX_NOTE_CHARS = 100
# Who asked and was not answered is forgotten after this, and so is an answer.
REQUEST_DAYS = 30
CODE_BYTES = 15
_BLANKS = re.compile(r"[\s-]")


class Invitation(msgspec.Struct, frozen=True):
    """An invitation as its operator sees it; the code itself is shown once."""

    id: UUID
    note: str
    uses_left: int
    made_at: datetime
    expires_at: datetime


class Request(msgspec.Struct, frozen=True):
    """Somebody who would like an account and has none."""

    id: UUID
    name: str
    words: str
    made_at: datetime
    state: RequestState
    reason: str


class Text(msgspec.Struct, frozen=True):
    """A page of the operator's: its version, and HTML without scripts."""

    version: str
    html: str
    language: str


def new_code() -> str:
    """120 random bits as six groups of four, without 0, 1, 8 and 9."""
    text = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def code_hash(code: str) -> bytes:
    """Under what a code is kept. Case and grouping do not matter; 0, 1, 8 can only be O, L, B."""
    plain = _BLANKS.sub("", code).lower().translate(str.maketrans("018", "olb"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()


def link(origin: str, code: str) -> str:
    """Where whoever has a code opens it. Behind the #, it is in no log and no referrer."""
    return f"{origin}/sign-up#{quote(code)}"


def change(mode: Mode, at: datetime, by: UUID | None) -> dict[str, Any]:
    """What the log says of how a cell takes people from now on. `by` as below."""
    return {
        "v": 1,
        "kind": "registration",
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "mode": mode,
        "staff": str(by) if by else "",
    }


def entry(act: Admission, at: datetime, by: UUID | None, **more: int) -> dict[str, Any]:
    """What the log says of who let somebody in, or not; never whom. `by`: one of the staff by
    their random id; None: at the machine."""
    return {
        "v": 1,
        "kind": "admission",
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "act": act,
        "staff": str(by) if by else "",
        **more,
    }
