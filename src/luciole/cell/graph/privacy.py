"""What graph stores."""

from __future__ import annotations

from luciole.kit.catalogue import Border, DataClass, Held, columns

HELD: tuple[Held, ...] = (
    *columns(
        "graph.follow",
        "follower_id followee_id state made_at",
        DataClass.SHARED,
        "the Following and Friends feeds, and who may see a private account",
        "until one of the two ends it, or erases the account",
        Border.NEVER,
    ),
    *columns(
        "graph.tally",
        "person_id followers following",
        DataClass.PUBLIC,
        "the counts on a profile",
        "as long as the account",
        Border.COUNTED,
    ),
)
