"""What the page "Your data" shows of the catalogue is there in both languages."""

from __future__ import annotations

import json

from tests.rules.source import ROOT

from luciole import catalogue
from luciole.cell.rights.holdings import Holdings

FRENCH = ROOT / "web" / "src" / "app" / "i18n" / "held.fr.json"


def shown() -> set[str]:
    """Every English sentence of the catalogue that a person meets there."""
    groups = Holdings(catalogue.WHOLE).declared()
    said = {each.says for lists in catalogue.WHOLE.exported.values() for each in lists}
    for group in groups:
        said |= {text for item in group.items for text in (item.purpose, item.retention)}
    return said


def test_what_is_held_is_said_in_french_too() -> None:
    words = json.loads(FRENCH.read_text(encoding="utf-8"))
    missing = sorted(shown() - set(words))
    assert not missing, f"Add them to web/src/app/i18n/held.fr.json: {missing}"


def test_no_french_is_kept_for_what_nobody_says_any_more() -> None:
    words = json.loads(FRENCH.read_text(encoding="utf-8"))
    # The cell says these of itself, by its settings.
    own = {key for key in words if key.startswith(("an operator", "a folder", "an object store"))}
    assert set(words) - shown() - own == set()
