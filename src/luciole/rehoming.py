"""The cell gets another host name: what that does to people is said first, and done only then."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from luciole import config, reach
from luciole.config import Settings
from luciole.kit.console import say
from luciole.kit.db import Database
from luciole.kit.durable import replace
from luciole.kit.errors import Invalid
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

WITH_PASSKEYS = "SELECT count(DISTINCT person_id) FROM people.passkey"
PASSKEY_ALONE = """
SELECT count(DISTINCT k.person_id) FROM people.passkey k
WHERE NOT EXISTS (SELECT 1 FROM people.password w WHERE w.person_id = k.person_id)
"""
LOCKED_OUT = """
SELECT count(DISTINCT k.person_id) FROM people.passkey k
WHERE NOT EXISTS (SELECT 1 FROM people.password w WHERE w.person_id = k.person_id)
    AND NOT EXISTS (SELECT 1 FROM people.recovery_code c WHERE c.person_id = k.person_id)
"""
PEERS = "SELECT count(*) FROM border.peer"
READ_OUT = "SELECT count(*) FROM abroad.consent WHERE act = 'fediverse' AND ended_at IS NULL"
_ORIGIN = re.compile(r"https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}(:[0-9]{1,5})?")
_LINE = re.compile(r"^LUCIOLE_WEB_ORIGIN=.*$", re.MULTILINE)


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
    settings = config.load(dict(os.environ))
    for line in asyncio.run(done(settings, chosen.origin, chosen.settings, do=chosen.yes)):
        say(line)
    return 0


async def done(settings: Settings, origin: str, file: str, *, do: bool) -> list[str]:
    """What follows, as lines for the console; with `do` it is done."""
    origin = origin.rstrip("/").lower()
    if not _ORIGIN.fullmatch(origin) or origin == settings.origin:
        raise BadDomain
    text = _text(Path(file)) if do else ""
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.tx() as tx:
                counted = [
                    int(await tx.fetchval(query))
                    for query in (WITH_PASSKEYS, PASSKEY_ALONE, LOCKED_OUT, PEERS, READ_OUT)
                ]
                if do:
                    entry = {
                        "v": 1,
                        "kind": "domain",
                        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                        "from": settings.origin,
                        "to": origin,
                    }
                    await ledger.put(tx, "decisions", canonical(entry))
        finally:
            await database.close()
    lines = _said(settings.origin, origin, *counted)
    if not do:
        return [*lines, "", "Nothing was changed. With --yes it is done."]
    _write(Path(file), _LINE.sub(f"LUCIOLE_WEB_ORIGIN={origin}", text))
    return [
        *lines,
        "",
        f"{file} names {origin} now. Start the cell again, and give the proxy the new name.",
    ]


def _said(
    old: str, new: str, with_passkeys: int, without_password: int, locked_out: int, peers: int,
    read_out: int,
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


def _write(file: Path, text: str) -> None:
    replace(file, text.encode())
    file.chmod(0o600)


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NoSettingsFile from error
    if not _LINE.search(text):
        raise NoSettingsFile
    return text
