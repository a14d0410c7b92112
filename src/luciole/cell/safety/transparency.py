"""The transparency report (articles 15 and 24), counted from the log `decisions` and nothing else.

Whoever has the log counts the same: no number comes from a table of ours.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from statistics import median
from typing import Any

import msgspec

from luciole.cell.safety.active import averages
from luciole.kit.blobs import Blobs, Missing
from luciole.ledger.archive import CHECKPOINT, Archive
from luciole.ledger.entry import parse_canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note

LOG = "decisions"
KINDS = frozenset(
    (
        *("report", "reports-decided", "decision", "decision-ended", "appeal", "appeal-decided"),
        *("order", "order-gagged", "order-settled", "withheld"),
        *("suggestion", "suggestions-decided", "list-loaded", "list-removed", "active"),
    )
)


class Transparency(msgspec.Struct):
    """Numbers over a year, or over all that the log holds. `entries` is the size of the log that
    was counted; times are medians in hours, None where nothing was decided. `automated`: decisions
    about what a machine had pointed at (`detection`), those that one made (`decision`, always 0),
    suggestions and what moderators made of them; `automated_share`: the percentage of decisions
    about what a machine had pointed at. `active_at_least`, `active_at_most`: how many people used
    an account of theirs, by month; `active_average`: over the six months up to the newest, with how
    many `months` there are. Below ten, words instead of a number. Visitors are in none of these."""

    entries: int
    year: int | None
    notices: dict[str, int]
    notices_by_category: dict[str, int]
    notices_by_outcome: dict[str, int]
    decisions: dict[str, int]
    decisions_by_category: dict[str, int]
    decisions_by_source: dict[str, int]
    automated: dict[str, int]
    automated_share: float | None
    appeals: dict[str, int]
    government_requests: dict[str, int]
    active_at_least: dict[str, int | str]
    active_at_most: dict[str, int | str]
    active_average: dict[str, int | str]
    hours_to_decide: float | None
    hours_to_answer_appeals: float | None


class Counting:
    """Reads the log on from where it was read before."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._known: list[dict[str, Any]] = []
        self._read = 0

    async def report(self, year: int | None = None) -> Transparency:
        """The report of a year, or of all; of what the log has published."""
        size = await self._size()
        start = self._read
        with contextlib.suppress(Missing):
            async for some in Archive(self._blobs, LOG).entries(start, size):
                if self._read != start:
                    break  # another request has read on meanwhile
                self._known.extend(_ours(some))
                start = self._read = start + len(some)
        return counted(self._known, self._read, year)

    async def _size(self) -> int:
        try:
            note = (await self._blobs.get(f"ledger/{LOG}/{CHECKPOINT}")).decode()
        except Missing:
            return 0
        return Checkpoint.parse(Note.parse(note).text).size


