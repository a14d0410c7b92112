"""The table of outcomes, one row per file of the corpus: `outcomes.md`."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

TABLE = Path(__file__).with_name("outcomes.md")
RENEW = "LUCIOLE_RENEW_OUTCOMES"
HEAD = f"""# What becomes of every file of the corpus

Each file goes through the whole cell: upload, publish, all jobs, then the clip as its author sees
it. `test_videos.py` compares. Renew after looking at every difference, with the corpus at hand:
`{RENEW}=1 ./luciole test tests/corpus`.

| file | outcome | what comes of it |
| --- | --- | --- |
"""


def read() -> dict[str, str]:
    """Outcome and details by file name, as they stand in the table."""
    if not TABLE.exists():
        return {}
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").partition(" | ") for line in lines if line.startswith("| ")]
    return {name: rest for name, _, rest in rows if name not in ("file", "---")}


def is_renewing() -> bool:
    return os.environ.get(RENEW) == "1"


def write(name: str, outcome: str | None) -> None:
    """Puts one row in, or takes it out. Tests in several processes may do so at once."""
    with TABLE.open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = read()
        rows.pop(name, None)
        if outcome is not None:
            rows[name] = outcome
        body = "".join(f"| {each} | {rows[each]} |\n" for each in sorted(rows))
        TABLE.write_text(HEAD + body, encoding="utf-8")
