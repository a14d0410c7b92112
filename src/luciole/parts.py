"""The slices of a cell over their collaborators, made once for each process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from luciole.cell.clips.service import Clips
from luciole.cell.feed.service import Feed
from luciole.cell.graph.service import Graph
from luciole.cell.media.service import Media
from luciole.cell.notify.service import Notify
from luciole.cell.people import key_file
from luciole.cell.people.service import People
from luciole.config import Settings
from luciole.keys import Keyring
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Database
from luciole.kit.queue import Queue


@dataclass(frozen=True)
class Parts:
    """What the API and the worker are wired from."""

    settings: Settings
    db: Database
    blobs: Blobs
    clock: Clock
    queue: Queue
    people: People
    notify: Notify
    media: Media
    graph: Graph
    clips: Clips
    feed: Feed

    @classmethod
    def over(
        cls,
        settings: Settings,
        db: Database,
        *,
        keyring: Keyring | None = None,
        blobs: Blobs | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Parts over a database; the rest as the settings say, unless given. Raises what
        `key_file.load` raises: the supervisor has made the key by now."""
        keyring = keyring or Keyring(key_file.load(settings.root_key))
        clock = clock or Clock()
        queue = Queue()
        cursors = Cursors(keyring.derived("cursors"))
        people = People(settings, keyring, clock, queue)
        notify = Notify(cursors)
        media = Media(settings, keyring.derived("media-links"), clock, queue)
        graph = Graph(notify, cursors)
        return cls(
            settings=settings,
            db=db,
            blobs=blobs or Blobs.open(settings.blobs_place),
            clock=clock,
            queue=queue,
            people=people,
            notify=notify,
            media=media,
            graph=graph,
            clips=Clips(media, graph, notify, cursors, clock),
            feed=Feed(cursors),
        )
