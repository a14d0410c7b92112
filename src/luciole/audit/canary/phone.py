"""Devices with messages as a cell sees them: a key, and the few structures of MLS (RFC 9420) that a
cell reads. What devices seal is any bytes; so it is here."""

from __future__ import annotations

import os
import struct

from luciole.cell.messages import framing
from luciole.cell.messages.framing import vector

HASH_BYTES = 32


def _u16(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def key_package(
    signature_key: bytes, identity: bytes, not_after: int, *, suite: int = framing.SUITE
) -> bytes:
    """An MLSMessage with a key package until a POSIX time; what no cell looks at is random."""
    leaf = b"".join(
        (
            vector(os.urandom(32)),
            vector(signature_key),
            _u16(framing.BASIC),
            vector(identity),
            *(vector(part) for part in (_u16(1), _u16(1), b"", b"", _u16(1))),
            struct.pack(">BQQ", framing.IN_KEY_PACKAGE, 0, not_after),
            vector(b""),
            vector(os.urandom(64)),
        )
    )
    head = _u16(framing.MLS_1_0, framing.KEY_PACKAGE, framing.MLS_1_0, suite)
    return head + vector(os.urandom(32)) + leaf + vector(b"") + vector(os.urandom(64))


def group_context(group_id: bytes, epoch: int) -> bytes:
    """A GroupContext without extensions."""
    hashes = vector(os.urandom(HASH_BYTES)) + vector(os.urandom(HASH_BYTES))
    head = _u16(framing.MLS_1_0, framing.SUITE) + vector(group_id)
    return head + struct.pack(">Q", epoch) + hashes + vector(b"")


def group_info(group_id: bytes, epoch: int) -> bytes:
    """An MLSMessage with a GroupInfo."""
    head = _u16(framing.MLS_1_0, framing.GROUP_INFO) + group_context(group_id, epoch)
    confirmed = vector(b"the tree") + vector(os.urandom(HASH_BYTES))
    return head + confirmed + struct.pack(">I", 0) + vector(os.urandom(64))


def to_be_signed(group_id: bytes, epoch: int, content: bytes) -> bytes:
    """The FramedContentTBS of an application message."""
    return b"".join(
        (
            _u16(framing.MLS_1_0, framing.PRIVATE_MESSAGE),
            vector(group_id),
            struct.pack(">QBI", epoch, framing.MEMBER, 0),
            vector(b""),
            struct.pack(">B", framing.APPLICATION),
            vector(content),
            group_context(group_id, epoch),
        )
    )
