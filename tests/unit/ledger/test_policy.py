"""Policies: the standard's syntax, who is enough, and whose checkpoint passes."""

from __future__ import annotations

from itertools import combinations

import pytest
from tests.unit.ledger.parties import LINES, LOG, ORIGIN, OTHER_LOG, WITNESSES, policy, signed

from luciole.ledger.note import BadNote, Checkpoint, KeyKind, Signer
from luciole.ledger.policy import BadPolicy, Group, NotTrusted, Policy

HEAD = Checkpoint(ORIGIN, 15, bytes(range(32)))
W = [f"witness W{n} {each.verifier}" for n, each in enumerate(WITNESSES, 1)]


def test_policy_is_read() -> None:
    read = policy()
    assert [log.key.name for log in read.logs] == [ORIGIN, OTHER_LOG.verifier.name]
    assert read.logs[0].url == "https://cell.example/ledger/access"
    assert read.witnesses["W2"].key == WITNESSES[1].verifier
    assert read.witnesses["W2"].url is None
    assert read.groups == {"two": Group(2, ("W1", "W2", "W3"))}
    assert read.quorum == "two"


def test_names_are_octets() -> None:
    kelvin = policy(W[0].replace("W1", "\u212a"), "group K any \u212a", "quorum K")
    assert kelvin.is_enough(["\u212a".encode().decode("latin-1")])
    assert not kelvin.is_enough(["\u212a"])


@pytest.mark.parametrize(
    ("lines", "least_that_pass"),
    [
        (["quorum none"], [()]),
        (["quorum W2"], [("W2",)]),
        (["group g any W1 W2", "quorum g"], [("W1",), ("W2",)]),
        (["group g all W1 W3", "quorum g"], [("W1", "W3")]),
        (["group g 2 W1 W2 W3", "quorum g"], [("W1", "W2"), ("W1", "W3"), ("W2", "W3")]),
        (
            ["group a any W1 W2", "group b all a W3", "quorum b"],
            [("W1", "W3"), ("W2", "W3")],
        ),
    ],
)
def test_quorum_is_what_the_policy_says(
    lines: list[str], least_that_pass: list[tuple[str, ...]]
) -> None:
    read = policy(*W, *lines)
    for count in range(4):
        for names in combinations(("W1", "W2", "W3"), count):
            wanted = any(set(least) <= set(names) for least in least_that_pass)
            assert read.is_enough(names) == wanted, names


def test_deep_groups_are_evaluated() -> None:
    groups = [f"group g{n} any {f'g{n - 1}' if n else 'W1'}" for n in range(900)]
    assert policy(W[0], *groups, "quorum g899").is_enough(["W1"])


VKEY = str(WITNESSES[0].verifier)
SAME_KEY = Signer("other.example", KeyKind.COSIGNATURE, bytes([1]) * 32).verifier


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["# no quorum", *W],
        ["quorum none", "quorum none"],
        ["quorum W1", W[0]],
        ["quorum nobody"],
        ["quorum"],
        ["quorum none none"],
        ["quora none"],
        ["log", "quorum none"],
        [f"log {LOG.verifier} url url", "quorum none"],
        [f"log {LOG.verifier}", f"log {LOG.verifier} url", "quorum none"],
        [f"log {VKEY}", "quorum none"],
        ["log example.com/é+00000000+AA==", "quorum none"],
        [f"witness W1 {LOG.verifier}", "quorum none"],
        ["witness W1", "quorum none"],
        [f"witness none {VKEY}", "quorum none"],
        [W[0], W[1].replace("W2", "W1"), "quorum none"],
        [W[0], f"witness W2 {SAME_KEY}", "quorum none"],
        [W[0], "group W1 any W1", "quorum none"],
        [W[0], "group none any W1", "quorum none"],
        [W[0], "group g any", "quorum none"],
        [W[0], "group g", "quorum none"],
        [W[0], "group g any none", "quorum none"],
        [W[0], "group g any g", "quorum none"],
        [W[0], "group g any W2", W[1], "quorum none"],
        [W[0], "group g 2 W1 W1", "quorum g"],
        [W[0], "group g any W1", "group h any W1", "quorum none"],
        [*W, "group g 0 W1 W2", "quorum g"],
        [*W, "group g 3 W1 W2", "quorum g"],
        [*W, "group g -1 W1 W2", "quorum g"],
        [*W, "group g 01 W1 W2", "quorum g"],
        [*W, "group g 1.0 W1 W2", "quorum g"],
        [*W, "group g most W1 W2", "quorum g"],
        ["quorum none", *("#" for _ in range(1000))],
    ],
)
def test_malformed_policy_is_refused(lines: list[str]) -> None:
    with pytest.raises(BadPolicy):
        Policy.parse("".join(f"{line}\n" for line in lines).encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"quorum none", b"quorum\rnone\n", b"quorum none\r\n", b"quorum none\n\0\n", b"\x7f\n"],
)
def test_policy_with_other_octets_is_refused(raw: bytes) -> None:
    with pytest.raises(BadPolicy):
        Policy.parse(raw)


def test_key_name_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadPolicy, match="Line 1"):
        Policy.parse(b"log \xff+00000000+AA==\nquorum none\n")


def test_refusal_names_the_line() -> None:
    with pytest.raises(BadPolicy, match="Line 9"):
        policy(*LINES[:-1], "quorum three")


# Checkpoints


def test_checkpoint_with_its_witnesses_passes() -> None:
    trusted = policy().check(signed(HEAD))
    assert trusted.checkpoint == HEAD
    assert trusted.cosigned == {"W1": 1001, "W2": 1002}


def test_newest_cosignature_of_a_witness_counts() -> None:
    line = WITNESSES[0].line(str(HEAD), 5000)
    for text in (signed(HEAD) + line, signed(HEAD, 0) + line + signed(HEAD).split("\n\n")[1]):
        assert policy().check(text).cosigned == {"W1": 5000, "W2": 1002}


def test_too_few_witnesses_do_not_pass() -> None:
    for count in (0, 1):
        with pytest.raises(NotTrusted, match="Too few"):
            policy().check(signed(HEAD, count))


def test_one_witness_twice_is_one_witness() -> None:
    with pytest.raises(NotTrusted, match="Too few"):
        policy().check(signed(HEAD, 1) + WITNESSES[0].line(str(HEAD), 5000))


def test_witnesses_without_the_log_do_not_pass() -> None:
    alone = f"{HEAD}\n" + "".join(each.line(str(HEAD), 5) for each in WITNESSES)
    with pytest.raises(NotTrusted, match="No log"):
        policy().check(alone)


def test_log_signs_under_its_own_name_only() -> None:
    """The key of one log of the cell is no key of another."""
    with pytest.raises(NotTrusted, match="No log"):
        policy().check(signed(HEAD, log=OTHER_LOG))
    with pytest.raises(BadNote):
        policy(*LINES[:3], "quorum none").check(signed(HEAD, 0, log=OTHER_LOG))


def test_log_with_a_key_of_the_new_kind_passes() -> None:
    """Its time says nothing about a witness."""
    log = Signer(ORIGIN, KeyKind.SUBTREE, b"L" * 32)
    read = policy(f"log {log.verifier}", "quorum none")
    trusted = read.check(f"{HEAD}\n{log.line(str(HEAD), 7)}")
    assert trusted.cosigned == {}
