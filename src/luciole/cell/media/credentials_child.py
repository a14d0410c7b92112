"""What the content credentials in a stranger's MP4 say about AI: C2PA 2.x, without its library.

Loaded by `probe_child` inside the fence, by path; needs nothing but the standard library. Every
number in the file may lie, so each is checked against what is there, and depth, boxes and items are
counted. What is read:

1. The `uuid` box of C2PA at the top level of the file (C2PA 2.1, A.5.1), with purpose `manifest`.
2. In it, JUMBF boxes (ISO/IEC 19566-5): a store of manifests, the active one last.
3. In each manifest, the claim (CBOR): it lists assertions with the hash of each.
4. In assertions whose hash is as the claim has it, the key `digitalSourceType` with a term of IPTC.

Whose signature is under the claim, and whether the manifest belongs to these pictures, is found out
by the library of the standard (`credentials`); what is read here counts only where that is sound.
"""

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from typing import Any

UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
MOST_TOP_BOXES = 20_000
MOST_BYTES = 8 * 1024 * 1024
MOST_BOXES = 4_000
MOST_MANIFESTS = 100
MOST_DEPTH = 16
MOST_ITEMS = 50_000
HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
# cv.iptc.org/newscodes/digitalsourcetype, and the term of C2PA for data of no picture.
MADE = {"trainedAlgorithmicMedia", "trainedAlgorithmicData"}
PARTLY = {"compositeWithTrainedAlgorithmicMedia"}
TERM = re.compile(r"https?://(?:cv\.iptc\.org/newscodes|c2pa\.org)/digitalsourcetype/(\w{1,64})")
KEY = "digitalsourcetype"


class Strange(Exception):
    """The bytes are not what they claim to be."""


def said(path: str) -> str | None:
    """`made` where the file says that AI made it, `partly` where it says that of a part, else
    None: it says nothing of that, or nothing that can be read."""
    try:
        data = store(path)
        return None if data is None else of_store(data)
    except (Strange, struct.error, ValueError, RecursionError, OverflowError):
        return None


def has(path: str) -> bool:
    """Whether the file carries credentials, be they readable or not."""
    try:
        return store(path) is not None
    except (Strange, struct.error, ValueError, OverflowError):
        return True


def store(path: str) -> bytes | None:
    """The manifest store in a file, if it has one."""
    with open(path, "rb") as file:
        end = file.seek(0, 2)
        place = 0
        for _ in range(MOST_TOP_BOXES):
            if place + 8 > end:
                return None
            file.seek(place)
            head = file.read(32)
            size, name = struct.unpack_from(">I4s", head)
            at = 8
            if size == 1:
                (size,) = struct.unpack_from(">Q", head, 8)
                at = 16
            elif size == 0:
                size = end - place
            if size < at or place + size > end:
                return None
            if name == b"uuid" and head[at : at + 16] == UUID:
                if size > MOST_BYTES:
                    raise Strange
                file.seek(place + at + 16)
                found = _manifests(file.read(size - at - 16))
                if found is not None:
                    return found
            place += size
    return None


def _manifests(data: bytes) -> bytes | None:
    """What is in a box of C2PA with the purpose `manifest`: after version and flags, a name that
    ends with 0, and where hashes of fragments are."""
    purpose, zero, rest = data[4:].partition(b"\0")
    if not zero or len(purpose) > 32:
        raise Strange
    return rest[8:] if purpose == b"manifest" else None


class Box:
    """A superbox of JUMBF: its kind, label, boxes of content, and those inside."""

    def __init__(self, raw: bytes, counted: list[int], depth: int = 0) -> None:
        if depth > MOST_DEPTH:
            raise Strange
        self.raw = raw
        self.kind, self.label = b"", ""
        self.content: list[tuple[bytes, bytes]] = []
        self.inside: list[Box] = []
        for number, (name, data) in enumerate(boxes(raw, counted)):
            if number == 0:
                if name != b"jumd" or len(data) < 17:
                    raise Strange
                self.kind = data[:4]
                if data[16] & 2:
                    self.label = data[17:].partition(b"\0")[0].decode("utf-8", "replace")
            elif name == b"jumb":
                self.inside.append(Box(data, counted, depth + 1))
            else:
                self.content.append((name, data))

    def one(self, kind: bytes) -> Any:
        return next((box for box in self.inside if box.kind == kind), None)


def boxes(data: bytes, counted: list[int]) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(data):
        counted[0] += 1
        if counted[0] > MOST_BOXES:
            raise Strange
        size, name = struct.unpack_from(">I4s", data, place)
        at = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
            at = 16
        elif size == 0:
            size = len(data) - place
        if size < at or place + size > len(data):
            raise Strange
        yield name, data[place + at : place + size]
        place += size


def of_store(data: bytes) -> str | None:
    """What the manifests say together: the active one first; of what it was made from, another
    one's `made` is a part at least."""
    counted = [0]
    found = [Box(inner, counted) for name, inner in boxes(data, counted) if name == b"jumb"]
    if len(found) != 1 or found[0].kind != b"c2pa":
        raise Strange
    manifests = [box for box in found[0].inside if box.kind in (b"c2ma", b"c2um")]
    if not manifests or len(manifests) > MOST_MANIFESTS:
        raise Strange
    *others, active = manifests
    told = of_manifest(active)
    if told is None and any(_quietly(other) for other in others):
        return "partly"
    return told


