"""The verifier judges every vector as it should."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.vectors import make
from tests.verifier import runs

STATUS = {"GREEN": 0, "RED": 1, "CANNOT TELL": 2}


def test_vectors_are_those_that_the_script_makes() -> None:
    made = make.files()
    lying = {
        str(path.relative_to(make.FOLDER)): path.read_bytes()
        for name in make.names()
        for path in (make.FOLDER / name).rglob("*")
        if path.is_file()
    }
    assert lying.keys() == made.keys()
    wrong = [name for name in made if made[name] != lying[name]]
    assert not wrong, f"{wrong}: run `python -m tests.vectors.make` and look at what changed."


@pytest.mark.parametrize("name", make.names())
def test_vector_is_judged_rightly(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = make.expected(name)
    status, report = runs.run(capsys, *runs.lay(name, tmp_path))
    assert (report["verdict"], runs.codes(report)) == (expected["verdict"], expected["codes"]), [
        claim for claim in report["claims"] if claim["verdict"] != "GREEN"
    ]
    assert status == STATUS[expected["verdict"]]
    for claim in report["claims"]:
        assert (claim["verdict"] == "GREEN") == (claim["next"] == "")
        assert claim["sentence"]
