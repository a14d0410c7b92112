"""A witness that follows a cell: learns its logs once, looks, cosigns, says what is wrong."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ledger.house import House, person
from tests.ledger.shown import SIGNER, Shown
from tests.ledger.test_peers import Stranger

from luciole import witness_process
from luciole.border.peers import Peer
from luciole.kit.blobs import Missing
from luciole.ledger.merkle import EMPTY_ROOT
from luciole.ledger.note import Checkpoint, KeyKind, Note, Signer
from luciole.ledger.policy import Policy
from luciole.witness import identity
from luciole.witness.cosigner import Witness
from luciole.witness.follow import Follower
from luciole.witness.identity import KeysUnusable
from luciole.witness.mirror import Refusal
from luciole.witness_process import NoCell, NoListening

DECISIONS = Signer("luciole/cell/decisions", KeyKind.ED25519, b"d" * 32)
OTHER = Signer("luciole/cell/gossip", KeyKind.ED25519, b"g" * 32)


class Cell:
    """What a cell shows below /ledger/, and what it is handed."""

    def __init__(self) -> None:
        self.access, self.shown = Shown(), dict[str, bytes]()
        self.taken: list[tuple[str, bytes]] = []
        self.policy(SIGNER, DECISIONS, OTHER)
        empty = Checkpoint(DECISIONS.verifier.name, 0, EMPTY_ROOT)
        self.shown["decisions/pending"] = DECISIONS.sign(str(empty)).encode()
        self.grow(0)

    def policy(self, *signers: Signer) -> None:
        lines = [f"log {signer.verifier}\n" for signer in signers]
        self.shown["policy"] = "".join([*lines, "quorum none\n"]).encode()

    def grow(self, count: int) -> None:
        self.access.add(*[person() for _ in range(count)])
        self.shown["access/pending"] = self.access.head()
        self.shown |= {f"access/{path}": data for path, data in self.access.objects.items()}

    async def get(self, path: str) -> bytes:
        if path not in self.shown:
            raise Missing(path)
        return self.shown[path]

    async def post(self, log: str, body: bytes) -> None:
        self.taken.append((log, body))


def follower(home: Path, cell: Cell, time: Callable[[], float] = lambda: 1.8e9) -> Follower:
    return Follower(Witness(home, identity.of(home), time, lambda said: None), cell.get)


@pytest.fixture
def cell() -> Cell:
    return Cell()


async def refusal(what: object) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await what  # type: ignore[misc]
    return refused.value


# Who it is


def test_keys_are_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    first, again = identity.of(tmp_path, "mine"), identity.of(tmp_path)
    assert [one.verifier for one in first] == [one.verifier for one in again]
    assert [one.verifier.kind for one in first] == [KeyKind.COSIGNATURE, KeyKind.SUBTREE]
    assert first[0].verifier.name == "mine"
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert identity.of(tmp_path / "b")[0].verifier.name.startswith("luciole-witness/")


def test_other_name_or_damaged_keys_are_refused(tmp_path: Path) -> None:
    identity.of(tmp_path, "mine")
    with pytest.raises(KeysUnusable, match="witness-keys") as refused:
        identity.of(tmp_path, "yours")
    assert "is mine, not yours" in refused.value.sentence
    with pytest.raises(KeysUnusable):
        identity.of(tmp_path / "b", "two words")
    (tmp_path / "keys.json").write_text("{}")
    with pytest.raises(KeysUnusable):
        identity.of(tmp_path)


def test_its_lines_make_a_policy(tmp_path: Path) -> None:
    signers = identity.of(tmp_path, "mine")
    lines = [*identity.policy_lines(signers, "mine", "http://a"), "quorum mine", ""]
    policy = Policy.parse("\n".join(lines).encode())
    assert policy.witnesses["mine"].key == signers[0].verifier
    assert policy.witnesses["mine-pq"].key == signers[1].verifier
    assert policy.witnesses["mine"].url == "http://a"


# What it follows


async def test_logs_of_the_policy_are_cosigned(tmp_path: Path, cell: Cell) -> None:
    follow = follower(tmp_path, cell)
    await follow.learn()
    assert set(follow.keys) == {"access", "decisions"}
    cell.grow(5)
    assert await follow.cosign("access", cell.post) == 5
    assert await follow.cosign("decisions", cell.post) == 0
    (log, body), _ = cell.taken
    assert log == "access"
    note = Note.parse(body)
    assert note.text == Note.parse(cell.access.head()).text
    assert len(note.verify([one.verifier for one in identity.of(tmp_path)])) == 2


async def test_same_head_is_handed_in_once(tmp_path: Path, cell: Cell) -> None:
    follow = follower(tmp_path, cell)
    await follow.learn()
    await follow.cosign("access", cell.post)
    await follow.cosign("access", cell.post)
    assert len(cell.taken) == 1
    cell.grow(1)
    await follow.cosign("access", cell.post)
    assert len(cell.taken) == 2


async def test_quiet_log_is_cosigned_anew_before_it_counts_as_stale(
    tmp_path: Path, cell: Cell
) -> None:
    now = [1.8e9]
    follow = follower(tmp_path, cell, lambda: now[0])
    await follow.learn()
    for hours in (0, 5, 7, 12, 14):
        now[0] = 1.8e9 + hours * 3600
        await follow.cosign("access", cell.post)
    (first, second, third) = [body for _, body in cell.taken]
    keys = [one.verifier for one in identity.of(tmp_path)]
    times = [{time for _, time in Note.parse(one).verify(keys)} for one in (first, second, third)]
    assert times == [{int(1.8e9 + hours * 3600)} for hours in (0, 7, 14)]


async def test_head_that_was_not_taken_is_handed_in_again(tmp_path: Path, cell: Cell) -> None:
    follow = follower(tmp_path, cell)
    await follow.learn()

    async def fail(log: str, body: bytes) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await follow.cosign("access", fail)
    await follow.cosign("access", cell.post)
    assert len(cell.taken) == 1


async def test_other_key_for_a_known_log_is_refused(tmp_path: Path, cell: Cell) -> None:
    await follower(tmp_path, cell).learn()
    cell.policy(Signer(SIGNER.verifier.name, KeyKind.ED25519, b"x" * 32))
    refused = await refusal(follower(tmp_path, cell).learn())
    assert refused.code == "other-key"
    assert str(refused).startswith("OTHER KEY")


async def test_cell_without_a_usable_policy_is_refused(tmp_path: Path, cell: Cell) -> None:
    cell.shown["policy"] = b"<!doctype html>\n"
    assert (await refusal(follower(tmp_path, cell).learn())).code == "no-policy"


async def test_cell_that_begins_after_its_witness_is_learnt(tmp_path: Path, cell: Cell) -> None:
    follow, policy = follower(tmp_path, cell), cell.shown.pop("policy")
    request = b"old 0\n\n" + cell.access.head()
    assert (await refusal(follow.add_checkpoint(request))).code == "no-policy"
    cell.shown["policy"] = policy
    assert await follow.add_checkpoint(request)
    other = OTHER.sign(str(Checkpoint(OTHER.verifier.name, 0, EMPTY_ROOT))).encode()
    assert (await refusal(follow.add_checkpoint(b"old 0\n\n" + other))).code == "unknown-log"
    assert (await refusal(follow.add_checkpoint(b"nonsense"))).code == "malformed"


# At a cell somewhere else


class Said:
    """What a person at the console reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[str] = []
        monkeypatch.setattr(witness_process, "say", self.lines.append)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    return Said(monkeypatch)


