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

from tests.drills import tls13
from tests.drills.tls13 import Keys, Sealed

ETH_P_ALL = 3
IPV4 = 0x0800
TCP = 6
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
    `raw` is all of it as it was sent, and what was sealed in it as well."""

    messages: list[Message] = field(default_factory=list)
    connections: set[tuple[str, str]] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
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


def read(file: Path, keys: Keys) -> Wire:
    """The wire as a file of frames has it. What the keys of its sessions do not open is told in
    `others`."""
    wire = Wire()
    streams = defaultdict[tuple[str, str], dict[int, bytes]](dict)
    starts: dict[tuple[str, str], int] = {}
    for frame in frames(file):
        kind = int.from_bytes(frame[12:14])
        if kind != IPV4:
            wire.others.add({0x0806: "ARP", 0x86DD: "IPv6"}.get(kind, hex(kind)))
            continue
        packet = frame[14:]
        ip_bytes, size = (packet[0] & 15) * 4, int.from_bytes(packet[2:4])
        if packet[9] != TCP:
            wire.others.add(f"protocol {packet[9]}")
            wire.raw.append(packet)
            continue
        segment = packet[ip_bytes : size or None]
        ports = struct.unpack(">HH", segment[:4])
        hosts = (socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]))
        flow = (f"{hosts[0]}:{ports[0]}", f"{hosts[1]}:{ports[1]}")
        sequence, data = int.from_bytes(segment[4:8]), segment[(segment[12] >> 4) * 4 :]
        if segment[13] & 2:  # SYN
            starts[flow] = sequence + 1
            if not segment[13] & 16:
                wire.connections.add(flow)
        elif data:
            streams[flow].setdefault(sequence, data)
    whole = {flow: _joined(starts.get(flow), parts) for flow, parts in streams.items()}
    wire.raw += whole.values()
    for flow in sorted(wire.connections):
        sent, answered = whole.get(flow, b""), whole.get(flow[::-1], b"")
        if not sent and not answered:
            continue
        try:
            found = tls13.opened(sent, answered, keys)
        except Sealed as sealed:
            wire.others.add(f"a connection to {flow[1]} ({sealed})")
            continue
        wire.raw += [found.clear, found.sent, found.answered]
        _exchanges(wire, flow, found.sent, found.answered)
    return wire


def _joined(start: int | None, parts: dict[int, bytes]) -> bytes:
    """A stream out of its segments, which may come twice or overlap."""
    joined, at = b"", start if start is not None else min(parts)
    for sequence in sorted(parts, key=lambda one: (one - at) % (1 << 32)):
        skip = (at + len(joined) - sequence) % (1 << 32)
        assert skip < 1 << 31, "a segment is missing from the capture"
        joined += parts[sequence][skip:]
    return joined


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
    head, _, rest = stream.partition(b"\r\n\r\n")
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
        assert len(body) == size, "a body is cut off"
    return Message(source, target, first, headers, body, request), rest


def _unchunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line, 16)
        body, rest = body + rest[:size], rest[size + 2 :]
        if size == 0:
            return body, rest


if __name__ == "__main__":
    main(*sys.argv[1:])
