"""What `luciole install` writes: whole, safe to repeat, and understood by systemd."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.rules import source

from luciole import caddy, cli, config, installing
from luciole.installing import BadInstall, Wishes

WISHES = Wishes("luciole.example", "Luciole Example", "Association Exemple", "FR")


def text_of(path: str, wishes: Wishes = WISHES) -> str:
    return next(one.text for one in installing.files(wishes) if one.path == path)


def settings_of(wishes: Wishes = WISHES) -> dict[str, str]:
    """The environment that systemd makes of the settings' file."""
    lines = text_of("/etc/luciole/cell.env", wishes).splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: shlex.split(value)[0] if value else "" for name, _, value in pairs}


def test_the_settings_are_ones_that_a_cell_takes() -> None:
    settings = config.load(settings_of())
    assert settings.origin == "https://luciole.example"
    assert settings.cell.name == "Luciole Example"
    assert settings.cell.country == "FR"
    assert settings.people.registration == "invitation"
    assert settings.media.person_bytes == 20 * 10**9


def test_the_unit_is_another_users_and_may_do_little() -> None:
    unit = text_of("/etc/systemd/system/luciole.service").splitlines()
    for line in (
        "User=luciole",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
        "MemoryHigh=80%",
        "MemoryMax=90%",
    ):
        assert line in unit


def test_a_given_certificate_is_used_and_else_acme() -> None:
    assert "tls " not in text_of("/etc/caddy/Caddyfile")
    own = msgspec.structs.replace(WISHES, certificate="/etc/tls/c.pem", key="/etc/tls/k.pem")
    assert "\ttls /etc/tls/c.pem /etc/tls/k.pem\n" in text_of("/etc/caddy/Caddyfile", own)


def test_an_authority_of_ones_own_is_asked_by_acme_at_each_door() -> None:
    own = msgspec.structs.replace(PEERED, acme="https://ca.example/acme/local/directory")
    for site in sites_of(own).values():
        assert "\ttls {\n\t\tca https://ca.example/acme/local/directory\n\t}\n" in site
    vouched = msgspec.structs.replace(own, acme_root="/etc/luciole/root.pem")
    for site in sites_of(vouched).values():
        assert "directory\n\t\tca_root /etc/luciole/root.pem\n\t}\n" in site


PEERED = msgspec.structs.replace(
    WISHES, border_host="border.luciole.example", short_name="us", border_port=8091
)


def sites_of(wishes: Wishes) -> dict[str, str]:
    """The blocks of Caddy's file, by their host."""
    text = text_of("/etc/caddy/Caddyfile", wishes)
    return dict(re.findall(r"(?ms)^(\S+) \{\n(.*?)^\}$", text))


def test_the_door_for_other_cells_gets_a_site_its_settings_and_a_way_out() -> None:
    sites = sites_of(PEERED)
    assert set(sites) == {"luciole.example", "border.luciole.example"}
    assert "\treverse_proxy 127.0.0.1:8080 {" in sites["luciole.example"]
    assert "\treverse_proxy 127.0.0.1:8091\n" in sites["border.luciole.example"]
    settings = config.load(settings_of(PEERED))
    assert settings.border_origin == "https://border.luciole.example"
    assert (settings.border.port, settings.border.host) == (8091, "127.0.0.1")
    assert settings.cell.short_name == "us"
    drop_in = text_of("/etc/systemd/system/luciole.service.d/border.conf", PEERED)
    assert drop_in.endswith("[Service]\nIPAddressAllow=any\n")
    own = msgspec.structs.replace(PEERED, certificate="/etc/tls/c.pem", key="/etc/tls/k.pem")
    assert all("\ttls /etc/tls/c.pem /etc/tls/k.pem\n" in site for site in sites_of(own).values())


def test_a_cell_without_peers_gets_no_door() -> None:
    assert set(sites_of(WISHES)) == {"luciole.example"}
    assert not any(name.startswith("LUCIOLE_BORDER") for name in settings_of())
    assert not [one.path for one in installing.files(WISHES) if one.path.endswith("border.conf")]


