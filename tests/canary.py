"""Words that can be found again in any file, however they are written there."""

from __future__ import annotations

import base64
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote


def forms(mark: bytes) -> dict[str, bytes]:
    """The ways in which bytes may stand in a file."""
    found = {"plain": mark, "hex": mark.hex().encode(), "HEX": mark.hex().upper().encode()}
    for shift in range(3):
        # In the middle of something else, base64 looks in three ways; the ends depend on that.
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            text = encode(bytes(shift) + mark)
            found[f"{name}/{shift}"] = text[(0, 2, 3)[shift] : -4]
    try:
        text_mark = mark.decode()
    except UnicodeDecodeError:
        return found
    found["upper"] = text_mark.upper().encode()
    found["lower"] = text_mark.lower().encode()
    found["url"] = quote(text_mark, safe="").encode()
    found["json"] = text_mark.encode("ascii", "backslashreplace")
    found["utf-16-le"] = text_mark.encode("utf-16-le")
    found["utf-16-be"] = text_mark.encode("utf-16-be")
    return found


def seen(data: bytes | mmap.mmap, marks: Mapping[str, bytes]) -> list[str]:
    """`name (form)` of every mark that is in the bytes."""
    return [
        f"{name} ({form})"
        for name, mark in marks.items()
        for form, pattern in forms(mark).items()
        if data.find(pattern) >= 0
    ]


def files(*folders: Path) -> Iterator[Path]:
    """All plain files below the folders."""
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                if path.is_file() and not path.is_symlink():
                    yield path


def search(paths: Iterable[Path], marks: Mapping[str, bytes]) -> list[str]:
    """`path: name (form)` of every mark in the contents or the name of every file."""
    found = []
    for path in paths:
        found += [f"{path}: in its name: {each}" for each in seen(os.fsencode(path.name), marks)]
        if path.stat().st_size == 0:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found += [f"{path}: {each}" for each in seen(data, marks)]
    return found
