"""A log that goes from one operator to the next: who may sign until where, and who notices."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.house import NOON, House, Stop, person, stopping_at
from tests.ledger.shown import SIGNER, Shown, Watch
from tests.ledger.test_follow import Cell, follower

from luciole.border.peers import Witnesses
from luciole.ledger import handover, store
from luciole.ledger.archive import Stopped, Tiles
from luciole.ledger.entry import BadEntry, HandoverEntry, canonical, decode
from luciole.ledger.handover import Handover
from luciole.ledger.note import BadNote, Checkpoint, KeyKind, Note, Signer
from luciole.ledger.policy import NotTrusted, Policy
from luciole.ledger.sequencer import Sequencer

BUYER = Signer(SIGNER.verifier.name, KeyKind.ED25519, b"b" * 32)
THIRD = Signer(SIGNER.verifier.name, KeyKind.ED25519, b"t" * 32)


def signed_by(signer: Signer, log: Shown) -> bytes:
    """The newest head of a log, by another key."""
    text = Note.parse(log.head()).text
    return signer.sign(text).encode()


def hand_over(log: Shown, old: Signer, new: Signer) -> None:
    """Ends a log with the entry, and keeps the list of those before it."""
    log.add(handover.entry_of(new.verifier, NOON))
    before = handover.parse(log.objects.get(handover.NAME, b"[]"))
    made = Handover(old.verifier, new.verifier, signed_by(old, log).decode())
    log.objects[handover.NAME] = handover.listed([*before, made])


# What it is


def test_entry_of_access_has_39_bytes_and_comes_back() -> None:
    entry = handover.entry_of(BUYER.verifier, NOON)
    assert (len(entry), entry[:3].hex()) == (39, "018101")
    made = decode(entry)
    assert isinstance(made, HandoverEntry)
    assert made.key == BUYER.verifier.public
    assert handover.named_by(SIGNER.verifier.name, entry) == BUYER.verifier
    assert handover.named_by(SIGNER.verifier.name, person()) is None
    with pytest.raises(BadEntry):
        decode(entry[:2] + b"\2" + entry[3:])


def test_entry_of_a_readable_log_names_a_key_of_that_log() -> None:
    key = Signer("luciole/cell/border", KeyKind.ED25519, b"b" * 32).verifier
    entry = handover.entry_of(key, NOON)
    assert json.loads(entry) == {
        "v": 1,
        "kind": "handover",
        "at": "2026-11-26T12:00:00Z",
        "key": str(key),
    }
    assert handover.named_by(key.name, entry) == key
    with pytest.raises(BadEntry, match="its own name"):
        handover.named_by("luciole/cell/decisions", entry)
    quoted = canonical({"v": 1, "kind": "note", "said": '{"kind":"handover"}'})
    assert handover.named_by(key.name, quoted) is None
    about = canonical({"v": 1, "x": {"kind": "handover"}, "kind": "note"})
    assert handover.named_by(key.name, about) is None
    assert handover.is_one("luciole/cell/decisions", entry)
    assert not handover.is_one(key.name, quoted)


def test_list_of_handovers_is_signed_and_in_order() -> None:
    log = Shown([person()])
    hand_over(log, SIGNER, BUYER)
    first = log.objects[handover.NAME]
    hand_over(log, BUYER, THIRD)
    both = handover.parse(log.objects[handover.NAME])
    assert [(one.old, one.new, one.size) for one in both] == [
        (SIGNER.verifier, BUYER.verifier, 2),
        (BUYER.verifier, THIRD.verifier, 3),
    ]
    assert handover.parse(first) == both[:1]
    for bad in (
        b"",
        b"{}",
        b"[1]",
        b"[{}]",
        first.replace(b"from", b"form"),
        first.replace(str(SIGNER.verifier).encode(), str(THIRD.verifier).encode()),
        handover.listed([both[1], both[0]]),
        handover.listed([both[0]._replace(head=SIGNER.sign("no head\n"))]),
    ):
        with pytest.raises(BadNote):
            handover.parse(bad)


def test_policy_with_ends_does_not_trust_the_old_key_beyond() -> None:
    text = f"log {SIGNER.verifier}\nlog {BUYER.verifier}\nquorum none\n"
    policy, ends = Policy.parse(text.encode()), {SIGNER.verifier: 2}
    log = Shown([person(), person()])
    assert policy.check(log.head(), ends).checkpoint.size == 2
    log.add(person())
    assert policy.check(log.head()).checkpoint.size == 3
    with pytest.raises(NotTrusted, match="handed the log over"):
        policy.check(log.head(), ends)
    assert policy.check(signed_by(BUYER, log), ends).checkpoint.size == 3


# What a witness says of it


async def test_witness_goes_over_to_the_new_key(watch: Watch, log: Shown) -> None:
    await watch.witness.see(log.head())
    hand_over(log, SIGNER, BUYER)
    assert await watch.witness.see(log.head())
    # The same head once more, by who holds the log now; then what comes.
    assert await watch.witness.see(signed_by(BUYER, log))
    log.add(person())
    assert await watch.witness.see(signed_by(BUYER, log))
    watch.again()
    log.add(person())
    assert await watch.witness.see(signed_by(BUYER, log))
    assert watch.evidence() == []


async def test_witness_refuses_the_old_key_and_keeps_what_it_signed(
    watch: Watch, log: Shown
) -> None:
    hand_over(log, SIGNER, BUYER)
    await watch.witness.see(log.head())
    copy = log.head()
    log.add(person())
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (403, "old-key")
    assert "OLD KEY" in str(refused)
    assert watch.evidence() == ["old-key/ours", "old-key/theirs"]
    watch.again()
    assert (await watch.refused_sight(log.head())).code == "old-key"
    # The last head that it had the right to sign is cosigned, as long as it is the newest.
    assert await watch.witness.see(copy)
    assert await watch.witness.see(signed_by(BUYER, log))
    assert (await watch.refused_sight(copy)).code == "old-key"
    assert len(watch.evidence()) == 2


async def test_witness_that_was_away_comes_to_the_newest_key(watch: Watch, log: Shown) -> None:
    await watch.witness.see(log.head())
    log.add(person())
    hand_over(log, SIGNER, BUYER)
    log.add(*[person() for _ in range(300)])
    hand_over(log, BUYER, THIRD)
    log.add(person())
    assert await watch.witness.see(signed_by(THIRD, log))
    assert (await watch.refused_sight(signed_by(BUYER, log))).code == "old-key"
    fresh = Watch(watch.home / "fresh", log)
    assert await fresh.witness.see(signed_by(THIRD, log))


async def test_new_key_without_a_handover_is_refused(watch: Watch, log: Shown) -> None:
    await watch.witness.see(log.head())
    log.add(person())
    assert (await watch.refused_sight(signed_by(BUYER, log))).code == "not-signed"
    # Nor does a list help that the old key has not signed, or whose last entry is another.
    text = signed_by(BUYER, log).decode()
    log.objects[handover.NAME] = handover.listed([Handover(BUYER.verifier, THIRD.verifier, text)])
    assert (await watch.refused_sight(signed_by(BUYER, log))).code == "not-signed"
    log.objects[handover.NAME] = handover.listed(
        [Handover(SIGNER.verifier, BUYER.verifier, log.head().decode())]
    )
    assert (await watch.refused_sight(signed_by(BUYER, log))).code == "not-signed"


async def test_log_that_goes_on_under_the_old_key_is_evidence(watch: Watch, log: Shown) -> None:
    await watch.witness.see(log.head())
    log.add(handover.entry_of(BUYER.verifier, NOON), person())
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (422, "went-on")
    assert watch.evidence() == ["went-on/ours", "went-on/theirs"]


async def test_request_of_a_log_that_was_handed_over_since_is_told_the_size(
    watch: Watch, log: Shown
) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    hand_over(log, SIGNER, BUYER)
    log.add(person())
    old = log.request(300)
    request = old[: old.index(b"\n\n") + 2] + signed_by(BUYER, log)
    refused = await watch.refusal(request)
    assert (refused.status, refused.body) == (409, "301\n")


async def test_follower_takes_a_policy_with_both_keys(tmp_path: Path) -> None:
    cell = Cell()
    cell.grow(3)
    follow = follower(tmp_path, cell)
    await follow.learn()
    assert await follow.cosign("access", cell.post) == 3
    hand_over(cell.access, SIGNER, BUYER)
    cell.grow(1)
    cell.shown["access/pending"] = signed_by(BUYER, cell.access)
    cell.shown["access/handover"] = cell.access.objects[handover.NAME]
    lines = [f"log {one.verifier}\n" for one in (SIGNER, BUYER)]
    cell.shown["policy"] = "".join([*lines, "quorum none\n"]).encode()
    again = follower(tmp_path, cell)
    await again.learn()
    assert again.keys["access"] == SIGNER.verifier
    assert await again.cosign("access", cell.post) == 5


# What the log does


def of_house(house: House) -> Signer:
    return Signer(house.signer.verifier.name, KeyKind.ED25519, b"buyer".ljust(32))


@pytest.mark.parametrize("name", ["access", "decisions"])
async def test_log_ends_with_its_handover_and_gets_nothing_more(
    name: str, databases: Any, tmp_path: Path
) -> None:
    house = House(*databases, tmp_path, name)
    entries = [person(), person()] if house.log == "access" else [b'{"a":1}', b'{"b":2}']
    await house.put(entries[0])
    log, key = house.sequencer(), of_house(house).verifier
    made = await log.hand_over(key)
    assert made is not None
    assert (made.old, made.new, made.size) == (house.signer.verifier, key, 2)
    await house.put(entries[1])
    for again in (log, house.sequencer()):
        await again.round()
        assert len(house.published()) == 2
    assert await house.rows("SELECT count(*) FROM ledger.inbox") == [(1,)]
    assert await log.hand_over(key) == await house.sequencer().hand_over(key) != None  # noqa: E711
    other = Signer(key.name, KeyKind.ED25519, b"other".ljust(32)).verifier
    with pytest.raises(Stopped, match="another key"):
        await log.hand_over(other)


@pytest.mark.parametrize("step", ["appended", "committed", "stored", "signed", "asked"])
async def test_stop_at_any_step_leaves_one_handover(house: House, step: str) -> None:
    await house.put(person())
    key = of_house(house).verifier
    with pytest.raises(Stop):
        await house.sequencer(at=stopping_at(step)).hand_over(key)
    await house.put(person())
    if step != "appended":
        # A log that was started again in between does not go on.
        await house.sequencer().round()
    made = await house.sequencer().hand_over(key)
    assert made is not None
    entries = house.published()
    named = [handover.named_by(key.name, one) for one in entries]
    assert named.count(key) == 1
    assert named[-1] == key


async def test_handover_waits_for_enough_witnesses(house: House) -> None:
    key, log = of_house(house).verifier, house.sequencer(patience_s=0.1)
    house.near.is_away = True
    assert await log.hand_over(key) is None
    house.near.is_away = False
    assert await house.sequencer().hand_over(key) is not None
    assert len(house.published()) == 1


async def test_handover_that_no_witness_saw_is_made_where_that_is_asked_for(house: House) -> None:
    """So ends the log of a cell whose witnesses are gone; who trusts them will not follow."""
    key, log = of_house(house).verifier, house.sequencer(patience_s=0.1)
    house.near.is_away = True
    made = await log.hand_over(key, is_witnessed=False)
    assert made is not None
    assert made.size == 1


async def test_log_that_could_not_end_yet_is_not_handed_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = house.sequencer()

    async def nothing() -> int:
        return 0

    monkeypatch.setattr(log, "round", nothing)
    assert await log.hand_over(of_house(house).verifier) is None


async def test_nobody_hands_a_log_over_by_the_inbox(decisions: House) -> None:
    house = decisions
    thief = of_house(house).verifier
    await house.put(handover.entry_of(thief, NOON), b'{"a":1}')
    await house.sequencer().round()
    assert house.published() == [b'{"a":1}']


async def test_new_operator_goes_on_where_the_old_one_ended(house: House) -> None:
    await house.put(*[person() for _ in range(255)])
    buyer = of_house(house)
    made = await house.sequencer().hand_over(buyer.verifier)
    assert made is not None
    assert made.size == 256
    # What adoption does: the last heads carry both signatures, and the list lies beside them.
    for name in ("pending", "checkpoint"):
        path = house.folder / name
        text = Note.parse(path.read_bytes()).text
        path.write_text(path.read_text() + buyer.line(text))
    (house.folder / handover.NAME).write_bytes(handover.listed([made]))
    await house.put(person())
    lines = [f"log {house.signer.verifier}", f"log {buyer.verifier}"]
    lines += [f"witness near {house.cosigners[0].verifier}", "quorum near", ""]
    policy = Policy.parse("\n".join(lines).encode())
    near = Witnesses(buyer.verifier, [house.near], former=[made.old])  # type: ignore[list-item]
    log = Sequencer(
        house.log, buyer, house.db, house.blobs, policy, near, house.clock, patience_s=2
    )
    assert await log.round() == 1
    shown = (house.folder / "checkpoint").read_bytes()
    trusted = policy.check(shown, {house.signer.verifier: made.size})
    assert trusted.checkpoint.size == 257
    # The old operator, with the whole database and the archive, is refused by the witness.
    old = house.sequencer()
    with pytest.raises(Stopped):
        await old.round()
    assert house.told == []
    async with house.db.tx() as tx:
        assert (await store.state(tx, "access")).frontier.size == 257
    tiles = Tiles(lambda path: house.blobs.get(f"ledger/access/{path}"))
    assert await tiles.handovers() == [made]
    assert Checkpoint.parse(Note.parse(made.head).text).origin == buyer.verifier.name
    assert made.size == 256
    assert datetime.fromtimestamp(0, UTC) < NOON
