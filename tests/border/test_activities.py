"""What crosses between cells as documents, there and back, and everything that is not taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.border import activities, understood, wire
from luciole.border.addresses import Addresses, is_same_origin, origin_of
from luciole.border.documents import jcs
from luciole.border.plain import cleaned, hashtags_of, html_of, text_of
from luciole.border.understood import BadActivity
from luciole.keys.signing import Algorithm, SigningKey, verifies

US = Addresses("https://us.example")
SG = Addresses("https://sg.example")
KEY = SigningKey(Algorithm.ED25519, bytes(range(32)))
NUMBER = "0199c0de-0000-7000-8000-000000000001"
AT = datetime(2026, 11, 27, 0, 30, tzinfo=UTC)
ANA = US.of("people", UUID(int=1))
BEN = SG.of("people", UUID(int=2))
DAWN = US.of("clips", UUID(int=3))
FILE = wire.File("/media/p/a/540p.mp4", "ab" * 32, 700_000)
STILL = wire.File("/media/p/a/poster.webp", "cd" * 32, 9_000)

CLIP = wire.Clip(
    DAWN,
    ANA,
    "First light <b>\n#Dawn & #matin",
    [wire.Film("540p", FILE, 540, 960), wire.Film("720p", FILE, 720, 1280)],
    STILL,
    12_345,
    False,
    True,
    "2026-11-27T00:29:59Z",
    wire.Captions("fr", "WEBVTT\n\n00:00.000 --> 00:01.000\nBonjour"),
)
CROSSINGS: dict[str, wire.Crossing] = {
    "person": wire.Person(ANA, "ana", "Ana « la nuit »", "Two\nlines", FILE),
    "person-plain": wire.Person(ANA, "ana", "Ana"),
    "clip": CLIP,
    "clip-plain": msgspec.structs.replace(CLIP, caption="", captions=None, comments=False),
    "comment": wire.Comment(
        US.of("comments", UUID(int=4)), ANA, BEN, "Nice", "2026-11-27T00:00:00Z"
    ),
    "answer": wire.Comment(
        US.of("comments", UUID(int=4)), ANA, BEN, "So?", "2026-11-27T00:00:00Z", BEN + "x"
    ),
    "gone": wire.Gone(DAWN, [NUMBER]),
    "gone-plain": wire.Gone(DAWN),
    "follow": wire.Follow(BEN, "2026-11-27"),
    "unfollow": wire.Unfollow(BEN, "2026-11-27"),
    "totals": wire.Totals(BEN, "2026-11-27", likes=120, followers=10),
    "move": wire.Move(ANA, BEN, "2026-11-27"),
    "came": wire.Move(BEN, ANA, "2026-11-27", wire.Newcomer("ana", "Ana"), is_shown=False),
}


def checks(signature: bytes, message: bytes) -> bool:
    return verifies(Algorithm.ED25519, KEY.public, signature, message)


def sent(crossing: wire.Crossing, key: SigningKey = KEY) -> bytes:
    unsealed = activities.unsealed(crossing, US, NUMBER, AT)
    return unsealed.sealed(key.sign(unsealed.message))


@pytest.mark.parametrize("name", CROSSINGS)
def test_each_kind_crosses_and_comes_back(name: str) -> None:
    raw = sent(CROSSINGS[name])
    assert understood.opened(raw, US, checks) == (NUMBER, AT, CROSSINGS[name])
    assert sent(CROSSINGS[name]) == raw


def test_every_declared_kind_is_told_in_documents_but_pushes() -> None:
    told = {type(crossing) for crossing in CROSSINGS.values()}
    assert told == set(wire.CROSSINGS) - {wire.Push}
    with pytest.raises(ValueError, match="not told"):
        sent(wire.Push("https://push.example/a", "vapid", "luciole", 60))


def test_clip_is_the_note_that_loops_plays() -> None:
    """CreateValidator of Loops: a Note by the actor, an attachment of type Document with exactly
    `video/mp4` and a string as its url, no inReplyTo."""
    document = activities.document_of(CLIP, US, NUMBER, AT)
    note = document["object"]
    assert (document["type"], note["type"]) == ("Create", "Note")
    assert note["attributedTo"] == document["actor"] == ANA
    film = note["attachment"][0]
    assert (film["type"], film["mediaType"], film["url"]) == (
        "Document",
        "video/mp4",
        "https://us.example/media/p/a/540p.mp4",
    )
    assert (film["width"], film["height"], film["duration"]) == (540, 960, "PT12.345S")
    assert "inReplyTo" not in note
    assert note["content"] == "<p>First light &lt;b&gt;<br>#Dawn &amp; #matin</p>"
    assert [tag["name"] for tag in note["tag"]] == ["#dawn", "#matin"]
    assert activities.PUBLIC in note["to"]
    assert note["interactionPolicy"]["canReply"] == {"automaticApproval": [activities.PUBLIC]}


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def test_every_word_is_of_activitystreams_or_explained_in_the_context() -> None:
    """Whoever expands a document as JSON-LD finds each of its words."""
    plain = {
        "@context", "id", "type", "actor", "object", "target", "published", "to", "attributedTo",
        "content", "source", "mediaType", "url", "name", "summary", "icon", "attachment", "tag",
        "width", "height", "duration", "inReplyTo", "context", "preferredUsername", "inbox",
        "outbox", "@id", "@type", "digestMultibase",
    }  # fmt: skip
    for name, crossing in CROSSINGS.items():
        document = activities.document_of(crossing, US, NUMBER, AT)
        assert names_in(document) <= plain | set(activities.WORDS), name


# --- refused --------------------------------------------------------------------------------------


def again(change: Callable[[dict[str, Any]], Any], crossing: wire.Crossing = CLIP) -> bytes:
    """What somebody made of a document that they may sign."""
    document = activities.document_of(crossing, US, NUMBER, AT)
    change(document)
    return jcs(activities.proofs.proved(document, US.cell_key, KEY.sign, AT))


def put(value: Any, *place: Any) -> Callable[[dict[str, Any]], Any]:
    def change(document: dict[str, Any]) -> None:
        for step in place[:-1]:
            document = document[step]
        document[place[-1]] = value

    return change


def drop(*place: Any) -> Callable[[dict[str, Any]], Any]:
    def change(document: dict[str, Any]) -> None:
        for step in place[:-1]:
            document = document[step]
        del document[place[-1]]

    return change


FILM = ("object", "attachment", 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (put("Paris", "object", "location"), "says-more-or-other"),
        (put({"type": "Place"}, "location"), "says-more-or-other"),
        (put([activities.PUBLIC, BEN], "to"), "says-more-or-other"),
        (put([], "cc"), "says-more-or-other"),
        (put("<p>Other words</p>", "object", "content"), "says-more-or-other"),
        (put("text/html", "object", "source", "mediaType"), "says-more-or-other"),
        (put(BEN, "actor"), "says-more-or-other"),
        (put("2026-11-27T00:29:59Z", "object", "updated"), "says-more-or-other"),
        (put([activities.ACTIVITY_STREAMS], "@context"), "says-more-or-other"),
        (put("https://evil.example/a.mp4", *FILM, "url"), "not-of-the-profile"),
        (put("https://us.example.evil.example/a.mp4", *FILM, "url"), "not-of-the-profile"),
        (put("zQm", *FILM, "digestMultibase"), "not-of-the-profile"),
        (put(0, *FILM, "size"), "not-of-the-profile"),
        (put(200_000_000, *FILM, "size"), "not-of-the-profile"),
        (put("12", *FILM, "size"), "not-of-the-profile"),
        (put(True, *FILM, "width"), "not-of-the-profile"),
        (put("PT12S", *FILM, "duration"), "not-of-the-profile"),
        (put("PT99.000S", *FILM, "duration"), "says-more-or-other"),
        (put("application/x-mpegURL", *FILM, "mediaType"), "not-of-the-profile"),
        (put("x" * 3000, "object", "source", "content"), "not-of-the-profile"),
        (put([], "object", "attachment"), "not-of-the-profile"),
        (put(None, "object"), "not-of-the-profile"),
        (put("Like", "type"), "not-of-the-profile"),
        (put(["Create"], "type"), "not-of-the-profile"),
        (put("Video", "object", "type"), "says-more-or-other"),
        (put(SG.crossing(NUMBER), "id"), "not-of-the-profile"),
        (put(US.crossing("1"), "id"), "not-of-the-profile"),
        (put(US.crossing(NUMBER.upper()), "id"), "not-of-the-profile"),
        (put("2026-11-27", "published"), "not-of-the-profile"),
        (drop("published"), "not-of-the-profile"),
        (drop("object", "icon"), "not-of-the-profile"),
        (drop("object", "sensitive"), "says-more-or-other"),
    ],
)
def test_what_says_more_or_other_is_refused(
    change: Callable[[dict[str, Any]], Any], code: str
) -> None:
    assert understood.opened(again(lambda _: None), US, checks)[2] == CLIP
    with pytest.raises(BadActivity) as refused:
        understood.opened(again(change), US, checks)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "crossing",
    [
        msgspec.structs.replace(CLIP, uri=SG.of("clips", UUID(int=3))),
        msgspec.structs.replace(CLIP, by=BEN),
        wire.Person(BEN, "ben", "Ben"),
        wire.Gone(SG.of("clips", UUID(int=3))),
        wire.Move(BEN, ANA, "2026-11-27"),
        wire.Move(ANA, BEN, "2026-11-27", wire.Newcomer("ben", "Ben")),
        wire.Gone("https://us.example:8443/ap/clips/1"),
        wire.Gone("http://us.example/ap/clips/1"),
    ],
)
def test_cell_speaks_for_its_own_origin_only(crossing: wire.Crossing) -> None:
    with pytest.raises(BadActivity) as refused:
        understood.opened(sent(crossing), US, checks)
    assert refused.value.code == "of-another-origin"


def test_bytes_and_proofs_of_others_are_refused() -> None:
    raw = sent(CLIP)
    document = json.loads(raw)
    other = SigningKey(Algorithm.ED25519, bytes(32))
    longer = document | {"proof": document["proof"] | {"nonce": "x"}}
    of_persona = activities.proofs.proved(
        activities.document_of(CLIP, US, NUMBER, AT), f"{ANA}#key", KEY.sign, AT
    )
    later = activities.proofs.proved(
        activities.document_of(CLIP, US, NUMBER, AT),
        US.cell_key,
        KEY.sign,
        datetime(2026, 11, 28, tzinfo=UTC),
    )
    for wrong, code in (
        (json.dumps(document).encode(), "not-canonical"),
        (raw[:-1], "not-json"),
        (raw.replace(b"{", b'{"a":1,"a":1,', 1), "name-twice"),
        (sent(CLIP, other), "wrong-proof"),
        (jcs(longer), "wrong-proof"),
        (jcs(of_persona), "another-key"),
        (jcs(later), "proof-says-more"),
        (jcs({k: v for k, v in document.items() if k != "proof"}), "not-one-proof"),
    ):
        with pytest.raises(BadActivity) as refused:
            understood.opened(wrong, US, checks)
        assert refused.value.code == code
    with pytest.raises(BadActivity):
        understood.opened(raw, SG, checks)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["object", "type", "id", "source", "attachment"])
                | st.text(max_size=3),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from([*CROSSINGS]),
    st.data(),
)
def test_strange_values_anywhere_are_refused_and_nothing_else_happens(
    value: Any, name: str, data: st.DataObject
) -> None:
    document = activities.document_of(CROSSINGS[name], US, NUMBER, AT)
    member = data.draw(st.sampled_from(sorted(document)))
    # Whom a cell follows, counts or moves to is not its own to name: who hears it looks.
    is_free = (name, member) in (("follow", "object"), ("totals", "object"), ("move", "target"))
    if document[member] == value or (is_free and isinstance(value, str)):
        return
    with pytest.raises(BadActivity):
        understood.crossing_of({**document, member: value}, US)


# --- addresses and words --------------------------------------------------------------------------


def test_addresses_are_read_back_and_no_others() -> None:
    for uri, thing in (
        (ANA, "people"),
        (DAWN, "clips"),
        (US.of("comments", UUID(int=9)), "comments"),
    ):
        read = US.read(uri)
        assert read is not None
        assert read[0] == thing
        assert US.of(*read) == uri
    for uri in (
        BEN,
        ANA + "/",
        ANA + "#x",
        ANA.upper(),
        "https://us.example/ap/people/",
        "https://us.example/ap/cats/" + str(UUID(int=1)),
        "https://us.example/ap/clips/" + "{" + str(UUID(int=1)) + "}",
        "",
    ):
        assert US.read(uri) is None, uri


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://a.example/x", "https://A.example:443/y#z", True),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example/x", "https://a.example:8443/x", False),
        ("https://a.example/x", "https://b.a.example/x", False),
        ("https://a.example@b.example/x", "https://a.example@b.example/x", False),
        ("urn:a", "urn:a", False),
        ("https://[::1", "https://[::1", False),
        ("https://a.example:x/", "https://a.example:x/", False),
        ("", "", False),
    ],
)
def test_origins_are_compared_whole(one: str, other: str, is_same: bool) -> None:
    assert is_same_origin(one, other) is is_same
    assert is_same_origin(other, one) is is_same
    assert (origin_of(one) is not None) or not is_same


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree"),
        ("plain &amp; simple &lt;b&gt;", "plain & simple <b>"),
        ("<script>alert(1)</script>after", "after"),
        ("<p onclick=x>a<img src=x onerror=y>b", "ab"),
        ("<style>p{}<b>x</b></style>y", "y"),
        ('<a href="javascript:x">link</a>', "link"),
        ("<p>a\n  b\tc</p>", "a b c"),
        ("<ul><li>1</li><li>2</li></ul>", "1\n\n2"),
        ("a\u202eb\u0007c\u200dd", "abc\u200dd"),
        ("<p>&#0;&#x202e;x", "\ufffdx"),
        ("<<p>>", "<\n>"),
        ("<svg><title>a</title></svg>b", "b"),
        ("x" * 30, "x" * 19 + "…"),
        ("", ""),
    ],
)
def test_what_is_read_in_html_is_text(html: str, text: str) -> None:
    assert text_of(html, 20) == text


@given(st.text(max_size=300))
def test_text_of_our_html_is_our_text(text: str) -> None:
    tidy = cleaned(text, 400)
    assert text_of(html_of(tidy), 400) == cleaned(tidy, 400)
    assert "<script" not in html_of(text)


def test_hashtags_are_links_and_nothing_else_is() -> None:
    html = html_of("a #Tag & http://x.example/#no\n\n#été", lambda tag: f"/tag/{tag}")
    link = '<a href="/tag/{}" class="mention hashtag" rel="tag">#{}</a>'
    tag, summer = link.format("tag", "Tag"), link.format("été", "été")
    assert html == f"<p>a {tag} &amp; http://x.example/#no</p><p>{summer}</p>"
    assert hashtags_of("#a #A #b&#c x#d") == ["a", "b"]
