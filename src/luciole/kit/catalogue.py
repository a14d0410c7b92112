"""The words in which each slice declares what it stores. `luciole.catalogue` gathers them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from luciole.kit.db import Tx


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


class Sealed(msgspec.Struct, frozen=True):
    """A sealed field among the values of an export; the key broker opens it under a grant."""

    field_id: str
    version: int
    data: bytes


class Stored(msgspec.Struct, frozen=True):
    """A file among the values of an export: its name there, and the objects that it consists of,
    in their order."""

    path: str
    object_keys: tuple[str, ...]
    size_bytes: int


Rows = Callable[[Tx, UUID], AsyncIterator[dict[str, Any]]]


class Exported(msgspec.Struct, frozen=True):
    """One file of a person's export: a list of rows, read bit by bit.

    `fields` names for each key of a row where the value is stored (as in `Held.where`). Values are
    what JSON can hold, besides `Sealed` and `Stored`, UUIDs and times.
    """

    name: str
    says: str
    fields: Mapping[str, str]
    rows: Rows
    stays: str = ""
    """Why an import elsewhere leaves it behind; empty: it comes along."""


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