def test_the_example_file_has_the_same_door() -> None:
    example = (source.ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    _, _, commented = example.partition("# border.luciole.example {\n")
    lines = [line.removeprefix("# ").removeprefix("#") for line in commented.splitlines()]
    made = sites_of(msgspec.structs.replace(PEERED, border_port=8090))["border.luciole.example"]
    assert lines == [*made.splitlines(), "}"]


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no Caddy here")
@pytest.mark.parametrize("authority", ["", "https://ca.example/acme/directory"])
def test_caddy_has_nothing_to_say_about_its_file(tmp_path: Path, authority: str) -> None:
    file = tmp_path / "Caddyfile"
    wishes = msgspec.structs.replace(PEERED, acme=authority)
    text = text_of("/etc/caddy/Caddyfile", wishes)
    file.write_text(text + caddy.moved("old.example", "https://luciole.example"))
    done = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"host": "localhost"},
        {"host": "a b.example"},
        {"host": "x.example\n}"},
        {"country": "France"},
        {"operator": 'A"; rm -rf /'},
        {"name": "a\nLUCIOLE_PUSH=on"},
        {"memory": "lots"},
        {"certificate": "/etc/tls/c.pem"},
        {"acme": "http://ca.example/directory"},
        {"acme": "https://ca.example/directory }"},
        {"acme": "https://ca.example/d", "certificate": "/c.pem", "key": "/k.pem"},
        {"acme_root": "/etc/luciole/root.pem"},
        {"acme": "https://ca.example/d", "acme_root": "root.pem"},
        {"certificate": "relative.pem", "key": "/k.pem"},
        {"backup": "/mnt/a b"},
        {"port": 0},
        {"border_host": "border.luciole.example"},
        {"short_name": "us"},
        {"border_host": "luciole.example", "short_name": "us"},
        {"border_host": "b.example {", "short_name": "us"},
        {"border_host": "b.example", "short_name": "us\nLUCIOLE_PUSH=on"},
        {"border_host": "b.example", "short_name": "us", "border_port": 8080},
    ],
)
def test_words_that_would_break_a_file_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInstall):
        installing.files(msgspec.structs.replace(WISHES, **change))


def test_a_file_that_was_changed_by_hand_stays(tmp_path: Path) -> None:
    made = installing.files(WISHES)
    assert all(line.endswith("was written") for line in installing.write(made, tmp_path))
    settings = tmp_path / "etc/luciole/cell.env"
    assert settings.stat().st_mode & 0o777 == 0o600
    settings.write_text("LUCIOLE_CELL_NAME=Mine\n")
    said = list(installing.write(made, tmp_path))
    assert "/etc/luciole/cell.env differs; see cell.env.new" in said
    assert settings.read_text() == "LUCIOLE_CELL_NAME=Mine\n"
    assert (tmp_path / "etc/luciole/cell.env.new").read_text() == text_of("/etc/luciole/cell.env")
    assert sum(line.endswith("as it should be") for line in said) == len(made) - 1


def test_a_dry_run_prints_every_file_and_writes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["install", "--host", "luciole.example", "--operator", "A", "--country", "fr"]
    root = ["--root", str(tmp_path), "--backup", "/mnt/backup"]
    assert cli.main([*words, *root, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    wishes = Wishes("luciole.example", "Luciole", "A", "FR", backup="/mnt/backup")
    for one in installing.files(wishes):
        assert one.path in printed
        assert one.text in printed
    assert "# then: systemctl daemon-reload" in printed
    assert list(tmp_path.iterdir()) == []
    assert cli.main([*words, *root]) == 0
    assert (tmp_path / "etc/systemd/system/luciole-backup.timer").exists()


def test_a_cell_that_is_a_package_is_started_by_its_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installing.started_by() == f"{source.ROOT}/luciole"
    monkeypatch.setattr(installing, "CODE", tmp_path)
    unit = text_of("/etc/systemd/system/luciole.service")
    assert f"\nExecStart={sys.executable} -m luciole serve\n" in unit


def test_code_in_somebodys_home_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"{installing.HIDDEN[0]}ana/luciole"
    monkeypatch.setattr(installing, "CODE", Path(place))
    monkeypatch.setattr(installing, "started_by", lambda: f"{place}/luciole")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    words = ["install", "--host", "luciole.example", "--operator", "A", "--country", "fr"]
    with pytest.raises(BadInstall) as caught:
        installing.command(cli.parser().parse_args(words))
    assert "put the code into /opt/luciole" in caught.value.sentence


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("broken", ["", "luciole.service.d/border", "caddy.service.d/luciole"])
def test_systemd_takes_every_line_also_of_what_is_laid_over(tmp_path: Path, broken: str) -> None:
    wishes = msgspec.structs.replace(PEERED, command="/usr/bin/true", backup="/mnt/backup")
    list(installing.write(installing.files(wishes), tmp_path))
    (tmp_path / "usr/bin").mkdir(parents=True)
    for name in ("true", "caddy"):
        (tmp_path / "usr/bin" / name).touch(0o755)
    place = tmp_path / "etc/systemd/system"
    # As Debian has it; what is laid over needs something below.
    (place / "caddy.service").write_text(
        "[Service]\nType=notify\nUser=root\nExecStart=/usr/bin/caddy run\n"
    )
    if broken:
        with (place / f"{broken}.conf").open("a") as file:
            file.write("ProtectHoem=yes\n")
    units = ["luciole.service", "luciole-backup.service", "luciole-backup.timer", "caddy.service"]
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "Unit " not in line]
    assert said == [] if not broken else any("ProtectHoem" in line for line in said)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_has_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    # systemd asks whether the program is there.
    wishes = msgspec.structs.replace(WISHES, command=sys.executable, backup="/mnt/backup")
    list(installing.write(installing.files(wishes), tmp_path))
    units = sorted((tmp_path / "etc/systemd/system").glob("luciole*"))
    assert len(units) == 3
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