class Far:
    """A cell behind HTTP, and a follower that looks at it."""

    def __init__(self, home: Path, cell: Cell, stranger: Stranger) -> None:
        self.cell, self.status = cell, 204
        stranger.answering = self.answer
        self.peer = Peer(stranger.url, timeout_s=2)
        witness = Witness(home, identity.of(home), lambda: 1.8e9, lambda said: None)
        self.follower = Follower(witness, lambda path: self.peer.get(f"ledger/{path}"))
        self.words = witness_process._Words()

    def answer(self, request: object) -> None:
        path = request.path.removeprefix("/ledger/")  # type: ignore[attr-defined]
        found = self.cell.shown.get(path)
        is_post = request.command == "POST"  # type: ignore[attr-defined]
        status = self.status if is_post else 200 if found is not None else 404
        request.send_response(status)  # type: ignore[attr-defined]
        request.send_header("content-length", str(len(found or b"")))  # type: ignore[attr-defined]
        request.end_headers()  # type: ignore[attr-defined]
        if not is_post:
            request.wfile.write(found or b"")  # type: ignore[attr-defined]

    async def look(self) -> None:
        await witness_process._look(self.follower, self.peer, self.words)


@pytest.fixture
def stranger() -> object:
    made = Stranger()
    yield made
    made.close()


