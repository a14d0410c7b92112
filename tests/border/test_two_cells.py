"""Two real cells: what crosses, what their logs say of it, and what does not cross."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.border.conftest import Cell, until
from tests.drills.cell_process import free_port

from luciole import peering
from luciole.ask.client import Custody
from luciole.ask.gateway import PeerRefused
from luciole.audit import pack
from luciole.border import crossing, passport, signatures, speech
from luciole.border.exchanging import Exchanging
from luciole.border.passport import LOGS, Passport
from luciole.border.peers import Peer
from luciole.border.store import peers
from luciole.border.wire import Follow, Gone, encode
from luciole.keys.signing import Algorithm, SigningKey
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.proof import Proof
from verifier import luciole_verify as verifier

pytestmark = [pytest.mark.xdist_group("cells")]
Two = tuple[Cell, Cell]
PUT = "SELECT border.put($1, $2, $3, $4, $5)"
ADD_PERSON = """
INSERT INTO people.person
    (id, handle, display_name, locale, age_band, is_private, created_at, avatar_key)
VALUES ($1, $2, 'Somebody', 'en', '18+', false, now(), $3)
"""


async def offer(cell: Cell, peer: str, ref: UUID | None = None) -> tuple[UUID, Gone]:
    said, number = Gone(f"{cell.origin}/c/{uuid4()}"), new_id()
    owner = await cell.owner()
    await owner.execute(PUT, "gone", ref or uuid4(), number, peer, encode(said))
    return number, said


async def arrived(cell: Cell, crossing: UUID) -> Any:
    async def there() -> Any:
        sql = "SELECT peer, kind, body FROM border.arrival WHERE crossing = $1"
        return await cell.rows(sql, crossing)

    return (await until(there))[0]


async def news(cell: Cell, crossing: UUID) -> Any:
    async def there() -> Any:
        sql = "SELECT state, code, receipt FROM border.news WHERE crossing = $1"
        return await cell.rows(sql, crossing)

    return (await until(there))[0]


async def entry(cell: Cell, **said: Any) -> dict[str, Any]:
    async def there() -> Any:
        return [one for one in await cell.entries() if said.items() <= one.items()]

    return (await until(there))[0]


async def test_offer_crosses_and_both_logs_tell_of_it(two_cells: Two) -> None:
    us, sg = two_cells
    crossing, said = await offer(us, "sg")
    assert await arrived(sg, crossing) == ("us", "gone", encode(said))
    state, code, receipt = await news(us, crossing)
    assert (state, code) == ("sent", "")
    assert json.loads(receipt.split("\n")[0])["verdict"] == "accepted"
    out = await entry(us, id=str(crossing), kind="out")
    into = await entry(sg, id=str(crossing), kind="in")
    assert (out["to"], into["from"], into["verdict"]) == ("sg", "us", "accepted")
    assert out["reason"] == "published"
    assert out["sha256"] == into["sha256"]


async def test_what_crosses_is_matched_by_the_verifier(
    two_cells: Two, capsys: pytest.CaptureFixture[str]
) -> None:
    us, sg = two_cells
    crossing, _ = await offer(sg, "us")
    await news(sg, crossing)
    await entry(us, id=str(crossing), kind="in")
    words = [f"{cell.name}={cell.settings.blobs_place}" for cell in two_cells]
    status = await asyncio.to_thread(verifier.main, ["crossings", *words, "--json"])
    report = json.loads(capsys.readouterr().out)
    wrong = {one["code"] for one in report["claims"] if one["verdict"] != "GREEN"}
    # The policies are the cells' own, and ask for no other witness than that.
    assert wrong == {"policy.from-cell", "witness.none"}, report["claims"]
    assert status == 2
    told = [one for one in report["claims"] if one["claim"] == "sg to us"]
    assert told[0]["sentence"].startswith(("1 ", "2 ", "3 ", "4 ", "5 "))


async def test_auditor_matches_two_cells_with_their_packs_alone(
    two_cells: Two, tmp_path: Path
) -> None:
    us, sg = two_cells
    crossing, _ = await offer(us, "sg")
    await news(us, crossing)
    await entry(us, id=str(crossing), kind="out")
    await entry(sg, id=str(crossing), kind="in")
    for cell in two_cells:
        await pack.make(cell.settings, tmp_path / "pack.zip")
        with zipfile.ZipFile(tmp_path / "pack.zip") as packed:
            packed.extractall(tmp_path / cell.name)
        said = json.loads((tmp_path / cell.name / "cell.json").read_text())
        assert said["short_name"] == cell.name
    # Python and `cryptography`, nothing of this repository.
    words = ["luciole_verify.py", "crossings", "us=.", f"sg={tmp_path / 'sg'}", "--json"]
    judged = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, *words],
        cwd=tmp_path / "us",
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(judged.stdout)
    wrong = {one["code"] for one in report["claims"] if one["verdict"] != "GREEN"}
    # The policies are the cells' own, and ask for no other witness than that.
    assert wrong == {"policy.from-cell", "witness.none"}, (report["claims"], judged.stderr)
    (told,) = [one for one in report["claims"] if one["claim"] == "us to sg"]
    assert re.match(r"[1-9]\d* crossings from us to sg are in both logs", told["sentence"])
    # Without the part of the other log that tells of it, that is seen.
    tree = tmp_path / "sg" / "ledger" / "border"
    shutil.rmtree(tree)
    alone = await asyncio.to_thread(
        subprocess.run, [sys.executable, *words], cwd=tmp_path / "us", env={}, check=False,
        capture_output=True,
    )  # fmt: skip
    assert alone.returncode != 0
    assert "us to sg" not in {one["claim"] for one in json.loads(alone.stdout)["claims"]}


async def test_what_is_asked_at_once_is_told_by_both_logs_when_its_hour_is_over(
    two_cells: Two,
) -> None:
    us, sg = two_cells
    crossing, _ = await offer(us, "sg")
    await news(us, crossing)
    # The head that tells of it was cosigned by the other cell: an exchange.
    for cell, is_ours in ((us, True), (sg, False)):
        sql = "SELECT 1 FROM border.exchange WHERE is_ours = $1 AND kind = 'cosign'"
        assert await cell.rows(sql, is_ours)
        owner = await cell.owner()
        await owner.execute("UPDATE border.exchange SET made_at = made_at - interval '1 hour'")
        gateway = await Database.open(await cell.url(), role="luciole_gateway_process", size=2)
        exchanging = Exchanging(gateway, None, None, None, Clock())  # type: ignore[arg-type]
        assert await exchanging.note() > 0
        await gateway.close()
    asked = await entry(us, kind="workings", to="sg", of="cosign")
    answered = await entry(sg, kind="workings", of="cosign", **{"from": "us"})
    both = {tuple(one) for one in asked["bodies"]} & {tuple(one) for one in answered["bodies"]}
    assert both


# --- the inward door -----------------------------------------------------------------------------


@dataclass
class Sender:
    """Makes requests as `us` does, and as it does not."""

    us: Cell
    sg: Cell

    async def send(
        self,
        path: str,
        body: bytes,
        *,
        created: int | None = None,
        key_id: str = "",
        sign: Any = None,
        url: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Status and code of the answer."""
        custody = Custody.at(self.us.settings.custody_dir / "gateway.sock")
        try:
            public = await custody.public_key("border")
            own = passport.key_of(public.cell_id, public.key)

            async def border(message: bytes) -> bytes:
                return await custody.sign("border", message)

            made = await speech.by(
                sign or border,
                lambda signed: signatures.signed(
                    "POST",
                    url or f"{self.sg.origin}/{path}",
                    {"content-type": "application/octet-stream", **(headers or {})},
                    body,
                    key_id or own.name,
                    signed,
                    int(time.time()) if created is None else created,
                    nonce="once",
                ),
            )
        finally:
            await custody.close()
        return await self.plain(path, body, made)

    async def plain(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        answer = await Peer(self.sg.origin).ask("POST", path, body, headers)
        with contextlib.suppress(ValueError):
            return answer.status, json.loads(answer.body).get("code", "")
        return answer.status, answer.body.decode()


@pytest.fixture
def sender(two_cells: Two) -> Sender:
    return Sender(*two_cells)


async def other_key(message: bytes) -> bytes:
    return SigningKey(Algorithm.ED25519, b"o" * 32).sign(message)


ASK = "border/ask/cosign"


async def test_signed_request_is_answered_once(sender: Sender) -> None:
    now = int(time.time())
    assert (await sender.send(ASK, b"no head", created=now))[0] == 400  # the witness's own word
    assert await sender.send(ASK, b"no head", created=now) == (409, "replayed")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sign": other_key}, "wrong-signature"),
        ({"key_id": "luciole/none/cell"}, "unknown-key"),
        ({"created": 1_700_000_000}, "not-of-now"),
        ({"url": "http://127.0.0.1:1/border/ask/cosign"}, "wrong-signature"),
    ],
)
async def test_request_of_nobody_known_is_refused(
    sender: Sender, changes: dict[str, Any], code: str
) -> None:
    assert await sender.send(ASK, b"x", **changes) == (401, code)


