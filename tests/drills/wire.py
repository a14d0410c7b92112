"""What goes over a wire between two network namespaces, read from outside of both programs.

`python -m tests.drills.wire INTERFACE FILE` writes every frame that passes an interface (AF_PACKET)
until it is ended; `read` puts the TCP streams together again, opens the TLS in them and reads the
HTTP in that. Written from the RFCs (9293, 8446, 9112), sharing nothing with the gateway.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.drills import tls13
from tests.drills.tls13 import Keys, Sealed

ETH_P_ALL = 3
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
ARP_BYTES = 28
HOP_BY_HOP, TCP, ROUTING, FRAGMENT, ICMPV6, OPTIONS = 0, 6, 43, 44, 58, 60
# What a kernel sends over IPv6 by itself: it asks for routers (ICMPv6 133), asks for and tells of
# an address on the cable (135, 136: RFC 4861), and names groups that it hears (143: RFC 3810).
KERNELS = "IPv6 of the kernel"
GROUP_BYTES = 20
MAX_FRAME_BYTES = 1 << 17
SO_RCVBUFFORCE, ROOM_BYTES = 33, 1 << 28
LENGTH = struct.Struct(">I")


@dataclass(frozen=True)
class Message:
    """One HTTP message: `first` is its first line, `source` and `target` are addresses with
    ports. An answer has the request that it answers."""

    source: str
    target: str
    first: str
    headers: dict[str, str]
    body: bytes
    request: Message | None = None

    @property
    def is_request(self) -> bool:
        return self.request is None

    @property
    def path(self) -> str:
        return self.first.split(" ")[1]


@dataclass
class Wire:
    """All that was seen: messages, connections, and what is neither TCP nor part of a message.
    `cut_off`: where a message ends before its end, which may be on its way. `raw` is all of it as
    it was sent, heads of packets too, and what was sealed in it as well."""

    messages: list[Message] = field(default_factory=list)
    connections: set[tuple[str, str]] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    cut_off: set[str] = field(default_factory=set)
    raw: list[bytes] = field(default_factory=list)


def main(interface: str, file: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as wire:
        wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM_BYTES)
        wire.bind((interface, 0))
        with Path(file).open("wb", buffering=0) as out:
            sys.stdout.write("listening\n")
            sys.stdout.flush()
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    frame = wire.recv(MAX_FRAME_BYTES)
                    out.write(LENGTH.pack(len(frame)) + frame)


def frames(file: Path) -> Iterator[bytes]:
    raw, at = file.read_bytes(), 0
    while at + LENGTH.size <= len(raw):
        (size,) = LENGTH.unpack_from(raw, at)
        at += LENGTH.size + size
        yield raw[at - size : at]


class CutOff(Exception):
    """A stream ends before a message does."""


class Packet(NamedTuple):
    """What IP carries from an address to another; `head` is all before that."""

    source: str
    target: str
    protocol: int
    is_fragment: bool
    head: bytes
    body: bytes


def read(file: Path, keys: Keys) -> Wire:
    """The wire as a file of frames has it. What the keys of its sessions do not open is told in
    `others`."""
    wire, heads = Wire(), defaultdict[tuple[str, str], bytearray](bytearray)
    streams = defaultdict[tuple[str, str], dict[int, bytes]](dict)
    starts: dict[tuple[str, str], int] = {}
    for frame in frames(file):
        packet = _packet(int.from_bytes(frame[12:14]), frame[14:])
        if packet is None or packet.protocol != TCP or packet.is_fragment:
            wire.others.add(_other(int.from_bytes(frame[12:14]), frame[14:], packet))
            wire.raw.append(frame)
            continue
        segment = packet.body
        ports = struct.unpack(">HH", segment[:4])
        flow = (f"{packet.source}:{ports[0]}", f"{packet.target}:{ports[1]}")
        sequence, at = int.from_bytes(segment[4:8]), (segment[12] >> 4) * 4
        heads[flow] += frame[:14] + packet.head + segment[:at]
        if segment[13] & 2:  # SYN
            starts[flow] = sequence = sequence + 1
            if not segment[13] & 16:
                wire.connections.add(flow)
        if len(data := segment[at:]) > len(streams[flow].get(sequence, b"")):
            streams[flow][sequence] = data
    whole = {flow: _joined(starts.get(flow), parts) for flow, parts in streams.items() if parts}
    wire.raw += [bytes(head) for head in heads.values()]
    wire.raw += whole.values()
    for flow, sent in whole.items():
        if sent and not {flow, flow[::-1]} & wire.connections:
            wire.others.add(f"bytes to {flow[1]} of no connection")
    for flow in sorted(wire.connections):
        sent, answered = whole.get(flow, b""), whole.get(flow[::-1], b"")
        if not sent and not answered:
            continue
        try:
            found = tls13.opened(sent, answered, keys)
        except Sealed as sealed:
            wire.others.add(f"a connection to {flow[1]} ({sealed})")
            continue
        wire.raw += [found.clear, found.shaken, found.sent, found.answered]
        try:
            _exchanges(wire, flow, found.sent, found.answered)
        except CutOff:
            wire.cut_off.add(f"a message that is cut off, from or to {flow[1]}")
    return wire


def _packet(kind: int, data: bytes) -> Packet | None:
    """What a frame carries, where that is IP, through all that stands before it in IPv6."""
    if kind == IPV4:
        at, size = (data[0] & 15) * 4, int.from_bytes(data[2:4])
        of, to = (socket.inet_ntoa(data[one : one + 4]) for one in (12, 16))
        is_fragment = int.from_bytes(data[6:8]) & 0x3FFF != 0
        return Packet(of, to, data[9], is_fragment, data[:at], data[at : size or None])
    if kind != IPV6:
        return None
    of, to = (f"[{socket.inet_ntop(socket.AF_INET6, data[one : one + 16])}]" for one in (8, 24))
    at, protocol, size = 40, data[6], int.from_bytes(data[4:6])
    while protocol in (HOP_BY_HOP, ROUTING, OPTIONS):
        protocol, at = data[at], at + 8 * (data[at + 1] + 1)
    is_fragment = protocol == FRAGMENT
    return Packet(of, to, protocol, is_fragment, data[:at], data[at : 40 + size if size else None])


def _other(kind: int, data: bytes, packet: Packet | None) -> str:
    """What a frame is that is no TCP."""
    if packet is None:
        is_arp = kind == ARP and len(data) == ARP_BYTES
        return "ARP" if is_arp else f"a frame of kind {kind:#06x}"
    if packet.is_fragment:
        return "a fragment"
    if kind == IPV6 and packet.protocol == ICMPV6 and _is_kernels(packet):
        return KERNELS
    return f"protocol {packet.protocol}{' over IPv6' if kind == IPV6 else ''}"


def _is_kernels(packet: Packet) -> bool:
    """Whether this is of a form that has no room for anything else."""
    body = packet.body
    own = packet.source == "[::]" or packet.source.startswith("[fe80:")
    match body[:1]:
        case b"\x85":
            return own and len(body) in (8, 16)
        case b"\x87" | b"\x88":
            return own and len(body) in (24, 32) and body[8:10] == b"\xfe\x80"
        case b"\x8f":
            records = [body[at : at + GROUP_BYTES] for at in range(8, len(body), GROUP_BYTES)]
            plain = all(one[1:4] == b"\0\0\0" and one[4:6] == b"\xff\x02" for one in records)
            return own and len(body) % GROUP_BYTES == 8 and plain
    return False


def _joined(start: int | None, parts: dict[int, bytes]) -> bytes:
    """A stream out of its segments, which may come twice or overlap, but never as something
    else."""
    joined, at = bytearray(), start if start is not None else min(parts)
    for sequence in sorted(parts, key=lambda one: (one - at) % (1 << 32)):
        skip = (at + len(joined) - sequence) % (1 << 32)
        assert skip < 1 << 31, "a segment is missing from the capture"
        again, new = parts[sequence][:skip], parts[sequence][skip:]
        began = len(joined) - skip
        assert joined[began : began + len(again)] == again, "other bytes in the same place"
        joined += new
    return bytes(joined)


def _exchanges(wire: Wire, flow: tuple[str, str], sent: bytes, answered: bytes) -> None:
    while sent:
        request, sent = _message(flow[0], flow[1], sent, None)
        wire.messages.append(request)
        if answered:
            answer, answered = _message(flow[1], flow[0], answered, request)
            wire.messages.append(answer)
    assert not answered, "an answer to nothing"


def _message(
    source: str, target: str, stream: bytes, request: Message | None
) -> tuple[Message, bytes]:
    head, end, rest = stream.partition(b"\r\n\r\n")
    if not end:
        raise CutOff
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict[str, str]()
    for line in lines:
        name, _, value = line.partition(":")
        assert name.lower() not in headers, "a header twice"
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body, rest = _unchunked(rest)
    else:
        size = int(headers.get("content-length", "0"))
        body, rest = rest[:size], rest[size:]
        if len(body) < size:
            raise CutOff
    return Message(source, target, first, headers, body, request), rest


def _unchunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end or len(rest) < (size := int(line, 16)) + 2:
            raise CutOff
        body, rest = body + rest[:size], rest[size + 2 :]
        if size == 0:
            return body, rest


if __name__ == "__main__":
    main(*sys.argv[1:])