def _ours(some: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for raw in some:
        with contextlib.suppress(Refused):
            said = parse_canonical(raw)
            if said.get("kind") in KINDS:
                yield said


def counted(entries: Iterable[dict[str, Any]], size: int, year: int | None) -> Transparency:
    """The numbers over entries of the log, in its order."""
    tallies: dict[str, Counter[str]] = {name: Counter() for name in _TALLIES}
    outcome_of: dict[str, str] = {}
    pointed: dict[str, str] = {}
    reported: dict[str, str] = {}
    appealed: dict[str, str] = {}
    waits: dict[str, list[float]] = {"report": [], "appeal": []}
    at_least: dict[str, int | str] = {}
    at_most: dict[str, int | str] = {}
    for said in entries:
        kind = said["kind"]
        # When something came is needed for how long it took, whatever the year.
        if kind == "report":
            reported[said["report"]] = said["at"]
        elif kind == "appeal":
            appealed[said["appeal"]] = said["at"]
        # Numbers of December come in January.
        when = said["month"] if kind == "active" else said["at"]
        if year is not None and not when.startswith(f"{year:04}-"):
            continue
        match kind:
            case "report":
                tallies["notices"].update(("total", f"by-{said['via']}", f"about-{said['what']}"))
                tallies["notices"]["illegal"] += said["illegal"]
                tallies["notices_by_category"][said["category"]] += 1
                outcome_of[said["report"]] = "waiting"
            case "reports-decided":
                for one in said["reports"]:
                    # A second answer, after an appeal, is no second wait.
                    is_first = outcome_of.get(one, "waiting") == "waiting"
                    outcome_of[one] = said["outcome"]
                    if said["outcome"] != "gone" and one in reported and is_first:
                        waits["report"].append(_hours(reported[one], said["at"]))
            case "decision":
                _count_decision(tallies, said)
            case "decision-ended":
                tallies["decisions"][said["why"]] += 1
            case "appeal":
                whose = "by-those-decided-about" if "decision" in said else "by-those-who-reported"
                tallies["appeals"].update(("total", whose))
            case "appeal-decided":
                tallies["appeals"][said["outcome"]] += 1
                if said["appeal"] in appealed:
                    waits["appeal"].append(_hours(appealed[said["appeal"]], said["at"]))
            case "suggestion":
                tallies["automated"].update(("suggestions", f"by-{said['method']}"))
                pointed[said["suggestion"]] = "waiting"
            case "suggestions-decided":
                pointed |= dict.fromkeys(said["suggestions"], said["outcome"])
            case "active":
                at_least[when], at_most[when] = said["at_least"], said["at_most"]
            case "list-loaded" | "list-removed":
                tallies["automated"][kind] += 1
            case "order" | "order-gagged":
                requests = tallies["government_requests"]
                requests["total"] += 1
                if kind == "order-gagged":
                    requests["under-gag"] += 1
                else:
                    requests.update((f"from-{said['country']}", f"for-{said['asks_for']}"))
                    requests["persons"] += said["persons"]
            case "order-settled":
                tallies["government_requests"][said["outcome"]] += 1
            case "withheld":
                tallies["government_requests"]["withheld"] += 1
    tallies["notices_by_outcome"] = Counter(outcome_of.values())
    tallies["automated"].update(f"suggestions-{outcome}" for outcome in pointed.values())
    total, detected = tallies["decisions"]["total"], tallies["automated"]["detection"]
    return Transparency(
        entries=size,
        year=year,
        **{name: dict(sorted(tally.items())) for name, tally in tallies.items()},
        active_at_least=dict(sorted(at_least.items())),
        active_at_most=dict(sorted(at_most.items())),
        active_average=averages(at_least, at_most),
        automated_share=round(100 * detected / total, 1) if total else None,
        hours_to_decide=_median(waits["report"]),
        hours_to_answer_appeals=_median(waits["appeal"]),
    )


_TALLIES = (
    "notices",
    "notices_by_category",
    "notices_by_outcome",
    "decisions",
    "decisions_by_category",
    "decisions_by_source",
    "automated",
    "appeals",
    "government_requests",
)


def _count_decision(tallies: dict[str, Counter[str]], said: dict[str, Any]) -> None:
    statement = said["statement"]
    is_illegal = statement["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT"
    ground = "illegal" if is_illegal else "against-terms"
    tallies["decisions"].update(("total", said["act"], ground))
    category = statement["category"].removeprefix("STATEMENT_CATEGORY_").lower().replace("_", "-")
    tallies["decisions_by_category"][category] += 1
    tallies["decisions_by_source"][statement["source_type"].lower().replace("_", "-")] += 1
    automated = tallies["automated"]
    automated["detection"] += statement["automated_detection"] == "Yes"
    automated["decision"] += statement["automated_decision"] != "AUTOMATED_DECISION_NOT_AUTOMATED"


def as_csv(report: Transparency) -> str:
    """The same numbers as lines: section, what, number."""
    made = io.StringIO()
    lines = csv.writer(made, lineterminator="\n")
    lines.writerow(("section", "what", "number"))
    for name, value in msgspec.to_builtins(report).items():
        if isinstance(value, dict):
            lines.writerows((name, what, number) for what, number in value.items())
        else:
            lines.writerow((name, "", "" if value is None else value))
    return made.getvalue()


def _hours(begun: str, ended: str) -> float:
    first, last = (
        datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) for at in (begun, ended)
    )
    return (last - first).total_seconds() / 3600


def _median(hours: list[float]) -> float | None:
    return round(median(hours), 1) if hours else None
