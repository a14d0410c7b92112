"""What an MP4 file consists of, read without FFmpeg: an oracle for what must not be in it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

# ISO/IEC 14496-12 and -14; what a file for a player needs, and nothing that says where, when or
# by what it was made (no tags in udta, no meta, uuid, tref, and no text track).
PLAIN = {
    "ftyp", "free", "mdat", "moov", "mvhd", "trak", "tkhd", "edts", "elst", "mdia", "mdhd", "hdlr",
    "minf", "vmhd", "smhd", "dinf", "dref", "stbl", "stsd", "stts", "stss", "ctts", "stsc", "stsz",
    "stco", "co64", "sgpd", "sbgp",
}  # fmt: skip
# What a file in segments has besides (8.8 and 8.16.3): sizes, times and places.
FRAGMENTS = {"mvex", "mehd", "trex", "sidx", "moof", "mfhd", "traf", "tfhd", "tfdt", "trun"}
# FFmpeg writes the shell of a list of tags also where it has no tag to put there.
NO_TAGS = bytes.fromhex(
    "00000035"
    "6d657461"
    "00000000"
    "00000021"
    "68646c72"
    "0000000000000000"
    "6d646972"
    "6170706c"
    "000000000000000000"
    "00000008"
    "696c7374"
)
# C2PA 2.2, A.5.1.
SEAL = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# What is said of the film, and the hashes of its three pictures.
MOST_SEAL_BYTES = 2_200 + 250
NESTED = {"moov", "trak", "edts", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf"}


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Type and content of every box, parents before children."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        assert head <= size <= end - start, "a box reaches beyond its parent"
        name = kind.decode("latin-1")
        yield name, data[start + head : start + size]
        if name in NESTED:
            yield from boxes(data, start + head, start + size)
        start += size
    assert start == end, "bytes outside of any box"


def nothing_private(data: bytes, *, is_in_segments: bool = False) -> None:
    """Asserts that a rendition has no box beside the plain ones, and no date."""
    expected = PLAIN | FRAGMENTS if is_in_segments else PLAIN
    for name, content in boxes(data):
        if name == "udta":
            assert content == NO_TAGS, content
            continue
        if name == "uuid":
            # The cell's own credentials, and nothing of the film's.
            assert content[:16] == SEAL, content[:16]
            assert len(content) < MOST_SEAL_BYTES
            continue
        assert name in expected, f"box {name}"
        if name in ("mvhd", "tkhd", "mdhd"):
            size = 8 if content[0] == 1 else 4
            assert content[4 : 4 + 2 * size] == bytes(2 * size), f"a date in {name}"
        if name == "hdlr":
            assert content[24:].rstrip(b"\0") in (b"VideoHandler", b"SoundHandler"), content[24:]
        if name == "free":
            assert content.strip(b"\0") == b""
