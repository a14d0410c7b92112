"""Two cells, each in a network namespace of its own, and everything that goes over the wire between
them: body for body what the logs of crossings say, and nothing else. Needs root.

A proxy speaks TLS before each inward door, as an operator has it; the gateways verify its
certificate against an authority of the test. What was captured is opened with the session keys that
the gateways of the test have logged (`tests.border.keys_logged`; those of a real cell cannot).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.border.cell import READY
from tests.border.conftest import Cell, cell_in, peered, until
from tests.border.keys_logged import KEY_LOG
from tests.drills import certificates, doors, tls13, wire
from tests.drills.cell_process import free_port, started
from tests.drills.certificates import Made
from tests.drills.nets import Net, connected
from tests.drills.wire import Message, Wire

from luciole.audit.canary import marks, peel
from luciole.audit.canary.marks import Mark
from luciole.border import batch, crossing
from luciole.border.crossing import BadCrossing
from luciole.border.exchanging import Exchanging
from luciole.border.passport import key_of
from luciole.border.wire import Person, encode
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.ledger.entry import canonical
from luciole.ledger.note import BadNote, Note

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs network namespaces, so root"),
]
HEADERS = {
    "request": {
        *("host", "accept-encoding", "content-type", "content-length", "content-digest"),
        *("signature", "signature-input", "luciole-entry", "luciole-proof"),
    },
    "answer": {
        *("date", "content-type", "content-length", "transfer-encoding", "retry-after"),
        *("access-control-allow-origin", "x-content-type-options"),
        *("luciole-entry", "luciole-proof"),
    },
}
# What Caddy says of itself, beside that.
CADDYS = {"server", "alt-svc"}
ADD_PERSON = """
INSERT INTO people.person
    (id, handle, display_name, bio, locale, age_band, is_private, created_at)
