"""What a canary person fills in, and where each of it may be found: the catalogue decides.

A field names the declared places that hold it as written (`stored`) or as a hash or in raw bytes
(`kept_as`). Their class in the catalogue says who may be shown it. What no declared place holds,
such as a sealed address, may be nowhere; `shown_to` then says to whom the API gives it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from luciole.audit.canary.stage import STAFF
from luciole.kit.catalogue import DataClass, Held

Readers = Literal["everyone", "audience", "self", "nobody"]
# Who may be shown a stored thing of a class. Captions of a clip are public for the clip's audience.
READERS: dict[DataClass, Readers] = {
    DataClass.PUBLIC: "everyone",
    DataClass.SHARED: "audience",
    DataClass.PERSONAL: "self",
    DataClass.SECRET: "nobody",
    DataClass.TELEMETRY: "nobody",
}


class Field(msgspec.Struct, frozen=True):
    """One kind of marked value.

    `is_id`: a number that the cell gave somebody; it stands in any declared column that is not
    telemetry, in announcements and in addresses, and still in no log. `audience`: who may see it,
    besides its person; empty for everybody. `is_bytes`: given to its
    person in base64.
    """

    name: str
    stored: tuple[str, ...] = ()
    kept_as: tuple[str, ...] = ()
    shown_to: Readers | None = None
    audience: tuple[str, ...] = ()
    is_id: bool = False
    is_bytes: bool = False

    def readers(self, classes: Mapping[str, DataClass]) -> Readers:
        """Who may be shown it, by the class of the first place that holds it."""
        if self.shown_to is not None:
            return self.shown_to
        found = READERS[classes[self.stored[0]]]
        return "audience" if self.audience and found == "everyone" else found


FRIENDS = ("cleo",)
# By what a clip that everybody may see is found.
FOUND_BY = ("search.clip.terms", "search.word.word", "search.word.near", "search.gone.terms")
NOBODY_ELSE = ("-",)
OPERATOR = ("dan",)

FIELDS: tuple[Field, ...] = (
    Field("person.id", is_id=True, shown_to="everyone"),
    Field(
        "person.handle",
        (
            "people.person.handle",
            "people.handle_taken.likeness",
            # Where somebody is mentioned.
            "clips.comment.text",
            "clips.comment.mentions",
            "search.person.keys",
            # By whose it is, a sound is found too.
            "search.sound.keys",
            # Of who has let a clip go to another cell.
            "border.offer.body",
            # Whom an order is about.
            "notices.subject.said",
        ),
    ),
    # Given up before anybody else has seen it.
    Field(
        "person.former handle",
        (
            "people.person.handle",
            "people.handle_taken.likeness",
            "search.person.keys",
            "search.sound.keys",
        ),
        shown_to="self",
    ),
    Field(
        "person.display name",
        (
            "people.person.display_name",
            "search.person.keys",
            "search.sound.keys",
            "border.offer.body",
        ),
    ),
    Field("person.bio", ("people.person.bio", "border.offer.body")),
    Field("person.moved to", ("people.moved.address",)),
    Field("person.came from", ("abroad.move.uri",)),
    # dan is the operator, who answers those who wait.
    Field("request.name", ("people.request.name",), audience=OPERATOR),
    Field("request.words", ("people.request.words",), audience=OPERATOR),
    Field("invitation.note", ("people.invitation.note",)),
    Field("request.ticket", kept_as=("people.request.ticket_hash",), shown_to="self"),
    Field("person.password", shown_to="nobody"),
    Field("person.later password", shown_to="nobody"),
    Field("contact.email", shown_to="self"),
    Field("contact.phone", shown_to="self"),
    Field("passkey.name", ("people.passkey.name",)),
    Field(
        "passkey.credential",
        kept_as=("people.passkey.credential_id", "custody.staff_key.credential_id"),
        shown_to="self",
        is_bytes=True,
    ),
    Field("session.token", kept_as=("people.session.token_hash",), shown_to="self"),
    Field("session.device", shown_to="self"),
    Field("recovery.code", kept_as=("people.recovery_code.code_hash",), shown_to="self"),
    Field("journal.label key", shown_to="self", is_bytes=True),
    Field("clip.caption for everybody", ("clips.clip.caption", *FOUND_BY)),
    Field("clip.caption for followers", ("clips.clip.caption",), audience=FRIENDS),
    Field("clip.caption for friends", ("clips.clip.caption",), audience=FRIENDS),
    Field("clip.caption for a list", ("clips.clip.caption",), audience=FRIENDS),
    Field("circle.name", ("clips.circle.name",)),
    Field("clip.caption for oneself", ("clips.clip.caption",), audience=NOBODY_ELSE),
    Field("clip.former caption", ("clips.clip.caption", *FOUND_BY), shown_to="self"),
    Field(
        "clip.hashtag for everybody",
        (
            "clips.clip.hashtags",
            "clips.clip.caption",
            "feed.hidden.value",
            "feed.session.hidden_hashtags",
            "search.hashtag.tag",
            "search.hashtag.keys",
            *FOUND_BY,
        ),
    ),
    Field(
        "clip.hashtag for oneself",
        ("clips.clip.hashtags", "clips.clip.caption"),
        audience=NOBODY_ELSE,
    ),
    Field("clip.captions for everybody", ("clips.clip.captions_vtt",)),
    Field("clip.captions for oneself", ("clips.clip.captions_vtt",), audience=NOBODY_ELSE),
    Field("clip.captions language", ("clips.clip.captions_language",)),
    # What devices seal is bytes to the cell: where it waits, and for whom it is, decides.
    Field("message.device name", ("messages.device.name",)),
    Field("message.sealed", ("messages.envelope.body",), audience=FRIENDS, is_bytes=True),
    Field("message.sealed request", ("messages.envelope.body",), audience=("ana",), is_bytes=True),
    Field("message.signal", ("notify.event.body",), audience=FRIENDS, is_bytes=True),
    Field("message.recall token", kept_as=("messages.envelope.recall_hash",), shown_to="nobody"),
    Field("message.attachment", ("blob:attachments/",), audience=FRIENDS, is_bytes=True),
    Field("message.history", ("blob:histories/",), is_bytes=True),
    # Disclosed in a report by ana: sealed here, and given back to her, and to staff who ask.
    Field("message.disclosed", shown_to="self", audience=("ana", *STAFF), is_bytes=True),
    Field("comment.for everybody", ("clips.comment.text",)),
    Field("comment.among friends", ("clips.comment.text",), audience=("ana",)),
    Field("comment.waiting", ("clips.comment.text",), audience=("ana",)),
    Field("conversation.filter word", ("clips.preference.filter_words",)),
    Field("collection.name for oneself", ("clips.collection.name",)),
    Field("collection.name for everybody", ("clips.collection.name",), shown_to="everyone"),
    Field("sound.name", ("clips.sound.name", "search.sound.keys")),
    # What somebody looks for is kept nowhere.
    Field("search.query", shown_to="nobody"),
    Field("imported.handle", shown_to="self"),
    Field("imported.link", shown_to="self"),
    Field("erasure.ticket", kept_as=("rights.erasure.ticket_hash",), shown_to="self"),
    # Opened for a moment, on its way out of the cell.
    Field("push.endpoint", ("border.offer.body",), shown_to="self"),
    # What is reported, noted and appealed: for who wrote it, and for moderators.
    Field("report.explanation", ("safety.report.explanation",), audience=STAFF),
    Field("report.name", ("safety.notifier.name",), shown_to="self", audience=STAFF),
    # Given back to nobody; a mail server that the operator has is told it, to write to it.
    Field("report.email", ("safety.notifier.email",), shown_to="nobody"),
    Field("report.code", kept_as=("safety.report.code_hash",), shown_to="self"),
    Field("review.note", ("safety.note.words",), audience=STAFF),
    Field("appeal.explanation", ("safety.appeal.explanation",), audience=STAFF),
    # Written by a moderator for everybody.
    Field("decision.facts", ("safety.decision.statement",)),
    Field("staff.reason", ("custody.staff_read.asked",), audience=STAFF),
    # What a phone writes into a film, and what an app says about the file.
    Field("film.title", ("blob:uploads/",), shown_to="nobody"),
    Field("film.place", ("blob:uploads/",), shown_to="nobody"),
    Field("film.device", ("blob:uploads/",), shown_to="nobody"),
    Field("film.file name", shown_to="nobody"),
    Field("picture.artist", shown_to="nobody"),
    Field("picture.place", shown_to="nobody"),
    Field("picture.text", shown_to="nobody"),
    # What comes with every request.
    Field("request.address", shown_to="nobody"),
    Field("request.browser", shown_to="nobody"),
    Field("request.referrer", shown_to="nobody"),
    Field("request.languages", shown_to="nobody"),
    Field("request.cookie", shown_to="nobody"),
    Field("request.query", shown_to="nobody"),
    Field("request.baggage", shown_to="nobody"),
    # What was not taken: in bodies, paths and parameters that the cell refuses.
    Field("refused.body", shown_to="nobody"),
    Field("refused.path", shown_to="nobody"),
    Field("refused.parameter", shown_to="nobody"),
)
BY_NAME = {field.name: field for field in FIELDS}


def classes(held: tuple[Held, ...]) -> dict[str, DataClass]:
    """Class by declared place; a prefix of objects by its first part."""
    return {one.where: one.data_class for one in held}


def unknown_places(held: tuple[Held, ...]) -> list[str]:
    """Places that fields name and the catalogue does not: the canary would allow too much."""
    known = classes(held)
    return sorted(
        {
            where
            for field in FIELDS
            for where in (*field.stored, *field.kept_as)
            if where not in known
        }
    )
