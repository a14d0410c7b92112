"""Several cells from one command: they find each other, and a clip of one plays in the other."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.drills.cell_process import free_port, none_left, serve, started

from luciole import network
from verifier import luciole_crossings

pytestmark = [pytest.mark.xdist_group("start")]


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - of our own cell
        return json.loads(answer.read())


def until(look: Any, seconds: float = 420) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(1)
    return found


@pytest.mark.parametrize("text", ["us", "us,us", "us,Üs", "us,", "a,b,c,d,e", "us,sg/..", ""])
def test_cells_have_two_to_four_short_names(text: str) -> None:
    with pytest.raises(network.BadCells):
        network.names_of(text)
    assert network.names_of("us, SG") == ["us", "sg"]


def test_cells_have_folders_and_ports_of_their_own(tmp_path: Path) -> None:
    port = free_port()
    environment = {"LUCIOLE_DATA_DIR": str(tmp_path), "LUCIOLE_WEB_PORT": str(port)}
    environment["LUCIOLE_CELL_DEMO"] = "true"
    us, sg, eu = network.members_of(environment, ["us", "sg", "eu"])
    folders = [each.settings.data for each in (us, sg, eu)]
    assert folders == [tmp_path / name for name in ("us", "sg", "eu")]
    ports = {each.settings.web.port for each in (us, sg, eu)}
    ports |= {each.settings.border.port for each in (us, sg, eu)}
    assert len(ports) == 6
    guards = [each.settings.keys.guardian for each in (us, sg, eu)]
    assert guards == ["sg", "eu", "us"]
    assert [each.settings.contacts.peer for each in (us, sg, eu)] == guards
    assert [each.settings.cell.jurisdiction for each in (us, sg, eu)] == ["US", "SG", "FR"]


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_clip_of_one_cell_plays_in_the_other(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    _, environment = serve(data, free_port())
    environment = {**environment, "LUCIOLE_MEDIA_ALLOW_UNFENCED_DECODING": "true"}
    command = [sys.executable, "-m", "luciole", "demo", "--cells", "us,sg"]
    with started(command, environment) as demo:
        demo.wait_for("Cells that exchange", 240)
        us = demo.wait_for(r"us +(http://localhost:\d+) ", 10)[1]
        sg = demo.wait_for(r"sg +(http://localhost:\d+) ", 10)[1]
        assert demo.wait_for(r"(http://localhost:\d+)/glass", 10)[1] == us
        seen = until(
            lambda: [p for p in get(f"{us}/api/glass")["peers"] if p["verdict"] == "GREEN"]
        )
        assert (seen[0]["name"], seen[0]["jurisdiction"]) == ("sg", "SG")
        # People may find whom they know: the key is in both cells, and codes come to the console.
        terms = get(f"{us}/api/contacts/terms")
        assert terms["is_offered"], terms

        def came() -> Any:
            items = get(f"{sg}/api/feeds/latest")["items"]
            return [one for one in items if one["author"]["handle"].endswith("@us")]

        clip = until(came)[0]
        film = until(lambda: get(f"{sg}/api/clips/{clip['id']}")["renditions"])[0]
        with urllib.request.urlopen(f"{sg}{film['url']}", timeout=20) as answer:  # noqa: S310
            assert len(answer.read()) == film["size_bytes"]
        # Both logs tell of it, and agree.
        ways = {one["wire"] for one in get(f"{us}/api/glass")["crossings"] if one["kind"] == "out"}
        assert {"person", "clip", "media"} <= ways
        border = seen[0]["origin"]
        time.sleep(5)
        options = luciole_crossings.argparse.Namespace(
            cells=[("us", us), ("sg", border)], policy=[], now=int(time.time()), json=True
        )
        found = {one["claim"]: one for one in luciole_crossings.audit(options)}
        assert found["us to sg"]["verdict"] in ("GREEN", "CANNOT TELL"), found["us to sg"]
        assert not [one for one in found.values() if one["verdict"] == "RED"], found
        assert re.search(r"[1-9]\d* crossings from us", found["us to sg"]["sentence"])
        assert {"us", "sg"} <= set(os.listdir(data))
        assert demo.stop() == 0
    assert none_left(data) == []


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_three_cells_each_know_the_others_and_a_clip_plays_in_both(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    _, environment = serve(data, free_port())
    environment = {**environment, "LUCIOLE_MEDIA_ALLOW_UNFENCED_DECODING": "true"}
    command = [sys.executable, "-m", "luciole", "demo", "--cells", "us,sg,eu"]
    with started(command, environment) as demo:
        demo.wait_for("Cells that exchange", 400)
        at = {
            name: demo.wait_for(rf"{name} +(http://localhost:\d+) ", 10)[1]
            for name in ("us", "sg", "eu")
        }
        borders = {}
        for name, place in at.items():
            others = set(at) - {name}

            def green(place: str = place, others: set[str] = others) -> Any:
                peers = get(f"{place}/api/glass")["peers"]
                found = {one["name"]: one for one in peers if one["verdict"] == "GREEN"}
                return found if set(found) == others else None

            borders |= {other: one["origin"] for other, one in until(green).items()}
            # The other half of its key of contacts is with the next of the three.
            assert until(lambda place=place: get(f"{place}/api/contacts/terms")["is_offered"])
        assert set(borders) == set(at)

        def came(place: str) -> Any:
            items = get(f"{place}/api/feeds/latest")["items"]
            return [one for one in items if one["author"]["handle"].endswith("@us")]

        for name in ("sg", "eu"):
            place = at[name]
            clip = until(lambda place=place: came(place))[0]
            where = f"{place}/api/clips/{clip['id']}"
            film = until(lambda where=where: get(where)["renditions"])[0]
            with urllib.request.urlopen(f"{place}{film['url']}", timeout=20) as answer:  # noqa: S310
                assert len(answer.read()) == film["size_bytes"]
        time.sleep(5)
        for name in ("sg", "eu"):
            options = luciole_crossings.argparse.Namespace(
                cells=[("us", at["us"]), (name, borders[name])],
                policy=[],
                now=int(time.time()),
                json=True,
            )
            found = {one["claim"]: one for one in luciole_crossings.audit(options)}
            assert not [one for one in found.values() if one["verdict"] == "RED"], found
            assert re.search(r"[1-9]\d* crossings from us", found[f"us to {name}"]["sentence"])
        assert demo.stop() == 0
    assert none_left(data) == []
