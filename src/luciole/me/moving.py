"""`luciole move`: from one home cell to another, by the person's own hands.

1. A signed export of the old cell, compared with its manifest. 2. A new account there, or one that
has nothing yet; the export is brought along, and the new cell checks the signature too. 3. The new
cell names the address that others knew you by, the old one says where you went: those cells take
it when they have heard both. Your journal in both has an entry of it. If we stop anywhere, the next
run goes on: the file that is here is not made anew, and the upload goes on where it broke off.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from luciole import effort
from luciole.kit.console import say
from luciole.kit.errors import NotAllowed
from luciole.me import commands
from luciole.me.client import CellRefused, Client

PIECE_BYTES = 8 * 1024 * 1024
LOOK_EVERY_S = 1.0
TUS = {"tus-resumable": "1.0.0"}
PIECE = {**TUS, "content-type": "application/offset+octet-stream"}


def move(
    old: Client,
    new: Client,
    file: Path,
    *,
    sign_up: bool,
    is_shown: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Does it; the exit status. Raises CellRefused, CellAway."""
    if not _is_whole(file) and (status := commands.export(old, file, sleep)):
        return status
    old.sign_in()
    if sign_up:
        _sign_up(old, new)
    new.sign_in()
    done = _bring(new, file, sleep)
    if done["state"] != "done":
        refusal = done["refusal"] or {"sentence": "The new cell did not take it.", "next_step": ""}
        say(f"{refusal['sentence']} {refusal['next_step']}")
        return 1
    address = f"{new.address}/@{new.handle}"
    known = old.get("/api/me/moved")
    said: dict[str, Any] = {"address": address, "is_shown": is_shown}
    if known["known_as"] is not None:
        former = {"known_as": known["known_as"], "known_in": known["known_in"]}
        came = commands.with_proof(new, lambda: new.call("PUT", "/api/me/came-from", json=former))
        said["known_as"] = came["known_as"]
    commands.with_proof(old, lambda: old.call("PUT", "/api/me/moved", json=said))
    shows = "your old profile says so" if is_shown else "your old profile does not say so"
    say(f"You are {address} now, and {shows}. Your follows and likes of people of")
    say("the old cell are in a list there. Everything of the old account is as it was: when you do")
    say("not need it any more, ./luciole me erase takes it away, and the address with it.")
    if known["known_in"]:
        say(f"Cells that know you are told by both: {', '.join(known['known_in'])}.")
        say("Who follows you there follows the new address then; neither cell learns who that is.")
    return 0


def _is_whole(file: Path) -> bool:
    """Whether an export of an earlier run is there."""
    return file.exists() and zipfile.is_zipfile(file) and commands.compared(file) == ""


class TermsRefused(NotAllowed):
    code = "terms-refused"
    sentence = "Without its terms the new cell makes no account."
    next_step = "Read them, and run it again; nothing was changed."


def _sign_up(old: Client, new: Client) -> None:
    """An account like the old one. One that is there already is taken."""
    me = old.get("/api/me")
    body = {
        "handle": new.handle,
        "display_name": me["display_name"],
        "age_band": me["age_band"],
        "locale": me["locale"],
        "password": new.ask("Password for the new account: "),
    }
    try:
        new.call("POST", "/api/sign-up", json={**body, **_what_it_asks(new)})
    except CellRefused as refused:
        if refused.code != "handle-taken":
            raise
        say(f"There is an @{new.handle} there already; signing in.")


def _what_it_asks(new: Client) -> dict[str, Any]:
    """What the cell wants besides: an invitation, work of this machine, agreed terms."""
    told = new.get("/api/sign-up")
    found: dict[str, Any] = {}
    if told["registration"] in ("invitation", "approval"):
        found["invitation"] = new.ask("Code of your invitation, or your approved ticket: ")
    elif told["needs_work"]:
        work = new.call("POST", "/api/sign-up/work", json={})
        found["work"] = effort.answered(work)
    if told["terms_version"] is not None:
        say(f"The new cell has terms: {new.address}/terms")
        if new.ask("Type agree if you agree to them: ").strip() != "agree":
            raise TermsRefused
        found["terms"] = told["terms_version"]
    return found


def _bring(new: Client, file: Path, sleep: Callable[[float], None]) -> Any:
    """Uploads the export, or the rest of it, and waits until it is taken in or refused."""
    size, known = file.stat().st_size, new.get("/api/me/imports")["items"]
    under_way = [one for one in known if one["size_bytes"] == size and one["state"] != "refused"]
    if under_way:
        place = f"/api/me/imports/{under_way[0]['id']}"
    else:
        headers = {**TUS, "upload-length": str(size)}
        place = new.opened("POST", "/api/me/imports", headers).removesuffix("/file")
    offset = new.get(place)["offset_bytes"]
    with file.open("rb") as handle:
        handle.seek(offset)
        while piece := handle.read(PIECE_BYTES):
            new.send("PATCH", f"{place}/file", {**PIECE, "upload-offset": str(offset)}, piece)
            offset += len(piece)
    shown = -1
    while (found := new.get(place))["state"] not in ("done", "refused"):
        if found["progress"] != shown:
            shown = found["progress"]
            say(f"Being taken in: {shown} %")
        sleep(LOOK_EVERY_S)
    return found
