"""Puts a cell in place on a machine with systemd: its user, its unit, its settings, the proxy that
speaks TLS, and a daily backup.

Everything that is written is made here as text first, so that `--dry-run` shows all of it. A file
that is there and differs is left alone: the new one is put beside it as FILE.new.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from luciole import caddy, units
from luciole.kit.console import say
from luciole.kit.durable import replace
from luciole.kit.errors import Invalid, NotAllowed

CODE = Path(__file__).resolve().parents[2]
# What the unit's ProtectHome hides from the cell.
HIDDEN = ("/home/", "/root/", "/run/user/")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{4,253}}$)({_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")
_COUNTRY = re.compile(r"[A-Z]{2}")
_WORD = re.compile(r"[^\x00-\x1f\x7f\"\\$`']{1,120}")
_SHORT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_MEMORY = re.compile(r"[1-9][0-9]*(%|[MG])")
_ACME = re.compile(r"https://[a-z0-9.-]{1,253}(:[0-9]{1,5})?/[A-Za-z0-9_./~-]{0,200}")
_PATH = re.compile(r"/[A-Za-z0-9_./+-]{1,200}")


class BadInstall(Invalid):
    code = "bad-install"
    sentence = "These words cannot be put into the files of a cell."
    next_step = "Correct them; `luciole install --help` says what each is."


class NotRoot(NotAllowed):
    code = "not-root"
    sentence = "Only root can put a cell in place on this machine."
    next_step = "Run it with sudo, or look first with --dry-run."


class Wishes(msgspec.Struct, frozen=True):
    """What the operator says."""

    host: str
    name: str
    operator: str
    country: str
    port: int = 8080
    memory: str = "80%"
    certificate: str = ""
    key: str = ""
    acme: str = ""
    """The directory of an authority of one's own that speaks ACME; empty: a public one."""
    acme_root: str = ""
    backup: str = ""
    border_host: str = ""
    """Where other cells reach the gateway; empty: it answers nobody."""
    short_name: str = ""
    border_port: int = 8090
    command: str = ""
    """How the cell is started; empty: as this code was, by its script or as a package."""


class Written(msgspec.Struct, frozen=True):
    """One file: where, its text, its mode."""

    path: str
    text: str
    mode: int = 0o644


def checked(wishes: Wishes) -> Wishes:
    """The same, with the command. Raises BadInstall, which says what is wrong."""
    wishes = msgspec.structs.replace(wishes, command=wishes.command or started_by())
    for fits, says in (
        (_HOST.fullmatch(wishes.host), "--host is a name in the DNS, such as luciole.example."),
        (_COUNTRY.fullmatch(wishes.country), "--country is an ISO 3166 code, such as FR."),
        (_WORD.fullmatch(wishes.name), "--name has 1 to 120 plain characters, without quotes."),
        (_WORD.fullmatch(wishes.operator), "--operator has 1 to 120 plain characters."),
        (_MEMORY.fullmatch(wishes.memory), "--memory is like 80%, 900M or 4G."),
        (0 < wishes.port < 65536, "--port is between 1 and 65535."),
        (bool(wishes.certificate) == bool(wishes.key), "--certificate and --key go together."),
        (
            not wishes.acme or (_ACME.fullmatch(wishes.acme) and not wishes.certificate),
            "--acme is the directory of an authority, as https://ca.example/acme/directory, and "
            "takes the place of --certificate.",
        ),
        (bool(wishes.acme) or not wishes.acme_root, "--acme-root goes with --acme."),
        (
            bool(wishes.border_host) == bool(wishes.short_name),
            "--border-host and --short-name go together.",
        ),
        (
            not wishes.border_host
            or (_HOST.fullmatch(wishes.border_host) and wishes.border_host != wishes.host),
            "--border-host is another name in the DNS, such as border.luciole.example.",
        ),
        (
            not wishes.short_name or _SHORT_NAME.fullmatch(wishes.short_name),
            "--short-name has 1 to 20 of a-z, 0-9 and -, and does not begin with -.",
        ),
        (
            not wishes.border_host
            or (0 < wishes.border_port < 65536 and wishes.border_port != wishes.port),
            "--border-port is between 1 and 65535, and not --port.",
        ),
        (
            all(_PATH.fullmatch(one) for one in _paths(wishes)),
            "Paths are absolute, of letters, digits and . _ / + -.",
        ),
        (
            not wishes.backup.startswith(HIDDEN),
            "--backup is a folder outside of /home, /root and /run/user.",
        ),
    ):
        if not fits:
            raise BadInstall(says)
    return wishes


