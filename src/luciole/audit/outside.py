"""Everybody outside of a cell's own processes who touches data, from the code and the settings."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from luciole.audit.markdown import table
from luciole.config import Settings
from luciole.ledger.policy import Policy

# Modules that can reach another machine, and for what. A test finds all that import a library for
# the network, and fails for one that is not here.
WAYS = {
    "luciole.kit.db": "the database",
    "luciole.kit.copying": "the database",
    "luciole.kit.migrate": "the database",
    "luciole.kit.queue": "the database",
    "luciole.kit.upkeep": "the database",
    "luciole.kit.blobs": "the object store",
    "luciole.roots.transit": "the key service",
    "luciole.roots.pkcs11": "the key module",
    "luciole.border.peers": "other cells, and witnesses",
    "luciole.border.codes": "the operator's sender of codes",
    "luciole.border.mail": "the operator's mail server",
    "luciole.border.pushes": "push services",
    "luciole.border.fediverse.web": "servers of the Fediverse",
    "luciole.actors.cluster": "the ranking cluster",
}
# Modules that import such a library and speak to this machine only, or stand outside of the cell.
LOCAL = {
    "luciole.ask.client": "asks the key broker, through a Unix socket",
    "luciole.ask.start": "asks the key broker, through a Unix socket",
    "luciole.audit.canary": "plays persons, against a cell of its own on this machine",
    "luciole.cell.media.fence_launcher": "is asked for children, through two connected ends",
    "luciole.cell.media.launchers": "asks for children in the fence, through two connected ends",
    "luciole.demo": "plays persons, against the demo on this machine",
    "luciole.doctor": "looks whether a port is free",
    "luciole.kit.scraping": "answers who reads a process's metrics, on loopback",
    "luciole.kit.postgres_place": "finds a port for the database that a cell brings along",
    "luciole.me.client": "a person's own tool, at the person's own machine",
    "luciole.ranking_process": "answers the cell's own processes, on a Unix socket",
    "luciole.network": "finds ports for the cells of a demo on this machine",
    "luciole.programs": "asks the cell's own processes whether they are ready",
    "luciole.serve": "listens for visitors",
    "luciole.signers": "reads a file of certificates",
    "luciole.witness.server": "answers those who ask this witness",
    "luciole.witness_process": "listens for those who ask this witness",
}
SENDER = "the sender of mail and text messages"
MAIL = "the mail server"
# Only those two send any.
SENT = ("mail", "text messages")
NOBODY = (
    "content delivery networks",
    "analytics",
    "error trackers",
    "fonts, maps and scripts of others",
    "advertising",
)


class Party(msgspec.Struct, frozen=True):
    """Who touches what. `where` names a host or a folder, never a login."""

    name: str
    where: str
    sees: str
    is_outside: bool


def parties(settings: Settings, policy: Policy | None) -> list[Party]:
    """All of them, as this cell is set up."""
    found = [
        _by_url(
            "the database",
            settings.database.url,
            "this machine, started by the cell itself",
            "every table of data/data.md; sealed columns as ciphertext",
        ),
        _by_url(
            "the object store",
            settings.blobs if "://" in settings.blobs else "",
            "a folder of this machine",
            "films, posters and pictures; exports and uploads; the archive of the logs",
        ),
        _root(settings),
    ]
    if settings.keys.backup_dir:
        found.append(Party("hourly copies of the keys", "a folder of this machine", _KEYS, False))
    if settings.push == "on":
        found += [
            Party(f"push service {host}", host, _PUSH, True)
            for host in settings.border.push_services.split()
        ]
    if settings.border.fediverse != "off":
        where = "whichever server has followers of an author"
        found.append(Party("servers of the Fediverse", where, _FEDIVERSE, True))
    if settings.border.codes_url:
        found.append(_by_url(SENDER, settings.border.codes_url, "", _CODES))
    if settings.border.mail_url:
        found.append(_by_url(MAIL, settings.border.mail_url, "", _MAILS))
    if settings.feed.ranking:
        found.append(_ranking(settings.feed.ranking))
    for name, party in sorted((policy.witnesses if policy else {}).items()):
        if name.endswith("-pq"):
            continue  # the second key of the same witness
        found.append(
            Party(
                f"witness {name}",
                _host(party.url) if party.url else "hands its word in by itself",
                "the logs, which everybody may read: nothing of a person",
                name != "local",
            )
        )
    return found


_PUSH = "that a device which asked for it is to be woken, and when; not what for"
_FEDIVERSE = "public clips and pages of authors who asked for that, and nothing of who watches"
_CODES = "an address that its owner wants verified, and the code for it; not whose account it is"
_MAILS = (
    f"{_CODES}; the address of who sent a notice without an account and wanted to be told, and "
    "that it came or was answered; not what it says"
)
_KEYS = "the wrapped secret of the cell and the keys of a week; no field of a person"


def _by_url(name: str, url: str, otherwise: str, sees: str) -> Party:
    if not url:
        return Party(name, otherwise, sees, False)
    return Party(name, _host(url), sees, urlsplit(url).hostname not in _LOOPBACK)


def _root(settings: Settings) -> Party:
    kind, _, rest = settings.keys.root.partition(":")
    match kind:
        case "transit":
            return Party("the key service", _host(rest), _KEYS, True)
        case "pkcs11":
            return Party("the key module", "a PKCS#11 module on this machine", _KEYS, False)
        case _:
            return Party("the root key", "a file of this machine", _KEYS, False)


def _ranking(where: str) -> Party:
    address = where.partition(":")[2]
    sees = "public clips, what unlinked sessions did; tastes of learners while a page is drawn"
    is_outside = bool(address) and address.rpartition(":")[0] not in _LOOPBACK
    return Party("the ranking cluster", address or "this machine", sees, is_outside)


_LOOPBACK = ("127.0.0.1", "::1", "localhost", "", None)


def _host(url: str) -> str:
    """Scheme and host; what may be a login, a path or a query is left out."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def page(found: list[Party]) -> str:
    """The same for people."""
    rows = [
        (one.name, f"`{one.where}`", "outside" if one.is_outside else "this cell", one.sees)
        for one in found
    ]
    names = {one.name for one in found}
    sent = () if SENDER in names else SENT[1:] if MAIL in names else SENT
    nobody = (*sent, *NOBODY)
    code = [(f"`{module}`", what) for module, what in sorted(WAYS.items())]
    return (
        "# Who touches data besides the cell's own processes\n\n"
        "As this cell is set up. Whoever runs the machine below it (a provider of servers, of "
        "disks, of backups) is not known to it: ask the operator.\n\n"
        f"{table(('who', 'where', 'whose', 'what they see'), rows)}"
        f"\nNobody else. In particular: no {', no '.join(nobody)}.\n\n"
        "## Ways out in the code\n\n"
        "The only modules that can reach another machine. The tests fail for one that is not "
        "here; the parts that touch personal data may import none of them but the database's and "
        "the object store's.\n\n"
        f"{table(('module', 'reaches'), code)}"
    )
