"""Under which addresses a cell, its people, clips and comments are known elsewhere. Pure.

All lie below the cell's border origin, so that who may speak for what can be told by the origin
(FEP-fe34). A number in them is one that the cell gives out for elsewhere.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

Thing = Literal["people", "clips", "comments"]
THINGS: tuple[Thing, ...] = ("people", "clips", "comments")
DEFAULT_PORTS = {"http": 80, "https": 443}
BELOW = "/ap"


def origin_of(uri: str) -> str | None:
    """Scheme, host and port of an http or https address; None for what is none, or has a login."""
    try:
        parts = urlsplit(uri)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.lower()
    return f"{parts.scheme}://{host}:{port}"


def is_same_origin(one: str, other: str) -> bool:
    origin = origin_of(one)
    return origin is not None and origin == origin_of(other)


class Addresses(NamedTuple):
    """The addresses of one cell, by its border origin (`https://sg.example`)."""

    origin: str

    def of(self, thing: Thing, number: UUID) -> str:
        """A person (by the number of their persona), a clip or a comment."""
        return f"{self.origin}{BELOW}/{thing}/{number}"

    def read(self, uri: str) -> tuple[Thing, UUID] | None:
        """What an address of this cell names; None for every other."""
        prefix = f"{self.origin}{BELOW}/"
        thing, _, text = uri.removeprefix(prefix).partition("/")
        for known in THINGS:
            if uri.startswith(prefix) and thing == known:
                try:
                    number = UUID(text)
                except ValueError:
                    return None
                return (known, number) if str(number) == text else None
        return None

    @property
    def cell(self) -> str:
        """The cell as an actor: it signs for itself."""
        return f"{self.origin}{BELOW}/cell"

    @property
    def cell_key(self) -> str:
        """The name of the border key, by which the cell signs."""
        return f"{self.cell}#border"

    @property
    def reader(self) -> str:
        """The one who follows others elsewhere on behalf of the cell's people."""
        return f"{self.origin}{BELOW}/reader"

    @property
    def inbox(self) -> str:
        return f"{self.origin}/border/inbox"

    def crossing(self, number: str) -> str:
        """One crossing, by its number in the logs."""
        return f"{self.origin}{BELOW}/crossings/{number}"
