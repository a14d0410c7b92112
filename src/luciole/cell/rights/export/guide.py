"""The two pages that explain an export: README.html for people, fields.json for programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from html import escape
from string import Template
from typing import Any

import msgspec

from luciole.cell.rights.export.archive import Archive
from luciole.cell.rights.export.streams import Films
from luciole.cell.rights.model import CellFacts
from luciole.kit.catalogue import Catalogue, Held
from luciole.kit.exported import Exported, ExportedRow, Written

WORDS = {
    "en": {
        "title": "What Luciole held about you",
        "made": "Made on $when for @$handle by the cell “$cell”, run by $operator under the law of "
        "$jurisdiction. This page needs no network: everything is in this folder.",
        "clips": "Your clips",
        "none": "You have published none.",
        "captions": "Captions",
        "lists": "Your data, list by list",
        "check": "Check it",
        "check_how": "manifest.json has the SHA-256 of every file, manifest.sig the cell’s "
        "signature over it. journal/ has every entry about you in the cell’s public log, what it "
        "means, and the proof that there are no others.",
        "bring": "Bring it to another cell",
        "bring_how": "Make an account there, open Settings, Your data, and choose this file as it "
        "is.",
        "left": "What is not in here, and why",
        "everyone": "for everyone",
        "friends": "for friends",
        "only-me": "only for you",
        "processing": "being made",
        "in_review": "in review",
        "published": "published",
        "refused": "refused",
        "removed": "removed",
    },
    "fr": {
        "title": "Ce que Luciole gardait de vous",
        "made": "Fait le $when pour @$handle par la cellule « $cell », tenue par $operator sous le "
        "droit de $jurisdiction. Cette page n’a pas besoin du réseau : tout est dans ce dossier.",
        "clips": "Vos clips",
        "none": "Vous n’en avez publié aucun.",
        "captions": "Sous-titres",
        "lists": "Vos données, liste par liste",
        "check": "Vérifier",
        "check_how": "manifest.json donne le SHA-256 de chaque fichier, manifest.sig la signature "
        "de la cellule. journal/ contient chaque entrée à votre sujet dans le registre public "
        "de la cellule, ce qu’elle veut dire, et la preuve qu’il n’y en a pas d’autre.",
        "bring": "L’apporter à une autre cellule",
        "bring_how": "Créez-y un compte, ouvrez Réglages, Vos données, et choisissez ce fichier "
        "tel quel.",
        "left": "Ce qui n’y est pas, et pourquoi",
        "everyone": "pour tout le monde",
        "friends": "pour vos amis",
        "only-me": "pour vous seul",
        "processing": "en préparation",
        "in_review": "en cours d’examen",
        "published": "publié",
        "refused": "refusé",
        "removed": "retiré",
    },
}
# No script, and nothing from elsewhere, however the page is opened.
HEAD = Template("""<!doctype html>
<html lang="$language">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; \
media-src 'self' file:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
ul.clips { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr));
  list-style: none; padding: 0 }
video { width: 100%; max-height: 24rem; background: #000 }
p.caption { white-space: pre-wrap; overflow-wrap: anywhere }
td, th { text-align: start; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0 }
</style>
<h1>$title</h1>
<p>$made</p>
""")
TAIL = "</html>\n"


async def write_readme(
    archive: Archive,
    account: ExportedRow,
    clips: AsyncIterator[ExportedRow],
    films: Films,
    cell: CellFacts,
    catalogue: Catalogue,
    made_at: datetime,
) -> None:
    """A page that anybody can read, with the clips to play."""
    words = WORDS[account["locale"]]
    facts = {
        "when": made_at.strftime("%Y-%m-%d %H:%M UTC"),
        "handle": account["handle"],
        "cell": cell.name,
        "operator": cell.operator,
        "jurisdiction": cell.jurisdiction,
    }
    made = Template(words["made"]).substitute({name: escape(text) for name, text in facts.items()})
    async with archive.file("README.html") as entry:
        head = {"language": account["locale"], "title": words["title"], "made": made}
        await entry.write(HEAD.substitute(head).encode())
        await entry.write(f"<h2>{words['clips']}</h2>\n".encode())
        count = 0
        async for clip in clips:
            await entry.write(b'<ul class="clips">\n' if count == 0 else b"")
            shown = _clip(clip, films.get(str(clip["asset_id"]), []), words)
            await entry.write(shown.encode())
            count += 1
        await entry.write(b"</ul>\n" if count else f"<p>{words['none']}</p>\n".encode())
        for title in ("check", "bring"):
            text = f"<h2>{words[title]}</h2>\n<p>{words[f'{title}_how']}</p>\n"
            await entry.write(text.encode())
        await entry.write(_lists(catalogue.exported, words["lists"]).encode())
        left_out = [(where, why) for where, why in sorted(catalogue.not_exported.items())]
        await entry.write(f"<h2>{words['left']}</h2>\n{_table(left_out)}{TAIL}".encode())


def _clip(clip: ExportedRow, files: list[ExportedRow], words: Mapping[str, str]) -> str:
    # The smallest rendition: the page shows many at once.
    plays = [file for file in files if file["kind"] == "rendition"]
    still = next((file["file"].path for file in files if file["kind"] == "poster"), "")
    film = ""
    if plays:
        smallest = min(plays, key=lambda file: (file["width"] * file["height"], file["name"]))
        film = (
            f'<video controls preload="none" poster="{escape(still)}" '
            f'src="{escape(smallest["file"].path)}"></video>'
        )
    when = clip["published_at"] or clip["created_at"]
    link = ""
    if isinstance(clip["captions"], Written):
        link = f'<p><a href="{escape(clip["captions"].path)}">{words["captions"]}</a></p>'
    said = f"{when:%Y-%m-%d}, {words[clip['audience']]}, {words[clip['state']]}"
    return (
        f'<li>{film}<p class="caption" dir="auto">{escape(clip["caption"])}</p>'
        f"<p><small>{said}</small></p>{link}</li>\n"
    )


def _lists(exported: Mapping[str, tuple[Exported, ...]], title: str) -> str:
    rows = [
        (f'<a href="{path}">{path}</a>', escape(each.says))
        for path, each in listed(exported).items()
    ]
    body = "".join(f"<tr><td>{path}</td><td>{says}</td></tr>\n" for path, says in rows)
    return f"<h2>{title}</h2>\n<table>\n{body}</table>\n"


def _table(rows: list[tuple[str, str]]) -> str:
    body = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>\n" for a, b in rows)
    return f"<table>\n{body}</table>\n"


def listed(exported: Mapping[str, tuple[Exported, ...]]) -> dict[str, Exported]:
    """Every list by its path in the archive."""
    return {
        f"data/{slice_name}/{each.name}.json": each
        for slice_name, lists in exported.items()
        for each in lists
    }


def fields(catalogue: Catalogue) -> bytes:
    """What each field of each list is: where it is stored, what for, for how long, and whether it
    may leave the cell; from the same declarations that the auditor reads."""
    held = {each.where: each for each in catalogue.held}
    found: dict[str, Any] = {}
    for path, each in listed(catalogue.exported).items():
        found[path] = {
            "says": each.says,
            "stays": each.stays or None,
            "fields": {
                name: [_of(held[where]) for where in places.split()]
                for name, places in each.fields.items()
            },
        }
    found["not exported"] = dict(sorted(catalogue.not_exported.items()))
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def _of(held: Held) -> dict[str, str]:
    return {
        "where": held.where,
        "class": held.data_class.value,
        "purpose": held.purpose,
        "retention": held.retention,
        "border": held.border.value,
    }
