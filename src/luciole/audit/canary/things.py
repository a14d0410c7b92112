"""Files with marks in them: a film and a picture as phones make them."""

from __future__ import annotations

import struct
import subprocess
import zlib
from pathlib import Path

from luciole.audit.canary.browser import Book
from luciole.cell.media import encode


def film(place: Path, book: Book, person: str, *, size: str = "180x320", seconds: int = 1) -> bytes:
    """A moving picture and a tone, with a title, a place and a device in its metadata."""
    plant = book.plant
    told = {
        "title": plant(person, "film.title", "At home {}"),
        "comment": plant(person, "film.title"),
        "location": plant(person, "film.place", "+48.8577+002.2950/{}/"),
        "com.apple.quicktime.location.ISO6709": plant(person, "film.place"),
        "com.apple.quicktime.model": plant(person, "film.device", "Phone {}"),
        "make": plant(person, "film.device"),
    }
    options = [word for name, value in told.items() for word in ("-metadata", f"{name}={value}")]
    source = [
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=15:d={seconds}"),
        *("-f", "lavfi", "-i", f"sine=440:d={seconds}"),
    ]
    subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-y", *source, "-c:v", "libx264", "-preset", "ultrafast",
         "-pix_fmt", "yuv420p", *options, "-movflags", "use_metadata_tags", str(place)],
        check=True,
    )  # fmt: skip
    return place.read_bytes()


def tall_film(place: Path, book: Book, person: str) -> bytes:
    """So tall that it has two renditions, and long enough to be found again by its stills."""
    return film(place, book, person, size="720x1280", seconds=3)


def picture(book: Book, person: str) -> bytes:
    """A PNG of 64 pixels with texts, an artist and a place in it."""
    artist = book.plant(person, "picture.artist", "Made by {}").encode()
    place = book.plant(person, "picture.place", "48.8577 N, 2.2950 E, {}").encode()
    text = book.plant(person, "picture.text").encode()
    row = b"\0" + bytes(range(0, 192, 1))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)),
            _chunk(b"tEXt", b"Author\0" + artist),
            _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text)),
            _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:place>" + place + b"</x:place>"),
            _chunk(b"eXIf", _exif(artist, place)),
            _chunk(b"IDAT", zlib.compress(row * 64)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _exif(artist: bytes, place: bytes) -> bytes:
    """TIFF with the tags Artist (315) and ImageDescription (270)."""
    texts = ((270, place + b"\0"), (315, artist + b"\0"))
    at = 8 + 2 + 12 * len(texts) + 4
    entries, tail = b"", b""
    for tag, value in texts:
        entries += struct.pack("<HHII", tag, 2, len(value), at + len(tail))
        tail += value
    return b"II*\0" + struct.pack("<IH", 8, len(texts)) + entries + struct.pack("<I", 0) + tail