async def test_what_is_not_signed_or_not_there_is_refused(sender: Sender) -> None:
    assert await sender.plain(ASK, b"x", {}) == (401, "not-signed")
    assert await sender.plain("border/inbox", b"x" * 70_000, {}) == (413, "too-large")
    assert await sender.plain("border/elsewhere", b"", {}) == (404, "not-found")
    assert await sender.send("border/ask/push", b"") == (404, "kind-unknown")
    # The trustee's own word.
    assert await sender.send("border/ask/share", b"x") == (422, "malformed")


async def test_crossing_without_an_entry_or_a_proof_is_refused(sender: Sender) -> None:
    assert await sender.send("border/inbox", b"x") == (400, "entry-not-read")
    entry = crossing.out_entry(new_id(), "2026-11-26T12:00:00Z", "sg", "gone", 1, "0" * 64)
    forged = Proof(0, (), "luciole/x/border\n1\nAAAA\n\n— x AAAAAAAA\n")
    headers = crossing.headers(entry, forged)
    assert await sender.send("border/inbox", b"x", headers=headers) == (503, "not-proven")
    elsewhere = crossing.out_entry(new_id(), "2026-11-26T12:00:00Z", "eu", "gone", 1, "0" * 64)
    headers = crossing.headers(elsewhere, forged)
    assert await sender.send("border/inbox", b"x", headers=headers) == (400, "entry-not-ours")


