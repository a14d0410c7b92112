"""The tables of outcomes, one row per film: of every file of the corpus in `outcomes.md`, and of
AV1 for a few of them in `outcomes-av1.md`."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

RENEW = "LUCIOLE_RENEW_OUTCOMES"
HOW = f"""Renew after looking at every difference, with the corpus at hand:
`{RENEW}=1 ./luciole test tests/corpus`.
"""


@dataclass(frozen=True)
class Table:
    path: Path
    head: str

    def read(self) -> dict[str, str]:
        """Outcome and details by file name, as they stand in the table."""
        if not self.path.exists():
            return {}
        lines = self.path.read_text(encoding="utf-8").splitlines()
        rows = [line.strip("| ").partition(" | ") for line in lines if line.startswith("| ")]
        return {name: rest for name, _, rest in rows if name not in ("file", "---")}

    def write(self, name: str, outcome: str | None) -> None:
        """Puts one row in, or takes it out. Tests in several processes may do so at once."""
        with self.path.open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            rows = self.read()
            rows.pop(name, None)
            if outcome is not None:
                rows[name] = outcome
            body = "".join(f"| {each} | {rows[each]} |\n" for each in sorted(rows))
            self.path.write_text(self.head + body, encoding="utf-8")


ALL = Table(
    Path(__file__).with_name("outcomes.md"),
    f"""# What becomes of every file of the corpus

Each file goes through the whole cell: upload, publish, all jobs, then the clip as its author sees
it. `test_videos.py` compares.

{HOW}
| file | outcome | what comes of it |
| --- | --- | --- |
""",
)
AV1 = Table(
    Path(__file__).with_name("outcomes-av1.md"),
    f"""# What AV1 becomes of films that are watched

Each film goes through the whole cell, is noted as watched, and gets AV1 when nothing else waits.
Every frame is decoded, and there are as many as in the rendition of H.264 that it stands beside;
the file is smaller. Where it came out no smaller, there is none. `test_videos_av1.py` compares.

{HOW}
| file | in AV1: size, codec, frames | in H.264 alone |
| --- | --- | --- |
""",
)


def is_renewing() -> bool:
    return os.environ.get(RENEW) == "1"
