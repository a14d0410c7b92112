"""A page of the docs whose commands are run: its blocks, and two windows to type them into.

A block fenced as `sh` is typed, and a `text` block after it is what it must print. `window=1`
names a window in which cells run (another number: another window); `after=ctrl-c` marks what a cell
says once it is stopped. In an expected line, `…` stands for anything.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.drills.cell_process import ROOT, Cell, started

FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENDED = "-- the block has ended with"
START_WITHIN_S = 120


@dataclass(frozen=True)
class Block:
    """One fenced block: `sh` or `text`, its marks and its text."""

    kind: str
    marks: Mapping[str, str]
    text: str

    @property
    def is_cell(self) -> bool:
        return "window" in self.marks


def blocks_of(page: Path, replaced: Mapping[str, str]) -> list[Block]:
    """The page's `sh` and `text` blocks in order, with ports and folders replaced by free ones."""
    found = []
    for kind, marks, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if kind in ("sh", "text"):
            for old, new in replaced.items():
                text = text.replace(old, new)
            pairs = dict(mark.split("=", 1) for mark in marks.split())
            found.append(Block(kind, pairs, text))
    return found


def pattern_of(line: str) -> str:
    """The regular expression of an expected line."""
    return ".*".join(re.escape(part) for part in line.split("…"))


def is_as_expected(printed: str, expected: str) -> bool:
    """Whether each printed line is the expected one."""
    lines, wanted = printed.strip().splitlines(), expected.strip().splitlines()
    return len(lines) == len(wanted) and all(
        re.fullmatch(pattern_of(want), line.rstrip())
        for line, want in zip(lines, wanted, strict=True)
    )


class Window:
    """A shell that keeps its variables from block to block."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["sh", "-u"],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, block: str) -> str:
        """What the block prints. AssertionError where its last command fails."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{block}\nprintf '\\n{ENDED} %s\\n' $?\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.startswith(ENDED):
                assert line.split()[-1] == "0", f"{block}\nprinted:\n{''.join(lines)}{line}"
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended in\n{block}\nafter printing\n{''.join(lines)}")

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._shell.communicate(timeout=10)


def follow(page: Path, replaced: Mapping[str, str], environment: Mapping[str, str]) -> int:
    """Does what the page says, in its order, and compares; gives how many outputs it compared."""
    compared = 0
    with contextlib.ExitStack() as stack:
        window = Window(environment)
        stack.callback(window.close)
        cells, printed = dict[str, Cell](), ""
        for block in blocks_of(page, replaced):
            if block.kind == "sh" and block.is_cell:
                cells[block.marks["window"]] = stack.enter_context(
                    started(["sh", "-c", block.text], environment)
                )
            elif block.kind == "sh":
                printed = window.type(block.text)
            elif block.is_cell:
                cell = cells[block.marks["window"]]
                if block.marks.get("after") == "ctrl-c":
                    # The shell around it hears Ctrl-C too, as in a terminal.
                    assert cell.stop() in (0, -signal.SIGINT)
                for line in block.text.strip().splitlines():
                    cell.wait_for(f"^{pattern_of(line)}$", START_WITHIN_S)
                compared += 1
            else:
                assert is_as_expected(printed, block.text), (
                    f"expected:\n{block.text}\nprinted:\n{printed}"
                )
                compared += 1
    return compared
