"""The trustee's socket: who asks gets what a handler says, strangers get nothing."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from uuid import UUID

import pytest

from luciole.border.trustee import AskedOf, Trustee
from luciole.kit.lines import LineLost, LineRefused
from luciole.trustee.asked import MOST_BYTES, Asked, Refused

PEER = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")


async def echo(peer: UUID, body: bytes) -> bytes:
    if body == b"no":
        raise Refused("not-that")
    if body == b"broken":
        raise RuntimeError("of nobody's business")
    return peer.bytes + body


async def ask(trustee: Trustee, kind: str, body: bytes) -> bytes:
    return await trustee.ask(AskedOf("us", PEER, kind, body), 2.0)


def asked() -> Asked:
    made = Asked()
    made.register("echo", echo, most_bytes=1000)
    return made


async def test_peer_gets_what_the_handler_answers(tmp_path: Path) -> None:
    place = tmp_path / "run" / "trustee.sock"
    async with asked().listening(place):
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        trustee = Trustee(place)
        assert await ask(trustee, "echo", b"yes") == PEER.bytes + b"yes"
        for kind, body, code in (
            ("echo", b"no", "not-that"),
            ("echo", b"broken", "unavailable"),
            ("echo", bytes(1001), "too-large"),
            ("other", b"", "unknown-kind"),
        ):
            with pytest.raises(LineRefused) as refused:
                await ask(trustee, kind, body)
            assert refused.value.code == code
        await trustee.close()
    with pytest.raises(LineLost):
        await ask(Trustee(place), "echo", b"yes")


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\0\0\0\1\xc1"])
async def test_stranger_gets_no_answer_and_others_do(tmp_path: Path, sent: bytes) -> None:
    place = tmp_path / "trustee.sock"
    async with asked().listening(place):
        reader, writer = await asyncio.open_unix_connection(place)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()
        trustee = Trustee(place)
        assert await ask(trustee, "echo", b"") == PEER.bytes
        await trustee.close()


def test_a_kind_has_one_handler_of_a_bounded_size() -> None:
    made = asked()
    with pytest.raises(ValueError, match="handler"):
        made.register("echo", echo)
    with pytest.raises(ValueError, match="large"):
        made.register("vast", echo, most_bytes=MOST_BYTES + 1)
