"""What the docs name exists: commands, options, settings. And the README is what it promises."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

import pytest
from tests.drills.cell_process import ROOT

from luciole import cli, config

# Programs beside the package that read settings of their own.
BESIDE = (
    *("luciole", "web/vite.config.ts", "bench/*.py"),
    *("tests/browser/*.py", "tests/corpus/*.py", "tests/order.py"),
)
# A command is named after `./luciole`, or after a path that ends so.
COMMAND = re.compile(r"(?:\./|/opt/luciole/|`)luciole(?P<words>(?: [a-z-]+)+)")
SETTING = re.compile(r"\bLUCIOLE_[A-Z][A-Z_]*[A-Z]\b")
OPTION = re.compile(r"\./luciole ([a-z]+)[^`\n|]*?(--[a-z-]+)")


def pages() -> list[Path]:
    """All pages that people read, as git knows them or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    found = [ROOT / name for name in listed] or [
        path
        for path in ROOT.rglob("*.md")
        if not {".venv", "node_modules", ".cache", "var"} & set(path.relative_to(ROOT).parts)
    ]
    return sorted(path for path in found if path.exists())


def commands() -> dict[str, argparse.ArgumentParser]:
    subparsers = next(
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return dict(subparsers.choices)


def options(command: argparse.ArgumentParser) -> set[str]:
    """Of a command, and of those under it."""
    found = set[str]()
    for action in command._actions:
        found |= set(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                found |= options(one)
    return found


def test_readme_is_short_and_shows_the_feed() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count("\n") < 100
    assert re.search(r"!\[[^\]]{20,}\]\(docs/images/feed\.webp\)", readme), "a picture with words"
    assert "./luciole demo" in readme.split("## ", 2)[1]
    assert "./luciole test" in readme.split("## ", 2)[1]


def test_picture_of_the_readme_is_a_webp() -> None:
    picture = (ROOT / "docs" / "images" / "feed.webp").read_bytes()
    assert picture[:4] == b"RIFF"
    assert picture[8:12] == b"WEBP"


def test_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.count("\n") == 661
    assert text.lstrip().startswith("GNU AFFERO GENERAL PUBLIC LICENSE")
    assert 'license = "AGPL-3.0-or-later"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_named_commands_exist() -> None:
    known = {*commands(), "test", "help"}
    wrong = [
        f"{page.relative_to(ROOT)}: luciole{found['words']}"
        for page in pages()
        for found in COMMAND.finditer(page.read_text(encoding="utf-8"))
        if found["words"].split()[0] not in known
    ]
    assert not wrong, "\n".join(wrong)


def test_named_options_exist() -> None:
    known = {name: options(one) for name, one in commands().items()}
    wrong = [
        f"{page.relative_to(ROOT)}: {name} {option}"
        for page in pages()
        for name, option in OPTION.findall(page.read_text(encoding="utf-8"))
        if name in known and option not in known[name]
    ]
    assert not wrong, "\n".join(wrong)


def test_named_settings_exist() -> None:
    beside = [path.read_text(encoding="utf-8") for name in BESIDE for path in ROOT.glob(name)]
    known = {*config.names(), *SETTING.findall("\n".join(beside))}
    text = {page: page.read_text(encoding="utf-8") for page in [*pages(), *deployed()]}
    wrong = [
        f"{page.relative_to(ROOT)}: {name}"
        for page, content in text.items()
        for name in SETTING.findall(content)
        if name not in known
    ]
    assert not wrong, "\n".join(wrong)


def deployed() -> list[Path]:
    return [path for path in (ROOT / "deploy").iterdir() if path.suffix != ".md"]


def test_example_settings_can_be_read() -> None:
    lines = (ROOT / "deploy" / "cell.env.example").read_text(encoding="utf-8").splitlines()
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    settings = config.load(pairs)
    assert settings.is_secure
    assert settings.cell.minimum_age_band == "16-17"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (COMMAND, "run `./luciole fly` now"),
        (COMMAND, "type `luciole fly`"),
        (SETTING, "set LUCIOLE_WEB_WINGS=2"),
        (OPTION, "./luciole demo --wings"),
    ],
)
def test_names_are_found(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
