"""What a process writes when an error is handled by nobody: its class and places, not its text."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SECRET = "mina@example.org"
BEGIN = f"""
import asyncio, threading
from luciole.kit import logs
logs.setup("drill")
def fails():
    raise ValueError("{SECRET}")
"""
ENDINGS = {
    "main": "fails()",
    "thread": "t = threading.Thread(target=fails); t.start(); t.join()",
    "loop": "async def main(): fails()\nasyncio.run(main())",
    "chain": "try: fails()\nexcept ValueError as error: raise KeyError('"
    + SECRET
    + "') from error",
    "group": """
async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(fails))
asyncio.run(main())""",
    "finaliser": """
class Thing:
    def __del__(self): fails()
Thing()""",
    "forgotten task": """
async def main():
    task = asyncio.create_task(asyncio.to_thread(fails))
    await asyncio.sleep(0.1)
asyncio.run(main())""",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_unhandled_error_is_told_without_its_text(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + ENDINGS[name]], capture_output=True, text=True, check=False
    )
    assert SECRET not in done.stderr + done.stdout
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines, "nothing was said"
    assert {line["process"] for line in lines} == {"drill"}
    assert "ValueError" in {line["error"] for line in lines}
    if name != "forgotten task":  # told by the library's own logger, which keeps the class only
        where = [place for line in lines for place in line["where"]]
        assert any(place.endswith(" fails") for place in where), where
    # As without us: a main thread that fails ends the process with 1.
    expected = 0 if name in ("thread", "finaliser", "forgotten task") else 1
    assert done.returncode == expected


def test_the_first_line_is_the_error_itself_and_its_causes_follow() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + ENDINGS["chain"]],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [json.loads(line)["error"] for line in done.stderr.splitlines()]
    assert told == ["KeyError", "ValueError"]


def test_fields_that_are_not_on_the_list_are_dropped() -> None:
    program = f"""
from luciole.kit import logs
logs.setup("drill")
logs.log.warning("something", code="busy", handle="{SECRET}", path="/{SECRET}")
import logging
logging.getLogger("asyncio").error("request of %s", "{SECRET}")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert SECRET not in done.stderr + done.stdout
    first, second = (json.loads(line) for line in done.stderr.splitlines())
    assert (first["event"], first["code"]) == ("something", "busy")
    assert first["dropped_fields"] == ["handle", "path"]
    assert second["event"] == "library asyncio reported"
