"""The few structures of MLS that the delivery service reads: RFC 9420, TLS presentation language.

Read are key packages (whose they are, until when), the public part of a group's description (which
group, which epoch) and what a sender signs of a message, when somebody reports it. Everything else
is opaque here. Whoever reads must still verify signatures; this file looks at form only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar
from uuid import UUID

_T = TypeVar("_T")

MLS_1_0 = 1
# MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519
SUITE = 1
PRIVATE_MESSAGE, GROUP_INFO, KEY_PACKAGE = 2, 4, 5
BASIC = 1
IN_KEY_PACKAGE = 1
MEMBER = 1
APPLICATION = 1
LABEL_PREFIX = b"MLS 1.0 "


class Malformed(Exception):
    """Bytes that are not the structure that they should be."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._data)

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise Malformed
        self._at += size
        return taken

    def u8(self) -> int:
        return self._take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self._take(2), "big")

    def u32(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def u64(self) -> int:
        return int.from_bytes(self._take(8), "big")

    def opaque(self) -> bytes:
        first = self.u8()
        more = {0: 0, 1: 1, 2: 3}.get(first >> 6)
        _expect(more is not None)
        assert more is not None
        size = int.from_bytes(bytes([first & 0x3F]) + self._take(more), "big")
        # Each length has one form, the shortest.
        _expect(more == 0 or size >= (1 << 6 if more == 1 else 1 << 14))
        return self._take(size)


class KeyPackage(NamedTuple):
    """What a key package says of its device."""

    signature_key: bytes
    identity: bytes
    not_after: int


class Group(NamedTuple):
    """Which group, at which epoch."""

    group_id: bytes
    epoch: int


class Said(NamedTuple):
    """An application message as its sender signed it: in which group and epoch, and its content."""

    group_id: bytes
    epoch: int
    content: bytes


def identity_of(person_id: UUID, device_id: UUID) -> bytes:
    """The identity of a basic credential in this cell."""
    return person_id.bytes + device_id.bytes


def key_package(message: bytes) -> KeyPackage:
    """An MLSMessage that holds a key package of our suite (section 10). Raises Malformed."""

    def read(one: _Reader) -> KeyPackage:
        _message(one, KEY_PACKAGE)
        _expect(one.u16() == MLS_1_0 and one.u16() == SUITE)
        one.opaque()  # init_key
        one.opaque()  # encryption_key of the leaf
        signature_key = one.opaque()
        _expect(one.u16() == BASIC)
        identity = one.opaque()
        for _ in range(5):  # versions, cipher suites, extensions, proposals, credentials
            one.opaque()
        _expect(one.u8() == IN_KEY_PACKAGE)
        one.u64()  # not_before
        not_after = one.u64()
        for _ in range(4):  # the leaf's extensions and signature, then those of the package
            one.opaque()
        return KeyPackage(signature_key, identity, not_after)

    return _whole(message, read)


def group_info(message: bytes) -> Group:
    """The group and epoch of an MLSMessage that holds a GroupInfo (section 12.4.3). Raises
    Malformed."""

    def read(one: _Reader) -> Group:
        _message(one, GROUP_INFO)
        found = _group_context(one)
        one.opaque()  # extensions, among them the tree
        one.opaque()  # confirmation tag
        one.u32()  # signer
        one.opaque()  # signature
        return found

    return _whole(message, read)


def application_message(to_be_signed: bytes) -> Said:
    """A FramedContentTBS (section 6.1) of an application message by a member. Raises Malformed."""

    def read(one: _Reader) -> Said:
        _message(one, PRIVATE_MESSAGE)
        group_id, epoch = one.opaque(), one.u64()
        _expect(one.u8() == MEMBER)
        one.u32()  # leaf
        one.opaque()  # authenticated data
        _expect(one.u8() == APPLICATION)
        content = one.opaque()
        _expect(_group_context(one) == Group(group_id, epoch))
        return Said(group_id, epoch, content)

    return _whole(to_be_signed, read)


def sign_content(label: str, content: bytes) -> bytes:
    """What SignWithLabel signs (section 5.1.2)."""
    return vector(LABEL_PREFIX + label.encode()) + vector(content)


def vector(data: bytes) -> bytes:
    """`opaque data<V>`: its length as a variable-size integer (section 2.1.2), then the bytes."""
    size = len(data)
    if size < 1 << 6:
        return size.to_bytes(1, "big") + data
    if size < 1 << 14:
        return (size | 1 << 14).to_bytes(2, "big") + data
    if size < 1 << 30:
        return (size | 1 << 31).to_bytes(4, "big") + data
    raise ValueError("a vector of MLS has less than 1 GiB")


def _message(one: _Reader, wire_format: int) -> None:
    _expect(one.u16() == MLS_1_0 and one.u16() == wire_format)


def _group_context(one: _Reader) -> Group:
    _expect(one.u16() == MLS_1_0 and one.u16() == SUITE)
    found = Group(one.opaque(), one.u64())
    for _ in range(3):  # tree hash, confirmed transcript hash, extensions
        one.opaque()
    return found


def _whole(data: bytes, read: Callable[[_Reader], _T]) -> _T:
    one = _Reader(data)
    found = read(one)
    _expect(one.is_at_end)
    return found


def _expect(condition: bool) -> None:
    if not condition:
        raise Malformed