async def test_every_refusal_is_a_clear_sentence(
    tmp_path: Path, cell: Cell, stranger: Stranger, said: Said
) -> None:
    far = Far(tmp_path, cell, stranger)
    cell.grow(3)
    policy = cell.shown.pop("policy")
    await far.look()
    assert "policy" in said.lines.pop()
    cell.shown["policy"] = policy
    await far.look()
    assert said.lines[:2] == [f"access: {SIGNER.verifier}", f"decisions: {DECISIONS.verifier}"]
    assert said.lines[2:] == [
        "access: 3 entries, cosigned.",
        "decisions: 0 entries, cosigned.",
        "border: the cell shows no head yet.",
    ]
    said.lines.clear()
    await far.look()
    assert said.lines == []  # nothing new, nothing said
    right = dict(cell.shown)
    for content, word in (
        (cell.access.head(2), "ROLLBACK"),
        (cell.access.signed(3, bytes(32)), "FORK"),
        (b"nonsense", "no signed head"),
    ):
        cell.shown["access/pending"] = content
        await far.look()
        (line,) = said.lines
        assert line.startswith("access: not cosigned.")
        assert word in line
        said.lines.clear()
    cell.shown = right
    cell.grow(1)
    far.status = 400
    await far.look()
    (line,) = said.lines
    assert "does its policy name this witness?" in line
    said.lines.clear()
    far.peer.close()
    stranger.close()
    await far.look()
    assert [line.partition(" http")[0] for line in said.lines] == [
        "access: unreachable.",
        "decisions: unreachable.",
        "border: unreachable.",
    ]


async def test_progress_is_said_once_a_minute(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(witness_process.time, "monotonic", lambda: now[0])
    words = witness_process._Words()
    for second in range(130):
        words.say("access", "cosigned", f"{second} entries")
        now[0] += 1
    assert said.lines == ["0 entries", "61 entries", "122 entries"]


async def test_witness_runs_until_it_is_told_to_stop(
    tmp_path: Path, cell: Cell, stranger: Stranger, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    Far(tmp_path / "x", cell, stranger)
    monkeypatch.setattr(witness_process, "LOOK_S", 0.01)
    stop = asyncio.Event()
    monkeypatch.setattr(witness_process, "_signalled", lambda: stop)
    home = tmp_path / "home"
    running = asyncio.create_task(witness_process._alone(stranger.url, home, "mine", "0"))
    while "access: 0 entries, cosigned." not in said.lines:  # noqa: ASYNC110 - a list, no event
        await asyncio.sleep(0.01)
    stop.set()
    assert await running == 0
    introduction, last = said.lines[0], said.lines[-1]
    (line,) = [one for one in introduction.splitlines() if one.startswith("witness mine ")]
    assert (home / "policy").read_text().splitlines()[0] == line
    assert Policy.parse(f"{line}\nquorum mine\n".encode()).witnesses["mine"].url
    assert last == "Stopped."


async def test_addresses_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoCell):
        await witness_process._alone("cell.example", tmp_path, "", "")
    for listen in ("nowhere.invalid:1", "127.0.0.1:many", "127.0.0.1:70000"):
        with pytest.raises(NoListening):
            await witness_process._alone("http://127.0.0.1:1", tmp_path, "", listen)


def test_listening_is_on_loopback_unless_told() -> None:
    for text, shown in (("0", "http://127.0.0.1:"), ("[::1]:0", "http://[::1]:")):
        try:
            listener, address = witness_process._listen(text)
        except NoListening:
            assert ":" in text  # a machine without IPv6
            continue
        assert address.startswith(shown)
        listener.close()


async def test_witness_beside_a_cell_cosigns_its_archive(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    from luciole.border.peers import Witnesses, WitnessPeer
    from luciole.config import Settings

    stop = asyncio.Event()
    monkeypatch.setattr(witness_process, "_signalled", lambda: stop)
    settings = Settings(data_dir=str(house.home))
    listener = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(witness_process._beside(settings, [listener]))
    await asyncio.sleep(0)
    signers = identity.of(settings.witness_dir)
    lines = [f"log {house.signer.verifier}"]
    lines += [*identity.policy_lines(signers, "local"), "quorum local", ""]
    written = "\n".join(lines).encode()
    await house.blobs.put("ledger/policy", written)
    peer = WitnessPeer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    house.policy = Policy.parse(written)
    sequencer = house.sequencer(witnesses=Witnesses(house.signer.verifier, [peer]))
    await house.put(person())
    await sequencer.round()
    assert len(house.published()) == 1
    stop.set()
    await running
    assert os.listdir(settings.witness_dir)
