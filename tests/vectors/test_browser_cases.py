"""The cases for the browser's verifier are those that the cell's own code makes today."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.vectors import browser_cases
from tests.vectors.stories import POLICY, WINDOW, three_days

from luciole.ledger.entry import label_of
from luciole.ledger.merkle import leaf_hash, verify_inclusion
from luciole.ledger.note import from_base64
from luciole.ledger.policy import Policy
from luciole.ledger.proof import Proof
from luciole.ledger.seal import Absence

MADE = browser_cases.make()


@pytest.mark.parametrize("name", MADE)
def test_cases_are_up_to_date(name: str) -> None:
    held = (browser_cases.HOME / name).read_text(encoding="utf-8")
    if held != browser_cases.written(MADE[name]):
        pytest.fail(f"{name} is out of date. Run: python -m tests.vectors.browser_cases")


def test_every_file_is_made() -> None:
    held = {path.name for path in browser_cases.HOME.iterdir()} - {"signatures.json"}
    assert held == MADE.keys()


def test_good_receipt_is_good_here_too() -> None:
    good = MADE["receipts.json"]["good"]
    leaf = leaf_hash(from_base64(good["entry"]))
    Proof.parse(good["receipt"]).verify(leaf, Policy.parse(good["policy"].encode()))


def test_good_journal_is_good_here_too() -> None:
    good = json.loads(json.dumps(MADE["journals.json"]["good"]))
    proof: dict[str, Any] = good["proofs"][0]
    head = Policy.parse(POLICY.encode()).check(proof["checkpoint"]).checkpoint

    def verify(index: int, raw: str, path: list[str]) -> None:
        leaf = leaf_hash(from_base64(raw))
        verify_inclusion(index, head.size, leaf, [from_base64(each) for each in path], head.root)

    for each in proof["entries"]:
        verify(each["index"], each["leaf"], each["path"])
    key, known = from_base64(good["label_key"]), len(proof["entries"])
    for each in proof["absence"]:
        path = each.pop("path")
        Absence.parse(each).verify(label_of(key, known + at) for at in range(WINDOW))
        verify(each["seal_index"], each["seal"], path)


def test_story_has_two_ranges_and_some_that_are_not_sealed() -> None:
    story, ana = three_days()
    spans = [(span.seal.first, span.seal.end) for span in story.cover.spans]
    assert len(spans) == 2
    assert spans[0][1] == spans[1][0]
    assert story.cover.unsealed
    assert not story.cover.is_overdue
    assert len(ana.indexes) == 5
