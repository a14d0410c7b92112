"""The HTTP client for other parties, and a witness behind HTTP."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pytest_asyncio
from tests.ledger.house import House, person
from tests.ledger.shown import SIGNER, Shown, Watch, body

from luciole.border import peers
from luciole.border.peers import Peer, PeerAway, Witnesses, WitnessPeer
from luciole.kit.blobs import Missing
from luciole.ledger.archive import Stopped
from luciole.ledger.note import Checkpoint, Note
from luciole.witness import server
from luciole.witness.server import Server

Answering = Callable[[BaseHTTPRequestHandler], None]


def says(status: int, content: bytes = b"", **headers: str) -> Answering:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if "connection" not in headers:
            request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


class Stranger:
    """A server of somebody else; `answering` is what it does next."""

    def __init__(self) -> None:
        self.answering: Answering = says(200, b"hello")
        self.asked: list[tuple[str, str]] = []
        self.connections = 0
        stranger = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                stranger.connections += 1
                super().setup()

            def answer(self) -> None:
                stranger.asked.append((self.command, self.path))
                self.rfile.read(int(self.headers.get("content-length", 0)))
                stranger.answering(self)

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    made = Stranger()
    yield made
    made.close()


@pytest.mark.parametrize("url", ["", "cell.example", "ftp://a/", "http://", "http://a/?b=c"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no address of a server"):
        Peer(url)


async def test_one_connection_serves_many_requests(stranger: Stranger) -> None:
    peer = Peer(f"{stranger.url}/below/")
    assert [await peer.get("a"), await peer.get("b/c")] == [b"hello", b"hello"]
    assert stranger.asked == [("GET", "/below/a"), ("GET", "/below/b/c")]
    assert stranger.connections == 1
    peer.close()
    assert await peer.get("a") == b"hello"
    assert stranger.connections == 2


async def test_closed_connection_is_made_anew(stranger: Stranger) -> None:
    peer = Peer(stranger.url)
    await peer.get("a")
    (idle,) = peer._idle
    assert idle.sock is not None
    idle.sock.shutdown(socket.SHUT_RDWR)
    assert await peer.get("a") == b"hello"
    stranger.answering = says(200, b"bye", connection="close")
    assert await peer.get("a") == b"bye"
    assert peer._idle == []


async def test_what_is_missing_is_said_to_be(stranger: Stranger) -> None:
    stranger.answering = says(404)
    with pytest.raises(Missing):
        await Peer(stranger.url).get("a")


@pytest.mark.parametrize("status", [301, 500, 204])
async def test_no_redirect_is_followed_and_no_failure_taken(
    stranger: Stranger, status: int
) -> None:
    stranger.answering = says(status, location="http://127.0.0.1:1/")
    with pytest.raises(PeerAway, match=f"answers {status}"):
        await Peer(stranger.url).get("a")


async def test_nobody_there_is_away() -> None:
    for url in ("http://127.0.0.1:1", "https://127.0.0.1:1"):
        with pytest.raises(PeerAway, match="does not answer"):
            await Peer(url, timeout_s=1).get("a")


async def test_nonsense_is_away(stranger: Stranger) -> None:
    def nonsense(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"nonsense\r\n\r\n")
        request.close_connection = True

    stranger.answering = nonsense
    with pytest.raises(PeerAway):
        await Peer(stranger.url, timeout_s=2).get("a")


async def test_no_more_is_read_than_allowed(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "MAX_ANSWER_BYTES", 10)
    stranger.answering = says(200, bytes(1000))
    peer = Peer(stranger.url)
    assert await peer.get("a") == bytes(10)
    assert peer._idle == []


# A witness behind HTTP


@pytest_asyncio.fixture(loop_scope="session")
async def url(watch: Watch) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    made = Server(listener, watch.witness.add_checkpoint, watch.witness.read)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    await asyncio.to_thread(made.shutdown)
    made.server_close()


async def test_witness_answers_as_the_protocol_says(url: str, watch: Watch, log: Shown) -> None:
    peer = WitnessPeer(url)
    assert await peer.head(SIGNER.verifier.name) is None
    answer = await peer.add_checkpoint(0, [], log.head())
    assert answer.status == 200
    Note.parse(log.head() + answer.body)
    assert await peer.head(SIGNER.verifier.name) == log.head() + answer.body
    answer = await peer.add_checkpoint(1, [], log.head())
    assert (answer.status, answer.body) == (409, b"300\n")
    assert (await peer.ask("POST", "add-entries", b"x")).status == 404
    assert (await peer.ask("POST", "add-checkpoint", b"x")).status == 400
    tile = await peer.get(f"{watch.folder.name}/tile/0/000")
    assert tile == log.objects["tile/0/000"]


async def test_kinds_of_answers(url: str, watch: Watch, log: Shown) -> None:
    await watch.witness.see(log.head())

    def kind(method: str, path: str, content: bytes = b"") -> str | None:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.request(method, path, content or None)
        return connection.getresponse().headers["content-type"]

    name = watch.folder.name
    text = "text/plain; charset=utf-8"
    conflict = body(0, [], log.head())
    kinds = await asyncio.to_thread(
        lambda: [
            kind("POST", "/add-checkpoint", conflict),
            kind("GET", f"/{name}/checkpoint"),
            kind("GET", f"/{name}/tile/0/000"),
            kind("GET", "/nothing"),
        ]
    )
    assert kinds == ["text/x.tlog.size", text, "application/octet-stream", text]


@pytest.mark.parametrize("length", [None, "many", "1000001"])
async def test_body_without_a_sensible_length_is_413(url: str, length: str | None) -> None:
    def status() -> int:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.putrequest("POST", "/add-checkpoint")
        if length:
            connection.putheader("content-length", length)
        connection.endheaders()
        return connection.getresponse().status

    assert await asyncio.to_thread(status) == 413


async def test_source_that_is_away_is_503(url: str, watch: Watch, log: Shown) -> None:
    async def away(path: str) -> bytes:
        raise PeerAway("away")

    log.get = away  # type: ignore[method-assign]
    watch.witness._mirrors[SIGNER.verifier.name]._source._get = away
    answer = await WitnessPeer(url).add_checkpoint(0, [], log.head())
    assert answer.status == 503


async def test_more_connections_than_there_is_room_for_are_closed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = url.removeprefix("http://").split(":")

    def one_too_many() -> bytes:
        held = [socket.create_connection((host, int(port))) for _ in range(server.MAX_CONNECTIONS)]
        for one in held:
            one.sendall(b"GET /x HTTP/1.1\r\n\r\n")
            one.recv(10)
        with socket.create_connection((host, int(port))) as last:
            last.settimeout(5)
            try:
                last.sendall(b"GET /x HTTP/1.1\r\n\r\n")
                said = last.recv(10)
            except ConnectionError:
                said = b""
        for one in held:
            one.close()
        return said

    assert await asyncio.to_thread(one_too_many) == b""


async def test_client_that_goes_away_is_no_news(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    host, port = url.removeprefix("http://").split(":")

    def hang_up() -> None:
        with socket.create_connection((host, int(port))) as one:
            one.sendall(b"POST /add-checkpoint HTTP/1.1\r\ncontent-length: 100\r\n\r\nx")
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    await asyncio.to_thread(hang_up)
    await asyncio.sleep(0.2)
    assert capsys.readouterr().err == ""


# What a log makes of its witnesses


async def test_log_and_witness_over_http(house: House) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    made = Server(listener, house.witness.add_checkpoint, house.witness.read)
    peer = WitnessPeer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    sequencer = house.sequencer(witnesses=Witnesses(house.signer.verifier, [peer]))
    for count in (2, 300):
        await house.put(*[person() for _ in range(count)])
        await sequencer.round()
        assert len(house.published()) in (2, 302)
    await asyncio.to_thread(made.shutdown)
    made.server_close()
    peer.close()


async def test_witness_that_is_away_is_asked_again_later(
    house: House,
) -> None:
    now = [0.0]
    peer: Any = house.near
    witnesses = Witnesses(house.signer.verifier, [peer], lambda: now[0])
    house.near.is_away = True
    sequencer = house.sequencer(witnesses=witnesses)
    await house.put(person())
    await sequencer.round()
    house.near.is_away = False
    await sequencer.round()
    assert not (house.folder / "checkpoint").exists()
    now[0] += peers.AWAY_S
    await sequencer.round()
    assert len(house.published()) == 1


async def test_slow_witness_is_not_waited_for(house: House) -> None:
    """Its cosignature counts when it comes."""
    go_on = asyncio.Event()
    add = house.near.add_checkpoint

    async def slow(*given: Any) -> Any:
        await go_on.wait()
        return await add(*given)

    house.near.add_checkpoint = slow  # type: ignore[method-assign]
    sequencer = house.sequencer(patience_s=0.05)
    await house.put(person())
    await sequencer.round()
    await house.put(person())
    await sequencer.round()
    assert not (house.folder / "checkpoint").exists()
    go_on.set()
    async with asyncio.timeout(20):
        while not (house.folder / "checkpoint").exists() or len(house.published()) < 2:
            await sequencer.round()


async def test_witness_that_was_stopped_before_it_showed_its_head(house: House) -> None:
    """It knows more than it shows: the size in its refusal says so."""
    sequencer = house.sequencer()
    await house.put(person())
    await sequencer.round()
    shown = house.witness.home / sha256(house.signer.verifier.name.encode()).hexdigest()
    stale = (shown / "checkpoint").read_bytes()
    await house.put(person())
    await sequencer.round()
    (shown / "checkpoint").write_bytes(stale)
    await house.put(person())
    await house.sequencer().round()
    assert house.near.statuses[-2:] == [409, 200]
    assert len(house.published()) == 3


@pytest.mark.parametrize("said", [b"", b"nonsense", b"\xff", b"01\n", b"999999\n", b"0\n"])
async def test_witness_that_claims_any_size_does_not_stop_the_log(
    house: House, said: bytes
) -> None:
    """Only what the log itself has signed counts against it."""

    async def claim(*_given: Any) -> peers.Answer:
        return peers.Answer(409, said)

    house.near.add_checkpoint = claim  # type: ignore[method-assign]
    sequencer = house.sequencer()
    for _ in range(2):
        await house.put(person())
        assert await sequencer.round() == 1


async def test_witness_that_refuses_is_left_alone_and_the_log_goes_on(house: House) -> None:
    async def refuse(*_given: Any) -> peers.Answer:
        return peers.Answer(422, b"no\n")

    house.near.add_checkpoint = refuse  # type: ignore[method-assign]
    sequencer = house.sequencer()
    for _ in range(2):
        await house.put(person())
        assert await sequencer.round() == 1
    assert not (house.folder / "checkpoint").exists()


@pytest.mark.parametrize("said", [b"", b"nonsense", "— near AAAAAAAA\n".encode()])
async def test_cosignature_that_is_none_counts_for_nothing(house: House, said: bytes) -> None:
    async def lie(*_given: Any) -> peers.Answer:
        return peers.Answer(200, said)

    house.near.add_checkpoint = lie  # type: ignore[method-assign]
    await house.put(person())
    await house.sequencer().round()
    assert not (house.folder / "checkpoint").exists()


@pytest.mark.parametrize("said", [b"nonsense", b"log\n1\n\n"])
async def test_head_that_the_log_did_not_sign_says_nothing(house: House, said: bytes) -> None:
    async def lie(_origin: str) -> bytes:
        return said

    house.near.head = lie  # type: ignore[method-assign]
    await house.put(person())
    assert await house.sequencer().round() == 1


async def test_head_of_a_witness_that_contradicts_stops_the_log(house: House) -> None:
    """The log has signed something else at that size, in another life."""
    await house.put(person(), person())
    await house.sequencer().round()
    false = house.signer.sign(str(Checkpoint(house.signer.verifier.name, 1, bytes(32)))).encode()

    async def show(_origin: str) -> bytes:
        return false

    house.near.head = show  # type: ignore[method-assign]
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "log-forked"
