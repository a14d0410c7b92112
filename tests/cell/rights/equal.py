"""Whether two exports are of the same things: all but identifiers, signatures, and what the lists
themselves declare to be made anew or left behind."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.cell.rights.taken import Taken

from luciole import catalogue
from luciole.cell.media import sealing

# Of these there is a comparison of their own below, or their contents differ by their nature.
OF_ITS_OWN = re.compile(
    r"data/.*|media/.*|journal/.*|manifest\.(json|sig)|README\.html|outbox\.json"
)


def assert_same(one: Taken, other: Taken) -> None:
    """Asserts that everything which comes along has come along."""
    before, after = normal(one), normal(other)
    assert list(before) == list(after)
    for name, value in before.items():
        assert value == after[name], (name, value, after[name])


# Nothing where the person has not decided, which is a no in the new cell until they decide there.
UNDECIDED = ("lets_quote",)


def normal(taken: Taken) -> dict[str, Any]:
    """An export without identifiers, in the order in which it is written."""
    known = Known(taken)
    found: dict[str, Any] = {}
    for slice_name, lists in catalogue.WHOLE.exported.items():
        for each in lists:
            path = f"data/{slice_name}/{each.name}.json"
            assert path in taken.files, path
            if not each.stays:
                found[path] = [
                    {
                        name: "anew"
                        if name in each.anew and (value is not None or name in UNDECIDED)
                        else known.replaced(value)
                        for name, value in row.items()
                    }
                    for row in taken.json(path)
                ]
    found["media"] = {
        # Each cell signs films anew; the films are the same.
        known.replaced(path): sealing.digest(raw) if path.endswith(".mp4") else raw
        for path, raw in taken.files.items()
        if path.startswith("media/") and not path.startswith("media/uploads/")
    }
    found["outbox.json"] = known.replaced(taken.json("outbox.json"))
    for path, raw in taken.files.items():
        if not OF_ITS_OWN.fullmatch(path):
            found[path] = known.replaced(raw.decode())
    # When the account was made is the cell's to say.
    actor = json.loads(found["actor.json"])
    found["actor.json"] = {**actor, "published": "anew"}
    found["fields.json"] = json.loads(found["fields.json"])
    return found


class Known:
    """The identifiers of an export, by the order in which they come up."""

    def __init__(self, taken: Taken) -> None:
        (account,) = taken.json("data/people/account.json")
        self._names = {account["id"]: "person", f"@{account['handle']}": "@handle"}
        self._handle = account["handle"]
        for path, name in (("data/media/films.json", "film"), ("data/clips/clips.json", "clip")):
            for number, row in enumerate(taken.json(path)):
                self._names[row["id"]] = f"{name} {number}"

    def replaced(self, value: Any) -> Any:
        """The value with identifiers replaced, however deep they are."""
        if isinstance(value, dict):
            return {name: self.replaced(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.replaced(each) for each in value]
        if not isinstance(value, str):
            return value
        for name, stands_for in self._names.items():
            value = value.replace(name, stands_for)
        return (
            "handle"
            if value == self._handle
            else value.replace(
                f'"preferredUsername": "{self._handle}"', '"preferredUsername": "handle"'
            )
        )
