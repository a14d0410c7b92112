"""Pages that the operator has written: terms and imprint, in Markdown, in one language or several.

A file is called `terms.md`, or `terms.fr.md` for one language. HTML in it is shown as text, and
links go to http, https and mailto only (markdown-it's own rules), so that a page can hold no
script.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from markdown_it import MarkdownIt

from luciole.cell.people.joining import refusals
from luciole.cell.people.joining.model import Text
from luciole.cell.people.model import Locale

LANGUAGES: tuple[Locale, ...] = ("en", "fr")
MAX_BYTES = 512 * 1024
VERSION_CHARS = 16
_ANY = ""


class Texts:
    """The pages in a folder (None: there are none). They are read each time: an operator changes
    them while the cell runs."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        # No pictures: their address would tell another server who reads.
        self._markdown = MarkdownIt("commonmark", {"html": False}).disable("image")

    def terms(self, locale: Locale) -> Text:
        """The terms in the language nearest to this one; all languages share one version. Raises
        NoText."""
        return self._text("terms", locale)

    def imprint(self, locale: Locale) -> Text:
        """Who is responsible, as the law of many countries wants it said. Raises NoText."""
        return self._text("imprint", locale)

    def terms_version(self) -> str | None:
        """The present version of the terms; None where there are none."""
        found = self._files("terms")
        return _version(found) if found else None

    def terms_said(self) -> str:
        """The terms in all their languages, as they are kept with who agreed to them."""
        return "\n\n".join(text for _, text in sorted(self._files("terms").items()))

    @property
    def has_imprint(self) -> bool:
        return bool(self._files("imprint"))

    def _text(self, name: str, locale: Locale) -> Text:
        found = self._files(name)
        for language in (locale, _ANY, *LANGUAGES):
            if language in found:
                html = self._markdown.render(found[language])
                return Text(_version(found), html, language)
        raise refusals.NoText

    def _files(self, name: str) -> dict[str, str]:
        if self._folder is None:
            return {}
        found = {}
        for language in (_ANY, *LANGUAGES):
            path = self._folder / (f"{name}.{language}.md" if language else f"{name}.md")
            try:
                with path.open("rb") as file:
                    found[language] = file.read(MAX_BYTES).decode("utf-8", "replace")
            except OSError:
                continue
        return found


def _version(found: dict[str, str]) -> str:
    """The first digits of a SHA-256 over all languages: whoever has the file can compare it."""
    whole = "".join(f"{language}\0{text}\0" for language, text in sorted(found.items()))
    return hashlib.sha256(whole.encode()).hexdigest()[:VERSION_CHARS]
