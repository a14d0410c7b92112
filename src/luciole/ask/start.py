"""What a process asks the broker while it starts, before it has a loop."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from luciole.ask.client import decoded
from luciole.custody import wire
from luciole.custody.model import CustodyAway
from luciole.kit import unix

ANSWERS_WITHIN_S = 5.0

_answer = msgspec.msgpack.Decoder(wire.Answer)


def derived_now(place: Path, purposes: Sequence[str]) -> dict[str, bytes]:
    """Keys of this process, asked without a loop, while it starts. Raises CustodyAway."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(ANSWERS_WITHIN_S)
            with unix.address_of(place) as address:
                line.connect(address)
            return {purpose: _ask_now(line, wire.Derived(purpose)) for purpose in purposes}
    except OSError as error:
        raise CustodyAway from error


def _ask_now(line: socket.socket, asked: wire.Asked) -> bytes:
    line.sendall(wire.frame(wire.Call(1, asked)))
    (size,) = wire.LENGTH.unpack(_exactly(line, wire.LENGTH.size))
    return decoded(_answer.decode(_exactly(line, size)), bytes)


def _exactly(line: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        piece = line.recv(size - len(received))
        if not piece:
            raise ConnectionResetError
        received += piece
    return received
