"""Text out of strangers' HTML, and HTML out of ours. Nothing of a stranger's markup is kept, so
there is nothing to sanitise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

# What is in these is not for reading.
HIDDEN = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math"})
BLOCKS = frozenset(
    {
        *("p", "div", "br", "li", "ul", "ol", "blockquote", "pre", "tr", "table", "hr"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "figure"),
    }
)
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]*\n[ \t\r\f\v]*")
_HASHTAG = re.compile(r"(?<![\w&/])#(\w+)")
# Line breaks, and what joins emoji and parts letters of Persian; no other control, which could turn
# the direction of what follows.
_KEPT = {"\n", "\u200c", "\u200d"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces = list[str]()
        self._hidden = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self._hidden.append(tag)
        elif tag in BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                continue
        elif tag in BLOCKS and tag != "br":
            self.pieces.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(re.sub(r"[ \t\r\n\f]+", " ", data))


def text_of(html: str, most: int) -> str:
    """What a person reads in `html`, in at most `most` characters."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return cleaned("".join(reader.pieces), most)


def cleaned(text: str, most: int) -> str:
    """Without control characters, with at most one empty line in a row, cut with an ellipsis."""
    kept = (
        sign
        for sign in unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
        if sign in _KEPT or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    lines = _SPACES.sub("\n", re.sub(r"[ \t\u00a0]+", " ", "".join(kept)))
    tidy = re.sub(r"\n{3,}", "\n\n", lines).strip()
    return tidy if len(tidy) <= most else tidy[: most - 1].rstrip() + "…"


def html_of(text: str, tag_address: Callable[[str], str] | None = None) -> str:
    """Our own text as paragraphs; hashtags are links where they have an address."""

    def line(words: str) -> str:
        escaped = escape(words, quote=False)
        if tag_address is None:
            return escaped
        return _HASHTAG.sub(
            lambda found: (
                f'<a href="{escape(tag_address(found[1].lower()))}" class="mention hashtag" '
                f'rel="tag">#{found[1]}</a>'
            ),
            escaped,
        )

    blocks = [block for block in re.split(r"\n{2,}", text.strip("\n")) if block]
    return "".join(f"<p>{'<br>'.join(map(line, block.split(chr(10))))}</p>" for block in blocks)


def hashtags_of(text: str) -> list[str]:
    """The hashtags of our own text, in lower case, each once."""
    return list(dict.fromkeys(found.lower() for found in _HASHTAG.findall(text)))
