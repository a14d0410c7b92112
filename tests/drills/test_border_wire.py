"""Two cells, each in a network namespace of its own, and everything that goes over the wire between
them: body for body what the logs of crossings say, and nothing else; and what the logs say was on
it, each of it. Needs root.

Each fault that is looked for is made once, and seen: leaks past the gateway and out of it, over
both versions of IP, answers with something else in them, entries of what never crossed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.border.conftest import cell_in, peered, until
from tests.drills import wire
from tests.drills.captured import NEEDS, Captured, capturing, origin_of
from tests.drills.cell_process import started
from tests.drills.judged import Judge
from tests.drills.nets import Net, connected
from tests.drills.wire import Wire

from luciole.ask.gateway import PeerRefused
from luciole.audit.canary import marks
from luciole.audit.canary.marks import Mark
from luciole.border import crossing
from luciole.border.wire import Person, encode
from luciole.kit.ids import new_id
from luciole.ledger.entry import canonical

pytestmark = [*NEEDS, pytest.mark.timeout(600)]
ADD_PERSON = """
INSERT INTO people.person
    (id, handle, display_name, bio, locale, age_band, is_private, created_at)
VALUES ($1, $2, $3, $4, 'en', '18+', true, now())
"""
PUT = "SELECT border.put($1, $2, $3, $4, $5)"
# What a program says to everybody on a cable; to whom it opens a connection; who is there.
CRY = """
import socket, sys
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
    scope = socket.if_nametoindex(sys.argv[1])
    line.sendto(bytes.fromhex(sys.argv[2]), ("ff02::1", 4242, 0, scope))
"""
CONNECT = """
import socket, sys
scope = socket.if_nametoindex(sys.argv[1])
with socket.socket(socket.AF_INET6) as line:
    line.connect((sys.argv[2], int(sys.argv[3]), 0, scope))
    line.sendall(bytes.fromhex(sys.argv[4]))
    line.recv(1)
"""
LISTEN = """
import socket, sys
cable = sys.argv[1]
rows = [one.split() for one in open("/proc/net/if_inet6")]
(raw,) = [one[0] for one in rows if one[5] == cable and one[0].startswith("fe80")]
address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(raw))
with socket.socket(socket.AF_INET6) as server:
    server.bind((address, 0, 0, socket.if_nametoindex(cable)))
    server.listen()
    print(address, server.getsockname()[1], flush=True)
    line, _ = server.accept()
    line.recv(100)
    line.sendall(b".")
    print("heard", flush=True)
