"""How a handle is written in a text."""

from __future__ import annotations

import re
from uuid import UUID

import msgspec

from luciole.cell.people.model import handle_sought
from luciole.kit.errors import Invalid

MAX_MENTIONS = 20
# Not inside a word or an address; a dot at the end belongs to the sentence.
_WRITTEN = re.compile(r"(?<![\w@./#&])@([A-Za-z0-9_.]{3,25})(?![\w@])")


class TooManyMentions(Invalid):
    code = "too-many-mentions"
    sentence = f"At most {MAX_MENTIONS} people can be mentioned at once."
    next_step = "Mention the ones whom it is for."


class Mentioned(msgspec.Struct, frozen=True):
    """Somebody who lets the writer mention them."""

    person_id: UUID
    handle: str


def handles_of(text: str) -> list[str]:
    """The handles in a text in their one form, each once, in order of appearance."""
    found: dict[str, None] = {}
    for match in _WRITTEN.finditer(text):
        handle = handle_sought(match[1].rstrip("."))
        if handle is not None:
            found[handle] = None
    return list(found)


def check_mentions(text: str) -> None:
    """Raises TooManyMentions above MAX_MENTIONS."""
    if len(handles_of(text)) > MAX_MENTIONS:
        raise TooManyMentions
