"""Requests to servers whose addresses strangers have named: where they may lead, and where not."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from luciole.border.fediverse import web
from luciole.border.fediverse.web import Answer, Unreachable, Web, is_public


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port on which each connection is answered by `answer`."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def run() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with closing(line):
                    line.settimeout(5)
                    line.recv(65536)
                    try:
                        answer(line)
                    except OSError:
                        continue

        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1]


def said(head: str, body: bytes = b"") -> Callable[[socket.socket], None]:
    length = f"Content-Length: {len(body)}\r\n" if "Transfer" not in head else ""
    whole = f"HTTP/1.1 {head}\r\n{length}Connection: close\r\n\r\n".encode() + body
    return lambda line: line.sendall(whole)


async def ask(url: str, scope: Any = "open", timeout_s: float = 5.0, method: str = "GET") -> Answer:
    made = Web(scope, timeout_s)
    try:
        return await made.ask(method, url, {"accept": "x/y"}, b"body" if method == "POST" else b"")
    finally:
        made.close()


async def test_answer_is_read_and_no_redirect_is_followed() -> None:
    with serving(said("200 OK", b"hello")) as port:
        assert await ask(f"http://127.0.0.1:{port}/a?b=c") == (200, b"hello")
        assert await ask(f"http://localhost:{port}/", method="POST") == (200, b"hello")
    with serving(said("302 Found\r\nLocation: http://127.0.0.1:1/")) as port:
        assert (await ask(f"http://127.0.0.1:{port}/")).status == 302


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:{port}/", "no-https"),
        ("https://127.0.0.1:{port}/", "private-address"),
        ("https://localhost:{port}/", "private-address"),
        ("https://[::1]:{port}/", "private-address"),
        ("https://[::ffff:127.0.0.1]:{port}/", "private-address"),
        ("https://2130706433:{port}/", "private-address"),
        ("https://0:{port}/", "private-address"),
        ("https://user@127.0.0.1:{port}/", "no-address"),
        ("https://127.0.0.1:99999/", "no-address"),
        ("ftp://127.0.0.1/", "no-https"),
        ("file:///etc/passwd", "no-https"),
        ("https:///x", "no-address"),
        ("https://nowhere.invalid/", "not-resolved"),
    ],
)
async def test_nothing_private_is_asked(url: str, code: str) -> None:
    asked: list[bytes] = []
    with serving(lambda line: asked.append(b"connected")) as port:
        with pytest.raises(Unreachable) as refused:
            await ask(url.format(port=port), "public")
    assert refused.value.code == code
    assert asked == []


async def test_name_with_one_private_address_is_asked_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the address that was looked at is the one that is connected to."""
    places = ["93.184.216.34", "10.0.0.1"]
    made: list[Any] = []

    def resolved(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (place, port)) for place in places]

    def connected(address: tuple[str, int], *_: Any) -> Any:
        made.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(web.socket, "getaddrinfo", resolved)
    monkeypatch.setattr(web.socket, "create_connection", connected)
    with pytest.raises(Unreachable) as refused:
        await ask("https://both.example/", "public")
    assert refused.value.code == "private-address"
    places.pop()
    with pytest.raises(Unreachable) as refused:
        await ask("https://both.example/", "public")
    assert refused.value.code == "ConnectionRefusedError"
    assert made == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    ("place", "is_open"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104 - it is refused
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:a00:1::", False),
        ("2001:0:a00:1::", False),
    ],
)
def test_addresses_of_the_open_internet_are_known(place: str, is_open: bool) -> None:
    assert is_public(place) is is_open


def drip(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        line.sendall(b"x")
        threading.Event().wait(0.05)


async def test_answer_that_is_too_long_or_too_slow_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "MAX_BYTES", 100)
    with serving(said("200 OK", b"x" * 101)) as port:
        with pytest.raises(Unreachable) as refused:
            await ask(f"http://127.0.0.1:{port}/")
        assert refused.value.code == "too-large"
    monkeypatch.undo()
    with serving(drip) as port:
        async with asyncio.timeout(3):
            with pytest.raises(Unreachable) as refused:
                await ask(f"http://127.0.0.1:{port}/", timeout_s=0.3)
        assert refused.value.code == "too-slow"
    with serving(said("nonsense")) as port:
        with pytest.raises(Unreachable):
            await ask(f"http://127.0.0.1:{port}/")
