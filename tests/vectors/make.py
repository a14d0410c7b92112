"""Writes the vectors: `python -m tests.vectors.make`. Each run gives the same bytes.

`python -m tests.vectors.make NAME FOLDER` lays one case out whole, to try a verifier by hand.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from tests.vectors import (  # noqa: F401 - they register their cases
    cases_checkpoint,
    cases_edges,
    cases_entries,
    cases_handovers,
    cases_hidden,
    cases_journal,
    cases_notices,
    cases_policy,
    cases_receipts,
    cases_seals,
    cases_statements,
    cases_tree,
)
from tests.vectors.case import CASES, FOLDER

# Cases that others are written against, to keep only what differs.
BASES = ("good", "journal-good", "receipt-good")


def files() -> dict[str, bytes]:
    """All files of all cases, by their paths below this folder."""
    whole = {name: case.files() for name, case in sorted(CASES.items())}
    made = {}
    for name, data in whole.items():
        expected, own = CASES[name].expected(), data
        for base in BASES if name not in BASES else ():
            differs = {path: text for path, text in data.items() if whole[base].get(path) != text}
            without = sorted(whole[base].keys() - data.keys())
            if len(differs) + len(without) < len(own):
                own = differs
                expected = CASES[name].expected() | {"like": base, "without": without}
        made |= {f"{name}/{path}": text for path, text in own.items()}
        text = json.dumps(expected, indent=1, ensure_ascii=False)
        made[f"{name}/expected.json"] = f"{text}\n".encode()
    return made


def names() -> list[str]:
    """The cases that lie here."""
    return sorted(path.parent.name for path in FOLDER.glob("*/expected.json"))


def expected(name: str) -> dict[str, Any]:
    """What a verifier has to say about a case."""
    found: dict[str, Any] = json.loads((FOLDER / name / "expected.json").read_text())
    return found


def lay(name: str, folder: Path) -> None:
    """Lays the files of a case out whole."""
    said = expected(name)
    if "like" in said:
        lay(said["like"], folder)
        for path in said["without"]:
            (folder / path).unlink()
    shutil.copytree(FOLDER / name, folder, dirs_exist_ok=True)


def main() -> None:
    if sys.argv[1:]:
        lay(sys.argv[1], Path(sys.argv[2]))
        return
    for name in names():
        shutil.rmtree(FOLDER / name)
    for name, data in files().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
