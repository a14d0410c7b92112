"""Why a block list is not loaded or removed. Operators read it on the console."""

from __future__ import annotations

from luciole.cell.safety.model import MAX_HASHES, MAX_HASHES_TOGETHER
from luciole.kit.errors import Conflict, Invalid, NotFound


class BadList(Invalid):
    code = "bad-list"
    sentence = "A line of this file is no PDQ hash of 64 hex digits."
    next_step = "Correct the file: one hash in a line; # begins a comment. Nothing was loaded."


class BadListName(Invalid):
    code = "bad-list-name"
    sentence = (
        "A list has a name of small letters, digits and hyphens, a version without blanks, a "
        "source in up to 200 characters, and a distance of up to 31 bits."
    )
    next_step = "Correct that, and load it again."


class ListTooLong(Invalid):
    code = "list-too-long"
    sentence = (
        f"A list has at most {MAX_HASHES:,} hashes, and all of them together have at most "
        f"{MAX_HASHES_TOGETHER:,}."
    )
    next_step = "Load a shorter one, or remove another before."


class ListLoaded(Conflict):
    code = "list-loaded"
    sentence = "This version of the list is loaded already."
    next_step = "Give what has changed another version."


class NoSuchList(NotFound):
    code = "no-such-list"
    sentence = "No list of this name is loaded."
    next_step = "See which ones are: ./luciole blocklist list."
