"""Rules about files: how long they grow, what must not be in them, where links lead."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.rules import source
from tests.rules.source import ROOT

MOST_LINES = {".py": 400, ".svelte": 350, ".ts": 350, ".sql": 200}
# Files that are longer today, and what they may grow to. A cap only ever goes down.
CAPS = {
    # One file, so that whoever checks a cell has one thing to get and to read; 710 lines of code.
    "verifier/luciole_verify.py": 1045,
    "src/luciole/kit/postgres.py": 456,
}
SLACK = 40
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "shared"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def length(name: str) -> int:
    return text(name).count("\n")


def written() -> list[str]:
    """Source files that people write, without generated ones."""
    return [
        name
        for name in source.files()
        if Path(name).suffix in MOST_LINES and not name.startswith("docs/reference/")
    ]


def test_files_stay_readable() -> None:
    wrong = []
    for name in written():
        most = CAPS.get(name, MOST_LINES[Path(name).suffix])
        if length(name) > most:
            wrong.append(f"{name} has {length(name)} lines; its limit is {most}")
    assert not wrong, "\n".join(
        (*wrong, "Redraw before adding: find the second idea in the file and give it a file.")
    )


def test_caps_only_go_down() -> None:
    for name, cap in CAPS.items():
        assert (ROOT / name).exists(), f"{name} is gone: take it out of CAPS."
        assert cap > MOST_LINES[Path(name).suffix], f"{name} needs no cap any more."
        assert length(name) > cap - SLACK, f"{name} became shorter: lower its cap to match."


# Written in two parts, so that this file does not hold what it looks for.
HOSTS = re.compile(
    "|".join(
        re.escape(f"{first}.{last}")
        for first, last in (
            ("py" + "pi", "org"),
            ("python" + "hosted", "org"),
            ("registry.npm" + "js", "org"),
            ("registry.yarn" + "pkg", "com"),
            ("npm" + "mirror", "com"),
            ("jfrog", "io"),
            ("pkg.github", "com"),
        )
    ),
    re.I,
)
INDEX = re.compile(r"--(extra-)?index-(?:url)|--find-(?:links)|\bregistry\s*=", re.I)
MACHINE = re.compile(
    r"(?<![\w.$}~<-])/(work|root|home/\w+|Users/\w+|tmp/\w+|mnt/\w+|srv/\w+)/(?=[\w.])"
)
BINARY = {".png", ".jpg", ".webp", ".ico", ".woff2", ".mp4", ".mov", ".webm", ".gif", ".avif"}


def readable() -> list[str]:
    return [name for name in source.files() if Path(name).suffix not in BINARY]


def places_in(line: str) -> list[str]:
    """What in a line only makes sense on one machine or one network."""
    return [found[0] for pattern in (HOSTS, INDEX, MACHINE) for found in pattern.finditer(line)]


def test_no_file_names_a_registry_or_a_machine() -> None:
    wrong: list[str] = []
    for name in readable():
        try:
            content = text(name)
        except UnicodeDecodeError:
            continue
        if not (HOSTS.search(content) or INDEX.search(content) or MACHINE.search(content)):
            continue
        wrong.extend(
            f"{name}:{number}: {', '.join(places_in(line))}"
            for number, line in enumerate(content.splitlines(), 1)
            if places_in(line)
        )
    assert not wrong, "\n".join(
        (*wrong, "Another machine has another registry and other folders: use the setting.")
    )


@pytest.mark.parametrize(
    "line",
    [
        "resolved https://registry.npm" + "js.org/svelte/-/svelte-5.tgz",
        "https://files.python" + "hosted.org/packages/a",
        "--index-" + "url https://example.org/simple",
        "LUCIOLE_CORPUS=/wo" + "rk/corpus",
        'open("/ho' + 'me/ana/clip.mp4")',
    ],
)
def test_place_is_found(line: str) -> None:
    assert places_in(line)


def test_locks_hold_versions_and_hashes_only() -> None:
    locks = [name for name in source.files() if name.endswith(".lock")]
    assert len(locks) >= 4
    for name in locks:
        content = text(name)
        assert "://" not in content, f"{name}: a lock without addresses installs from anywhere."
        pinned = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", content, re.M)
        assert pinned, name
        assert content.count("--hash=sha256:") >= len(pinned), f"{name}: a package without a hash."
    for name in source.files():
        if name.endswith("package-lock.json"):
            assert '"resolved"' not in text(name), f"{name}: npm fills in `resolved`; take it out."
            assert '"integrity"' in text(name), name


# Links

LINK = re.compile(r"(?<!\\)\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
IMAGE = re.compile(r"<(?:img|a|source)\s[^>]*(?:src|href|srcset)=\"([^\"]+)\"")


def anchors(content: str) -> set[str]:
    """Names of headings as a forge makes them."""
    found = set()
    for title in re.findall(r"^#{1,6}\s+(.+?)\s*$", content, re.M):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def without_code(content: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", content, flags=re.S)


def test_links_lead_somewhere() -> None:
    wrong = []
    for name in source.files():
        if not name.endswith(".md"):
            continue
        content = without_code(text(name))
        for link in (*LINK.findall(content), *IMAGE.findall(content)):
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            target = (ROOT / name).parent / path if path else ROOT / name
            if not target.exists():
                wrong.append(f"{name}: {link} does not exist")
            elif (
                anchor
                and target.suffix == ".md"
                and anchor not in anchors(target.read_text(encoding="utf-8"))
            ):
                wrong.append(f"{name}: {link} names no heading there")
    assert not wrong, "\n".join(wrong)


# Style


def test_modules_have_names_that_say_something() -> None:
    wrong = [
        name
        for name in source.files()
        if Path(name).suffix in (".py", ".ts", ".svelte")
        and {Path(name).stem.split(".")[0], *Path(name).parent.parts} & VAGUE
    ]
    assert not wrong, f"{wrong}: name what it does; a drawer for everything fills up."


def test_modules_say_what_they_are() -> None:
    wrong = [module.path for module in source.modules() if not ast.get_docstring(module.tree)]
    wrong += [
        name
        for name in source.files()
        if name.startswith(("tests/", "bench/"))
        and name.endswith(".py")
        and not ast.get_docstring(ast.parse(text(name)))
    ]
    assert not wrong, f"{wrong}: one sentence at the top says what the reader will find."


def test_slices_have_a_readme() -> None:
    for slice_name in source.SLICES:
        readme = f"src/luciole/cell/{slice_name}/README.md"
        assert length(readme) <= 30, f"{readme}: ten lines; the rest belongs into docs/."


def is_plain(node: ast.ClassDef) -> bool:
    """Shapes of JSON and of C, and refusals: their fields and their words say it."""
    has_words = any(
        isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) in ("code", "sentence")
        for line in node.body
    )
    return has_words or any(
        ast.unparse(base).startswith(("msgspec.Struct", "ctypes.Structure")) for base in node.bases
    )


def test_public_classes_say_what_they_are() -> None:
    wrong = [
        f"{module.at(node)} {node.name}"
        for module in source.modules()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not is_plain(node)
    ]
    assert not wrong, f"{wrong}: what does the caller get?"


def test_tests_say_their_case() -> None:
    wrong = [
        f"{name}: {node.name}"
        for name in source.files()
        if name.startswith("tests/") and Path(name).match("test_*.py")
        for node in ast.walk(ast.parse(text(name)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and re.fullmatch(r"test_?\w{0,4}\d*", node.name)
    ]
    assert not wrong, f"{wrong}: the name says the case, so that a red test says the fault."
