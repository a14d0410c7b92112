"""The page of results: each run writes its own section and leaves the others."""

from __future__ import annotations

import re
from pathlib import Path

from bench import machine

RESULTS = Path(__file__).parents[1] / "results" / "feed-quality.md"
HEAD = "# What For You's choices are worth\n\n"


def write(title: str, body: str, path: Path = RESULTS) -> None:
    """Puts a section (## title) into the page, in place of one of that title."""
    section = f"## {title}\n\n{machine.described()}\n\n{body.strip()}\n\n"
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.M | re.S)
    if pattern.search(text):
        text = pattern.sub(lambda _: section, text)
    else:
        text = text.rstrip() + "\n\n" + section
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.rstrip() + "\n", encoding="utf-8")
    print(section)
