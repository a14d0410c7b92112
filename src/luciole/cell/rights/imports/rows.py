"""The lists of an export as they are read back. Everything in them is a stranger's: shapes are
checked here, the rules of each field by the slice that takes it."""

from __future__ import annotations

import asyncio
import zipfile
import zlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from luciole.cell.clips.model import Audience
from luciole.cell.people.model import ContactKind, Locale
from luciole.cell.rights.imported_model import Kind as ImportedKind
from luciole.cell.rights.model import Unimportable

MOST_LINE_BYTES = 8 * 1024 * 1024
AT_ONCE = 200

_Text = Annotated[str, Meta(max_length=5_000)]
_Name = Annotated[str, Meta(max_length=100)]
_Path = Annotated[str, Meta(max_length=300)]
_Time = Annotated[datetime, Meta(tz=True)]
_Day = Annotated[int, Meta(ge=0, le=86_400_000)]

T = TypeVar("T", bound=msgspec.Struct)


class AccountRow(msgspec.Struct, frozen=True):
    """data/people/account.json"""

    handle: _Name
    display_name: _Text
    bio: _Text
    locale: Locale
    is_private: bool
    avatar: _Path | None = None


class ContactRow(msgspec.Struct, frozen=True):
    """data/people/contacts.json"""

    kind: ContactKind
    address: _Text


class FilmRow(msgspec.Struct, frozen=True):
    """data/media/films.json"""

    id: UUID
    created_at: _Time
    trim_start_ms: _Day = 0
    trim_end_ms: _Day | None = None
    cover_ms: _Day = 0
    ai: Literal["made", "partly"] | None = None
    credentials: Literal["trusted", "valid", "invalid", "unchecked"] | None = None

    @property
    def says_ai(self) -> bool:
        """Whether credentials that were sound said that AI had a part in it."""
        return self.ai is not None and self.credentials in ("trusted", "valid")


class FileRow(msgspec.Struct, frozen=True):
    """data/media/files.json"""

    asset_id: UUID
    kind: _Name
    name: _Name
    file: _Path


class ClipRow(msgspec.Struct, frozen=True):
    """data/clips/clips.json"""

    id: UUID
    asset_id: UUID
    caption: _Text
    audience: Audience
    state: _Name
    made_with_ai: bool
    created_at: _Time
    published_at: _Time | None = None
    captions: _Path | None = None
    captions_language: _Name | None = None
    audience_list: _Name | None = None

    @property
    def audience_here(self) -> Audience:
        """For whom it is where it comes to: the people on its list are not known there, so until
        its author chooses again it is for nobody else."""
        return self.audience if self.audience_list is None else "only-me"


class LikedRow(msgspec.Struct, frozen=True):
    """data/clips/liked.json"""

    clip_id: UUID
    made_at: _Time


class FollowingRow(msgspec.Struct, frozen=True):
    """data/graph/following.json"""

    followee_id: UUID
    made_at: _Time
    handle: _Name | None = None


class ImportedRow(msgspec.Struct, frozen=True):
    """data/rights/imported.json; `list` is the text of one of the lists in `imported_model`."""

    kind: ImportedKind
    list: Annotated[str, Meta(max_length=4_000_000)]


# What is read of an export, by its place in it.
SHAPES: dict[str, type[msgspec.Struct]] = {
    "data/people/account.json": AccountRow,
    "data/people/contacts.json": ContactRow,
    "data/media/films.json": FilmRow,
    "data/media/files.json": FileRow,
    "data/clips/clips.json": ClipRow,
    "data/clips/liked.json": LikedRow,
    "data/graph/following.json": FollowingRow,
    "data/rights/imported.json": ImportedRow,
}


class Lists:
    """Reads lists of an archive, a row a line, as exports write them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = set(archive.namelist())

    async def rows(self, path: str, shape: type[T]) -> AsyncIterator[T]:
        """The rows of a list; none where there is no such list. Raises Unimportable."""
        if path not in self._names:
            return
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(shape)
        opened = await asyncio.to_thread(self._archive.open, path)
        try:
            while batch := await asyncio.to_thread(_batch, opened, decoder):
                for row in batch:
                    yield row
        finally:
            opened.close()

    async def check(self) -> None:
        """Reads all lists once, before anything is put into the account. Raises Unimportable."""
        for path, shape in SHAPES.items():
            async for _ in self.rows(path, shape):
                pass

    async def first(self, path: str, shape: type[T]) -> T | None:
        """The first row of a list."""
        async for row in self.rows(path, shape):
            return row
        return None

    async def text(self, path: str, most_bytes: int) -> str | None:
        """A text file, None where there is none of that size. Raises Unimportable."""
        if path not in self._names or self._archive.getinfo(path).file_size > most_bytes:
            return None
        raw = await asyncio.to_thread(self._archive.read, path)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Unimportable("import-bad-list") from error


def _batch(opened: Any, decoder: msgspec.json.Decoder[Any]) -> list[Any]:
    """The next rows. Lines are `[`, a row and a comma but for the last, `]`; or `[]`."""
    rows: list[Any] = []
    try:
        while len(rows) < AT_ONCE and (line := opened.readline(MOST_LINE_BYTES + 1)):
            if len(line) > MOST_LINE_BYTES:
                raise Unimportable("import-bad-list")
            text = line.strip().removesuffix(b",")
            if text not in (b"", b"[", b"]", b"[]"):
                rows.append(decoder.decode(text))
    except (msgspec.DecodeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Unimportable("import-bad-list") from error
    return rows