# --- the outward door ----------------------------------------------------------------------------


async def test_each_process_asks_only_what_is_its_own(two_cells: Two) -> None:
    us, _ = two_cells
    assert [one.name for one in await us.outward("api").peers()] == ["sg"]
    for process, kind in (("worker", "share"), ("api", "share"), ("witness", "lookup")):
        with pytest.raises(PeerRefused) as refused:
            await us.outward(process).ask("sg", kind, b"x")
        assert refused.value.said == "not-for-this-process"
    for process, path in (("worker", "ledger/policy"), ("api", "ledger/policy")):
        with pytest.raises(PeerRefused):
            await us.outward(process).get("sg", path, 1000)
    assert b"quorum" in await us.outward("witness").get("sg", "ledger/policy", 100_000)
    with pytest.raises(PeerRefused) as refused:
        await us.outward("witness").get("sg", "ledger/border/tile/9/000", 1000)
    assert refused.value.said == "missing"
    with pytest.raises(PeerRefused) as refused:
        await us.outward("api").ask("mars", "lookup", b"x")
    assert refused.value.said == "no-such-peer"
    with pytest.raises(PeerRefused) as refused:
        await us.outward("api").ask("sg", "lookup", b"x")
    assert refused.value.status == 422  # the word of its trustee
    with pytest.raises(PeerRefused) as refused:
        await us.outward("ledger").witnessing("http://127.0.0.1:9", "GET", "x")
    assert refused.value.said == "not-listed"


