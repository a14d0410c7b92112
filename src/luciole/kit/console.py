"""Lines for the person at the console."""

from __future__ import annotations

import contextlib


def say(text: str) -> None:
    """A line on the console. A window that was closed must not keep us from stopping in order."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)
