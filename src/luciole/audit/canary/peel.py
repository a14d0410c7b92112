"""Opens what is wrapped: compressed parts, long runs of base64 and hex, escapes, one in another.

Patterns find a mark under one encoding (see `marks.forms`). This finds it under several.
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import re
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator

DEEPEST = 3
# Larger texts are opened in their first part only; a log or an answer never is so large.
MOST_BYTES = 64 * 1024 * 1024
# Runs that are shorter hold no whole mark.
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
_HEX = re.compile(rb"[0-9a-fA-F]{32,}")
_GZIP = b"\x1f\x8b\x08"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_ZIP = b"PK\x03\x04"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})")


def layers(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(how it was opened, the text inside) for everything that can be opened, to DEEPEST; the
    shortest ways first."""
    waiting = [("", data[:MOST_BYTES])]
    for _ in range(DEEPEST):
        opened = []
        for way, text in waiting:
            for name, inner in _once(text):
                if inner and inner != text:
                    opened.append((f"{way}, {name}" if way else name, inner[:MOST_BYTES]))
                    yield opened[-1]
        waiting = opened


def _once(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "gzip", b"\n".join(_unzipped(data))
    yield "zip", b"\n".join(_members(data))
    if not _is_text(data):
        return
    if b"%" in data:
        yield "url", urllib.parse.unquote_to_bytes(data)
    if b"\\u" in data:
        yield "json", _ESCAPED.sub(_character, data)
    if b"&" in data:
        yield "html", html.unescape(data.decode("latin-1")).encode("utf-8", "replace")
    runs = [run.translate(_URL_SAFE) for run in _BASE64.findall(data)]
    # Something else may stand right before a run, so each alignment is tried.
    for shift in range(4):
        yield "base64", b"\n".join(_from_base64(run[shift:]) for run in runs)
    yield "hex", b"\n".join(map(_from_hex, _HEX.findall(data)))


def _is_text(data: bytes) -> bool:
    """Whether it is worth while to look for escapes and runs: films and pictures are not."""
    head = data[:65536]
    return len(head.translate(None, _TEXT)) * 8 <= len(head)


_TEXT = bytes((*range(32, 127), 9, 10, 13))


def _character(found: re.Match[bytes]) -> bytes:
    return chr(int(found[1], 16)).encode("utf-8", "replace")


def _from_hex(run: bytes) -> bytes:
    return binascii.unhexlify(run[: len(run) // 2 * 2])


def _unzipped(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    start = data.find(_GZIP)
    while start >= 0:
        yield _inflated(view[start:], 31)
        start = data.find(_GZIP, start + 1)
    for found in _ZLIB.finditer(data):
        yield _inflated(view[found.start() :], 15)


def _inflated(data: memoryview, window: int) -> bytes:
    """What can be inflated; little or nothing where it only looked like a header."""
    opened, parts = zlib.decompressobj(window), list[bytes]()
    try:
        # In pieces, so that a wrong header costs little and a broken end loses little.
        for start in range(0, min(len(data), MOST_BYTES), 4096):
            parts.append(opened.decompress(data[start : start + 4096], MOST_BYTES))
            if opened.eof:
                break
        parts.append(opened.flush())
    except zlib.error:
        pass
    return b"".join(parts)


def _members(data: bytes) -> Iterator[bytes]:
    if _ZIP not in data:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data[data.find(_ZIP) :])) as file:
            for member in file.infolist():
                yield member.filename.encode() + member.comment
                with file.open(member) as opened:
                    yield opened.read(MOST_BYTES)
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError, zlib.error):
        return  # NotImplementedError is a RuntimeError; offsets may lie, which is a ValueError


def _from_base64(run: bytes) -> bytes:
    run = run[:-1] if len(run) % 4 == 1 else run
    return base64.b64decode(run + b"=" * (-len(run) % 4))
