"""Five hundred hostile cases through the fence; `bench/hostile.py` does a hundred thousand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.hostile import trial
from tests.hostile.cases import ATTACKS, INVENTIONS, MUTATIONS

from luciole.cell.media import fence

CASES, SEED = 500, 7

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


@pytest.mark.long
async def test_each_case_has_a_verdict_and_nothing_is_left(tmp_path: Path) -> None:
    corpus = os.environ.get("LUCIOLE_CORPUS", "")
    ground = trial.Ground(tmp_path / "ground", Path(corpus) / "videos" if corpus else None)
    tally = trial.Tally()
    try:
        for start in range(0, CASES, trial.AT_ONCE):
            numbers = range(start, min(CASES, start + trial.AT_ONCE))
            await ground.run(SEED, numbers, tally)
    finally:
        ground.close()
    assert tally.wrong == []
    assert tally.cases == CASES
    assert os.listdir(tmp_path) == ["ground"]
    # A run in which no case got far would prove nothing.
    ends = {kind.split("\t")[1].split(":")[0] for kind in tally.verdicts}
    assert ends >= {"accepted", "encoded", "refused"}
    kinds = {kind.split("\t")[0] for kind in tally.verdicts}
    assert len(kinds) >= len(MUTATIONS) + len(INVENTIONS)


@pytest.mark.parametrize("attack", sorted(ATTACKS))
async def test_attack_from_inside_ends_with_a_verdict(attack: str, tmp_path: Path) -> None:
    ground = trial.Ground(tmp_path / "ground", None)
    try:
        program = trial.Case(attack, program=ATTACKS[attack](ground.place))
        (tmp_path / "case" / "out").mkdir(parents=True)
        verdict = await ground.verdict(program, 1, tmp_path / "case")
        assert verdict.startswith(("stopped: ", "failed by itself"))
        assert ground.look(attack) == []
    finally:
        ground.close()