"""
HAS_IPV6 = Path("/proc/net/if_inet6").exists()
SEED = b"the wire between two cells"


@pytest.fixture
def nets() -> Iterator[tuple[Net, Net]]:
    with connected("10.77.7") as ends:
        yield ends


@pytest.fixture(params=["relay", "caddy"])
def captured(
    nets: tuple[Net, Net], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Captured]:
    door: str = request.param
    if door == "caddy" and shutil.which("caddy") is None:
        pytest.skip("Caddy is not installed")
    cells = [
        cell_in(tmp_path, name, origin_of(net))
        for net, name in zip(nets, ("us", "sg"), strict=True)
    ]
    with capturing(cells, nets, tmp_path, door) as made:
        made.marks = [
            Mark(field, "ana", value := marks.token(SEED, "ana", field), value)
            for field in ("handle", "display-name", "bio")
        ]
        yield made


async def live(captured: Captured, film: bytes) -> None:
    """A private person with marks; a persona, in public; a film; heads; all of which crosses
    that may."""
    await peered(captured.us, captured.sg)
    owner = await captured.us.owner()
    handle, name, bio = (mark.value for mark in captured.marks)
    await owner.execute(ADD_PERSON, new_id(), handle, name, bio)
    number = new_id()
    persona = Person(f"{captured.us.origin}/ap/people/{new_id()}", "kofi", "Kofi", "In public.")
    await owner.execute(PUT, "person", uuid4(), number, "sg", encode(persona))

    async def arrived() -> Any:
        return await captured.sg.rows("SELECT 1 FROM border.arrival WHERE crossing = $1", number)

    await until(arrived)
    key = f"p/{uuid4().hex}/avatar.webp"
    place = Path(captured.us.settings.blobs_place) / key
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(film)
    sql = "UPDATE people.person SET avatar_key = $1, is_private = false"
    await owner.execute(sql, key)
    digest = sha256(film).hexdigest()
    await captured.sg.outward("worker").media("us", f"/media/{key}", digest, len(film))
    # And what is refused: by the other's trustee, and by its pages.
    with pytest.raises(PeerRefused):
        await captured.us.outward("api").ask("sg", "lookup", b"x")
    with pytest.raises(PeerRefused):
        await captured.us.outward("witness").get("sg", "ledger/border/tile/9/000", 1000)


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
    command = [*captured.nets[0].inside, sys.executable, "-c", code]
    subprocess.run(command, check=True, timeout=20, env=environment)


def leak_past_ipv4(captured: Captured) -> str:
    """What a program would do that thinks of the addresses which every cable has by itself: says it
    to everybody, and in a connection. Gives where that one goes."""
    here, there = captured.nets
    value = captured.marks[1].value.encode()
    subprocess.run(
        [*here.inside, sys.executable, "-c", CRY, here.cable, value.hex()], check=True, timeout=20
    )
    answers = [*there.inside, sys.executable, "-c", LISTEN, there.cable]
    with started(answers, dict(os.environ)) as listener:
        address, port = listener.wait_for(r"(fe80:\S+) (\d+)", 20).groups()
        words = [CONNECT, here.cable, address, port, value.hex()]
        subprocess.run([*here.inside, sys.executable, "-c", *words], check=True, timeout=20)
        listener.wait_for("heard", 20)
    return f"[{address}]:{port}"


async def test_wire_has_what_both_logs_tell_and_nothing_else(captured: Captured) -> None:
    film = os.urandom(200_000)
    await live(captured, film)
    await asyncio.sleep(1)
    seen = await captured.whole()
    paths = Counter(one.path.split("/")[1:3][-1] for one in seen.messages if one.is_request)
    assert paths["crossings"] >= 1
    assert paths["media"] == 1
    assert paths["ask"] >= 3
    assert any(one.path.startswith("/ledger/") for one in seen.messages if one.is_request)
    callers = {source.rpartition(":")[0] for source, _ in seen.connections}
    assert callers == {"10.77.7.1", "10.77.7.2"}, "the wire was read in both directions"
    bodies = b"".join(one.body for one in seen.messages)
    assert film in bodies
    assert b"In public." in bodies
    # On the wire itself none of that can be read.
    frames = (captured.folder / "frames").read_bytes()
    assert film[:64] not in frames
    assert b"In public." not in frames

    async def is_told() -> bool:
        # What had begun when the wire was read may have ended since the last time.
        await captured.told()
        return not await captured.faults(seen)

    with contextlib.suppress(AssertionError):
        await until(is_told)
    assert await captured.faults(seen) == []
    assert await captured.missing() == []
    answers_are_judged(await captured.judge(), seen)
    await leaks_are_seen(captured)
    await inventions_are_seen(captured)
    for cell in (captured.us, captured.sg):
        await cell.close()


def answers_are_judged(judge: Judge, seen: Wire) -> None:
    """Of each kind of answer that came, one with something else in it: that is a fault."""
    kinds = set[str]()
    for one in seen.messages:
        if one.request is None or not one.body:
            continue
        kind = "/".join([*one.request.path.split("/")[1:4], one.first.split(" ")[1]])
        if kind in kinds:
            continue
        kinds.add(kind)
        body = one.body[:-1] + bytes([one.body[-1] ^ 1])
        changed = wire.Wire([one.request, replace(one, body=body)])
        assert judge.faults(changed), f"an answer of {kind} was not looked at"
        changed.messages[1] = replace(one, headers={**one.headers, "content-type": "text/ana"})
        assert "the value of header content-type of an answer" in judge.faults(changed)
    kinds = {"witness" if kind.startswith("witness/") else kind for kind in kinds}
    public = {"ledger/policy/200", "witness", ".well-known/luciole-cell/200"}
    exchanged = {"border/crossings/200", "border/media/200", "border/ask/cosign/200"}
    refused = {"border/ask/lookup/422", "ledger/border/tile/404"}
    assert public | exchanged | refused <= kinds, kinds


async def leaks_are_seen(captured: Captured) -> None:
    """The same wire with leaks: each is seen, and as what."""
    leak(captured, "luciole-entry", b"nothing")
    leak(captured, "luciole-entry", b'{"crossings":[{"body":{}}]}', "/border/crossings")
    leak(captured, "x-trace", captured.marks[2].value.encode())
    leak(captured, "x-trace", b"what nobody can read", keys="")
    door = f"10.77.7.2:{captured.sg.settings.border.port}"
    found = await captured.seen_as(
        "header x-trace of a request",
        "the value of header luciole-entry of a request",
        "request of POST /border/inbox HTTP/1.1: not in both logs",
        "request of POST /border/crossings HTTP/1.1: not what is declared",
        *("a mark of handle", "a mark of bio"),
        f"a connection to {door} (no key was logged for it) on the wire",
    )
    assert "a mark of display-name" not in found
    if HAS_IPV6:
        other = leak_past_ipv4(captured)
        await captured.seen_as(
            "protocol 17 over IPv6 on the wire",
            f"a connection to {other}",
            f"a connection to {other} (not TLS) on the wire",
            "a mark of display-name",
        )


async def inventions_are_seen(captured: Captured) -> None:
    """Entries of what never was on the wire: a film that was never sent, one that nobody sent, an
    exchange that nobody made."""
    at, none, owner = "2026-11-27T12:00:00Z", "0" * 64, await captured.us.owner()
    out = crossing.out_entry(new_id(), at, "sg", "media", 1, none)
    into = canonical({**json.loads(out), "kind": "in", "from": "sg"})
    words = {"v": 1, "kind": "workings", "at": at, "to": "sg", "of": "share"}
    asked = canonical({**words, "bodies": [[none, none]]})
    for entry in (out, into, asked):
        await owner.execute("SELECT border.note($1)", entry)

    async def are_told() -> bool:
        entries = await captured.us.entries()
        return all(json.loads(entry) in entries for entry in (out, into, asked))

    await until(are_told)
    assert await captured.missing(within_s=5) == [
        f"an entry of us ({kind}) of what was on no wire" for kind in ("in", "out", "workings")
    ]
