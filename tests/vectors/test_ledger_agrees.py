"""The cell's own code, which mirrors run before they cosign, refuses in the vectors what the
auditor's verifier refuses: policies, checkpoints, trees, entries and seals."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from tests.vectors import make

from luciole.ledger import handover, tiles
from luciole.ledger.entry import BadEntry
from luciole.ledger.note import BadNote, Checkpoint
from luciole.ledger.policy import BadPolicy, NotTrusted, Policy
from luciole.ledger.seal import BadSeal, Cover
from luciole.ledger.tiles import ENTRIES, BadTile, Edge

LOGS = ("access", "decisions", "border")
# What `Policy.check` refuses. That a cosignature is dated ahead, a reader with a clock can say.
OF_CHECKPOINT = {
    "checkpoint.format",
    "checkpoint.origin",
    "checkpoint.unknown-key",
    "checkpoint.signature",
    "witness.signature",
    "witness.quorum",
}
OF_HANDOVER = {"handover.format", "handover.unsigned", "handover.key"}


@cache
def files(name: str) -> dict[str, Path]:
    """A vector's files by their names."""
    said, home = make.expected(name), make.FOLDER / name
    held = dict(files(said["like"])) if "like" in said else {}
    for gone in said.get("without", ()):
        del held[gone]
    lying = {path.relative_to(home).as_posix(): path for path in home.rglob("*") if path.is_file()}
    return held | lying


def codes(name: str) -> set[str]:
    return set(make.expected(name)["codes"])


@pytest.mark.parametrize("name", [name for name in make.names() if "policy" in files(name)])
def test_policy_is_read_alike(name: str) -> None:
    try:
        Policy.parse(files(name)["policy"].read_bytes())
        is_refused = False
    except BadPolicy:
        is_refused = True
    assert is_refused == ("policy.format" in codes(name))


def with_ledger() -> list[str]:
    """Vectors of a ledger alone, with a policy that can be read."""
    others = {"journal/proof.json", "receipt.tlog-proof", "remember"}
    return [
        name
        for name in make.names()
        if "policy" in files(name)
        and "ledger/access/checkpoint" in files(name)
        and not others & files(name).keys()
        and "policy.format" not in codes(name)
    ]


@pytest.mark.parametrize("name", with_ledger())
def test_ledger_is_judged_alike(name: str) -> None:
    held = files(name)
    policy = Policy.parse(held["policy"].read_bytes())
    heads: dict[str, Checkpoint] = {}
    for log in LOGS:
        if f"ledger/{log}/checkpoint" not in held:
            continue
        try:
            lists = held.get(f"ledger/{log}/handover")
            extended, ends = handover.known_by(
                policy, handover.parse(lists.read_bytes()) if lists else []
            )
            head = extended.check(held[f"ledger/{log}/checkpoint"].read_bytes(), ends).checkpoint
        except (BadNote, NotTrusted):
            assert codes(name) & (OF_CHECKPOINT | OF_HANDOVER | {"witness.future"})
            return
        if not head.origin.endswith(f"/{log}"):
            assert "checkpoint.origin" in codes(name)
            return
        heads[log] = head
    assert not codes(name) & OF_CHECKPOINT
    as_a_mirror(name, heads["access"])


def as_a_mirror(name: str, head: Checkpoint) -> None:
    """Takes the log `access` in, entry by entry."""
    held, cover, entries = files(name), Cover(), list[bytes]()
    try:
        for at in range(0, head.size, tiles.WIDTH):
            tile = tiles.tile_of(ENTRIES, at // tiles.WIDTH, head.size)
            if f"ledger/access/{tile.path}" not in held:
                return  # the full one may stand for it, or none is there: for others to say
            entries += tiles.entries_of(held[f"ledger/access/{tile.path}"].read_bytes(), tile.width)
        edge, _ = Edge().append(entries)
    except BadTile:
        assert codes(name) & {"tree.bundle", "tree.limit"}
        return
    if edge.root() != head.root:
        assert "tree.root" in codes(name)
        return
    try:
        for index, each in enumerate(entries):
            cover.take(index, each)
    except BadEntry:
        assert "entry.format" in codes(name)
    except BadSeal:
        assert codes(name) & {"seal.cover", "seal.root", "entry.label-twice"}
    else:
        assert not codes(name) & {"seal.cover", "seal.root"}
        assert cover.is_overdue == ("seal.missing" in codes(name))
