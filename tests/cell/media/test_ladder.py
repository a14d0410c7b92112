"""The quality that is found for a film is the one that its renditions have."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.cell.media.support import Cell, Person
from tests.unit.media import films

from luciole.cell.media import encode, fence, probe, quality
from luciole.cell.media.rungs import Cut

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
# A picture that asks for another quality than the one of all films.
SOFT = ("-vf", "gblur=sigma=3")


async def by_itself(source: Path, folder: Path, crf: float | None) -> int:
    """The bytes of the rendition above the first, with that CRF."""
    folder.mkdir()
    film = await probe.probe(source, folder)
    (made,) = await encode.ladder(source, film, Cut(0, film.duration_ms), folder, crf=crf)
    return made.size_bytes


async def test_rendition_has_the_quality_that_was_found_for_its_film(
    cell: Cell, ana: Person, tmp_path: Path
) -> None:
    source = films.make(tmp_path / "film.mp4", *SOFT, size="720x1280", seconds=2, rate=15)
    film = await probe.probe(source, tmp_path)
    rung = encode.rungs_above(film)[-1]
    found = await quality.crf_for(source, film, Cut(0, film.duration_ms), rung, tmp_path)
    assert abs(found - rung.crf) > 2, "this film does not tell whether the search is heard"
    of_all = await by_itself(source, tmp_path / "all", None)
    wanted = await by_itself(source, tmp_path / "found", found)
    assert abs(wanted / of_all - 1) > 0.2
    data = await asyncio.to_thread(source.read_bytes)
    await cell.playable(ana, data)
    (made,) = await cell.rows("SELECT size_bytes FROM media.file WHERE name = '720'")
    # Laid out for its segments it is a little larger.
    assert made["size_bytes"] == pytest.approx(wanted, rel=0.06)
