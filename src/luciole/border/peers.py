"""The HTTP client for other parties: witnesses of this cell's logs, and cells that are witnessed.

Standard library in threads: it starts at once, follows no redirect, asks no proxy, and reads no
more than it was told. What comes back is a stranger's word until its signature is verified.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from luciole.kit import unix
from luciole.kit.blobs import Missing
from luciole.kit.logs import log
from luciole.ledger.archive import Stopped, Tiles
from luciole.ledger.merkle import EMPTY_ROOT, consistency_ranges
from luciole.ledger.note import BadNote, Checkpoint, Note, VerifierKey, parse_number, to_base64

TIMEOUT_S = 10.0
# How long a witness is left alone that did not answer as it should.
AWAY_S = 3.0
# A full bundle of the largest entries: 256 times 65,537 bytes.
MAX_ANSWER_BYTES = 17 * 1024 * 1024
MAX_REFUSAL_BYTES = 4096
PIECE_BYTES = 256 * 1024
# Between two pieces of a film.
DOWNLOAD_S = 30.0
MAX_IDLE = 8

# How often a witness that knows another size is asked again at once.
TRIES = 3
# A head that stays the newest is cosigned anew this often: what nobody has seen for 26 hours counts
# as stale to who verifies.
RENEW_S = 6 * 3600.0


class PeerAway(Exception):
    """No usable answer came. The text is a sentence about the peer."""


class Answer(NamedTuple):
    """An HTTP answer, with header names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class _Asked(NamedTuple):
    """A request, and how much of an answer is read."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]
    most: int
    timeout_s: float | None


class Peer:
    """A server of somebody else below a URL prefix."""

    def __init__(
        self,
        url: str,
        timeout_s: float = TIMEOUT_S,
        threads: ThreadPoolExecutor | None = None,
        through: Path | None = None,
    ) -> None:
        """With `threads` of its own, a server that does not answer takes none of the others'.
        `through`: a Unix socket by which it is reached. Raises ValueError for what is no http or
        https URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError(f"{url} is no address of a server (http://… or https://…).")
        self.url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout_s, self._threads, self._through = timeout_s, threads, through
        self._idle: list[http.client.HTTPConnection] = []

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        most: int | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """The answer to a request below the prefix, of at most so many bytes. Raises PeerAway."""
        loop, limit = asyncio.get_running_loop(), most or MAX_ANSWER_BYTES
        asked = _Asked(method, f"{self._prefix}/{path}", body, headers or {}, limit, timeout_s)
        return await loop.run_in_executor(self._threads, self._ask, asked)

    async def get(self, path: str) -> bytes:
        """A resource. Raises Missing, PeerAway."""
        answer = await self.ask("GET", path)
        if answer.status == 404:
            raise Missing(path)
        if answer.status != 200:
            raise PeerAway(f"{self.url} answers {answer.status}.")
        return answer.body

    async def download(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        file: Path,
        most: int,
    ) -> Answer:
        """The answer to a request, whose body lies in a new file if its status is 200. Raises
        PeerAway, also for one that is longer than `most`."""
        loop = asyncio.get_running_loop()
        asked = _Asked(method, f"{self._prefix}/{path}", body, headers, most, DOWNLOAD_S)
        return await loop.run_in_executor(self._threads, self._download, asked, file)

    def close(self) -> None:
        """Closes idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _ask(self, asked: _Asked) -> Answer:
        # A server may have closed a connection while it was idle; a new one is tried then.
        while self._idle:
            connection = self._idle.pop()
            try:
                return self._exchange(connection, asked)
            except (OSError, http.client.HTTPException):
                connection.close()
        connection = self._connection(asked.timeout_s)
        try:
            return self._exchange(connection, asked)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise PeerAway(f"{self.url} does not answer ({type(error).__name__}).") from error

    def _download(self, asked: _Asked, file: Path) -> Answer:
        connection = self._connection(asked.timeout_s)
        try:
            connection.request(asked.method, asked.path, asked.body, dict(asked.headers))
            got = connection.getresponse()
            headers = {name.lower(): value for name, value in got.getheaders()}
            if got.status != 200:
                return Answer(got.status, got.read(MAX_REFUSAL_BYTES), headers)
            left = asked.most
            with file.open("xb") as out:
                while piece := got.read(PIECE_BYTES):
                    left -= len(piece)
                    if left < 0:
                        raise PeerAway(f"{self.url} sends more than was agreed.")
                    out.write(piece)
            return Answer(200, b"", headers)
        except (OSError, http.client.HTTPException) as error:
            raise PeerAway(f"{self.url} does not answer ({type(error).__name__}).") from error
        finally:
            connection.close()

    def _connection(self, timeout_s: float | None) -> http.client.HTTPConnection:
        if self._through:
            return _Inside(self._through, timeout_s or self._timeout_s)
        make = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return make(self._host, self._port, timeout=timeout_s or self._timeout_s)

    def _exchange(self, connection: http.client.HTTPConnection, asked: _Asked) -> Answer:
        sent = {"Accept-Encoding": "identity", **asked.headers}
        connection.request(asked.method, asked.path, asked.body, sent)
        got = connection.getresponse()
        answer = Answer(got.status, got.read(asked.most))
        if got.isclosed() and not got.will_close and len(self._idle) < MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return answer


class _Inside(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, place: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._place, self._timeout_s = place, timeout_s

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self._timeout_s)
        with unix.address_of(self._place) as address:
            self.sock.connect(address)


class WitnessPeer(Peer):
    """A witness that can be called (C2SP tlog-witness): one prefix for submission and reading."""

    async def head(self, origin: str) -> bytes | None:
        """The newest head of a log that it has cosigned; None where it has seen none."""
        try:
            return await self.get(f"{sha256(origin.encode()).hexdigest()}/checkpoint")
        except Missing:
            return None

    async def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> Answer:
        """Its answer to a signed head: 200 with lines of cosignatures, 409 with the size that it
        knows instead of `old`, or a refusal."""
        return await self.ask("POST", "add-checkpoint", submission(old, proof, note))


def submission(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of a request to a witness, as tlog-witness says."""
    lines = [f"old {old}", *map(to_base64, proof), "", ""]
    return "\n".join(lines).encode() + note


