"""An export as the person has it: unpacked, checked against its manifest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from tests.cell.house import Browser, House

from luciole.ledger.note import Note, VerifierKey


@dataclass
class Taken:
    """The files of an export, by path."""

    raw: bytes
    files: dict[str, bytes]

    @classmethod
    def of(cls, raw: bytes) -> Taken:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            assert archive.testzip() is None
            return cls(raw, {name: archive.read(name) for name in archive.namelist()})

    def json(self, path: str) -> Any:
        return json.loads(self.files[path])

    @property
    def manifest(self) -> Any:
        return self.json("manifest.json")

    def check(self) -> None:
        """Everything is in the manifest with its hash, and the manifest is signed."""
        listed = {each["path"]: each for each in self.manifest["files"]}
        assert set(self.files) - set(listed) == {"manifest.json", "manifest.sig"}
        for path, each in listed.items():
            assert hashlib.sha256(self.files[path]).hexdigest() == each["sha256"], path
            assert len(self.files[path]) == each["size_bytes"], path
        note = Note.parse(self.files["manifest.sig"])
        note.verify([VerifierKey.parse(self.manifest["key"])])
        raw = self.files["manifest.json"]
        assert note.text.splitlines()[1:] == [hashlib.sha256(raw).hexdigest(), str(len(raw))]


async def take(house: House, person: Browser) -> Taken:
    """The export of a person through the API, with all jobs done."""
    answer = await person.post("/api/me/exports")
    assert answer.status_code == 201, answer.text
    await house.work()
    answer = await person.get(f"/api/me/exports/{answer.json()['id']}")
    assert answer.json()["state"] == "ready", answer.text
    answer = await person.get(answer.json()["file_url"])
    assert answer.status_code == 200, answer.text
    return Taken.of(answer.content)
