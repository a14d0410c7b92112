"""Archives that no export is, each by its name. A builder takes a good export and spoils it."""

from __future__ import annotations

import hashlib
import io
import json
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from typing import Any

Spoil = Callable[[bytes], bytes]


def unpacked(good: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], *, listed: bool = True, **more: Any) -> bytes:
    """A ZIP of files, with a manifest that fits them (and no signature over it)."""
    files = {name: data for name, data in files.items() if name != "manifest.sig"}
    if listed:
        manifest = json.loads(files.pop("manifest.json"))
        manifest["files"] = [
            {"path": name, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
            for name, data in files.items()
        ]
        files["manifest.json"] = json.dumps({**manifest, **more}).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def with_file(name: str | zipfile.ZipInfo, data: bytes = b"x") -> Spoil:
    """The export with one more file, listed as all others."""

    def spoil(good: bytes) -> bytes:
        made = io.BytesIO(packed(unpacked(good)))
        with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)
        return made.getvalue()

    return spoil


def changed(path: str, data: bytes) -> Spoil:
    """The export with other contents of a file, and a manifest that fits."""
    return lambda good: packed({**unpacked(good), path: data})


def link(name: str, to: str) -> Spoil:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return with_file(info, to.encode())


def field(at: int, form: str, value: int, magic: bytes) -> Spoil:
    """The export with a number changed in the last record of a kind."""

    def spoil(good: bytes) -> bytes:
        data = bytearray(good)
        struct.pack_into(form, data, good.rindex(magic) + at, value)
        return bytes(data)

    return spoil


# Nine million characters that do not pack well.
LONG = random.Random(1).randbytes(4_500_000).hex().encode()
END, DIRECTORY = b"PK\5\6", b"PK\1\2"


def renamed(old: bytes, new: bytes) -> Spoil:
    """A name changed in all places, to one of the same length that the library would not write."""
    assert len(old) == len(new)
    return lambda good: packed(unpacked(good)).replace(old, new)


def twice(good: bytes) -> bytes:
    """Two files of one name: readers differ in which they take."""
    made = io.BytesIO(packed(unpacked(good)))
    with zipfile.ZipFile(made, "a") as archive:
        info = zipfile.ZipInfo("data/people/account.jsoN".lower())
        archive.writestr(info, b"[]")
    return made.getvalue()


def alike(good: bytes) -> bytes:
    """Two files whose names differ in case only: one place on many disks."""
    return with_file("README.HTML")(good)


def overlapping(good: bytes) -> bytes:
    """Two directory entries for one file's bytes (the core of the better zip bomb)."""
    data = packed(unpacked(good))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first = archive.infolist()[0]
        start = archive.start_dir
    name = b"copy.bin"
    head = struct.pack(
        "<4s4B4HL2L5H2L", DIRECTORY, 20, 3, 20, 0, 0, first.compress_type, 0, 0,
        first.CRC, first.compress_size, first.file_size, len(name), 0, 0, 0, 0, 0,
        first.header_offset,
    )  # fmt: skip
    end = data.rindex(END)
    directory = data[start:end] + head + name
    count = struct.unpack_from("<H", data, end + 10)[0] + 1
    tail = struct.pack("<4s4H2LH", END, 0, 0, count, count, len(directory), start, 0)
    return data[:start] + directory + tail


def bomb(good: bytes) -> bytes:
    """A list that unpacks to sixty million zeros."""
    return with_file("data/zeros.json", bytes(60_000_000))(good)


def nested(good: bytes) -> bytes:
    """A ZIP in front of the ZIP: some readers see one, some the other."""
    return good + packed(unpacked(good))


