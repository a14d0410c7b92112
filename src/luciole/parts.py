"""The slices of a cell over their collaborators, made once for each process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from luciole import __version__
from luciole.actors import state as replicas
from luciole.ask.client import Custody
from luciole.ask.gateway import Outward
from luciole.ask.start import derived_now
from luciole.border.wire import Services
from luciole.cell.abroad.model import Here
from luciole.cell.abroad.service import Abroad
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.kept.service import Keeping
from luciole.cell.clips.quotes.service import Quotes
from luciole.cell.clips.service import Clips
from luciole.cell.clips.sounds.service import Sounds
from luciole.cell.console.service import Console
from luciole.cell.contacts.halves import Outside
from luciole.cell.contacts.service import Discovery
from luciole.cell.feed.foryou import ForYou
from luciole.cell.feed.ranking_state import Opening, here
from luciole.cell.feed.service import Feed
from luciole.cell.graph.service import Graph
from luciole.cell.media.service import Media
from luciole.cell.messages.service import Messages
from luciole.cell.notices.service import Notices
from luciole.cell.notify.pushes import Pushes
from luciole.cell.notify.service import Notify
from luciole.cell.people.service import People
from luciole.cell.rights.importing import Imports
from luciole.cell.rights.journal import Journal
from luciole.cell.rights.leaving import Leaving
from luciole.cell.rights.log_reader import LogReader
from luciole.cell.rights.model import CellFacts
from luciole.cell.rights.service import Rights
from luciole.cell.safety.notifying import Notifying
from luciole.cell.safety.service import Safety
from luciole.cell.search.service import Search
from luciole.config import SettingError, Settings
from luciole.custody.purposes import DERIVED
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
    custody: Custody
    outward: Outward
    people: People
    discovery: Discovery
    notify: Notify
    notices: Notices
    pushes: Pushes
    media: Media
    graph: Graph
    clips: Clips
    keeping: Keeping
    sounds: Sounds
    quotes: Quotes
    comments: Comments
    messages: Messages
    feed: Feed
    for_you: ForYou
    search: Search
    safety: Safety
    console: Console
    abroad: Abroad
    rights: Rights
    journal: Journal
    cell: CellFacts
    leaving: Leaving
    imports: Imports

    @classmethod
    def over(
        cls,
        settings: Settings,
        db: Database,
        *,
        process: Literal["api", "worker"] = "api",
        custody: Custody | None = None,
        derived: Mapping[str, bytes] | None = None,
        blobs: Blobs | None = None,
        outside: Outside | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Parts over a database; the rest as the settings say, unless given. Raises what
        `derived_now` raises: the supervisor has started the key broker by now."""
        place = settings.custody_dir / f"{process}.sock"
        custody = custody or Custody.at(place)
        derived = derived_now(place, DERIVED[process]) if derived is None else derived
        clock = clock or Clock()
        queue = Queue()
        cursors = Cursors(derived["cursors"])
        outward = Outward.at(settings.gateway_dir / f"{process}.sock")
        people = People(settings, custody, derived["devices"], clock, queue)
        notify = Notify(cursors, clock, queue)
        notices = Notices(notify, cursors, clock, settings.origin)
        media = Media(settings, derived["media-links"], clock, queue)
        graph = Graph(notify, cursors, people.family)
        clips = Clips(media, graph, notices, notify, cursors, clock, queue)
        comments = Comments(clips, graph, notify, cursors)
        blobs = blobs or Blobs.open(settings.blobs_place)
        journal = Journal(db, custody, LogReader(blobs))
        messages = Messages(settings.messages, custody, notify, clock, journal.receipt_at)
        safety = Safety(
            people,
            clips,
            comments,
            notices,
            notify,
            blobs,
            cursors,
            clock,
            queue,
            settings.origin,
            Notifying(
                outward,
                takes_email=bool(settings.border.mail_url),
                cell=settings.cell.name,
                origin=settings.origin,
                clock=clock,
            ),
            messages,
            custody,
        )
        return cls(
            settings=settings,
            db=db,
            blobs=blobs,
            clock=clock,
            queue=queue,
            custody=custody,
            outward=outward,
            people=people,
            discovery=Discovery(
                settings, db, custody, derived["contacts"], outside or outward, clock
            ),
            notify=notify,
            notices=notices,
            pushes=Pushes(custody, clock, _push_services(settings), settings.push_contact),
            media=media,
            graph=graph,
            clips=clips,
            keeping=Keeping(clips, graph, notify, cursors, clock),
            sounds=Sounds(clips, graph, cursors),
            quotes=Quotes(clips, media),
            comments=comments,
            messages=messages,
            feed=Feed(cursors),
            for_you=ForYou(
                db, custody, cursors, derived["feed"], clock, settings.feed, _ranking(settings)
            ),
            search=Search(graph, cursors),
            safety=safety,
            console=Console(settings, people, media, safety, custody, blobs, clock),
            abroad=Abroad(
                clips,
                comments,
                _here(settings),
                clock,
                cursors,
                has_fediverse=settings.border.fediverse != "off",
            ),
            rights=Rights(clock, queue),
            journal=journal,
            cell=_facts(settings),
            leaving=Leaving(people, journal, clock, queue),
            imports=Imports(db, blobs, custody, clips, settings, clock, queue),
        )


def _push_services(settings: Settings) -> Services | None:
    """Whom the gateway may ask to wake devices; None where it may ask nobody. Raises
    SettingError."""
    if settings.push == "off":
        return None
    try:
        return Services(settings.border.push_services)
    except ValueError as error:
        raise SettingError(f"LUCIOLE_BORDER_PUSH_SERVICES: {error}") from error


def _ranking(settings: Settings) -> Opening:
    """Where what ranking knows is kept."""
    if not settings.feed.ranking:
        return here
    return replicas.opening(settings.ranking_socket, settings.feed.replicas)


def _here(settings: Settings) -> Here:
    """Who this cell is to others."""
    cell = settings.cell
    return Here(cell.name, cell.operator, cell.jurisdiction, settings.border_origin)


def _facts(settings: Settings) -> CellFacts:
    cell = settings.cell
    kind = settings.blobs_place.partition("://")[0] if "://" in settings.blobs_place else ""
    return CellFacts(
        name=cell.name,
        operator=cell.operator,
        jurisdiction=cell.jurisdiction,
        origin=settings.origin,
        version=__version__,
        objects=f"an object store ({kind})" if kind else "a folder of the cell's own machine",
    )
