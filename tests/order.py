"""In which order tests run: shuffled, and the same for the same code, so that what one machine saw
another can see. `LUCIOLE_TEST_SEED` gives another order."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def options() -> list[str]:
    """Words for pytest: the seed of the shuffle; none where neither the setting nor git knows one,
    and pytest then takes its own."""
    seed = os.environ.get("LUCIOLE_TEST_SEED") or _of_the_code()
    return [f"--randomly-seed={seed}"] if seed else []


def _of_the_code() -> str:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD^{tree}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return str(int(done.stdout.strip()[:7], 16))
