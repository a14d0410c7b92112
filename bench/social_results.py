"""What `bench.social` has measured so far, and how it is written down."""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path
from typing import Any

from bench import machine, social_town
from bench.feed import HEAD, Measured, row

CONNECTIONS = 32
REQUESTS_A_ROUND = 960
PUBLISHING = "publishing"


class Kept:
    """What was measured so far, in a file: a run may be of some entries only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def put(self, name: str, people: int, what: Any) -> None:
        load = f"{os.getloadavg()[0]:.0f}"
        by_size = self.found.setdefault(name, {})
        by_size[str(people)] = {"load": load, "commit": machine.commit(), "is": what}
        self._path.write_text(json.dumps(self.found))

    def entries(self) -> dict[str, dict[int, tuple[Measured, Measured]]]:
        return {
            name: {
                int(people): (Measured(**kept["is"][0]), Measured(**kept["is"][1]))
                for people, kept in by_size.items()
            }
            for name, by_size in self.found.items()
            if name != PUBLISHING
        }

    def published(self) -> dict[int, list[float]]:
        return {int(people): kept["is"] for people, kept in self.found.get(PUBLISHING, {}).items()}

    def load(self, name: str) -> str:
        """The load and the commit of each measurement of an entry."""
        return ", ".join(
            sorted({f"{kept['load']} at {kept['commit']}" for kept in self.found[name].values()})
        )


def written(kept: Kept) -> str:
    head = ["request", "people", *HEAD[2:]]
    entries = kept.entries()
    rows, growth = [], []
    for name, by_size in entries.items():
        rows += [row(name, people, CONNECTIONS, *pair) for people, pair in sorted(by_size.items())]
        small, large = by_size[min(by_size)], by_size[max(by_size)]
        growth.append([
            name, f"{min(by_size):,}", f"{max(by_size):,}",
            f"{large[0].percentile(0.5) / small[0].percentile(0.5):.2f}",
            f"{large[0].cpu_us / small[0].cpu_us:.2f}",
            f"**{large[1].percentile(0.5) / small[1].percentile(0.5):.2f}**",
            f"{large[1].cpu_us / small[1].cpu_us:.2f}",
            kept.load(name),
        ])  # fmt: skip
    published = [
        [f"{people:,}", str(len(times)), f"{statistics.median(times):.1f}", f"{max(times):.1f}"]
        for people, times in sorted(kept.published().items())
    ]
    grown = ["request", "people", "against", "floor p50", "floor CPU", "page p50", "page CPU",
             "load and commit"]  # fmt: skip
    return (
        "# People together\n\n"
        f"{machine.described()} Rounds of {REQUESTS_A_ROUND} requests of each, in turns with the "
        f"floor and with the other towns, {CONNECTIONS} connections. {social_town.EDGES_A_PERSON} "
        f"follows and {social_town.EDGES_A_PERSON} likes a person, skewed; a clip a person. "
        "`bench/social.py`\n\n"
        f"{machine.table(head, rows)}\n"
        f"## Growth\n\nHow many times the smaller town's:\n\n{machine.table(grown, growth)}\n"
        "## Publishing by the one whom all follow\n\n"
        "The worker's job that publishes a clip whose film is there, with what it tells and notes:"
        "\n\n"
        f"{machine.table(['followers', 'of them', 'p50 ms', 'most ms'], published)}"
    )
