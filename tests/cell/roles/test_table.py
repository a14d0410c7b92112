"""Every address of the API, asked by everybody there is: what the table says, and nothing else."""

from __future__ import annotations

import re

import pytest
from litestar.routes import HTTPRoute
from tests.cell.console.test_roles import table as staff_table
from tests.cell.house import House
from tests.cell.roles.asked import DESCRIBED, addresses, sent
from tests.cell.roles.everybody import WHO, everybody
from tests.cell.roles.table import table

REFUSALS = DESCRIBED.with_name("errors.md")
#: They take the session of who asks, or give another.
ENDS = {
    ("PUT", "/api/me/password"),
    ("DELETE", "/api/sessions/{session_id}"),
    ("DELETE", "/api/sessions/current"),
}
TEACHES = """
These addresses are in no row of tests/cell/roles/table.py:
{}
Say who may ask for each: put it into the family that fits (for everybody, for who is signed in, for
who is not suspended, for the owner alone), and name each exception with the code of its refusal. If
a path names something new, make one that belongs to `member` in tests/cell/roles/everybody.py. If
it is for staff, it goes into tests/cell/console/test_roles.py.
"""


def served(house: House) -> set[tuple[str, str]]:
    """What the application answers to of its API, and what it describes besides."""
    found = set(addresses())
    for route in house.app.routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith("/api/"):
            found |= {(method, route.path_format) for method in route.methods - {"OPTIONS", "HEAD"}}
    return found


def statuses() -> dict[str, set[int]]:
    """The HTTP statuses of each code, from the list of refusals; none for `ok`."""
    found: dict[str, set[int]] = {"ok": set()}
    for status, code in re.findall(r"^\| (\d+) \| `([a-z0-9-]+)` ", REFUSALS.read_text(), re.M):
        found.setdefault(code, set()).add(int(status))
    return found


async def test_every_address_is_in_one_table(house: House) -> None:
    ours, staffs = set(table()), set(staff_table())
    missing = {
        one for one in served(house) - ours - staffs if not one[1].startswith("/api/openapi")
    }
    assert not missing, TEACHES.format("\n".join(f"  {' '.join(one)}" for one in sorted(missing)))
    gone = (ours | staffs) - set(addresses())
    assert not gone, f"These rows have no address any more: {sorted(gone)}"
    assert not ours & staffs, "Of the two tables one is enough."


def test_a_row_says_what_is_written() -> None:
    """The reading of the table itself."""
    read = table(
        "FOR ONE: visitor=not-signed-in\nGET /a\nPUT /b others=not-found teen=too-young\n"
        "FOR TWO:\nGET /c all=gone member=ok\n"
    )
    assert set(read["GET", "/a"].values()) == {"ok", "not-signed-in"}
    assert read["PUT", "/b"]["member"] == "ok"
    assert [read["PUT", "/b"][who] for who in ("visitor", "teen", "auditor")] == [
        *("not-signed-in", "too-young", "not-found")
    ]
    assert [read["GET", "/c"][who] for who in ("visitor", "member")] == ["gone", "ok"]
    with pytest.raises(AssertionError, match="called so"):
        table("FOR ONE:\nGET /a tean=ok\n")
    with pytest.raises(AssertionError, match="twice"):
        table("FOR ONE:\nGET /a\nGET /a\n")


@pytest.mark.timeout(900)
async def test_everybody_gets_what_the_table_says(
    house: House, owner_url: str, tiny_film: bytes
) -> None:
    world = await everybody(house, owner_url, tiny_film)
    rows, status, wrong = table(), statuses(), []
    for address in addresses():
        if address not in rows:
            continue
        for who in WHO:
            answer, expected = await sent(world, address, who), rows[address][who]
            # An answer to HEAD has no body, so its status is all there is.
            said = str(answer.json()["code"]) if answer.is_error and answer.content else expected
            if answer.is_success:
                said = "ok"
            if said != expected or (answer.is_error and answer.status_code not in status[expected]):
                told = f"{said} ({answer.status_code}) instead of {expected}"
                wrong.append(f"{' '.join(address)} by {who}: {told}")
            if address in ENDS:
                await world.again(who)
    assert not wrong, "\n".join(wrong)
