"""Leaks into files, objects, keys and titles of processes; sealed values that open elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.leaks.known import leak
from tests.leaks.tap import Asked, Tap, on_film, title_in

SIGN_UP, CONTACTS = "/api/sign-up", "/api/me/contacts"


def _data() -> Path:
    return Path(os.environ["LUCIOLE_DATA_DIR"])


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{text}\n")


@leak("files", "tmp/", "person.display name")
def temporary_file(tap: Tap) -> None:
    """A temporary file that nobody deletes."""

    def write(asked: Asked) -> None:
        handle, _ = tempfile.mkstemp()
        os.write(handle, str(asked.data.get("display_name")).encode("utf-16"))
        os.write(handle, str(asked.data.get("display_name")).encode())
        os.close(handle)

    tap.on("POST", SIGN_UP, write)


@leak("files", "home/cache", "contact.email", "utf-16")
def cache_in_the_home_folder(tap: Tap) -> None:
    """A cache in the home folder of whoever runs the cell, in UTF-16."""

    def write(asked: Asked) -> None:
        path = Path(os.environ["HOME"], "cache", "addresses")
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            file.write(str(asked.data.get("value")).encode("utf-16-le"))

    tap.on("PUT", CONTACTS, write)


@leak("files", "run/", "person.password")
def list_beside_the_lock(tap: Tap) -> None:
    """Passwords in a file of the folder for locks."""
    tap.on(
        "POST", SIGN_UP, lambda asked: _append(_data() / "run" / "x", str(asked.data["password"]))
        if asked.data.get("password") else None,
    )  # fmt: skip


@leak("files", "names", "person.handle")
def name_of_a_file(tap: Tap) -> None:
    """A handle in the name of a file."""

    def write(asked: Asked) -> None:
        _append(_data() / "run" / f"{asked.data.get('handle')}.seen", "")

    tap.on("POST", SIGN_UP, write)


@leak("keys", "notes", "contact.email")
def address_beside_the_keys(tap: Tap) -> None:
    """An address in the folder of the keys."""
    tap.on(
        "PUT", CONTACTS, lambda asked: _append(_data() / "keys" / "notes", str(asked.data["value"]))
        if asked.data.get("value") else None,
    )  # fmt: skip


@leak("files", "failed/", "film.device", process="worker")
def film_kept_for_a_look(tap: Tap) -> None:
    """A film as the phone made it, kept in a folder of its own for whoever looks into a fault."""

    def keep(path: Path) -> None:
        if title_in(path.read_bytes()):
            folder = _data() / "failed"
            folder.mkdir(exist_ok=True)
            # All films have the same name while they are looked at.
            number = len(list(folder.iterdir()))
            (folder / f"{number}-{path.name}").write_bytes(path.read_bytes())

    on_film(tap, keep)


@leak("objects", "p/", "film.place", process="worker")
def place_in_a_rendition(tap: Tap) -> None:
    """A rendition that everybody may load, with the place where it was filmed."""
    _keep_metadata("p/", b"+48.8577", tap)


@leak("objects", "r/", "film.title", process="worker")
def title_in_a_poster(tap: Tap) -> None:
    """A poster for friends, with the title that the phone gave the film."""
    _keep_metadata("r/", b"At home", tap)


def _keep_metadata(prefix: str, begins: bytes, tap: Tap) -> None:
    from luciole.kit.blobs import Blobs

    put, kept = Blobs.put, list[bytes]()

    def keep(path: Path) -> None:
        film = path.read_bytes()
        at = film.find(begins)
        kept.append(film[at : at + 60])

    async def put_more(self: Blobs, key: str, data: Any) -> Any:
        if isinstance(data, Path) and key.startswith(prefix) and kept:
            with data.open("ab") as file:
                file.write(kept[-1])
        return await put(self, key, data)

    on_film(tap, keep)
    Blobs.put = put_more  # type: ignore[method-assign]


@leak("objects", "avatar.webp", "picture.artist")
def artist_in_a_picture(tap: Tap) -> None:
    """A picture of a person that still says who took it."""
    _keep_of_pictures(b"Made by", 40)


@leak("objects", "avatar.webp", "picture.text", how="gzip")
def packed_text_in_a_picture(tap: Tap) -> None:
    """A picture of a person with a compressed text in it, as PNG files have."""
    _keep_of_pictures(b"Comment\0\0", 80)


def _keep_of_pictures(begins: bytes, count: int) -> None:
    from luciole.cell.media import avatar

    maker = avatar.maker

    def careless(*words: Any, **named: Any) -> Any:
        make = maker(*words, **named)

        async def made(picture: bytes) -> bytes:
            at = picture.find(begins)
            return bytes(await make(picture)) + picture[at : at + count]

        return made

    avatar.maker = careless


@leak("processes", "titles", "person.handle")
def handle_as_the_name_of_a_process(tap: Tap) -> None:
    """A handle as the name of a process, which every login of the machine sees."""

    def name(asked: Asked) -> None:
        Path("/proc/self/comm").write_text(str(asked.data.get("handle"))[:15])

    tap.on("POST", SIGN_UP, name)


@leak("processes", "titles", "film.title", process="worker")
def title_in_a_command_line(tap: Tap) -> None:
    """A title in the command line of a program that is started for the film."""

    def start(path: Path) -> None:
        title = title_in(path.read_bytes()).partition(b"\0")[0].decode("utf-8", "replace")
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)", title])

    on_film(tap, start)


@leak("tampering", "GET /api/me/contacts", "contact.email", how="exchanged persons",
      process="custody")  # fmt: skip
def one_key_for_everybody(_tap: Tap) -> None:
    """All persons' fields sealed with one key: one person's row opens in another's place."""
    from uuid import UUID

    from luciole.custody.keyring import DataKey

    made = DataKey.__init__

    def same(self: DataKey, cell_id: UUID, _person: UUID, _key: bytes, label_key: bytes) -> None:
        made(self, cell_id, UUID(int=0), bytes(32), label_key)

    DataKey.__init__ = same  # type: ignore[method-assign]


@leak("tampering", "GET /api/me/contacts", "contact.phone", how="exchanged fields",
      process="custody")  # fmt: skip
def field_is_not_bound(_tap: Tap) -> None:
    """Sealed values that do not say which field they are: a number opens as an e-mail address."""
    from luciole.custody.keyring import DataKey

    seal, opened = DataKey.seal, DataKey.open
    DataKey.seal = lambda self, text, _field, _version: seal(self, text, "any", 1)  # type: ignore[method-assign]
    DataKey.open = lambda self, text, _field, _version: opened(self, text, "any", 1)  # type: ignore[method-assign]


@leak("ledger", "entries of access", "two entries", "the same bytes", process="custody")
def constant_tag_in_the_log(_tap: Tap) -> None:
    """Entries of one person that end alike: everybody sees when that person was active."""
    from hashlib import sha256

    from luciole.custody.broker import Broker

    draw = Broker._draw

    def marked(self: Broker, person_id: Any, n: int, *words: Any) -> Any:
        drawn = draw(self, person_id, n, *words)
        tag = sha256(person_id.bytes + b"tag").digest()[:8]
        return type(drawn)(drawn.n, drawn.leaf[:-8] + tag, drawn.sealed)

    Broker._draw = marked  # type: ignore[method-assign]
