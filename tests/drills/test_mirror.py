"""A cell loses the disk of its logs, or is put back: what its peer mirrors says what it had."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from comparer import luciole_mirror
from tests.border.conftest import Cell, cell_in, peered, running, until
from tests.border.test_two_cells import entry, news, offer

from luciole.mirrors import Mirrored, told
from verifier import luciole_verify

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("cells")]


def mirror_of(cell: Cell) -> dict[str, int]:
    """Up to which size a cell mirrors the logs of its one peer."""
    found: list[Mirrored] = told(cell.settings.mirrors_dir)
    return {one.log: one.size for mirror in found for one in mirror.logs}


def size_of(log: Path) -> int:
    """How many entries a log has published."""
    return int((log / "checkpoint").read_bytes().split(b"\n")[1])


async def verified(
    capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], int], *words: object
) -> tuple[str, dict[str, dict[str, Any]]]:
    """The verdict, and the claims that are not GREEN by their code."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    given = [*map(str, words), "--now", now, "--json"]
    capsys.readouterr()
    await asyncio.to_thread(main, given)
    report = json.loads(capsys.readouterr().out)
    return report["verdict"], {one["code"]: one for one in report["claims"] if one["next"]}


async def test_mirror_proves_what_a_cell_had_that_lost_its_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    us, sg = cell_in(tmp_path, "us"), cell_in(tmp_path, "sg")
    earlier, policy = tmp_path / "earlier", tmp_path / "policy"
    logs = Path(us.settings.blobs_place) / "ledger"
    mirror = f"{sg.settings.pages_here}/mirror/us"
    with running(sg):
        with running(us):
            await peered(us, sg)
            # The policy as an auditor has it from before, who asks for the word of the peer.
            lines = (logs / "policy").read_text().splitlines()
            lines = [line for line in lines if not line.startswith(("quorum", "group"))]
            policy.write_text("\n".join([*lines, "quorum cell-sg", ""]))
            shutil.copytree(logs, earlier)
            crossing, _ = await offer(us, "sg")
            await news(us, crossing)
            await entry(sg, id=str(crossing), kind="in")

            async def is_mirrored() -> bool:
                sizes = mirror_of(sg)
                return all(sizes.get(log) == size_of(logs / log) for log in luciole_verify.LOGS)

            await until(is_mirrored)
            await us.close()
        # 1. While the cell is away, its mirror stands for it.
        verdict, found = await verified(capsys, luciole_verify.main, mirror, "--policy", policy)
        assert (verdict, found) == ("GREEN", {})
        # 2. As it was: GREEN. Its folder is what it would serve.
        words = (luciole_mirror.main, us.settings.blobs_place, mirror, "--policy", policy)
        verdict, found = await verified(capsys, *words)
        assert (verdict, found) == ("GREEN", {})
        # 3. The disk of its logs is lost: nobody can compare, and the mirror still says all of it.
        lost = tmp_path / "lost"
        logs.rename(lost)
        verdict, found = await verified(capsys, *words)
        assert (verdict, set(found)) == ("CANNOT TELL", {"mirror.away"})
        # 4. It comes back with an older copy: RED, with both signed heads as evidence.
        shutil.copytree(earlier, logs)
        evidence = tmp_path / "evidence"
        verdict, found = await verified(capsys, *words, "--evidence", evidence)
        assert (verdict, set(found)) == ("RED", {"mirror.cut"})
        assert (evidence / "border.mirror.head").read_text().startswith("luciole/")
        await sg.close()
