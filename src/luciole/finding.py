"""What a look at a cell finds, as the doctor says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["OK", "WARN", "FAIL"]


@dataclass(frozen=True)
class Finding:
    """What one check found; `next_step` is for WARN and FAIL."""

    verdict: Verdict
    subject: str
    sentence: str
    next_step: str = ""
