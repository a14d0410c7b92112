"""Reads the log of accesses as a stranger who keeps all of it does, and looks for what two entries
have in common: by that, one could tell that they are about the same person."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from luciole.audit.canary.scan import Finding, Place

PERSON_BYTES = 71
SEAL_BYTES = 63
# Version, kind, class and minute are the same for many on purpose.
HEAD_BYTES = 7
# So many bytes are not the same twice by chance.
WINDOW_BYTES = 8
# What a finding says in place of a field.
LINK, SHAPE = "two entries", "an entry"


def linked(archive: Path) -> list[Finding]:
    """What links entries of the log below `archive`; and entries of an unknown shape."""
    place = Place("ledger", "entries of access")
    found, seen = list[Finding](), dict[int, int]()
    for index, entry in enumerate(entries(archive)):
        if len(entry) == SEAL_BYTES:
            continue
        if len(entry) != PERSON_BYTES:
            found.append(Finding(place, SHAPE, "-", f"{len(entry)} bytes", "", index, 1))
            continue
        body = np.frombuffer(entry[HEAD_BYTES:], dtype=np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(body, WINDOW_BYTES)
        for word in np.ascontiguousarray(windows).view("<u8").reshape(-1).tolist():
            if seen.setdefault(word, index) != index:
                found.append(Finding(place, LINK, "-", "the same bytes", "", index, 1))
                break
    return found


def entries(archive: Path) -> Iterator[bytes]:
    """All entries, from the fullest bundle of each number (C2SP tlog-tiles)."""
    folder = archive / "tile" / "entries"
    number = 0
    while True:
        name = f"{number:03}"
        whole, parts = folder / name, folder / f"{name}.p"
        if whole.is_file():
            data = whole.read_bytes()
        elif parts.is_dir() and (widths := sorted(int(one.name) for one in parts.iterdir())):
            data = (parts / str(widths[-1])).read_bytes()
        else:
            return
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from(">H", data, at)
            yield data[at + 2 : at + 2 + length]
            at += 2 + length
        number += 1
