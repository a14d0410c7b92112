"""The words in which each slice declares what it stores. `luciole.catalogue` gathers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from uuid import UUID

import msgspec

from luciole.kit.db import Tx
from luciole.kit.exported import Exported


class DataClass(StrEnum):
    """How closely a stored thing belongs to a person."""

    PUBLIC = "public"  # the person published it
    SHARED = "shared"  # for the people whom the person chose
    PERSONAL = "personal"  # the service needs it, nobody else sees it
    SECRET = "secret"  # noqa: S105 - keys, hashes of credentials, tokens
    TELEMETRY = "telemetry"  # about the machine, never about a person


class Border(StrEnum):
    """Whether a stored thing may leave its cell, and why."""

    NEVER = "never"
    PUBLISHED = "published"  # the person published it
    ADDRESSED = "addressed"  # the person sent it to somebody elsewhere
    COUNTED = "counted"  # only as a total over enough people
    NETWORK = "network"  # the workings of the network, without content or identity


class Held(msgspec.Struct, frozen=True):
    """One declared thing: a column, a blob prefix, an in-memory cache or a log field.

    `where` is `schema.table.column`, `blob:prefix/`, `cache:name` or `log:field`.
    """

    where: str
    data_class: DataClass
    purpose: str
    retention: str
    border: Border


class Owned(msgspec.Struct, frozen=True):
    """Whose the rows of a table are, for backups: each row is sealed under the data keys of all its
    owners, so that it is unreadable as soon as one of them is erased.

    An owner is a column that names a person, or a way to one: `upload_id > media.upload.id >
    owner_id`. A row without an owner (NULL, or none declared) is the cell's own.
    """

    table: str
    owners: tuple[str, ...] = ()
    objects: str = ""
    """The column that names an object of the row, which is copied with it."""
    again: tuple[str, ...] = ()
    """The columns by which the row is found again when its object was renamed meanwhile."""
    outlives: str = ""
    """The column that is emptied when its person goes: the rest of the row stays."""
    stays: str = ""
    """Why the table is not copied; empty: it is."""


class Catalogue(msgspec.Struct, frozen=True):
    """All that the slices declare: what is stored, what a person takes along of it (by slice), and
    why the rest is not taken along (by `Held.where`)."""

    held: tuple[Held, ...]
    exported: Mapping[str, tuple[Exported, ...]]
    not_exported: Mapping[str, str]
    elsewhere: Mapping[str, str] = {}
    """What is in an export in a form of its own, and in which of its files."""


class Removed(msgspec.Struct, frozen=True):
    """What one step of an erasure took away: how many of what, and where objects were or may still
    appear (keys, or prefixes that end in `/`). `is_more`: another step is needed."""

    counts: Mapping[str, int] = {}
    places: tuple[str, ...] = ()
    is_more: bool = False


# One step, in a transaction of its own, of removing what a slice holds about a person. After a step
# without `is_more` nothing is left, as long as nobody adds to it.
Erase = Callable[[Tx, UUID], Awaitable[Removed]]


def columns(
    table: str,
    names: str,
    data_class: DataClass,
    purpose: str,
    retention: str,
    border: Border,
) -> tuple[Held, ...]:
    """Declares several columns of `schema.table` (names parted by blanks) alike."""
    return tuple(
        Held(f"{table}.{name}", data_class, purpose, retention, border) for name in names.split()
    )