def _quietly(manifest: Box) -> str | None:
    try:
        return of_manifest(manifest)
    except (Strange, struct.error, ValueError, RecursionError):
        return None


def of_manifest(manifest: Box) -> str | None:
    """What the assertions of one manifest say whose hashes stand in its claim."""
    kept, claim = manifest.one(b"c2as"), manifest.one(b"c2cl")
    if kept is None or claim is None:
        raise Strange
    said = Cbor(b"".join(data for name, data in claim.content if name == b"cbor")).all()
    if not isinstance(said, dict):
        raise Strange
    claimed = hashes(said)
    terms: set[str] = set()
    for assertion in kept.inside:
        wanted = claimed.get(assertion.label)
        if wanted is None:
            continue
        name, digest = wanted
        if name not in HASHES or HASHES[name](assertion.raw).digest() != digest:
            # Changed after it was claimed: then nothing of this manifest is to be believed.
            raise Strange
        for kind, data in assertion.content:
            if kind == b"cbor":
                look(Cbor(data).all(), terms)
            elif kind == b"json":
                look(json.loads(data), terms)
    if terms & MADE:
        return "made"
    return "partly" if terms & PARTLY else None


def hashes(claim: dict[Any, Any]) -> dict[str, tuple[str, bytes]]:
    """By label of an assertion: the name and the value of its hash in the claim."""
    usual = claim.get("alg", "sha256")
    found = {}
    for field in ("assertions", "created_assertions", "gathered_assertions"):
        listed = claim.get(field, [])
        if not isinstance(listed, list):
            raise Strange
        for one in listed:
            if not isinstance(one, dict):
                raise Strange
            url, digest = one.get("url"), one.get("hash")
            if isinstance(url, str) and isinstance(digest, bytes):
                found[url.rpartition("/")[2]] = (str(one.get("alg", usual)), digest)
    return found


def look(value: Any, terms: set[str], depth: int = 0) -> None:
    """Adds the terms that stand in a value under the key, however deep."""
    if depth > MOST_DEPTH:
        raise Strange
    if isinstance(value, list):
        for one in value:
            look(one, terms, depth + 1)
    elif isinstance(value, dict):
        for key, one in value.items():
            if isinstance(key, str) and key.rpartition(":")[2].casefold() == KEY:
                named = TERM.fullmatch(one) if isinstance(one, str) else None
                if named:
                    terms.add(named[1])
            look(one, terms, depth + 1)


class Cbor:
    """Reads one value of CBOR (RFC 8949), as far as claims and assertions have it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0
        self._items = 0

    def all(self) -> Any:
        """The value that takes all bytes."""
        value = self._value(0)
        if self._place != len(self._data):
            raise Strange
        return value

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self._place:
            raise Strange
        self._place += count
        return self._data[self._place - count : self._place]

    def _head(self) -> tuple[int, int, int | None]:
        """Major type, additional information, and the number; None for one without an end."""
        (first,) = self._take(1)
        more = first & 31
        if more < 24:
            return first >> 5, more, more
        if more < 28:
            return first >> 5, more, int.from_bytes(self._take(1 << (more - 24)))
        if more == 31:
            return first >> 5, more, None
        raise Strange

    def _value(self, depth: int) -> Any:
        self._items += 1
        if depth > MOST_DEPTH or self._items > MOST_ITEMS:
            raise Strange
        major, more, number = self._head()
        if major in (2, 3):
            raw = self._text(major, number)
            return raw if major == 2 else raw.decode("utf-8", "replace")
        if major in (4, 5):
            return self._many(major, number, depth)
        if number is None:
            raise Strange
        if major == 6:
            return self._value(depth + 1)
        if major == 7:
            return {20: False, 21: True}.get(more)
        return number if major == 0 else -1 - number

    def _text(self, major: int, size: int | None) -> bytes:
        if size is not None:
            return self._take(size)
        pieces = []
        while not self._ends():
            inner, _, size = self._head()
            if inner != major or size is None:
                raise Strange
            pieces.append(self._take(size))
        return b"".join(pieces)

    def _many(self, major: int, count: int | None, depth: int) -> Any:
        listed: list[Any] = []
        mapped: dict[Any, Any] = {}
        while (count is None and not self._ends()) or (count is not None and count > 0):
            count = None if count is None else count - 1
            value = self._value(depth + 1)
            if major == 4:
                listed.append(value)
            else:
                # A key that is a list or a map tells us nothing; nor does what it leads to.
                key = value if isinstance(value, (str, bytes, int)) else None
                mapped[key] = self._value(depth + 1)
        return listed if major == 4 else mapped

    def _ends(self) -> bool:
        if self._data[self._place : self._place + 1] == b"\xff":
            self._place += 1
            return True
        if self._place >= len(self._data):
            raise Strange
        return False
