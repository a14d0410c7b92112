"""The report of a run, for people."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from luciole.audit.canary.scan import Finding, Scanned


class Report(msgspec.Struct):
    """What was looked for, where, and what was found. Holds no mark."""

    version: str
    commitment: str
    marks: int
    forms: int
    seconds: float
    scanned: dict[str, Scanned]
    operations: int
    not_covered: list[str]
    not_planted: list[str]
    not_run: list[str]
    allowed: int
    leaks: list[Finding]

    @property
    def is_clean(self) -> bool:
        return not (self.leaks or self.not_covered or self.not_planted or self.not_run)


def show(report: Report, say: Callable[[str], None]) -> None:
    """Prints what was looked for, where, how much, and what was found."""
    say(
        f"{report.marks} marks in {report.forms} forms, {report.operations} operations, "
        f"{report.seconds:.0f} s, version {report.version}."
    )
    say(f"The list of marks: {report.commitment}")
    for kind, scanned in sorted(report.scanned.items()):
        say(f"  {kind:16} {scanned.items:6} items {scanned.size_bytes:12,} bytes")
    say(f"Found where the catalogue has them: {report.allowed}.")
    for operation in report.not_covered:
        say(f"NOT TRIED  {operation}")
    for place in report.not_planted:
        say(f"NOT MARKED {place}")
    for job in report.not_run:
        say(f"NOT RUN    {job}")
    for one in report.leaks:
        way = f" in {one.how}" if one.how else ""
        viewer = f" to {one.place.viewer}" if one.place.viewer else ""
        say(
            f"LEAK  {one.place.kind}: {one.place.name}{viewer}: {one.field} of {one.person} "
            f"as {one.form}{way} ({one.count} times, first at byte {one.at})"
        )
    say("Clean." if report.is_clean else "Not clean.")
