"""Glass shows what is public anyway, and a peer that is RED as RED."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.cell.house import Browser, House
from tests.cell.notices.court import Pools, withhold

from luciole import glass
from luciole.kit.ids import new_id
from luciole.ledger.entry import canonical
from luciole.ledger.note import Checkpoint, KeyKind, Note, Signer
from luciole.ledger.tiles import Edge

ADD_PEER = """
INSERT INTO border.peer (name, cell_id, origin, passport, display_name, operator, jurisdiction,
                         border_key, log_keys, witness_keys, verdict, verdict_code)
VALUES ('sg', $1, 'https://border.sg.example', 'x', 'Luciole SG', 'Somebody', 'SG', $2, '{}', '{}',
        $3, $4)
"""


async def publish(house: House, entries: dict[str, list[dict[str, Any] | bytes]]) -> None:
    """Logs with these entries, under a policy with nobody who watches."""
    cell_id = house.vault.store.secret.cell_id
    policy = "quorum none\n"
    for log, said in entries.items():
        signer = Signer(f"luciole/{cell_id}/{log}", KeyKind.ED25519, bytes([len(log)] * 32))
        raw = [one if isinstance(one, bytes) else canonical(one) for one in said]
        edge, objects = Edge().append(raw)
        for path, content in objects.items():
            await house.parts.blobs.put(f"ledger/{log}/{path}", content)
        head = Checkpoint(signer.verifier.name, edge.size, edge.root())
        await house.parts.blobs.put(f"ledger/{log}/checkpoint", signer.sign(str(head)).encode())
        policy += f"log {signer.verifier}\n"
    await house.parts.blobs.put("ledger/policy", policy.encode())


def entry(kind: str, **said: Any) -> dict[str, Any]:
    return {"v": 1, "at": "2026-11-26T12:00:00Z", "kind": kind, **said}


@pytest.fixture(autouse=True)
def every_look_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glass, "KEPT_S", -1.0)


async def test_cell_without_logs_and_peers_shows_that(house: House) -> None:
    seen = (await house.visitor().get("/api/glass")).json()
    assert (seen["peers"], seen["logs"], seen["crossings"]) == ([], [], [])
    assert seen["statement"] is None
    assert seen["notices"] == {"in_force": 0, "ended": 0, "orders": 0, "gagged": 0}


async def test_what_crosses_is_shown_as_the_log_has_it(
    house: House, ana: Browser, pools: Pools
) -> None:
    async with pools[0].tx() as tx:
        await tx.execute(ADD_PEER, new_id(), bytes(32), "GREEN", "cosigned")
    await withhold(house, "person", "ana")
    crossings = [
        entry("out", id="1", to="sg", wire="clip", reason="published", law="consent", bytes=4066),
        entry("in", id="2", **{"from": "sg"}, wire="media", bytes=9, verdict="refused"),
        entry("workings", to="sg", of="cosign", bodies=[["a", "b"]]),
        entry("push", to="https://push.example"),
    ]
    decisions = [
        entry("residency", day="2026-11-25", staff_reads=1),
        entry("guarding", cell="c1", held=3, given=2, refused=1),
        entry("guarding", cell="c1", held=4, given=2, refused=1),
    ]
    await publish(house, {"border": crossings, "decisions": decisions})
    answer = await house.visitor().get("/api/glass")
    seen = answer.json()
    shown = [(one["kind"], one.get("peer"), one.get("wire")) for one in seen["crossings"]]
    assert shown == [
        ("out", "sg", "clip"),
        ("in", "sg", "media"),
        ("workings", "sg", "cosign"),
        ("push", "https://push.example", None),
    ]
    assert [log["size"] for log in seen["logs"]] == [3, 4]
    assert (seen["statement"]["day"], seen["guards"][0]["held"]) == ("2026-11-25", 4)
    assert seen["notices"]["in_force"] == 1
    assert any("sg=https://border.sg.example" in command for command in seen["commands"])
    # Nothing about a person, not even whom a notice names.
    assert "ana" not in answer.text.split('"')
    later = (await house.visitor().get("/api/glass/crossings?after=1")).json()["items"]
    assert [one["index"] for one in later] == [2, 3]


async def test_peer_whose_logs_contradict_themselves_is_red(house: House, pools: Pools) -> None:
    async with pools[0].tx() as tx:
        await tx.execute(ADD_PEER, new_id(), bytes(32), "RED", "forked")
    (peer,) = (await house.visitor().get("/api/glass")).json()["peers"]
    assert (peer["name"], peer["verdict"], peer["verdict_code"]) == ("sg", "RED", "forked")


async def test_many_who_look_at_once_read_the_logs_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glass, "KEPT_S", 60.0)
    looking, reads = glass.Looking(house.parts), 0
    read = looking._read

    async def counted() -> glass.Glass:
        nonlocal reads
        reads += 1
        return await read()

    monkeypatch.setattr(looking, "_read", counted)
    await asyncio.gather(*(looking.whole() for _ in range(20)))
    assert reads == 1


ODD: list[dict[str, Any] | bytes] = [
    b"no text of ours",
    b"{}",
    {"v": 1},
    entry("guarding"),
    entry("guarding", cell="c1", held="many", given=2, refused=1),
    entry("guarding", cell=["c1"], held=1, given=2, refused=1),
    entry("out", id="1", to="sg", wire="clip", bytes="much"),
]


async def test_witness_with_two_keys_is_one(house: House) -> None:
    await publish(house, {"decisions": [entry("epoch")]})
    blobs = house.parts.blobs
    named = [("local", "own", 1), ("localhost.example", "other", 2)]
    signed, policy = await blobs.get("ledger/decisions/checkpoint"), ""
    text = Note.parse(signed).text
    for name, key_name, number in named:
        for kind, suffix in ((KeyKind.COSIGNATURE, ""), (KeyKind.SUBTREE, "-pq")):
            signer = Signer(key_name, kind, bytes([number] * 32))
            signed += signer.line(text, time=1_700_000_000 + number).encode()
            policy += f"witness {name}{suffix} {signer.verifier}\n"
    await blobs.put("ledger/decisions/checkpoint", signed)
    # A witness is named before the quorum is.
    await blobs.put("ledger/policy", policy.encode() + await blobs.get("ledger/policy"))
    (log,) = (await house.visitor().get("/api/glass")).json()["logs"]
    assert [(one["name"], one["is_own"]) for one in log["witnesses"]] == [
        ("local", True),
        ("localhost.example", False),
    ]


async def test_odd_entries_of_the_logs_are_passed_over(house: House) -> None:
    """Whether a log is in order, the verifier says; a page for everybody shows the rest of it."""
    right = entry("guarding", cell="c1", held=3, given=2, refused=1)
    out = entry("out", id="2", to="sg", wire="clip", bytes=7)
    await publish(house, {"border": [*ODD, out], "decisions": [*ODD, right]})
    answer = await house.visitor().get("/api/glass")
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert [one["held"] for one in seen["guards"]] == [3]
    assert seen["crossings"][-1]["size_bytes"] == 7


async def test_logs_whose_files_are_missing_or_no_logs_are_not_shown(house: House) -> None:
    await publish(house, {"border": [entry("push", to="x")], "decisions": [entry("epoch")]})
    blobs = house.parts.blobs
    await blobs.delete("ledger/decisions/tile/entries/000.p/1")
    await blobs.put("ledger/border/checkpoint", b"nonsense")
    answer = await house.visitor().get("/api/glass")
    assert answer.status_code == 200, answer.text
    assert [log["log"] for log in answer.json()["logs"]] == ["decisions"]
    assert answer.json()["statement"] is None
