"""Two cells, each in a network namespace of its own, and everything that goes over the wire between
them: body for body what the logs of crossings say, and nothing else. Needs root.

Without TLS between the namespaces, so that the bytes can be read; with it a proxy stands before the
inward door, and the same bytes go through it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.border.cell import READY
from tests.border.conftest import Cell, cell_in, peered, until
from tests.drills import wire
from tests.drills.cell_process import free_port, started
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
ADD_PERSON = """
INSERT INTO people.person
    (id, handle, display_name, bio, locale, age_band, is_private, created_at)
VALUES ($1, $2, $3, $4, 'en', '18+', true, now())
"""
PUT = "SELECT border.put($1, $2, $3, $4, $5)"
SEED = b"the wire between two cells"


@dataclass
class Net:
    """A namespace with one end of a cable."""

    name: str
    address: str
    cable: str


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def nets() -> Iterator[tuple[Net, Net]]:
    """Two namespaces and a cable between them; no other way leads out of either."""
    mark = uuid4().hex[:6]
    ends = Net(f"us-{mark}", "10.77.7.1", f"u{mark}"), Net(f"sg-{mark}", "10.77.7.2", f"s{mark}")
    try:
        ip("link", "add", ends[0].cable, "type", "veth", "peer", "name", ends[1].cable)
        for end in ends:
            ip("netns", "add", end.name)
            ip("link", "set", end.cable, "netns", end.name)
            ip("-n", end.name, "addr", "add", f"{end.address}/24", "dev", end.cable)
            ip("-n", end.name, "link", "set", "lo", "up")
            ip("-n", end.name, "link", "set", end.cable, "up")
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", end.name)
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "del", ends[0].cable)


class Captured:
    """Two cells that exchanged while the wire was read, and what was read."""

    def __init__(self, us: Cell, sg: Cell, net: Net, file: Path) -> None:
        self.us, self.sg, self.net, self.file = us, sg, net, file
        self.marks = [
            Mark(field, "ana", value := marks.token(SEED, "ana", field), value)
            for field in ("handle", "display-name", "bio")
        ]
        self.film = os.urandom(200_000)

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
            found += [f"header {one} of a {kind}" for one in message.headers.keys() - HEADERS[kind]]
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
def running(cell: Cell, net: Net) -> Iterator[None]:
    command = ["ip", "netns", "exec", net.name, sys.executable, "-m", "tests.border.cell"]
    environment = {
        **cell.environment(),
        "LUCIOLE_BORDER_HOST": net.address,
    }
    with started(command, environment) as process:
        process.wait_for(READY, 90)
        yield
        process.stop()


@pytest.fixture
def captured(nets: tuple[Net, Net], tmp_path: Path) -> Iterator[Captured]:
    cells = []
    for net, name in zip(nets, ("us", "sg"), strict=True):
        cells.append(cell_in(tmp_path, name, f"http://{net.address}:{free_port()}"))
    file = tmp_path / "frames"
    listen = ["ip", "netns", "exec", nets[0].name, sys.executable, "-m", "tests.drills.wire"]
    with started([*listen, nets[0].cable, str(file)], dict(os.environ)) as listener:
        listener.wait_for("listening", 20)
        with running(cells[0], nets[0]), running(cells[1], nets[1]):
            made = Captured(cells[0], cells[1], nets[0], file)
            yield made
        with contextlib.suppress(ProcessLookupError):
            os.killpg(listener.process.pid, signal.SIGINT)


def leak(captured: Captured, header: str, body: bytes, path: str = "/border/inbox") -> None:
    """What a program in the home cell would do that goes past the gateway, or a gateway that says
    more than it should."""
    value = captured.marks[0].value
    code = (
        "import http.client\n"
        f"peer = http.client.HTTPConnection('10.77.7.2', {captured.sg.settings.border.port})\n"
        f"peer.request('POST', {path!r}, {body!r}, {{'{header}': '{value}'}})\n"
        "peer.getresponse().read()\n"
    )
    command = ["ip", "netns", "exec", captured.net.name, sys.executable, "-c", code]
    subprocess.run(command, check=True, timeout=20)


async def test_wire_has_what_both_logs_tell_and_nothing_else(captured: Captured) -> None:
    await captured.live()
    await captured.learn_keys()
    await asyncio.sleep(1)
    seen = wire.read(captured.file)
    await captured.told()
    paths = Counter(one.path.split("/")[1:3][-1] for one in seen.messages if one.is_request)
    assert paths["crossings"] >= 1
    assert paths["media"] == 1
    assert paths["ask"] >= 3
    bodies = b"".join(one.body for one in seen.messages)
    assert captured.film in bodies
    assert b"In public." in bodies

    async def is_told() -> bool:
        return not await captured.faults(seen)

    with contextlib.suppress(AssertionError):
        await until(is_told)
    assert await captured.faults(seen) == []

    # The same, with a leak: it is seen, and as what.
    leak(captured, "luciole-entry", b"nothing")
    leak(captured, "luciole-entry", b'{"crossings":[{"body":{}}]}', "/border/crossings")
    leak(captured, "x-trace", captured.marks[2].value.encode())
    await asyncio.sleep(0.5)
    found = await captured.faults(wire.read(captured.file))
    assert "header x-trace of a request" in found
    assert "request of POST /border/inbox HTTP/1.1: not in both logs" in found
    assert "request of POST /border/crossings HTTP/1.1: not what is declared" in found
    assert {"a mark of handle", "a mark of bio"} <= set(found)
    for cell in (captured.us, captured.sg):
        await cell.close()
