"""Hostile files, each made again from a seed and a number: films of phones with something broken in
them, files that were made to break or to deceive a reader, and programs as a decoder would run them
if a file had taken it over."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# Of a hundred cases: so many are programs, and so many were made up; the rest are mutations.
PROGRAMS, MADE_UP = 1, 19
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NAMES = (
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"stts", b"ctts", b"stsc", b"stsz",
    b"stco", b"elst", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"avcC", b"hvcC", b"esds", b"meta",
    b"moof", b"traf", b"trun", b"tfhd", b"sidx", b"udta", b"uuid", b"dref", b"avc1", b"hvc1",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What a case may try to reach: a file outside, a film outside, a port where somebody
    listens."""

    secret: Path
    film: Path
    port: int
    worker: int


@dataclass(frozen=True)
class Case:
    """A file, or a program for the child to be."""

    kind: str
    data: bytes = b""
    program: str = ""


def case(seed: int, number: int, sources: Sequence[bytes], place: Place) -> Case:
    """The case of that number."""
    dice = random.Random(f"{seed}/{number}")
    throw = dice.randrange(100)
    if throw < PROGRAMS:
        kind = dice.choice(sorted(ATTACKS))
        return Case(f"program: {kind}", program=ATTACKS[kind](place))
    if throw < PROGRAMS + MADE_UP:
        kind = dice.choice(sorted(INVENTIONS))
        return Case(f"made up: {kind}", INVENTIONS[kind](dice, place))
    data = bytearray(dice.choice(sources))
    kind = dice.choice(sorted(MUTATIONS))
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        MUTATIONS[kind](dice, data, sources)
    return Case(f"mutated: {kind}", bytes(data))


# Mutations


def _at(dice: random.Random, data: bytearray) -> int:
    """A place, more often in the first kilobytes, where heads are."""
    end = max(1, len(data))
    return dice.randrange(min(end, 4096)) if dice.random() < 0.5 else dice.randrange(end)


