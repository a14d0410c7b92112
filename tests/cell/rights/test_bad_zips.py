"""Every archive that is not an export is refused with a sentence, and changes nothing."""

from __future__ import annotations

import pytest
import pytest_asyncio
from tests.cell.house import Browser, House
from tests.cell.rights.bad_zips import BAD
from tests.cell.rights.bring import bring
from tests.cell.rights.taken import take
from tests.conftest import later


@pytest.fixture(scope="session")
def kept() -> dict[str, bytes]:
    """One good export for all cases: making it takes longest."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def good(house: House, kept: dict[str, bytes], tiny_film: bytes) -> bytes:
    if not kept:
        dora = await house.person("dora")
        await dora.clip(house, tiny_film, caption="Good")
        kept["zip"] = (await take(house, dora)).raw
    return kept["zip"]


# `tests/unit/rights` looks at all of them without a cell around.
THROUGH_THE_API = (
    "no zip at all",
    "a path upwards",
    "a bomb",
    "no manifest",
    "one bit of a film",
    "a row without an end",
)


@pytest.mark.parametrize("name", [n if n in THROUGH_THE_API else later(n) for n in BAD])
async def test_archive_is_refused(house: House, good: bytes, name: str) -> None:
    spoil, code = BAD[name]
    person = await house.person("eva")
    before = await everything(house, person)
    done = await bring(house, person, spoil(good))
    assert done["state"] == "refused", done
    assert done["refusal"]["code"] == code
    assert done["refusal"]["sentence"].endswith(".")
    assert done["refusal"]["next_step"].endswith(".")
    assert await everything(house, person) == before


async def test_the_same_archive_unspoiled_is_taken(house: House, good: bytes) -> None:
    person = await house.person("eva")
    before = await everything(house, person)
    done = await bring(house, person, good)
    assert done["state"] == "done", done
    assert await everything(house, person) != before


async def everything(house: House, person: Browser) -> list[object]:
    """What an import would change: the account, its clips, and what lies in the object store."""
    prefixes = ("p/", "r/", "uploads/", "imports/")
    keys = {key for prefix in prefixes async for key in house.parts.blobs.keys(prefix)}
    clips = (await person.get(f"/api/people/{person.handle}/clips")).json()["items"]
    return [keys, clips, (await person.get("/api/me")).json()]
