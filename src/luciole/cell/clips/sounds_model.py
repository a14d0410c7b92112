"""Sounds and who may use them."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Invalid, NotAllowed, NotFound

MAX_NAME_CHARS = 80
# In the place of the film's own sound, or together with it.
SoundMode = Literal["replace", "mix"]


class NoSuchSound(NotFound):
    code = "no-such-sound"
    sentence = "This sound does not exist any more, or is not shared with everybody."
    next_step = "Choose another sound."


class SoundNotReusable(NotAllowed):
    code = "sound-not-reusable"
    sentence = "The person whose sound this is does not let others use it."
    next_step = "Choose another sound, or record your own."


class BadSoundName(Invalid):
    code = "bad-sound-name"
    sentence = f"The name of a sound has at most {MAX_NAME_CHARS} characters."
    next_step = "Shorten it; an empty one is shown as the original sound."


class Sound(msgspec.Struct, frozen=True):
    """A sound as others see it: the clip that it comes from, and its owner. It is open while that
    clip is there for everybody."""

    id: UUID
    clip_id: UUID
    asset_id: UUID
    owner_id: UUID
    name: str
    is_reusable: bool
    uses: int
    made_at: datetime
    handle: str
    display_name: str
    avatar_key: str | None
    is_open: bool


class Borrowed(msgspec.Struct, frozen=True):
    """A sound that somebody makes a clip with."""

    sound_id: UUID
    asset_id: UUID
    mode: SoundMode


class UsePlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of the clips with a sound ended."""

    published_at: datetime
    id: UUID


def clean_name(name: str) -> str:
    """The name in NFC on one line, without control characters. Raises BadSoundName."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", name))
    kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip()
    if len(kept) > MAX_NAME_CHARS:
        raise BadSoundName
    return kept
