"""What the wider Fediverse says: the documents of others, and who may speak for whom."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.border import fixtures

from luciole.border import posts, strangers
from luciole.border.activities import PUBLIC
from luciole.border.documents import parsed
from luciole.border.strangers import NotTaken

corpus = pytest.mark.skipif(
    not os.environ.get("LUCIOLE_CORPUS"), reason="LUCIOLE_CORPUS names no folder of documents"
)
A = "https://a.example/users/ada"
B = "https://b.example/users/bob"


@corpus
def test_documents_of_others_become_what_the_table_says() -> None:
    assert fixtures.table() == fixtures.HOME.read_text(encoding="utf-8"), (
        "python -m tests.border.fixtures writes the table anew; look at what changed."
    )


@corpus
def test_every_document_of_others_as_if_someone_else_had_signed_it_is_not_taken() -> None:
    seen = 0
    for name, raw in fixtures.cases():
        if b'"actor"' in raw and not fixtures.outcome(raw).startswith("not read"):
            seen += 1
            with pytest.raises(NotTaken):
                strangers.heard(parsed(raw), B)
            assert name
    assert seen > 250


def create(**words: Any) -> dict[str, Any]:
    note = {
        "id": f"{A}/notes/1",
        "type": "Note",
        "attributedTo": A,
        "to": [PUBLIC],
        "content": "<p>Hello</p>",
        "inReplyTo": "https://us.example/ap/clips/1",
    }
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{A}/notes/1/activity",
        "type": "Create",
        "actor": A,
        "to": [PUBLIC],
        "object": note | words,
    }


def simple(kind: str, about: Any, **words: Any) -> dict[str, Any]:
    return {"id": f"{A}#1", "type": kind, "actor": A, "object": about, **words}


@pytest.mark.parametrize(
    ("document", "act", "about"),
    [
        (create(), "create", f"{A}/notes/1"),
        ({**create(), "type": "Update"}, "update", f"{A}/notes/1"),
        (simple("Update", {"id": A, "type": "Person"}), "update", A),
        (simple("Follow", B), "follow", B),
        (simple("Like", {"id": B, "type": "Note", "content": "forged"}), "like", B),
        (simple("Announce", B, to=PUBLIC), "announce", B),
        (simple("Announce", {"type": "Like", "object": B}, cc="as:Public"), "announce", B),
        (simple("Undo", simple("Follow", B)), "unfollow", B),
        (simple("Undo", simple("Like", B)), "unlike", B),
        (simple("Undo", simple("Announce", B)), "unannounce", B),
        (simple("Delete", f"{A}/notes/1"), "delete", f"{A}/notes/1"),
        (simple("Delete", {"type": "Tombstone", "id": f"{A}/n"}), "delete", f"{A}/n"),
        (simple("Accept", "https://us.example/f/1"), "accept", "https://us.example/f/1"),
        (
            simple("Reject", {"type": "Follow", "id": "https://us.example/f/1", "object": A}),
            "reject",
            "https://us.example/f/1",
        ),
        (simple("Move", A, target=B), "move", A),
    ],
)
def test_activity_of_its_signer_is_taken(document: dict[str, Any], act: str, about: str) -> None:
    heard = strangers.heard(document, A)
    assert (heard.act, heard.actor, heard.object) == (act, A, about)
    with pytest.raises(NotTaken) as refused:
        strangers.heard(document, B)
    assert refused.value.code == "not-by-its-signer"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({**create(), "id": "https://b.example/1"}, "id-of-another-origin"),
        ({**create(), "id": None}, "no-id"),
        ({**create(), "actor": B}, "not-by-its-signer"),
        ({**create(), "object": f"{A}/notes/1"}, "object-not-embedded"),
        ({**create(), "@context": ["https://example.org/other"]}, "not-activitystreams"),
        (create(id="https://b.example/notes/1"), "object-of-another-origin"),
        (create(id="https://a.example:8443/notes/1"), "object-of-another-origin"),
        (create(attributedTo=B), "of-another-actor"),
        (create(attributedTo=None), "of-another-actor"),
        (create(type="Article"), "object-not-taken"),
        ({**create(to=f"{A}/followers"), "to": [B]}, "not-public"),
        (create(inReplyTo=None), "neither-film-nor-answer"),
        (create(inReplyTo="javascript:alert(1)"), "neither-film-nor-answer"),
        (simple("Update", {"id": f"{A}x", "type": "Person"}), "of-another-actor"),
        (simple("Announce", B, to=[B]), "not-public"),
        (simple("Undo", B), "object-not-embedded"),
        (simple("Undo", {**simple("Follow", B), "actor": B}), "of-another-actor"),
        (simple("Undo", simple("Block", B)), "activity-not-taken"),
        (simple("Block", B), "activity-not-taken"),
        (simple("Follow", None), "no-object"),
        (simple("Follow", "ftp://b.example/x"), "no-object"),
        (simple("Follow", f"{B} x"), "no-object"),
        (simple("Delete", f"{B}/notes/1"), "object-of-another-origin"),
        (simple("Accept", {"type": "Follow", "id": A, "object": B}), "of-another-actor"),
        (simple("Accept", {"type": "Invite", "id": A, "object": A}), "activity-not-taken"),
        (simple("Move", B, target=A), "of-another-actor"),
        (simple("Move", A), "of-another-actor"),
    ],
)
def test_nobody_speaks_for_another(document: dict[str, Any], code: str) -> None:
    with pytest.raises(NotTaken) as refused:
        strangers.heard(document, A)
    assert refused.value.code == code


def test_films_are_taken_within_limits() -> None:
    film = {"type": "Document", "mediaType": "video/mp4", "url": "https://cdn.example/a.mp4"}
    good = [film, {**film, "size": 10, "width": 540, "height": 960}]
    bad: list[Any] = [
        {**film, "mediaType": "video/webm"},
        {**film, "url": "file:///etc/passwd"},
        {**film, "url": None},
        {**film, "size": 200_000_000},
        "https://cdn.example/a.mp4",
        None,
    ]
    note = strangers.heard(create(inReplyTo=None, attachment=good + bad), A).note
    assert note is not None
    assert [(one.width, one.height, one.size_bytes) for one in note.films] == [
        (0, 0, 0),
        (540, 960, 10),
    ]
    many = strangers.heard(create(attachment=[film] * 50), A).note
    assert many is not None
    assert len(many.films) == posts.MAX_FILMS


PERSON = {
    "@context": "https://www.w3.org/ns/activitystreams",
    "id": A,
    "type": "Person",
    "preferredUsername": "ada",
    "name": "Ada<\u202e>",
    "inbox": f"{A}/inbox",
    "endpoints": {"sharedInbox": "https://a.example/inbox"},
    "publicKey": {"id": f"{A}#main-key", "owner": A, "publicKeyPem": "PEM"},
    "assertionMethod": [
        {
            "id": f"{A}#ed",
            "controller": A,
            "publicKeyMultibase": "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        }
    ],
}


def test_actor_has_keys_and_boxes_of_its_own_origin() -> None:
    found = strangers.stranger(PERSON, A)
    assert (found.username, found.name, found.inbox) == ("ada", "Ada<>", f"{A}/inbox")
    assert found.shared_inbox == "https://a.example/inbox"
    assert {name: type(key) for name, key in found.keys.items()} == {
        f"{A}#main-key": str,
        f"{A}#ed": bytes,
    }
    key = PERSON["publicKey"]
    for words in (
        {"publicKey": {**key, "owner": B}},  # type: ignore[dict-item]
        {"publicKey": {**key, "id": f"{B}#main-key"}},  # type: ignore[dict-item]
        {"publicKey": "PEM"},
    ):
        assert [*strangers.stranger(PERSON | words, A).keys] == [f"{A}#ed"]
    elsewhere = PERSON | {"endpoints": {"sharedInbox": "https://b.example/inbox"}}
    assert strangers.stranger(elsewhere, A).shared_inbox is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": B}, "another-id"),
        ({"type": "Note"}, "no-actor"),
        ({"inbox": "https://b.example/inbox"}, "no-inbox"),
        ({"inbox": None}, "no-inbox"),
        ({"@context": "https://example.org/"}, "not-activitystreams"),
    ],
)
def test_document_that_is_no_actor_of_its_address_is_refused(
    change: dict[str, Any], code: str
) -> None:
    with pytest.raises(NotTaken) as refused:
        strangers.stranger(PERSON | change, A)
    assert refused.value.code == code


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "object",
                        "type",
                        "id",
                        "actor",
                        "attachment",
                        "tag",
                        "url",
                        "to",
                        "name",
                        "href",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=15,
    ),
    st.sampled_from(["Create", "Undo", "Announce", "Accept", "Follow", "Delete", "Update"]),
    st.sampled_from(
        ["attachment", "tag", "url", "content", "contentMap", "attributedTo", "duration", "object"]
    ),
)
def test_strange_values_are_refused_or_dropped(value: Any, kind: str, member: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: strangers.heard(simple(kind, value), A),
        lambda: strangers.heard(create(**{member: value}), A),
        lambda: strangers.stranger(PERSON | {"publicKey": value, "assertionMethod": value}, A),
        lambda: strangers.stranger(PERSON | {"endpoints": value, "type": value}, A),
    ]
    for call in calls:
        try:
            call()
        except NotTaken:
            continue
