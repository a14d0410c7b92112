"""What a ledger drill looks at in the end: every promise against what writers and readers know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tests.drills import ledger_child
from tests.ledger.house import read_entries, said

from luciole.ledger.note import Note

# A restore loses what no log had taken yet.
MAY_LOSE_S = 1.0


@dataclass
class Fate:
    """What a writer knows of an entry."""

    log: str
    ref: int | None
    acknowledged: float = 0.0
    """When its commit returned; 0 while that is in doubt."""
    is_aborted: bool = False


@dataclass
class Outcome:
    """How a round went. `wrong` is empty when every promise was kept."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    in_doubt: int = 0
    aborted: int = 0
    heads: int = 0
    size: int = 0
    lost: list[int] = field(default_factory=list)
    """Acknowledged and unpublished entries that each restore took."""
    lost_s: list[float] = field(default_factory=list)
    """How long before each restore the oldest of those was acknowledged."""
    settled_s: float = 0.0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Prefixes:
    """The roots of all beginnings of a log, by code of its own."""

    def __init__(self, entries: list[bytes], sizes: set[int]) -> None:
        self.roots = {0: sha256(b"").digest()}
        stack: list[tuple[int, bytes]] = []
        for count, entry in enumerate(entries, 1):
            stack.append((0, sha256(b"\0" + entry).digest()))
            while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
                (level, left), (_, right) = stack[-2:]
                stack[-2:] = [(level + 1, sha256(b"\1" + left + right).digest())]
            if count in sizes:
                root = stack[-1][1]
                for _, left in reversed(stack[:-1]):
                    root = sha256(b"\1" + left + root).digest()
                self.roots[count] = root


@dataclass
class Known:
    """What is known of a round: the log's folder, the fate of each entry, all heads that were seen,
    when the database was put back."""

    home: Path
    fates: Mapping[bytes, Fate]
    heads: Mapping[str, Iterable[bytes]]
    restored: list[float]

    def look(self, places: Mapping[int, int], outcome: Outcome) -> None:
        """Everything that was promised. `places` are those that the database has, by ref."""
        index: dict[bytes, int] = {}
        for log in ledger_child.LOGS:
            entries = self._log(log, outcome)
            counted = Counter(entries)
            twice = [e for e in entries if counted[e] > 1 and e in self.fates]
            outcome.wrong += [f"{log}: an entry comes twice"] * (len(twice) // 2)
            index |= {entry: at for at, entry in enumerate(entries)}
            outcome.size += len(entries)
        self._acts(index, outcome)
        self._places(index, places, outcome)

    def _acts(self, index: Mapping[bytes, int], outcome: Outcome) -> None:
        lost: dict[int, list[float]] = {}
        for entry, fate in self.fates.items():
            if fate.is_aborted and entry in index:
                outcome.wrong.append(f"{fate.log}: an aborted entry was published")
            if fate.acknowledged and entry not in index:
                later = [n for n, at in enumerate(self.restored) if at >= fate.acknowledged]
                if not later:
                    outcome.wrong.append(f"{fate.log}: an acknowledged entry is lost")
                    continue
                lost.setdefault(later[0], []).append(self.restored[later[0]] - fate.acknowledged)
        for number, ages in sorted(lost.items()):
            outcome.lost.append(len(ages))
            outcome.lost_s.append(max(ages))
            if max(ages) > MAY_LOSE_S:
                outcome.wrong.append(f"restore {number} lost entries of {max(ages):.1f} s before")
        outcome.acknowledged = sum(bool(fate.acknowledged) for fate in self.fates.values())
        outcome.aborted = sum(fate.is_aborted for fate in self.fates.values())
        outcome.in_doubt = len(self.fates) - outcome.acknowledged - outcome.aborted

    def _log(self, log: str, outcome: Outcome) -> list[bytes]:
        """The entries of a log, after all heads and the mirror were compared with them."""
        folder = self.home / "blobs" / "ledger" / log
        size, _ = said((folder / "checkpoint").read_bytes())
        entries = read_entries(folder, size)
        heads = {note: said(note) for note in self.heads[log]}
        prefixes = Prefixes(entries, {known for known, _ in heads.values()})
        for note, (known, root) in heads.items():
            Note.parse(note).verify([ledger_child.signer(log).verifier])
            if prefixes.roots.get(known) != root:
                outcome.wrong.append(f"{log}: a head of {known} entries is of another log")
        outcome.heads += len(heads)
        name = sha256(ledger_child.signer(log).verifier.name.encode()).hexdigest()
        if read_entries(self.home / "witness" / name, size) != entries:
            outcome.wrong.append(f"{log}: the mirror differs")
        if list((self.home / "witness" / name).glob("evidence/*")):
            outcome.wrong.append(f"{log}: the witness has seen a contradiction")
        return entries

    def _places(
        self, index: Mapping[bytes, int], places: Mapping[int, int], outcome: Outcome
    ) -> None:
        """Where the database says that an entry is, it is; and it says so of all that it has."""
        since = self.restored[-1] if self.restored else 0.0
        for entry, fate in self.fates.items():
            if fate.ref is None or entry not in index:
                continue
            if fate.ref not in places and fate.acknowledged > since:
                outcome.wrong.append(f"{fate.log}: an entry has no place")
            if places.get(fate.ref, index[entry]) != index[entry]:
                outcome.wrong.append(f"{fate.log}: an entry has the place of another")