class Cosigner(Protocol):
    """A witness that can be called, wherever it is."""

    async def head(self, origin: str) -> bytes | None: ...

    async def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> Answer: ...


class _Witness:
    """The size that a witness is known to have (None: to be asked), and what is under way."""

    def __init__(self, peer: Cosigner) -> None:
        self.peer = peer
        self.seen: int | None = None
        self.answered_at: float | None = None
        self.asked: tuple[Checkpoint, asyncio.Task[bytes]] | None = None
        self.away_until = 0.0

    def away(self, error: Exception, now: float) -> None:
        """Leaves it alone for a while, and then asks what it knows."""
        status = error.args[0] if isinstance(error, _Refused) else None
        log.warning("a witness does not cosign", error=type(error).__name__, status=status)
        self.seen, self.away_until = None, now + AWAY_S


class Witnesses:
    """The witnesses of one log that can be called. Whatever their servers do is no reason to stop,
    except to show a head that the log has signed and does not know."""

    def __init__(
        self,
        key: VerifierKey,
        peers: Iterable[Cosigner],
        monotonic: Callable[[], float] = time.monotonic,
        former: Iterable[VerifierKey] = (),
    ) -> None:
        """`former`: who signed the log before it was handed over."""
        self._keys, self._monotonic = (key, *former), monotonic
        self._all = [_Witness(peer) for peer in peers]

    def forget(self) -> None:
        """Has all asked again: what they answered may not have been kept."""
        for one in self._all:
            one.answered_at = None

    async def look(self, known: Checkpoint, tiles: Tiles) -> None:
        """Compares what witnesses have seen with the newest head that the log knows to have
        signed. Raises Stopped, and what `tiles` raises."""
        now = self._monotonic()
        ask = [one for one in self._all if one.seen is None and one.away_until <= now]
        await asyncio.gather(*(self._look_at(one, known, tiles) for one in ask))

    async def _look_at(self, one: _Witness, known: Checkpoint, tiles: Tiles) -> None:
        seen = Checkpoint(self._keys[0].name, 0, EMPTY_ROOT)
        try:
            if raw := await one.peer.head(self._keys[0].name):
                note = Note.parse(raw)
                note.verify(self._keys)
                seen = Checkpoint.parse(note.text)
        except Exception as error:
            one.away(error, self._monotonic())
            return
        if seen.size > known.size:
            raise Stopped(
                "witness-ahead",
                f"A witness has seen {seen.size} entries, the archive has {known.size}: it was "
                "put back to an earlier state. Restore the archive from a mirror.",
            )
        await tiles.proof(seen, known)
        one.seen, one.answered_at = seen.size, None

    async def ask(
        self, head: Checkpoint, note: bytes, tiles: Tiles, within_s: float
    ) -> dict[Checkpoint, bytes]:
        """Has the newest head cosigned. Gives lines of signatures, not verified, by the head that
        they are for: a slow witness is not waited for, its answer counts when it comes."""
        now, began = self._monotonic(), list[asyncio.Task[bytes]]()
        for one in self._all:
            is_fresh = one.answered_at is not None and now < one.answered_at + RENEW_S
            is_done = one.seen == head.size and is_fresh
            if one.seen is not None and one.asked is None and not is_done:
                asking = asyncio.create_task(self._ask_one(one.peer, one.seen, head, note, tiles))
                one.asked = head, asking
                began.append(asking)
        # Who was too slow for an earlier head is not waited for again.
        if began:
            await asyncio.wait(began, timeout=within_s)
        found = dict[Checkpoint, bytes]()
        for one in self._all:
            if one.asked and one.asked[1].done():
                (asked, task), one.asked = one.asked, None
                try:
                    found[asked] = found.get(asked, b"") + await task
                    one.seen, one.answered_at = asked.size, now
                except Exception as error:
                    one.away(error, self._monotonic())
        return found

    async def _ask_one(
        self, peer: Cosigner, size: int, head: Checkpoint, note: bytes, tiles: Tiles
    ) -> bytes:
        status = 0
        for _ in range(TRIES):
            proof = await tiles.hashes(consistency_ranges(size, head.size), head.size)
            answer = await peer.add_checkpoint(size, proof, note)
            status = answer.status
            if status == 200:
                return answer.body
            # It knows another size than it shows, after it was stopped, or because others asked.
            # That is only its word: it says 422 itself if what it knows is not of this log.
            size = _size_of(answer)
            if size > head.size:
                break
        raise _Refused(status)


def _size_of(answer: Answer) -> int:
    """The size in an answer of 409. Raises _Refused for other answers."""
    try:
        if answer.status == 409:
            return parse_number(answer.body.decode("ascii").removesuffix("\n"))
    except (BadNote, UnicodeError):
        pass
    raise _Refused(answer.status)


class _Refused(Exception):
    """A witness answers with another status than 200."""
