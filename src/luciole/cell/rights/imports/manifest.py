"""Whether an archive is what its manifest says, and who says so."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from luciole.cell.rights.export.signature import FORMAT, key_of, text_of
from luciole.cell.rights.model import Unimportable
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Note, VerifierKey

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
READ_BYTES = 1024 * 1024

# `here`: by this very cell. `stated`: by the key that the archive itself names.
Signed = Literal["here", "stated", "wrong", "missing"]
_Short = Annotated[str, Meta(max_length=300)]


class ListedFile(msgspec.Struct, frozen=True):
    """A file as the manifest lists it."""

    path: _Short
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Meta(ge=0)]


class StatedCell(msgspec.Struct, frozen=True):
    """The cell that the archive says it is from."""

    name: _Short
    origin: _Short


class Manifest(msgspec.Struct, frozen=True):
    """What is read of a manifest."""

    format: _Short
    cell_id: UUID
    cell: StatedCell
    key: _Short
    person_id: UUID
    files: list[ListedFile]


def read(archive: zipfile.ZipFile) -> tuple[Manifest, bytes]:
    """The manifest and its bytes. Raises Unimportable."""
    try:
        raw = archive.read(MANIFEST)
        found = msgspec.json.decode(raw, type=Manifest)
    except (KeyError, msgspec.DecodeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Unimportable("import-no-export") from error
    if found.format != FORMAT:
        raise Unimportable("import-no-export")
    return found, raw


def signed(archive: zipfile.ZipFile, manifest: Manifest, raw: bytes, own_key: bytes) -> Signed:
    """Who signed the manifest. `own_key` is this cell's."""
    try:
        note = Note.parse(archive.read(SIGNATURE))
        key = VerifierKey.parse(manifest.key)
        note.verify([key])
    except KeyError:
        return "missing"
    except (Refused, zipfile.BadZipFile, zlib.error, EOFError):
        return "wrong"
    is_about_it = note.text == text_of(hashlib.sha256(raw).hexdigest(), len(raw))
    if not is_about_it or key != key_of(manifest.cell_id, key.public):
        return "wrong"
    return "here" if key.public == own_key else "stated"


def compare(archive: zipfile.ZipFile, manifest: Manifest, on_bytes: Callable[[int], None]) -> None:
    """Reads every file and compares its hash; tells how much it has read. Raises Unimportable."""
    listed = {file.path: file for file in manifest.files}
    inside = {info.filename: info for info in archive.infolist()}
    if len(listed) != len(manifest.files) or set(inside) - {MANIFEST, SIGNATURE} != set(listed):
        raise Unimportable("import-not-as-listed")
    # In their order in the file, so that each piece of it is fetched once.
    for info in sorted(inside.values(), key=lambda info: info.header_offset):
        file = listed.get(info.filename)
        if file is None:
            continue
        sha256 = hashlib.sha256()
        size_bytes = 0
        try:
            with archive.open(info) as opened:
                while part := opened.read(READ_BYTES):
                    sha256.update(part)
                    size_bytes += len(part)
                    on_bytes(len(part))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Unimportable("import-wrong-hash") from error
        if size_bytes != file.size_bytes or sha256.hexdigest() != file.sha256:
            raise Unimportable("import-wrong-hash")
