"""What each `luciole me …` does, and what it prints."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from luciole.kit.console import say
from luciole.ledger import handover
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Note, VerifierKey
from luciole.ledger.policy import Policy
from luciole.me import check
from luciole.me.client import CellRefused, Client

LOOK_EVERY_S = 1.0
PAGE = 200

# Exit status of `verify`, as the auditor's verifier has them.
GREEN, RED, CANNOT_TELL = 0, 1, 2


def data(client: Client) -> int:
    """Prints what is held, by class, and how much of it there is of this person."""
    client.sign_in()
    found = client.get("/api/me/data")
    cell = found["cell"]
    say(f"{cell['name']}, run by {cell['operator']} under the law of {cell['jurisdiction']}")
    say(f"Files are in {cell['objects']}.\n")
    for group in found["classes"]:
        say(f"{group['name'].upper()}: {group['says']}")
        for item in group["items"]:
            say(f"  - {item['purpose']} (kept {item['retention']})")
    say("\nOF YOU")
    for kept in found["kept"]:
        if kept["rows"]:
            more = " or more" if kept["is_more"] else ""
            size = f", {kept['size_bytes']:,} bytes" if kept["size_bytes"] else ""
            say(f"  {kept['rows']}{more} in {kept['list']}{size}: {kept['says']}")
    return 0


def journal(client: Client) -> int:
    """Prints every entry about this person, the newest first."""
    client.sign_in()
    for item in client.pages("/api/me/journal", limit=PAGE):
        place = "not in the log yet" if item["index"] is None else f"index {item['index']}"
        words = [item["class"], item["kind"], item["actor"], item["purpose"], item["note"]]
        say(f"{item['at']}  {item['n']:>5}  {', '.join(filter(None, words))} ({place})")
    return 0


def verify(client: Client, policy_file: Path | None, label_key_file: Path | None) -> int:
    """Checks the journal against the log. Exit status 0 GREEN, 1 RED, 2 CANNOT TELL."""
    client.sign_in()
    label_key = base64.b64decode(client.get("/api/me/label-key")["label_key"])
    if label_key_file is not None:
        kept = base64.b64decode(label_key_file.read_text(encoding="utf-8"))
        if kept != label_key:
            return _verdict(RED, "The cell's label key for you is not the one that you kept.")
    is_own_word = policy_file is None
    raw = policy_file.read_bytes() if policy_file else client.get("/ledger/policy").encode()
    pages, first = [], 0
    while True:
        page = client.get("/api/me/journal/proof", **{"from": first})
        pages.append(page)
        if not page["entries"] or len(page["entries"]) < 500:
            break
        first = page["entries"][-1]["n"] + 1
    opened = {item["n"]: item for item in client.pages("/api/me/journal", limit=PAGE)}
    try:
        policy, ends = _extended(client, Policy.parse(raw))
        found = check.journal(pages, opened, label_key, policy, ends)
    except (check.Wrong, Refused) as wrong:
        return _verdict(RED, str(wrong))
    say(f"{found.entries} entries about you are in the log, and each says what the cell says.")
    waiting = len(opened) - found.entries
    if waiting > 0:
        say(f"{waiting} more wait for the log's next checkpoint.")
    say(f"Cosigned by: {', '.join(sorted(found.cosigned)) or 'nobody'}.")
    if is_own_word:
        say("Whom to trust came from the cell itself: keep its policy, and pass it by --policy.")
    if found.sealed_until is None:
        return _verdict(CANNOT_TELL, "The log has no seal yet: whether an entry is missing shows "
                        "after its first day.")  # fmt: skip
    return _verdict(GREEN, f"No other entry is about you, up to {found.sealed_until:%Y-%m-%d %H:%M}"
                    " UTC.")  # fmt: skip


def _extended(client: Client, policy: Policy) -> tuple[Policy, dict[VerifierKey, int]]:
    """The policy with the keys of those to whom the log was handed over."""
    try:
        listed = client.get("/ledger/access/handover").encode()
    except CellRefused:
        return policy, {}
    return handover.known_by(policy, handover.parse(listed))


def export(client: Client, target: Path, sleep: Callable[[float], None] = time.sleep) -> int:
    """Has an export made, downloads it, and compares it with its manifest."""
    client.sign_in()
    begun = with_proof(client, lambda: client.call("POST", "/api/me/exports"))
    shown = -1
    while begun["state"] in ("queued", "running"):
        if begun["progress"] != shown:
            shown = begun["progress"]
            say(f"Being made: {shown} %")
        sleep(LOOK_EVERY_S)
        begun = client.get(f"/api/me/exports/{begun['id']}")
    if begun["state"] != "ready":
        say("The cell could not make it. Try again later, or tell its operator.")
        return 1
    client.download(begun["file_url"], target, lambda done, total: None)
    wrong = compared(target)
    if wrong:
        say(f"{target} is not what its manifest says: {wrong}")
        return 1
    say(f"{target}: {target.stat().st_size:,} bytes, every file as its manifest says.")
    say(f"The cell keeps it until {begun['expires_at']}.")
    return 0


def erase(client: Client, *, now: bool, ask: Callable[[str], str] = input) -> int:
    """Asks for the account to be erased; prints the ticket."""
    client.sign_in()
    when = "at once, for good" if now else "after 30 days, in which you can take it back"
    say(f"This hides @{client.handle} now and erases everything {when}.")
    if ask("Type the handle to go on: ").removeprefix("@") != client.handle:
        say("Nothing was changed.")
        return 1
    asked = with_proof(client, lambda: client.call("POST", "/api/me/erasure", json={"now": now}))
    say(f"It goes on {asked['due_at']}. Keep this ticket; it tells what became of it:")
    say(asked["ticket"])
    return 0


def compared(path: Path) -> str:
    """What is wrong with an export, or nothing."""
    with zipfile.ZipFile(path) as archive:
        raw = archive.read("manifest.json")
        manifest: Any = json.loads(raw)
        listed = {each["path"]: each for each in manifest["files"]}
        for info in archive.infolist():
            if info.filename in ("manifest.json", "manifest.sig"):
                continue
            sha256 = hashlib.sha256()
            with archive.open(info) as file:
                while part := file.read(1 << 20):
                    sha256.update(part)
            if listed.pop(info.filename, {}).get("sha256") != sha256.hexdigest():
                return f"{info.filename} differs."
        if listed:
            return f"{len(listed)} files are missing."
        try:
            note = Note.parse(archive.read("manifest.sig"))
            note.verify([VerifierKey.parse(manifest["key"])])
        except (Refused, KeyError):
            return "its signature is wrong."
        if hashlib.sha256(raw).hexdigest() not in note.text:
            return "its signature is over another manifest."
    return ""


def with_proof(client: Client, act: Callable[[], Any]) -> Any:
    """Does what may want a proof of the last minutes, and gives one where it does."""
    try:
        return act()
    except CellRefused as refusal:
        if refusal.code != "proof-needed":
            raise
    client.prove()
    return act()


def _verdict(status: int, sentence: str) -> int:
    say(f"{('GREEN', 'RED', 'CANNOT TELL')[status]}: {sentence}")
    return status
