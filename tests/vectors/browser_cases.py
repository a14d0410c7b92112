"""What the browser's verifier has to answer, made from the cell's own code: `make()` gives the
contents of each file in `tests/vectors/browser/`.

`python -m tests.vectors.browser_cases` writes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.unit.ledger import test_absence, test_entry, test_note, test_policy
from tests.unit.ledger.parameters import parameters
from tests.vectors.browser_checks import journal_cases, receipt_cases
from tests.vectors.stories import (
    OLD,
    three_days,
)

from luciole.ledger import merkle
from luciole.ledger.entry import canonical, label_of
from luciole.ledger.merkle import leaf_hash
from luciole.ledger.note import KeyKind, Note, Signer, to_base64

HOME = Path(__file__).with_name("browser")
STALE = 26 * 3600 + 1
STORY, ANA = three_days()
NOTE = STORY.checkpoint(OLD)


def make() -> dict[str, Any]:
    """Files by name."""
    return {
        "merkle.json": merkle_cases(),
        "notes.json": note_cases(),
        "policies.json": policy_cases(),
        "entries.json": entry_cases(),
        "absence.json": absence_cases(),
        "receipts.json": receipt_cases(),
        "journals.json": journal_cases(),
    }


def merkle_cases() -> Any:
    """Paths in trees of each shape; each must fail where one thing in it is changed."""
    leaves = [leaf_hash(str(index).encode()) for index in range(70)]
    return [
        {
            "index": index,
            "size": size,
            "leaf": to_base64(leaves[index]),
            "path": [to_base64(each) for each in merkle.inclusion_proof(leaves[:size], index)],
            "root": to_base64(merkle.root_of(leaves[:size])),
        }
        for size in (1, 2, 3, 7, 8, 9, 21, 64, 70)
        for index in sorted({0, size // 2, size - 1})
    ]


def note_cases() -> Any:
    head = str(test_note.HEAD)
    good = {
        "a log and an old witness": test_note.LOG.sign(head) + test_note.OLD.line(head, 1000),
        "a text with empty lines": test_note.LOG.sign("a\n\nb\n\n\n"),
        "the standard's example": test_note.EXAMPLE,
    }
    return {
        "good": [
            {"name": name, "note": note, "text": Note.parse(note).text}
            for name, note in good.items()
        ],
        # Half a character is no UTF-8, and the longest would only fill this file.
        "malformed": [
            {"name": name, "note": note}
            for name, note in test_note.MALFORMED.items()
            if len(note) < 20_000 and name != "half a character"
        ],
        "keys": [str(key) for key in test_note.KEYS[:2]] + [test_note.FOO],
        "malformed keys": parameters(test_note.test_malformed_verifier_key_is_refused),
        "malformed checkpoints": parameters(test_note.test_malformed_checkpoint_is_refused),
    }


def policy_cases() -> Any:
    return {
        "enough": [
            {
                "policy": "".join(f"{each}\n" for each in (*old_witnesses(), *lines)),
                "passes": sorted(sorted(names) for names in least),
            }
            for lines, least in parameters(test_policy.test_quorum_is_what_the_policy_says)
        ],
        # Long lists and the long keys of the new kind would only fill this file.
        "malformed": [
            "".join(f"{each}\n" for each in lines)
            for lines in parameters(test_policy.test_malformed_policy_is_refused)
            if sum(map(len, lines)) < 1000
        ]
        + ["quorum none", "quorum\rnone\n", "quorum none\n\0\n", "\x7f\n"],
    }


def old_witnesses() -> list[str]:
    """The witnesses of the test, each with a short key."""
    signers = [Signer(f"w{n}", KeyKind.COSIGNATURE, bytes([n]) * 32) for n in (1, 2, 3)]
    return [f"witness W{n} {each.verifier}" for n, each in enumerate(signers, 1)]


def entry_cases() -> Any:
    return {
        "person": to_base64(test_entry.PERSON_BYTES),
        "seal": to_base64(test_entry.SEAL_BYTES),
        "malformed": [
            to_base64(raw)
            for raw in parameters(test_entry.test_bytes_that_are_no_entry_are_refused)
        ],
        "label_key": to_base64(test_entry.KEY),
        "labels": {str(n): to_base64(label_of(test_entry.KEY, n)) for n in (0, 1, 258, 2**53 - 1)},
        "canonical": [
            canonical(value).decode()
            for value in (test_entry.OPENING, {}, {"b": '"\\/\b\f\n\r\t\0\x1f', "a": [None, True]})
        ],
        "not canonical": [
            to_base64(raw)
            for raw in parameters(test_entry.test_json_of_another_form_is_refused)
            if len(raw) < 1000
        ],
    }  # fmt: skip


def absence_cases() -> Any:
    good, asked = test_absence.GOOD, test_absence.BETWEEN
    cases = [{"name": "good", "proof": good.as_json(), "label": to_base64(asked[0]), "holds": True}]
    for name, (proof, label) in test_absence.FORGERIES.items():
        shape = proof.as_json()
        cases.append({"name": name, "proof": shape, "label": to_base64(label), "holds": False})
    return {
        "cases": cases,
        # JavaScript reads 1.0 as 1, and JSON has no infinity.
        "malformed": [
            value
            for value in parameters(test_absence.test_malformed_absence_is_refused)
            if not (isinstance(value, dict) and ("more" in value or has_float(value)))
        ],
    }


def has_float(value: dict[str, Any]) -> bool:
    return isinstance(value.get("seal_index"), float)


def written(content: Any) -> str:
    """As a file holds it: a line for each case, so that a change is seen."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    for name, content in make().items():
        (HOME / name).write_text(written(content), encoding="utf-8")


if __name__ == "__main__":
    main()
