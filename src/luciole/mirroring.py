"""What the cell mirrors of the logs of others, for the doctor."""

from __future__ import annotations

from collections.abc import Iterator

from luciole.config import Settings
from luciole.finding import Finding
from luciole.mirrors import Mirrored, told

SUBJECT = "mirrors"
# From here on room is running out.
NEARLY = 0.8


def looked(settings: Settings) -> Iterator[Finding]:
    """How each mirror is, and what it takes."""
    for one in told(settings.mirrors_dir):
        yield _of(one)


def _of(one: Mirrored) -> Finding:
    entries = sum(log.size for log in one.logs)
    says = f"{entries} entries of {one.name} are mirrored and take {one.bytes / 10**6:.1f} MB"
    if one.state == "disk":
        return Finding(
            "WARN",
            SUBJECT,
            f"{says}; no more are kept, because the disk is nearly full",
            "Make room. What was left out is fetched then, as long as that cell has it.",
        )
    if one.state == "limit":
        return Finding(
            "WARN",
            SUBJECT,
            f"{says}; no more are kept, because that is the limit",
            "Raise LUCIOLE_LEDGER_MIRROR_BYTES and start again; what was left out is fetched then.",
        )
    if one.bytes > NEARLY * one.most_bytes:
        return Finding(
            "WARN",
            SUBJECT,
            f"{says}, of {one.most_bytes / 10**6:.1f} MB at most",
            "Raise LUCIOLE_LEDGER_MIRROR_BYTES before it is full.",
        )
    return Finding("OK", SUBJECT, says)