def files(wishes: Wishes) -> list[Written]:
    """All files of the cell, in the order in which they are written. Raises BadInstall."""
    wishes = checked(wishes)
    found = [
        Written("/etc/sysusers.d/luciole.conf", units.SYSUSERS),
        Written("/etc/luciole/cell.env", _settings(wishes), 0o600),
        Written("/etc/systemd/system/luciole.service", units.cell(wishes.command, wishes.memory)),
        Written("/etc/luciole/texts/README", _TEXTS),
        Written("/usr/local/sbin/luciole", units.typed(wishes.command), 0o755),
        Written("/etc/caddy/Caddyfile", _caddyfile(wishes)),
        Written("/etc/systemd/system/caddy.service.d/luciole.conf", caddy.UNIT),
    ]
    if wishes.border_host:
        found.append(Written("/etc/systemd/system/luciole.service.d/border.conf", units.WAY_OUT))
    if wishes.backup:
        found += [
            Written(
                "/etc/systemd/system/luciole-backup.service",
                units.backup(wishes.command, wishes.backup),
            ),
            Written("/etc/systemd/system/luciole-backup.timer", units.BACKUP_TIMER),
        ]
    return found


def steps(wishes: Wishes) -> list[list[str]]:
    """What is run afterwards, in this order."""
    timer, folder = [], []
    if wishes.backup:
        timer = [["systemctl", "enable", "--now", "luciole-backup.timer"]]
        # The unit of the backup does not start without it.
        folder = [["sh", "-c", FOLDER, "backup", wishes.backup]]
    return [
        ["systemd-sysusers", "/etc/sysusers.d/luciole.conf"],
        *folder,
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "--now", "luciole.service"],
        *timer,
        ["systemctl", "restart", "caddy.service"],
    ]


FOLDER = (
    'test -d "$1" || install -d -m 700 -o luciole -g luciole "$1"; '
    'setpriv --reuid=luciole --regid=luciole --init-groups test -w "$1" || '
    '{ echo "The user luciole cannot write into $1: chown luciole $1" >&2; exit 1; }'
)


def command(chosen: argparse.Namespace) -> int:
    """`luciole install`. Raises BadInstall, NotRoot."""
    wishes = Wishes(
        host=chosen.host.lower(),
        name=chosen.name,
        operator=chosen.operator,
        country=chosen.country.upper(),
        port=chosen.port,
        memory=chosen.memory,
        certificate=chosen.certificate,
        key=chosen.key,
        acme=chosen.acme,
        acme_root=chosen.acme_root,
        backup=chosen.backup,
        border_host=chosen.border_host.lower(),
        short_name=chosen.short_name,
        border_port=chosen.border_port,
    )
    made = files(wishes)
    if chosen.dry_run:
        for one in made:
            say(f"# --- {one.path} (mode {one.mode:04o})\n{one.text}")
        for step in steps(wishes):
            say(f"# then: {shlex.join(step)}")
        return 0
    root = Path(chosen.root)
    if root == Path("/") and os.geteuid() != 0:
        raise NotRoot
    if root == Path("/") and started_by().startswith(HIDDEN):
        raise BadInstall(f"The service does not see {CODE}: put the code into /opt/luciole.")
    beside = []
    for line in write(made, root):
        say(line)
        beside += [line] if " differs; " in line else []
    if root != Path("/"):
        say("Nothing was started: the files are not those of this system.")
        return 0
    for step in steps(wishes):
        say(shlex.join(step))
        if subprocess.run(step, check=False).returncode:
            say("That did not work; the words above say why. Mend it, then run install once more.")
            return 1
    say(f"The cell answers soon: https://{wishes.host}")
    if beside:
        say("These files of yours stay in force; it may not answer before you have compared them:")
        for line in beside:
            say(f"  {line}")
    if wishes.border_host:
        say(f"Other cells reach it at https://{wishes.border_host}: docs/howto/peer-with-a-cell.md")
    say("Copy /var/lib/luciole/keys/root.key off this machine now: docs/howto/keep-the-key-file.md")
    return 0