def _bits(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    for _n in range(dice.choice((1, 4, 16, 64))):
        if data:
            data[_at(dice, data)] ^= 1 << dice.randrange(8)


def _numbers(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at, value = _at(dice, data), dice.choice(NUMBERS)
    form = dice.choice((">I", "<I", ">H", ">Q"))
    raw = struct.pack(form, value & (0xFFFF if form == ">H" else 0xFFFFFFFF))
    data[at : at + len(raw)] = raw


def _boxes(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A length, a count or a field right behind the name of a box."""
    places = [at for name in NAMES if (at := data.find(name)) >= 4]
    if not places:
        return _numbers(dice, data, _)
    at = dice.choice(places) + dice.choice((-4, 4, 8, 12, 16, 20))
    data[max(0, at) : max(0, at) + 4] = struct.pack(">I", dice.choice(NUMBERS))
    return None


def _cut(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_at(dice, data) :]


def _lose(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(dice, data)
    del data[at : at + dice.choice((1, 4, 188, 4096))]


def _repeat(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at, size = _at(dice, data), dice.choice((4, 64, 4096, 65536))
    data[at:at] = data[at : at + size] * dice.choice((1, 2, 8))


def _noise(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(dice, data)
    raw = dice.randbytes(dice.choice((4, 64, 1024)))
    data[at : at + len(raw)] = raw


def _splice(dice: random.Random, data: bytearray, sources: Sequence[bytes]) -> None:
    other = dice.choice(sources)
    at = _at(dice, data)
    start = dice.randrange(max(1, len(other)))
    data[at:] = other[start : start + 1_000_000]


def _swap(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    one, other, size = _at(dice, data), _at(dice, data), dice.choice((4, 8, 512))
    first, second = bytes(data[one : one + size]), bytes(data[other : other + size])
    data[one : one + size], data[other : other + size] = second, first


def _rename(dice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A box, or a codec, under another's name."""
    at = data.find(dice.choice(NAMES))
    if at >= 0:
        data[at : at + 4] = dice.choice(
            (*NAMES, b"vp09", b"av01", b"mp4v", b"jpeg", b"raw ", b"rle ")
        )


MUTATIONS: dict[str, Callable[[random.Random, bytearray, Sequence[bytes]], None]] = {
    "bits": _bits, "numbers": _numbers, "boxes": _boxes, "cut": _cut, "lost": _lose,
    "repeated": _repeat, "noise": _noise, "spliced": _splice, "swapped": _swap, "renamed": _rename,
}  # fmt: skip


# Files that were made up


def box(name: bytes, *parts: bytes, size: int | None = None) -> bytes:
    """A box (ISO/IEC 14496-12, 4.2), with another size than its own if wanted."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8 if size is None else size) + name + body


FTYP = box(b"ftyp", b"isom", bytes(4), b"isommp42")


def _tree(dice: random.Random, depth: int) -> bytes:
    if depth == 0 or dice.random() < 0.2:
        return dice.randbytes(dice.choice((0, 4, 20, 100)))
    children = b"".join(
        box(dice.choice(NAMES), _tree(dice, depth - 1)) for _ in range(dice.randrange(1, 4))
    )
    size = dice.choice((None, None, None, 0, 1, 7, 0xFFFFFFFF))
    return box(dice.choice(NAMES), children, size=size)


def _random_boxes(dice: random.Random, _: Place) -> bytes:
    return FTYP + b"".join(_tree(dice, 6) for _n in range(4))


def _deep(dice: random.Random, _: Place) -> bytes:
    """Boxes in boxes, deeper than any stack."""
    names, data = (b"moov", b"trak", b"mdia", b"meta", b"udta", b"ilst"), b""
    for _n in range(dice.choice((50, 1_000, 5_000))):
        data = box(dice.choice(names), data)
    return FTYP + data


def _tables(dice: random.Random, _: Place) -> bytes:
    """Tables that promise more entries than there are bytes."""
    count = dice.choice((0x00FFFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
    tables = [
        box(name, bytes(4), struct.pack(">I", count), dice.randbytes(64))
        for name in (b"stts", b"ctts", b"stsc", b"stco", b"stss", b"sdtp")
    ]
    tables.append(box(b"stsz", bytes(8), struct.pack(">I", count)))
    side = dice.choice((2, 4096, 65535))
    entry = box(
        b"avc1", bytes(6), b"\0\1", bytes(16), struct.pack(">HH", side, side), bytes(50),
        box(b"avcC", b"\1\x64\0\x28\xff\xe1", dice.randbytes(40)),
    )  # fmt: skip
    stsd = box(b"stsd", bytes(4), struct.pack(">I", dice.choice((1, count))), entry)
    minf = box(b"minf", box(b"vmhd", bytes(12)), box(b"stbl", stsd, *tables))
    hdlr = box(b"hdlr", bytes(8), b"vide", bytes(13))
    mdhd = box(b"mdhd", bytes(12), struct.pack(">II", dice.choice((0, 1, 90_000)), count), bytes(4))
    tkhd = box(b"tkhd", bytes(12), struct.pack(">I", 1), bytes(68))
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))
    return FTYP + box(b"moov", trak * dice.choice((1, 40))) + box(b"mdat", dice.randbytes(256))


def _bomb(dice: random.Random, _: Place) -> bytes:
    """A compressed movie header that grows a thousandfold."""
    packed = zlib.compress(bytes(dice.choice((1 << 20, 1 << 26))), 9)
    promised = dice.choice((1 << 26, 0x7FFFFFFF, 16))
    data = box(b"cmvd", struct.pack(">I", promised), packed)
    return FTYP + box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), data))


def _ebml(dice: random.Random, _: Place) -> bytes:
    """Matroska elements (RFC 8794) of any length, inside each other."""
    ids = (b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\x1f\x43\xb6\x75", b"\xa3",
           b"\x63\xa2", b"\x19\x41\xa4\x69", b"\x11\x4d\x9b\x74", b"\xe0", b"\xb0")  # fmt: skip
    sizes = (b"\x81", b"\xff", b"\x01" + b"\xff" * 7, b"\x40\x40", b"\x08\xff\xff\xff\xff")
    head = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x84webm\x42\x87\x81\x04"
    parts = [
        dice.choice(ids) + dice.choice(sizes) + dice.randbytes(dice.choice((0, 1, 8, 200)))
        for _n in range(dice.choice((3, 30, 300)))
    ]
    return head + b"".join(parts)


def _riff(dice: random.Random, _: Place) -> bytes:
    names = (b"LIST", b"avih", b"strh", b"strf", b"idx1", b"indx", b"movi", b"00dc", b"JUNK")
    parts = [
        dice.choice(names)
        + struct.pack("<I", dice.choice((*NUMBERS[:7], 40, 56)) & 0xFFFFFFFF)
        + dice.randbytes(dice.choice((4, 40, 56)))
        for _n in range(dice.choice((4, 40, 400)))
    ]
    return b"RIFF" + struct.pack("<I", dice.choice(NUMBERS)) + b"AVI LIST" + b"".join(parts)


def _transport(dice: random.Random, _: Place) -> bytes:
    packets = [
        b"\x47" + dice.randbytes(3) + dice.randbytes(184)
        if dice.random() < 0.7
        else b"\x47\x40\x00\x10\x00\x00\xb0\x0d\x00\x01\xc1\x00\x00\x00\x01\xe1\x00" + bytes(171)
        for _n in range(dice.choice((20, 400)))
    ]
    return b"".join(packets)


def _playlist(dice: random.Random, place: Place) -> bytes:
    """Text that names other files and machines for a reader to fetch."""
    url = dice.choice((
        f"http://127.0.0.1:{place.port}/x.mp4", f"file://{place.secret}", str(place.film),
        f"concat:{place.secret}|{place.film}", f"tcp://127.0.0.1:{place.port}",
        f"subfile,,start,0,end,9,,:{place.secret}", f"crypto:{place.film}", "data:;base64,AAAA",
    ))  # fmt: skip
    return dice.choice((
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{url}'\n",
        f"<MPD><Period><AdaptationSet><Representation><BaseURL>{url}</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
        f"v=0\r\nc=IN IP4 127.0.0.1\r\nm=video {place.port} RTP/AVP 96\r\n",
        f"<ASX version='3.0'><Entry><Ref href='{url}'/></Entry></ASX>",
        f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{url}'/></svg>",
    )).encode()  # fmt: skip


def _reference(dice: random.Random, place: Place) -> bytes:
    """A film whose pictures lie in another file (ISO/IEC 14496-12, 8.7.2; QuickTime's aliases)."""
    film = place.film.read_bytes()
    told = str(place.film).encode() + b"\0"
    if dice.random() < 0.5:
        entry = box(b"url ", bytes(4), b"file://" + told)
    else:
        kind = struct.pack(">HHI", 2, len(told), 0)
        entry = box(b"alis", bytes(4), bytes(10), bytes(140), kind[:4], told, b"\xff\xff", bytes(2))
    return _with(film, [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"], bytes(4)
                 + struct.pack(">I", 1) + entry)  # fmt: skip


def _with(data: bytes, path: list[bytes], body: bytes) -> bytes:
    """The boxes with the body of each box at `path` exchanged, and no media data."""
    out, at = [], 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        size = max(8, min(size or len(data), len(data) - at))
        inner = data[at + 8 : at + size]
        if name == path[0]:
            inner = body if len(path) == 1 else _with(inner, path[1:], body)
        out.append(box(name, b"" if name == b"mdat" else inner))
        at += size
    return b"".join(out)


INVENTIONS: dict[str, Callable[[random.Random, Place], bytes]] = {
    "boxes": _random_boxes, "deep": _deep, "tables": _tables, "bomb": _bomb, "matroska": _ebml,
    "avi": _riff, "transport stream": _transport, "playlist": _playlist, "reference": _reference,
}  # fmt: skip


# What a decoder might do that a file has taken over. Each prints `harm` where it succeeds.

ATTACKS: dict[str, Callable[[Place], str]] = {
    "reads outside": lambda p: f"print(open({str(p.secret)!r}).read() and 'harm')",
    "writes outside": lambda p: f"open({str(p.secret)!r} + '.new', 'w'); print('harm')",
    "removes outside": lambda p: f"import os; os.unlink({str(p.secret)!r}); print('harm')",
    "opens to all": lambda p: f"import os; os.chmod({str(p.secret)!r}, 0o666); print('harm')",
    "leaves a link": lambda p: f"import os; os.symlink({str(p.secret)!r}, 'l'); print('harm')",
    "connects": lambda p: (
        f"import socket; socket.create_connection(('127.0.0.1', {p.port}), 2); print('harm')"
    ),
    "asks by UDP": lambda p: (
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
        f".sendto(b'x', ('127.0.0.1', {p.port})); print('harm')"
    ),
    "forks without end": lambda _: (
        "import os\nwhile True:\n if os.fork() == 0: print('harm', flush=True)"
    ),
    "threads without end": lambda _: (
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(60,)).start()"
    ),
    "eats memory": lambda _: "kept = []\nwhile True: kept.append(bytearray(1 << 24))",
    "writes without end": lambda _: "f = open('large', 'wb')\nwhile True: f.write(bytes(1 << 20))",
    "many files": lambda _: (
        "import itertools\nfor n in itertools.count(): open(str(n), 'wb').write(bytes(1 << 16))"
    ),
    "spins": lambda _: "while True: pass",
    "sleeps": lambda _: "import time; time.sleep(1000)",
    "talks without end": lambda _: "while True: print('x' * 10_000)",
    "kills the worker": lambda p: f"import os; os.kill({p.worker}, 9); print('harm')",
    "kills the launcher": lambda _: "import os; os.kill(os.getppid(), 9); print('harm')",
    "looks into the worker": lambda p: f"print(open('/proc/{p.worker}/environ').read() and 'harm')",
    "leaves its group": lambda _: "import os; os.setsid(); print('harm')",
    "leaves a message": lambda _: (
        "import ctypes; assert ctypes.CDLL(None).msgget(0, 0o1600) >= 0; print('harm')"
    ),
    "crashes": lambda _: "import ctypes; ctypes.string_at(0)",
}
