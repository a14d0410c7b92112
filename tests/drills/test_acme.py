"""Caddy, with the file that `luciole install` writes, gets certificates by ACME from an authority
on another machine, as from a public one; people come in over them with passkeys.

The authority is a second Caddy. Each has a network namespace of its own, so that the challenges go
to ports 80 and 443 over a cable. Needs root.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.drills.cell_process import ROOT, free_port, none_left, serve, started
from tests.drills.nets import Net, connected

from luciole import installing
from luciole.installing import Wishes

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("start"), pytest.mark.timeout(900)]
HOST, BORDER, AUTHORITY = "luciole.example", "border.luciole.example", "ca.example"
DIRECTORY = f"https://{AUTHORITY}/acme/local/directory"
HOSTS = 'mount --make-rprivate / && mount --bind "$0" /etc/hosts && exec "$@"'


@pytest.fixture(autouse=True)
def can_be_had() -> None:
    missing = [one for one in ("caddy", "ip", "unshare", "mount") if shutil.which(one) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"ACME cannot be tried: not root, or without {missing}")


def at(net: Net, hosts: Path) -> list[str]:
    """What a command begins with that is run on that machine, where the names are known."""
    return [*net.inside, "unshare", "--mount", "sh", "-c", HOSTS, str(hosts)]


def home(folder: Path) -> dict[str, str]:
    """Where a Caddy keeps its keys and certificates."""
    folder.mkdir()
    return {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def caddy(file: Path) -> list[str]:
    """As Debian's unit starts it."""
    return ["caddy", "run", "--environ", "--adapter", "caddyfile", "--config", str(file)]


def test_certificates_come_by_acme_and_passkeys_fit_them(tmp_path: Path) -> None:
    port, border_port, hosts = free_port(), free_port(), tmp_path / "hosts"
    with connected("10.77.31") as (far, near):
        hosts.write_text(
            f"127.0.0.1 localhost\n{far.address} {AUTHORITY}\n{near.address} {HOST} {BORDER}\n"
        )
        authority = tmp_path / "authority.caddy"
        authority.write_text(
            f"{{\n\tskip_install_trust\n}}\n{AUTHORITY} {{\n\ttls internal\n\tacme_server\n}}\n"
        )
        root = tmp_path / "far" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        wishes = Wishes(
            HOST, "Luciole Example", "Association Exemple", "FR", port, acme=DIRECTORY,
            acme_root=str(tmp_path / "root.crt"), border_host=BORDER, short_name="us",
            border_port=border_port,
        )  # fmt: skip
        system = tmp_path / "system"
        list(installing.write(installing.files(wishes), system))
        command, environment = serve(tmp_path / "data", port)
        with (
            started([*at(far, hosts), *caddy(authority)], home(tmp_path / "far")) as above,
            started([*at(near, hosts), *command], environment | settings_of(system)) as cell,
        ):
            above.wait_for("serving initial configuration", 60)
            shutil.copy(root, tmp_path / "root.crt")
            cell.wait_for("The cell answers after", 240)
            door = system / "etc/caddy/Caddyfile"
            with started([*at(near, hosts), *caddy(door)], home(tmp_path / "near")) as proxy:
                for name in (HOST, BORDER):
                    until_there(tmp_path / "near", name, proxy.console, above.console)
                visit = [sys.executable, "-m", "tests.drills.visiting", HOST, BORDER]
                done = subprocess.run(
                    [*at(far, hosts), *visit, str(tmp_path / "root.crt")], cwd=ROOT,
                    env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert done.returncode == 0, done.stdout + done.stderr + "\n".join(proxy.console)
                assert proxy.stop() == 0
            assert cell.stop() == 0
            assert above.stop() == 0
    seen = json.loads(done.stdout.splitlines()[-1])
    # Somebody asked for both names, and answered the challenges for them, through the front door.
    solved = [line for line in proxy.console if "served key authentication" in line]
    assert solved, "\n".join(proxy.console)
    for name in (HOST, BORDER):
        assert seen[name]["names"] == [name]
        assert seen[name]["by"].startswith("Caddy Local Authority")
    assert seen["plain"] == [308, f"https://{HOST}/@ana?x=1"]
    assert seen["page"] == [200, True, "max-age=31536000"]
    assert seen["operators"] == [404, 404]
    cookies = seen["cookie"].splitlines()
    assert any(one.startswith("luciole_session=") for one in cookies)
    assert all("; Secure" in one for one in cookies)
    assert seen["again"] == 201
    assert seen["pages at the border"] == 404
    assert seen["stranger"] == "does not believe it"
    assert none_left(tmp_path) == []


def settings_of(system: Path) -> dict[str, str]:
    """What the unit gives to the cell. Who may join has nothing to do with certificates."""
    lines = (system / "etc/luciole/cell.env").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and line[0] != "#"]
    given = {name: value.strip('"') for name, _, value in pairs}
    return {
        **given, "LUCIOLE_CELL_TEXTS_DIR": str(system / "etc/luciole/texts"),
        "LUCIOLE_PEOPLE_REGISTRATION": "open",
    }  # fmt: skip


def until_there(folder: Path, name: str, *consoles: list[str]) -> None:
    end = time.monotonic() + 120
    while not list(folder.glob(f"**/certificates/*/{name}/{name}.crt")):
        said = "\n".join(line for console in consoles for line in console)
        assert time.monotonic() < end, f"no certificate for {name} came:\n{said}"
        time.sleep(0.2)
