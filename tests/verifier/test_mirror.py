"""A cell's logs compared with the mirror of another cell: cut, forked, gone, or as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from comparer import luciole_mirror
from tests.vectors.log_writer import Signer, b64, canonical, mth, tile_files
from tests.vectors.world import CELL, LOGS, NOW, OAK, SEEN, iso

from verifier import luciole_verify


def said(kind: str, n: int) -> bytes:
    return canonical({"v": 1, "at": iso(SEEN - 3600 + n), "kind": kind, "n": n})


# What the tests here bring about.
TOLD = {"mirror.none", "mirror.away", "mirror.cut", "mirror.forked"}
TOLD |= {"evidence.format", "evidence.proven", "evidence.open"}
BEFORE = [said("out", n) for n in range(300)]


def signer_of(log: str) -> Signer:
    return Signer.named(f"luciole/{CELL}/{log}", 1)


def note(log: str, entries: list[bytes], *, is_cosigned: bool = True) -> str:
    signer = signer_of(log)
    body = f"luciole/{CELL}/{log}\n{len(entries)}\n{b64(mth(entries))}\n"
    lines = signer.line(signer.sign(body.encode()))
    return f"{body}\n{lines}{OAK.cosigned(body, SEEN) if is_cosigned else ''}"


def lay(place: Path, entries: list[bytes]) -> Path:
    """A ledger whose three logs have these entries, and its policy."""
    for log in LOGS:
        files = {path.removeprefix("tile/"): data for path, data in tile_files(entries).items()}
        files = {f"tile/{path}": data for path, data in files.items()}
        files["checkpoint"] = note(log, entries).encode()
        for path, data in files.items():
            (place / "ledger" / log / path).parent.mkdir(parents=True, exist_ok=True)
            (place / "ledger" / log / path).write_bytes(data)
    lines = "".join(f"log {signer_of(log).vkey()}\n" for log in LOGS)
    (place / "ledger" / "policy").write_text(f"{lines}witness oak {OAK.vkey()}\nquorum oak\n")
    return place


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return lay(tmp_path / "mirror", BEFORE)


def run(
    capsys: pytest.CaptureFixture[str], cell: object, mirror: Path, *more: str
) -> tuple[int, str, dict[str, dict[str, Any]]]:
    """Exit status, verdict, and claims that are not GREEN by their code."""
    policy = str(mirror / "ledger" / "policy")
    words = [str(cell), str(mirror), "--policy", policy, "--now", iso(NOW), "--json"]
    status = luciole_mirror.main([*words, *more])
    report = json.loads(capsys.readouterr().out)
    found = {one["code"]: one for one in report["claims"] if one["code"] != "green"}
    return status, report["verdict"], found


@pytest.mark.parametrize("more", [0, 1, 400])
def test_cell_that_went_on_from_what_the_mirror_has_is_green(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str], more: int
) -> None:
    cell = lay(tmp_path / "cell", BEFORE + [said("in", 300 + n) for n in range(more)])
    assert run(capsys, cell, mirror) == (0, "GREEN", {})


@pytest.mark.parametrize("left", [299, 256, 1])
def test_cell_that_was_put_back_is_red_with_both_heads(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str], left: int
) -> None:
    cell = lay(tmp_path / "cell", BEFORE[:left])
    evidence = tmp_path / "evidence"
    status, verdict, found = run(capsys, cell, mirror, "--evidence", str(evidence))
    assert (status, verdict, set(found)) == (1, "RED", {"mirror.cut"})
    for entries in (BEFORE[:left], BEFORE):
        assert f"{len(entries)} {mth(entries).hex()}" in found["mirror.cut"]["sentence"]
    assert (evidence / "border.cell.head").read_text() == note("border", BEFORE[:left])
    assert (evidence / "border.mirror.head").read_text() == note("border", BEFORE)
    assert (evidence / f"border.mirror.entry-{left}").read_bytes() == BEFORE[left]


@pytest.mark.parametrize("more", [0, 50])
def test_cell_that_tells_another_story_is_red_with_both_lines(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str], more: int
) -> None:
    other = [*BEFORE[:280], said("unsent", 280), *BEFORE[281:]]
    other += [said("in", 300 + n) for n in range(more)]
    cell = lay(tmp_path / "cell", other)
    evidence = tmp_path / "evidence"
    status, verdict, found = run(capsys, cell, mirror, "--evidence", str(evidence))
    assert (status, verdict, set(found)) == (1, "RED", {"mirror.forked"})
    assert found["mirror.forked"]["sentence"].startswith("From entry 280 on")
    assert (evidence / "access.cell.entry-280").read_bytes() == other[280]
    assert (evidence / "access.mirror.entry-280").read_bytes() == BEFORE[280]


def test_cell_that_is_gone_cannot_be_told_and_the_mirror_holds_by_itself(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    for nowhere in (tmp_path / "gone", "http://127.0.0.1:9"):
        status, verdict, found = run(capsys, nowhere, mirror)
        assert (status, verdict, set(found)) == (2, "CANNOT TELL", {"mirror.away"})


def test_log_that_the_mirror_has_not_is_not_told_of(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mirror / "ledger" / "access" / "checkpoint").unlink()
    _, verdict, found = run(capsys, lay(tmp_path / "cell", BEFORE), mirror)
    assert (verdict, set(found)) == ("CANNOT TELL", {"mirror.none"})


def test_mirror_that_lies_is_not_taken_for_the_cell(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = lay(tmp_path / "cell", BEFORE)
    bundle = mirror / "ledger" / "border" / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"?")
    _, verdict, found = run(capsys, cell, mirror)
    assert (verdict, set(found)) == ("RED", {"tree.root"})
    assert found["tree.root"]["claim"] == "border: mirror's tree"


def test_incomplete_mirror_accuses_nobody(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mirror / "ledger" / "border" / "tile" / "entries" / "000").unlink()
    _, verdict, found = run(capsys, lay(tmp_path / "cell", BEFORE), mirror)
    assert (verdict, set(found)) == ("CANNOT TELL", {"tree.missing"})
    # As at an address, where a cell that withholds its own entries is RED.
    assert luciole_verify.Site("https://us.example/mirror/sg").absent == "tree.missing"
    assert luciole_verify.Site("https://us.example").absent == "tree.withheld"


@pytest.mark.parametrize(
    ("theirs", "code"),
    [
        ([*BEFORE[:299], said("in", 299)], "evidence.proven"),
        ([*BEFORE[:99], said("in", 99)], "evidence.proven"),
        ([*BEFORE, said("in", 300)], "evidence.open"),
    ],
)
def test_what_the_witness_has_kept_is_judged_by_the_entries(
    tmp_path: Path,
    mirror: Path,
    capsys: pytest.CaptureFixture[str],
    theirs: list[bytes],
    code: str,
) -> None:
    pair = {"log": "border", "code": "fork"}
    pair |= {"ours": note("border", BEFORE), "theirs": note("border", theirs, is_cosigned=False)}
    (mirror / "ledger" / "evidence").write_text(json.dumps([pair]))
    _, verdict, found = run(capsys, lay(tmp_path / "cell", BEFORE), mirror)
    assert set(found) == {code}
    assert verdict == ("RED" if code == "evidence.proven" else "CANNOT TELL")


def test_evidence_that_the_log_never_signed_accuses_nobody_but_the_mirror(
    tmp_path: Path, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    false = note("border", BEFORE[:5]).replace("\n5\n", "\n6\n")
    pair = {"log": "border", "code": "fork", "ours": note("border", BEFORE), "theirs": false}
    cell = lay(tmp_path / "cell", BEFORE)
    for raw in (json.dumps([pair]), "[", '[{"log": "../border"}]', "[1]"):
        (mirror / "ledger" / "evidence").write_text(raw)
        _, verdict, found = run(capsys, cell, mirror)
        assert (verdict, set(found)) == ("CANNOT TELL", {"evidence.format"})
