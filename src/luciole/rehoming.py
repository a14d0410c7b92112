"""The cell gets another host name: what that does to people is said first, and done only then."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

from luciole import caddy, config, reach
from luciole.config import Settings
from luciole.finding import Finding
from luciole.kit.console import say
from luciole.kit.db import Database, Tx
from luciole.kit.durable import replace
from luciole.kit.errors import Invalid
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

WITH_PASSKEYS = "SELECT count(DISTINCT person_id) FROM people.passkey WHERE former_host IS NULL"
PASSKEY_ALONE = """
SELECT count(DISTINCT k.person_id) FROM people.passkey k
WHERE k.former_host IS NULL
    AND NOT EXISTS (SELECT 1 FROM people.password w WHERE w.person_id = k.person_id)
"""
LOCKED_OUT = """
SELECT count(DISTINCT k.person_id) FROM people.passkey k
WHERE k.former_host IS NULL
    AND NOT EXISTS (SELECT 1 FROM people.password w WHERE w.person_id = k.person_id)
    AND NOT EXISTS (SELECT 1 FROM people.recovery_code c WHERE c.person_id = k.person_id)
"""
PEERS = "SELECT count(*) FROM border.peer"
READ_OUT = "SELECT count(*) FROM abroad.consent WHERE act = 'fediverse' AND ended_at IS NULL"
# Whose keys as staff all belong to other names than the new one.
STAFF_LEFT = """
SELECT p.handle, t.roles FROM custody.staff t JOIN people.person p ON p.id = t.person_id
WHERE NOT EXISTS (
    SELECT 1 FROM custody.staff_key s JOIN people.passkey k ON k.credential_id = s.credential_id
    WHERE s.staff_id = t.id AND k.former_host = $1
)
ORDER BY p.handle
"""
# Whose keys as staff were all made under former names: nothing opens for them.
STAFF_OUTSIDE = """
SELECT p.handle FROM custody.staff t JOIN people.person p ON p.id = t.person_id
WHERE NOT EXISTS (
    SELECT 1 FROM custody.staff_key s
    LEFT JOIN people.passkey k ON k.credential_id = s.credential_id
    WHERE s.staff_id = t.id AND k.former_host IS NULL
)
ORDER BY p.handle
"""
LEAVE_HOST = "UPDATE people.passkey SET former_host = $1 WHERE former_host IS NULL"
COME_BACK = "UPDATE people.passkey SET former_host = NULL WHERE former_host = $1"
NOTHING_DONE = ("", "Nothing was changed. With --yes it is done.")
_ORIGIN = re.compile(r"https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}(:[0-9]{1,5})?")
_LINE = re.compile(r"^LUCIOLE_WEB_ORIGIN=.*$", re.MULTILINE)
_FORMER = re.compile(r"^LUCIOLE_WEB_FORMER_HOSTS=.*\n?", re.MULTILINE)
_SETTING = re.compile(r"^(LUCIOLE_[A-Z0-9_]+)=(.*)$", re.MULTILINE)


class BadDomain(Invalid):
    code = "bad-domain"
    sentence = "This is not an origin for a cell."
    next_step = "Give it like https://luciole.example."


class NoSettingsFile(Invalid):
    code = "no-settings-file"
    sentence = "The file of the settings has no line LUCIOLE_WEB_ORIGIN, or cannot be read."
    next_step = "Name it with --settings, or change the line by hand."


def command(chosen: argparse.Namespace) -> int:
    """`luciole domain`. Raises BadDomain, NoSettingsFile, NoCell."""
    file = Path(chosen.settings)
    # The unit gives the cell these; whoever types the command has them not.
    settings = config.load({**_settings_in(file), **os.environ})
    origin = checked(settings, chosen.origin)
    text = _text(file) if chosen.yes else ""
    lines = _by_owner_of(settings, origin, do=chosen.yes)
    for line in [*lines, *(_kept(file, text, settings, origin) if chosen.yes else NOTHING_DONE)]:
        say(line)
    return 0


def checked(settings: Settings, origin: str) -> str:
    """The origin as it is written. Raises BadDomain."""
    origin = origin.rstrip("/").lower()
    if not _ORIGIN.fullmatch(origin) or origin == settings.origin:
        raise BadDomain
    return origin


async def done(settings: Settings, origin: str, file: str, *, do: bool) -> list[str]:
    """What follows, as lines for the console; with `do` it is done. Raises BadDomain,
    NoSettingsFile, NoCell."""
    origin = checked(settings, origin)
    text = _text(Path(file)) if do else ""
    lines = await _noted(settings, origin, do=do)
    return [*lines, *(_kept(Path(file), text, settings, origin) if do else NOTHING_DONE)]


async def _noted(settings: Settings, origin: str, *, do: bool) -> list[str]:
    """What follows; with `do` the database and the log have it."""
    old, new = urlsplit(settings.origin).hostname, urlsplit(origin).hostname
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.tx() as tx:
                counted = [
                    int(await tx.fetchval(query))
                    for query in (WITH_PASSKEYS, PASSKEY_ALONE, LOCKED_OUT, PEERS, READ_OUT)
                ]
                staff = [(row["handle"], row["roles"]) for row in await tx.fetch(STAFF_LEFT, new)]
                if do:
                    # If we stop after this, the file has the old name yet: run it once more.
                    await _note(tx, settings.origin, origin)
                    if old != new:
                        await tx.execute(LEAVE_HOST, old)
                        await tx.execute(COME_BACK, new)
        finally:
            await database.close()
    return _said(settings.origin, origin, staff if old != new else [], *counted)


async def _note(tx: Tx, old: str, new: str) -> None:
    entry = {
        "v": 1,
        "kind": "domain",
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "from": old,
        "to": new,
    }
    await ledger.put(tx, "decisions", canonical(entry))


def looked(settings: Settings) -> Iterator[Finding]:
    """What `luciole doctor` says of staff after a change."""
    try:
        outside = asyncio.run(staff_outside(settings))
    except Exception:  # no cell yet, or other checks say what is wrong with its database
        return
    if outside:
        yield Finding(
            "WARN",
            "staff",
            f"nothing opens for {', '.join(outside)}: their passkeys are for a former host name",
            "Let each add a passkey in their settings; then ./luciole staff remove and add.",
        )
    else:
        yield Finding("OK", "staff", "each has a passkey for the cell's name")


async def staff_outside(settings: Settings) -> list[str]:
    """Handles of staff for whom nothing opens. Raises NoCell."""
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.read() as tx:
                return [row["handle"] for row in await tx.fetch(STAFF_OUTSIDE)]
        finally:
            await database.close()


def _by_owner_of(settings: Settings, origin: str, *, do: bool) -> list[str]:
    """`_noted`, as the user whose the cell's folder is: root may change the settings, and would
    leave files there that the cell cannot open."""
    folder = settings.data
    if os.geteuid() or not folder.exists() or folder.stat().st_uid == 0:
        return _now_noted(settings, origin, do=do)
    with ProcessPoolExecutor(1, get_context("fork"), _become, (str(folder),)) as pool:
        return pool.submit(_now_noted, settings, origin, do=do).result()


def _now_noted(settings: Settings, origin: str, *, do: bool) -> list[str]:
    return asyncio.run(_noted(settings, origin, do=do))


def _become(folder: str) -> None:
    whose = Path(folder).stat()
    os.setgroups([])
    os.setresgid(whose.st_gid, whose.st_gid, whose.st_gid)
    os.setresuid(whose.st_uid, whose.st_uid, whose.st_uid)


def _said(
    old: str, new: str, staff: Sequence[tuple[str, Sequence[str]]], with_passkeys: int,
    without_password: int, locked_out: int, peers: int, read_out: int,
) -> list[str]:  # fmt: skip
    is_same_host = urlsplit(old).hostname == urlsplit(new).hostname
    passkeys = (
        ["Passkeys: they go on, since the host is the same."]
        if is_same_host
        else [
            f"Passkeys: those of {with_passkeys} people open nothing any more: a passkey belongs "
            "to its host name, for good.",
            f"  {without_password} of them have no password: they come in with a recovery code "
            "and make a new passkey.",
            f"  {locked_out} of them have neither, and stay outside. Ask them to set a password "
            "under the old name first.",
        ]
    )
    if staff:
        passkeys.append(
            "Staff: their passkeys open the console no more. Each signs in with a password or a "
            "recovery code, adds a passkey, and is added anew at the machine:"
        )
        for handle, roles in staff:
            named = " ".join(f"--role {role}" for role in roles)
            passkeys.append(f"  luciole staff remove {handle}; luciole staff add {handle} {named}")
    return [
        f"From {old} to {new}:",
        *passkeys,
        "Sessions: browsers keep them for the old name, so everybody signs in again.",
        "What a browser keeps (labels of the journal, messages, limits of time) stays under the "
        "old name: people export it there, or lose it.",
        "Links to clips and profiles lead nowhere unless the old name redirects: keep it for a "
        "year or more, and let the proxy answer 308 to the same path.",
        f"Passport: {peers} peers know this cell by its old address. Tell their operators; both "
        "run `luciole peer remove` and `luciole peer add` again.",
        f"Fediverse: {read_out} people are read there under ids of the old name. Servers "
        "elsewhere take the new ones for other people: followers there do not come along.",
        "Devices that are woken by push ask again under the new name.",
    ]


def _kept(file: Path, text: str, settings: Settings, origin: str) -> list[str]:
    """Writes the settings; what is left to do, for the console."""
    old, new = urlsplit(settings.origin).hostname or "", urlsplit(origin).hostname or ""
    former = [one for one in [*settings.web.former_hosts.split(), old] if one != new]
    line = f"LUCIOLE_WEB_ORIGIN={origin}"
    if former:
        line += f'\nLUCIOLE_WEB_FORMER_HOSTS="{" ".join(dict.fromkeys(former))}"'
    replace(file, _LINE.sub(line, _FORMER.sub("", text)).encode())
    file.chmod(0o600)
    lines = [
        "",
        f"{file} names {origin} now. Start the cell again, and give the proxy the new name.",
    ]
    if old != new:
        lines += ["What Caddy needs for the old one:", "", caddy.moved(old, origin)]
    return lines


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NoSettingsFile from error
    if not _LINE.search(text):
        raise NoSettingsFile
    return text


def _settings_in(file: Path) -> Mapping[str, str]:
    """The settings as systemd reads them from the file; none where there is no such file."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return {}
    try:
        return {name: " ".join(shlex.split(value)) for name, value in _SETTING.findall(text)}
    except ValueError as error:
        raise NoSettingsFile from error
