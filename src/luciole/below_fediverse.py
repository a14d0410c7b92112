"""What the border stores for the wider Fediverse."""

from __future__ import annotations

from luciole.kit.catalogue import Border, DataClass, Held, Owned, columns

_FOLLOWED = "until they follow no more, or are not found for two months"
HELD: tuple[Held, ...] = (
    *columns(
        "border.fedi_stale",
        "n kind id",
        DataClass.TELEMETRY,
        "which clips and authors the Fediverse may have to be told of",
        "until it was looked at, seconds",
        Border.NEVER,
    ),
    *columns(
        "border.fedi_shown",
        "kind id author digest shown_at",
        DataClass.PUBLIC,
        "what of whom the Fediverse was shown, by public numbers, so that it can be taken back",
        "as long as it is shown",
        Border.PUBLISHED,
    ),
    *columns(
        "border.fedi_moved",
        "author to_uri told_at",
        DataClass.PUBLIC,
        "of which new address of an author the Fediverse was told, so that it is told once",
        "as long as they are shown",
        Border.PUBLISHED,
    ),
    *columns(
        "border.fedi_follower",
        "author actor inbox since refreshed_at",
        DataClass.PERSONAL,
        "where clips of an author are delivered, because somebody elsewhere has asked for them",
        _FOLLOWED,
        Border.NEVER,
    ),
    *columns(
        "border.fedi_key",
        "name actor inbox pem ed25519 fetched_at",
        DataClass.PUBLIC,
        "public keys of those elsewhere who have written to us",
        "two days",
        Border.NEVER,
    ),
    *columns(
        "border.fedi_delivery",
        "id author inbox body attempts made_at due_at kind subject is_gone",
        DataClass.PUBLIC,
        "public documents of authors that wait to be delivered",
        "until they are, at most 7 days",
        Border.PUBLISHED,
    ),
    *columns(
        "border.fedi_told",
        "id author kind subject server is_gone told_at",
        DataClass.PERSONAL,
        "shows a person which server of the Fediverse was brought what of theirs",
        "as long as the account",
        Border.NEVER,
    ),
    *columns(
        "border.fedi_server",
        "origin found_at",
        DataClass.TELEMETRY,
        "which servers verify the older signatures only",
        "30 days",
        Border.NEVER,
    ),
    *columns(
        "border.fedi_seen",
        "uri made_at",
        DataClass.TELEMETRY,
        "digests of what has come, so that nothing is taken twice",
        "30 days",
        Border.NEVER,
    ),
    *columns(
        "border.fedi_reaction",
        "clip_id kind what made_on",
        DataClass.PERSONAL,
        "how many elsewhere like, share or answer a clip, each as a digest of who or of what",
        "as long as the clip is shown there, or until they take it back",
        Border.NEVER,
    ),
)

OWNED: tuple[Owned, ...] = (
    Owned("border.fedi_stale", stays="everything is looked at when the gateway begins"),
    Owned("border.fedi_shown", ("author > abroad.persona.id > person_id",)),
    Owned("border.fedi_moved", ("author > abroad.persona.id > person_id",)),
    Owned("border.fedi_follower", ("author > abroad.persona.id > person_id",)),
    Owned("border.fedi_key", stays="asked for again where it is needed"),
    Owned("border.fedi_delivery", stays="delivered, or given up, within 7 days"),
    Owned("border.fedi_told", ("author > abroad.persona.id > person_id",)),
    Owned("border.fedi_server", stays="found out again"),
    Owned("border.fedi_seen", stays="about days that are over"),
    Owned("border.fedi_reaction", stays="a total that begins anew"),
)