def cut_short(good: bytes) -> bytes:
    return good[: len(good) // 2]


def flipped(good: bytes) -> bytes:
    """A stored film with one bit changed, checksum and all."""
    files = unpacked(good)
    name = next(name for name in files if name.endswith(".mp4"))
    film = bytearray(files[name])
    film[len(film) // 2] ^= 1
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for each, data in files.items():
            archive.writestr(each, bytes(film) if each == name else data)
    return made.getvalue()


def damaged(good: bytes) -> bytes:
    """A bit changed in the archive itself, so that the checksum does not fit."""
    data = bytearray(good)
    data[good.index(b"mdat") + 40] ^= 1
    return bytes(data)


def unlisted(good: bytes) -> bytes:
    """A file that the manifest does not name."""
    made = io.BytesIO(good)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("media/more.mp4", b"x")
    return made.getvalue()


def without(name: str) -> Spoil:
    """The export without a file that its manifest names."""

    def spoil(good: bytes) -> bytes:
        files = unpacked(good)
        del files[name]
        return packed(files, listed=False)

    return spoil


def other_format(good: bytes) -> bytes:
    return packed(unpacked(good), format="luciole-export-9")


def many(good: bytes) -> bytes:
    """More files than any export has."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(50_001):
            archive.writestr(f"{number}", b"")
    return made.getvalue()


# Name: how it is spoiled, and the code of its refusal.
BAD: dict[str, tuple[Spoil, str]] = {
    "no zip at all": (lambda _: b"\0" * 2_000, "import-not-a-zip"),
    "a film": (lambda _: b"\0\0\0 ftypisom" + bytes(500), "import-not-a-zip"),
    "shorter than an end record": (lambda _: b"PK\5\6", "import-not-a-zip"),
    "an empty zip": (lambda _: END + bytes(18), "import-no-export"),
    "cut short": (cut_short, "import-not-a-zip"),
    "a zip behind a zip": (nested, "import-not-a-zip"),
    "bytes in front": (lambda good: b"#!/bin/sh\n" + good, "import-not-a-zip"),
    "bytes behind": (lambda good: good + b"\0", "import-not-a-zip"),
    "a directory that is larger than the file": (
        field(12, "<L", 2_000_000_000, END),
        "import-not-a-zip",
    ),
    "a directory that begins elsewhere": (field(16, "<L", 7, END), "import-not-a-zip"),
    "on another disk": (field(4, "<H", 1, END), "import-not-a-zip"),
    "a comment": (field(20, "<H", 1, END), "import-not-a-zip"),
    "zip64 numbers without zip64": (field(10, "<H", 0xFFFF, END), "import-not-a-zip"),
    "many files": (many, "import-too-many-files"),
    "a path upwards": (with_file("data/../../etc/passwd"), "import-bad-name"),
    "a path from the root": (with_file("/etc/passwd"), "import-bad-name"),
    "a hidden file": (with_file(".ssh/authorized_keys"), "import-bad-name"),
    "a backslash": (with_file("data\\..\\evil.json"), "import-bad-name"),
    "a drive": (with_file("C:evil.json"), "import-bad-name"),
    "a zero byte in a name": (
        renamed(b"data/clips/liked.json", b"data/clips/liked\0json"),
        "import-bad-name",
    ),
    "a letter of another script": (with_file("d\u0430ta.json"), "import-bad-name"),
    "a long name": (with_file("a" * 300), "import-bad-name"),
    "folders without end": (with_file("a/" * 50 + "a"), "import-bad-name"),
    "a folder": (with_file("data/more/", b""), "import-no-plain-file"),
    "a link": (link("media/link", "/etc/passwd"), "import-no-plain-file"),
    "encrypted": (field(8, "<H", 1, DIRECTORY), "import-no-plain-file"),
    "packed in another way": (field(10, "<H", 12, DIRECTORY), "import-no-plain-file"),
    "twice": (twice, "import-twice"),
    "alike": (alike, "import-twice"),
    "two files of one place": (overlapping, "import-twice"),
    "a bomb": (bomb, "import-too-much-inside"),
    "a size that is a lie": (
        field(24, "<L", 3_000_000_000, DIRECTORY),
        "import-too-much-inside",
    ),
    "no manifest": (without("manifest.json"), "import-no-export"),
    "a manifest that is none": (
        lambda good: packed({**unpacked(good), "manifest.json": b"{"}, listed=False),
        "import-no-export",
    ),
    "another format": (other_format, "import-no-export"),
    "one bit of a film": (flipped, "import-wrong-hash"),
    "one bit of the archive": (damaged, "import-wrong-hash"),
    "a file more": (unlisted, "import-not-as-listed"),
    "a file less": (without("data/clips/liked.json"), "import-not-as-listed"),
    "a list that is none": (
        changed("data/clips/clips.json", b'{"id": 1}\n'),
        "import-bad-list",
    ),
    "a row without an end": (changed("data/clips/clips.json", b"[\n{"), "import-bad-list"),
    "a row that is too long": (
        changed("data/clips/liked.json", b'["' + LONG + b'"]'),
        "import-bad-list",
    ),
    "rows within rows": (
        changed("data/clips/liked.json", b"[" * 100_000),
        "import-bad-list",
    ),
}  # fmt: skip
