"""What runs is named by digests that a stranger can take for themselves."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from tests.cell.house import House

from luciole import __version__, release

BUILD = "/.well-known/luciole/build.json"
PAGE = '<!doctype html><meta name="luciole-bundle" content="" /><title>Luciole</title>'


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A small web client of known content."""
    place = tmp_path / "dist"
    (place / "assets").mkdir(parents=True)
    (place / "index.html").write_text(PAGE)
    (place / "assets" / "core-abc.js").write_text("export {}")
    (place / "sw.js").write_text("self")
    return place


@pytest.fixture
def built(house: House, dist: Path) -> House:
    web = msgspec.structs.replace(house.settings.web, dist=str(dist))
    return House(house.db, msgspec.structs.replace(house.settings, web=web), house.vault)


def by_sha256sum(place: Path, *without: str) -> str:
    """The digest as `docs/howto/audit-a-cell.md` has it taken."""
    left_out = " ".join(f"! -path '{one}'" for one in without)
    line = (
        f"find . -type f {left_out} -printf '%P\\n' | LC_ALL=C sort | "
        "xargs -d '\\n' sha256sum | sha256sum"
    )
    done = subprocess.run(["sh", "-c", line], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.split()[0]


async def test_page_the_cell_and_the_build_file_name_the_same_bundle(built: House) -> None:
    visitor = built.visitor()
    said = (await visitor.get(BUILD)).json()
    assert said["release"] == (await visitor.get("/api/cell")).json()["release"]
    assert said["release"]["version"] == __version__
    page = (await visitor.get("/", headers={"accept": "text/html"})).text
    assert f'content="sha256-{said["release"]["web_sha256"]}"' in page


async def test_stranger_gets_the_digest_of_the_bundle_from_what_is_served(built: House) -> None:
    visitor = built.visitor()
    said = (await visitor.get(BUILD)).json()
    fetched = {}
    for path in said["web_files"]:
        body = (await visitor.get("/" if path == release.PAGE else f"/{path}")).content
        fetched[path] = hashlib.sha256(release.unnamed(body)).hexdigest()
    assert fetched == said["web_files"]
    assert release.digest(fetched) == said["release"]["web_sha256"]


async def test_digests_are_those_of_common_tools(dist: Path) -> None:
    assert release.digest(release.web_files(dist)) == by_sha256sum(dist)
    mine = release.digest(release.server_files())
    assert mine == by_sha256sum(release.HERE, "*/__pycache__/*", "./web_dist/*", "*.pyc")


@pytest.mark.parametrize("place", ["new.py", "cell/people/service.py", "migrations/0001_house.sql"])
async def test_one_byte_of_the_server_changes_its_digest(tmp_path: Path, place: str) -> None:
    copy = tmp_path / "luciole"
    shutil.copytree(release.HERE, copy, ignore=shutil.ignore_patterns("demo"))
    before = release.digest(release.server_files(copy))
    assert before == release.digest(release.server_files(copy))
    with (copy / place).open("ab") as file:
        file.write(b"\n")
    assert release.digest(release.server_files(copy)) != before


async def test_what_python_makes_as_it_runs_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1")
    before = release.digest(release.server_files(tmp_path))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"made")
    (tmp_path / "web_dist").mkdir()
    (tmp_path / "web_dist" / "index.html").write_text("the client")
    assert release.digest(release.server_files(tmp_path)) == before != ""


async def test_page_loses_and_gets_back_the_name_of_its_bundle() -> None:
    named = release.named(PAGE.encode(), "ab" * 32)
    assert re.search(rb'content="sha256-(ab){32}" />', named)
    assert release.unnamed(named) == release.unnamed(PAGE.encode()) == PAGE.encode()
    assert release.unnamed(b"no name here") == b"no name here"


async def test_cell_without_a_client_says_so(house: House, tmp_path: Path) -> None:
    web = msgspec.structs.replace(house.settings.web, dist=str(tmp_path / "nothing"))
    bare = House(house.db, msgspec.structs.replace(house.settings, web=web), house.vault)
    said = (await bare.visitor().get(BUILD)).json()
    assert said["release"]["web_sha256"] == ""
    assert said["web_files"] == {}
    assert len(said["release"]["server_sha256"]) == 64