VALUES ($1, $2, $3, $4, 'en', '18+', true, now())
"""
PUT = "SELECT border.put($1, $2, $3, $4, $5)"
OPEN = """
import socket, sys, time
while True:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
"""
SEED = b"the wire between two cells"


@pytest.fixture
def nets() -> Iterator[tuple[Net, Net]]:
    with connected("10.77.7") as ends:
        yield ends


class Captured:
    """Two cells that exchanged while the wire was read, and what was read. `door`: what speaks TLS
    before them."""

    def __init__(self, us: Cell, sg: Cell, net: Net, folder: Path, door: str) -> None:
        self.us, self.sg, self.net, self.folder, self.door = us, sg, net, folder, door
        self.marks = [
            Mark(field, "ana", value := marks.token(SEED, "ana", field), value)
            for field in ("handle", "display-name", "bio")
        ]
        self.film = os.urandom(200_000)

    def seen(self) -> Wire:
        """All that has passed, opened with the keys that were logged until now."""
        logs = (log for name in ("us", "sg", "leak") for log in [self.folder / f"{name}.keys"])
        keys = {at: key for log in logs for at, key in tls13.keys_in(log).items()}
        return wire.read(self.folder / "frames", keys)

    async def live(self) -> None:
        """A private person with marks; a persona, in public; a film; heads; all of which crosses
        that may."""
        await peered(self.us, self.sg)
        owner = await self.us.owner()
        handle, name, bio = (mark.value for mark in self.marks)
        await owner.execute(ADD_PERSON, new_id(), handle, name, bio)
        number = new_id()
        persona = Person(f"{self.us.origin}/ap/people/{new_id()}", "kofi", "Kofi", "In public.")
        await owner.execute(PUT, "person", uuid4(), number, "sg", encode(persona))

        async def arrived() -> Any:
            return await self.sg.rows("SELECT 1 FROM border.arrival WHERE crossing = $1", number)

        await until(arrived)
        key = f"p/{uuid4().hex}/avatar.webp"
        place = Path(self.us.settings.blobs_place) / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.film)
        sql = "UPDATE people.person SET avatar_key = $1, is_private = false"
        await owner.execute(sql, key)
        digest = sha256(self.film).hexdigest()
        await self.sg.outward("worker").media("us", f"/media/{key}", digest, len(self.film))

    async def told(self) -> None:
        """Both logs tell the exchanges of the hour."""
        for cell in (self.us, self.sg):
            owner = await cell.owner()
            sql = "UPDATE border.exchange SET made_at = made_at - interval '1 hour'"
            while True:
                await owner.execute(sql)
                db = await Database.open(await cell.url(), role="luciole_gateway_process", size=2)
                await Exchanging(db, None, None, None, Clock()).note()  # type: ignore[arg-type]
                await db.close()
                if not await cell.rows("SELECT 1 FROM border.exchange"):
                    break

    async def faults(self, seen: Wire) -> list[str]:
        """What is on the wire and neither in both logs nor open to everybody."""
        logs = {cell.name: await cell.entries() for cell in (self.us, self.sg)}
        public = {"10.77.7.1": "us", "10.77.7.2": "sg"}
        found = [f"{other} on the wire" for other in seen.others - {"ARP", "IPv6"}]
        ports = {f"{self.us.settings.border.port}", f"{self.sg.settings.border.port}"}
        found += [
            f"a connection to {to}" for _, to in seen.connections if to.split(":")[1] not in ports
        ]
        for message in seen.messages:
            kind = "request" if message.is_request else "answer"
            said = HEADERS[kind] | (CADDYS if self.door == "caddy" and kind == "answer" else set())
            found += [f"header {one} of a {kind}" for one in message.headers.keys() - said]
            request = message.request or message
            to, of = (public[end.split(":")[0]] for end in (request.target, request.source))
            if fault := self._fault(message, request.path, of, to, logs):
                found.append(f"{kind} of {request.first}: {fault}")
        for raw in seen.raw:
            found += [f"a mark of {field}" for field in self._marked(raw)]
        return sorted(Counter(found))

    def _fault(self, message: Message, path: str, of: str, to: str, logs: dict[str, Any]) -> str:
        if message.request and not message.first.startswith("HTTP/1.1 200"):
            body = json.loads(message.body) if message.body.startswith(b"{") else {"code": ""}
            return "" if set(body) == {"code"} or path.startswith("/border/ask/") else "a refusal"
        digest = sha256(message.body).hexdigest()
        match path.split("/")[1:]:
            case ["border", "inbox"] if message.is_request:
                return "" if self._are_told([digest], logs, of, to) else "not in both logs"
            case ["border", "inbox"]:
                return self._receipt_fault(message, to)
            case ["border", "crossings"] if message.is_request:
                return self._load_fault(message.body, logs, of, to)
            case ["border", "crossings"]:
                return self._answers_fault(message)
            case ["border", "media"] if not message.is_request:
                out = [one["sha256"] for one in logs[to] if one["kind"] == "out"]
                into = [one["sha256"] for one in logs[of] if one["kind"] == "in"]
                return "" if digest in out and digest in into else "not in both logs"
            case ["border", "media"]:
                wanted = set(json.loads(message.body))
                return "" if wanted == {"path", "sha256", "size_bytes"} else "a request for more"
            case ["border", "ask", kind]:
                at = 0 if message.is_request else 1
                pairs = [
                    [
                        pair[at]
                        for one in logs[cell]
                        if one.get("of") == kind
                        for pair in one["bodies"]
                    ]
                    for cell in (of, to)
                ]
                return "" if all(digest in one for one in pairs) else "not in both logs"
            case ["ledger" | "witness", *_] | [".well-known", "luciole-cell"]:
                is_plain = message.first.startswith("GET ") and not message.body
                return "" if not message.is_request or is_plain else "no plain request"
        return "nothing that is declared"

    def _are_told(self, digests: list[str], logs: dict[str, Any], of: str, to: str) -> bool:
        out = [one for one in logs[of] if one["kind"] == "out" and one["to"] == to]
        into = [one for one in logs[to] if one["kind"] == "in" and one["from"] == of]
        both = [{one["sha256"] for one in entries} for entries in (out, into)]
        return all(digest in one for one in both for digest in digests)

    def _load_fault(self, body: bytes, logs: dict[str, Any], of: str, to: str) -> str:
        """Of many crossings in one request: nothing but entries, bodies, and what proves them."""
        try:
            # The bodies as they stand in the request, by a reader that changes no byte of them.
            bodies = [bytes(one.body) for one in batch.decode(body).crossings]
            load = json.loads(body)
            Note.parse(load["checkpoint"])
        except (ValueError, BadCrossing, BadNote):
            return "not what is declared"
        for one in load["crossings"]:
            if logs[of][one["index"] : one["index"] + 1] != [one["entry"]]:
                return "an entry that the log does not have"
            if not all(len(base64.b64decode(hash_)) == 32 for hash_ in one["path"]):
                return "a path of something else"
        digests = [sha256(one).hexdigest() for one in bodies]
        return "" if self._are_told(digests, logs, of, to) else "not in both logs"

    def _answers_fault(self, message: Message) -> str:
        assert message.request is not None
        asked = json.loads(message.request.body)["crossings"]
        for one, said in zip(asked, json.loads(message.body)["answers"], strict=True):
            if set(said) == {"receipt"}:
                entry = canonical(one["entry"])
                if fault := self._receipt(said["receipt"].encode(), entry):
                    return fault
            elif set(said) != {"status", "code"}:
                return "an answer of more"
        return ""

    def _receipt_fault(self, message: Message, to: str) -> str:
        assert message.request is not None
        entry = base64.b64decode(message.request.headers["luciole-entry"])
        return self._receipt(message.body, entry)

    def _receipt(self, receipt: bytes, entry: bytes) -> str:
        name = Note.parse(receipt).lines[0][0]
        keys = {key.name: key for key in self.keys}
        try:
            crossing.verdict_of(receipt, keys[name], entry)
        except BadCrossing as error:
            return error.code
        return ""

    async def learn_keys(self) -> None:
        self.keys = [
            key_of(cell_id, bytes(key))
            for cell in (self.us, self.sg)
            for cell_id, key in await cell.rows("SELECT cell_id, border_key FROM border.peer")
        ]

    def _marked(self, raw: bytes) -> set[str]:
        layers = [raw, *(layer for _, layer in peel.layers(raw))]
        return {
            mark.field
            for mark in self.marks
            for form in marks.forms(mark, [])
            for layer in layers
            if form.pattern in (layer.lower() if form.is_folded else layer)
        }


def _bodies(entries: list[dict[str, Any]], kind: str) -> Iterator[list[str]]:
    for entry in entries:
        if entry.get("of") == kind:
            yield from entry["bodies"]


@contextlib.contextmanager
def running(cell: Cell, net: Net, made: Made, door: str) -> Iterator[None]:
    """The cell, with its inward door on loopback and what speaks TLS before that."""
    folder, inner, inside = made.authority.parent, free_port(), net.inside
    environment = {
        **cell.environment(),
        "LUCIOLE_BORDER_HOST": "127.0.0.1",
        "LUCIOLE_BORDER_PORT": str(inner),
        "SSL_CERT_FILE": str(made.authority),
        # Python's own way to log keys, of which a cell has to want nothing.
        "SSLKEYLOGFILE": str(folder / "not-even-made.keys"),
        KEY_LOG: str(folder / f"{cell.name}.keys"),
    }
    words = (net.address, cell.settings.border.port, inner, made)
    proxy = doors.caddy(*words, folder) if door == "caddy" else doors.relay(*words)
    with started([*inside, *proxy], {**os.environ, "HOME": str(folder)}) as before:
        before.wait_for("serving initial configuration" if door == "caddy" else doors.READY, 30)
        with started([*inside, sys.executable, "-m", "tests.border.cell"], environment) as process:
            process.wait_for(READY, 90)
            # The inward door opens once the gateway knows who it is; a proxy answers 502 before.
            subprocess.run([*inside, sys.executable, "-c", OPEN, str(inner)], check=True)
            yield
            process.stop()


@pytest.fixture(params=["relay", "caddy"])
def captured(
    nets: tuple[Net, Net], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Captured]:
    door: str = request.param
    if door == "caddy" and shutil.which("caddy") is None:
        pytest.skip("Caddy is not installed")
    cells = []
    for net, name in zip(nets, ("us", "sg"), strict=True):
        cells.append(cell_in(tmp_path, name, f"https://{net.address}:{free_port()}"))
    made = certificates.made(tmp_path, *(net.address for net in nets))
    listen = [*nets[0].inside, sys.executable, "-m", "tests.drills.wire"]
    words = [nets[0].cable, str(tmp_path / "frames")]
    with started([*listen, *words], dict(os.environ)) as listener:
        listener.wait_for("listening", 20)
        with running(cells[0], nets[0], made, door), running(cells[1], nets[1], made, door):
            yield Captured(cells[0], cells[1], nets[0], tmp_path, door)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(listener.process.pid, signal.SIGINT)
    assert not (tmp_path / "not-even-made.keys").exists()


def leak(
    captured: Captured,
    header: str,
    body: bytes,
    path: str = "/border/inbox",
    keys: str = "leak.keys",
) -> None:
    """What a program in the home cell would do that goes past the gateway, or a gateway that says
    more than it should. `keys`: the log of its session, none where that is empty."""
    value = captured.marks[0].value
    port = captured.sg.settings.border.port
    code = (
        "import http.client\n"
        f"peer = http.client.HTTPSConnection('10.77.7.2', {port})\n"
        f"peer.request('POST', {path!r}, {body!r}, {{'{header}': '{value}'}})\n"
        "peer.getresponse().read()\n"
    )
    environment = {**os.environ, "SSL_CERT_FILE": str(captured.folder / "authority.pem")}
    if keys:
        environment["SSLKEYLOGFILE"] = str(captured.folder / keys)
    command = [*captured.net.inside, sys.executable, "-c", code]
    subprocess.run(command, check=True, timeout=20, env=environment)


async def test_wire_has_what_both_logs_tell_and_nothing_else(captured: Captured) -> None:
    await captured.live()
    await captured.learn_keys()
    await asyncio.sleep(1)
    seen = captured.seen()
    await captured.told()
    paths = Counter(one.path.split("/")[1:3][-1] for one in seen.messages if one.is_request)
    assert paths["crossings"] >= 1
    assert paths["media"] == 1
    assert paths["ask"] >= 3
    callers = {source.split(":")[0] for source, _ in seen.connections}
    assert callers == {"10.77.7.1", "10.77.7.2"}, "the wire was read in both directions"
    bodies = b"".join(one.body for one in seen.messages)
    assert captured.film in bodies
    assert b"In public." in bodies
    # On the wire itself none of that can be read.
    frames = (captured.folder / "frames").read_bytes()
    assert captured.film[:64] not in frames
    assert b"In public." not in frames

    async def is_told() -> bool:
        return not await captured.faults(seen)

    with contextlib.suppress(AssertionError):
        await until(is_told)
    assert await captured.faults(seen) == []

    # The same, with a leak: it is seen, and as what.
    leak(captured, "luciole-entry", b"nothing")
    leak(captured, "luciole-entry", b'{"crossings":[{"body":{}}]}', "/border/crossings")
    leak(captured, "x-trace", captured.marks[2].value.encode())
    leak(captured, "x-trace", b"what nobody can read", keys="")
    await asyncio.sleep(0.5)
    found = await captured.faults(captured.seen())
    assert "header x-trace of a request" in found
    assert "request of POST /border/inbox HTTP/1.1: not in both logs" in found
    assert "request of POST /border/crossings HTTP/1.1: not what is declared" in found
    assert {"a mark of handle", "a mark of bio"} <= set(found)
    door = f"10.77.7.2:{captured.sg.settings.border.port}"
    assert f"a connection to {door} (no key was logged for it) on the wire" in found
    for cell in (captured.us, captured.sg):
        await cell.close()