async def test_film_crosses_once_and_both_logs_tell_of_it(two_cells: Two) -> None:
    us, sg = two_cells
    film, key = os.urandom(100_000), f"p/{uuid4().hex}/avatar.webp"
    place = Path(us.settings.blobs_place) / key
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(film)
    owner = await us.owner()
    await owner.execute(ADD_PERSON, new_id(), f"f{uuid4().hex[:12]}", key)
    digest = sha256(film).hexdigest()
    worker = sg.outward("worker")
    await worker.media("us", f"/media/{key}", digest, len(film))
    assert (sg.settings.incoming_dir / digest).read_bytes() == film
    out = await entry(us, kind="out", wire="media", sha256=digest)
    into = await entry(sg, kind="in", wire="media", sha256=digest)
    assert (out["id"], out["bytes"], out["reason"]) == (into["id"], len(film), "published")
    await worker.media("us", f"/media/{key}", digest, len(film))
    assert len([one for one in await us.entries() if one.get("sha256") == digest]) == 1
    for path, wanted, size, code in (
        (f"/media/{key}", "0" * 64, len(film), "changed"),
        (f"/media/{key}", "1" * 64, len(film) - 1, "changed"),
        ("/media/p/nothing/at.all", "2" * 64, 10, "missing"),
        ("/api/cell", "3" * 64, 10, "not-public"),
    ):
        with pytest.raises(PeerRefused) as refused:
            await worker.media("us", path, wanted, size)
        assert refused.value.said == code


def nobody(origin: str) -> Passport:
    """The passport of a cell that is not there."""
    number = str(uuid4())
    named = [(f"luciole/{number}/{log}", KeyKind.ED25519) for log in LOGS]
    named += [("eu", KeyKind.COSIGNATURE), ("eu", KeyKind.SUBTREE)]
    logs = [str(Signer(name, kind, os.urandom(32)).verifier) for name, kind in named]
    key = str(passport.key_of(number, os.urandom(32)))
    words = ("eu", "Europe", number, origin, "eu", "FR", key, tuple(logs[:3]), tuple(logs[3:]))
    return Passport(1, *words, passport.PROFILE, "2026-11-26T12:00:00Z")


async def test_peer_that_is_away_stops_no_other(two_cells: Two) -> None:
    us, _ = two_cells
    owner = await us.owner()
    gateway = await Database.open(await us.url(), size=2)
    async with gateway.tx() as tx:
        assert await peers.add(tx, nobody(f"http://127.0.0.1:{free_port()}"), "note")
    await gateway.close()
    try:
        lost, owed = new_id(), (await offer(us, "eu"))[0]
        follow = encode(Follow(f"http://127.0.0.1/ap/person/{uuid4()}", "2026-11-27"))
        await owner.execute(PUT, "follow", uuid4(), lost, "eu", follow)
        await entry(us, kind="out", id=str(lost), to="eu")
        crossing, _ = await offer(us, "sg")
        assert (await news(us, crossing))[0] == "sent"
        assert await us.rows("SELECT 1 FROM border.offer WHERE id = $1", lost)
        await owner.execute(
            "UPDATE border.offer SET made_at = made_at - interval '8 days' WHERE peer = 'eu'"
        )
        assert (await news(us, lost))[0] == "expired"
        await entry(us, kind="unsent", id=str(lost), to="eu")
        # What somebody took back is owed until it is taken.
        assert await us.rows("SELECT 1 FROM border.offer WHERE id = $1", owed)
        assert await us.rows("SELECT 1 FROM border.news WHERE crossing = $1", owed) == []
        (line,) = [line for line in await peering.listed(us.settings) if line.startswith("eu ")]
        assert "recalls owed for 8 days" in line
        found = await peering.looked(us.settings, await us.url())
        assert any(
            "recalls of what people took back are owed to eu for 8 days" in one.sentence
            for one in found
        )
    finally:
        await owner.execute("DELETE FROM border.peer WHERE name = 'eu'")
