"""What clips stores."""

from __future__ import annotations

from luciole.kit.catalogue import Border, DataClass, Held, columns

_WITH_CLIP = "until its author deletes the clip"

HELD: tuple[Held, ...] = (
    *columns(
        "clips.clip",
        "id author_id asset_id caption hashtags audience made_with_ai captions_language "
        "captions_vtt published_at likes",
        DataClass.PUBLIC,
        "the clip as its author published it; for a narrower audience it is shared with those only",
        _WITH_CLIP,
        Border.PUBLISHED,
    ),
    *columns(
        "clips.clip",
        "state refused_code created_at",
        DataClass.PERSONAL,
        "tells the author what became of the clip",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "clips.liked",
        "clip_id person_id made_at",
        DataClass.PERSONAL,
        "likes are private: the author is told, others see the number only",
        "until the like is taken back or the clip deleted",
        Border.NEVER,
    ),
    *columns(
        "clips.tally",
        "person_id clips",
        DataClass.PUBLIC,
        "the count on a profile",
        "as long as the account",
        Border.COUNTED,
    ),
)