def write(made: list[Written], root: Path) -> Iterator[str]:
    """Writes files below `root`, and says what became of each. What is there and differs stays."""
    for one in made:
        place = root / one.path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        data = one.text.encode()
        if place.exists() and place.read_bytes() == data:
            yield f"{one.path} is as it should be"
            continue
        is_new = not place.exists() or is_packaged(Path(one.path), place.read_bytes())
        target = place if is_new else place.with_name(place.name + ".new")
        replace(target, data)
        target.chmod(one.mode)
        yield f"{one.path} was written" if is_new else f"{one.path} differs; see {target.name}"


def _paths(wishes: Wishes) -> list[str]:
    given = (wishes.certificate, wishes.key, wishes.acme_root, wishes.backup)
    return [wishes.command.split()[0], *(one for one in given if one)]


_TEXTS = """\
Put terms.md and imprint.md here (or terms.fr.md, imprint.fr.md for one language). The cell shows
them at /terms and /imprint, and asks everybody once whenever the terms change.
"""


def _settings(wishes: Wishes) -> str:
    return f"""\
# The settings of this cell, read by systemd and by /usr/local/sbin/luciole. What has spaces is in
# quotes. All of them: docs/reference/settings.md
LUCIOLE_CELL_NAME="{wishes.name}"
LUCIOLE_CELL_OPERATOR="{wishes.operator}"
LUCIOLE_CELL_JURISDICTION={wishes.country}
LUCIOLE_CELL_TEXTS_DIR=/etc/luciole/texts
# Say where people get the source of the version that runs (AGPL, section 13).
LUCIOLE_CELL_SOURCE_URL=

# The address that browsers see. Passkeys are bound to its host (`luciole domain`).
LUCIOLE_WEB_ORIGIN=https://{wishes.host}
LUCIOLE_WEB_PORT={wishes.port}

# Who may join: open, invitation, approval or closed (`luciole registration` changes it at once).
LUCIOLE_PEOPLE_REGISTRATION=invitation

# 20 GB and 100 clips a day for each person.
LUCIOLE_MEDIA_PERSON_BYTES=20000000000
LUCIOLE_MEDIA_CLIPS_PER_DAY=100

# Under the unit as it is nothing leaves this machine. To wake devices, allow the push services
# there (IPAddressAllow=) and turn this on: docs/howto/hear-what-happens.md
LUCIOLE_PUSH=off
{_border(wishes)}"""


def _border(wishes: Wishes) -> str:
    if not wishes.border_host:
        return ""
    return f"""
# How other cells call this one, and where they reach its gateway: docs/howto/peer-with-a-cell.md
LUCIOLE_CELL_SHORT_NAME={wishes.short_name}
LUCIOLE_BORDER_PORT={wishes.border_port}
LUCIOLE_BORDER_ORIGIN=https://{wishes.border_host}
"""


def _caddyfile(wishes: Wishes) -> str:
    # Without a certificate of the operator's, Caddy gets one by ACME and renews it.
    tls = ""
    if wishes.certificate:
        tls = f"\ttls {wishes.certificate} {wishes.key}\n\n"
    elif wishes.acme:
        tls = caddy.authority(wishes.acme, wishes.acme_root)
    made = caddy.pages(wishes.host, wishes.port, tls)
    if wishes.border_host:
        made += caddy.border(wishes.border_host, wishes.border_port, tls)
    return made


def started_by() -> str:
    """How a cell is started: by the script of this folder, or where it was installed as a package,
    by its Python."""
    script = CODE / "luciole"
    return str(script) if script.is_file() else f"{sys.executable} -m luciole"


def is_packaged(path: Path, data: bytes) -> bool:
    """Whether a file is as its Debian package brought it, so that nobody's words are lost."""
    query = ["dpkg-query", "--show", "--showformat=${Conffiles}", "caddy"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    # MD5 is what dpkg keeps, and only says here that nobody has edited the file.
    return f" {path} {hashlib.md5(data, usedforsecurity=False).hexdigest()}" in told
