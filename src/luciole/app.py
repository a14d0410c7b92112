"""The HTTP API: the routes of all slices, the pages, and what operators ask of a process."""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from litestar import Litestar, MediaType, Response, Router, get

from luciole import (
    __version__,
    catalogue,
    config,
    glass,
    ledger_pages,
    mirror_pages,
    pages,
    preview,
    release,
)
from luciole.cell.abroad import api as abroad_api
from luciole.cell.abroad.moving.service import Moving
from luciole.cell.clips import api as clips_api
from luciole.cell.clips import api_audience
from luciole.cell.clips.comments import api as comments_api
from luciole.cell.clips.comments.present import CommentPresenter
from luciole.cell.clips.kept import api as kept_api
from luciole.cell.clips.model import MAX_CAPTION_CHARS
from luciole.cell.clips.present import Presenter
from luciole.cell.clips.quotes import api as quotes_api
from luciole.cell.clips.sounds import api as sounds_api
from luciole.cell.console import api as console_api
from luciole.cell.contacts import api as contacts_api
from luciole.cell.feed import api as feed_api
from luciole.cell.feed import api_for_you
from luciole.cell.graph import api as graph_api
from luciole.cell.media import api as media_api
from luciole.cell.media import avatar
from luciole.cell.media.service import Room
from luciole.cell.messages import api as messages_api
from luciole.cell.messages import api_staff as messages_staff_api
from luciole.cell.notices import api as notices_api
from luciole.cell.notify import api as notify_api
from luciole.cell.notify import api_choices
from luciole.cell.notify.live import Hub
from luciole.cell.people import api as people_api
from luciole.cell.people import api_family, api_staff
from luciole.cell.people.joining import ages, entered
from luciole.cell.rights import api as rights_api
from luciole.cell.rights import (
    api_erasure,
    api_exports,
    api_imported,
    api_imports,
    api_moving,
    api_sale,
)
from luciole.cell.rights.holdings import Holdings
from luciole.cell.rights.imported import Imported
from luciole.cell.safety import api as safety_api
from luciole.cell.safety import api_disclosed, api_review
from luciole.cell.search import api as search_api
from luciole.kit import db, logs, metrics, queue_look, web
from luciole.kit.db import Database
from luciole.kit.errors import NotFound, Unavailable
from luciole.kit.static import Folder
from luciole.kit.web import AnyRequest
from luciole.mirrors import Mirrors
from luciole.parts import Parts
from luciole.release import Release

# RFC 7468, section 2.
PEM_COLUMNS = 64
LOOPBACK = ("127.0.0.1", "::1")


class NotReady(Unavailable):
    code = "not-ready"
    sentence = "This process cannot answer requests yet."
    next_step = "Wait a moment. If it goes on, run ./luciole doctor on the machine."


class Limits(msgspec.Struct):
    max_upload_bytes: int
    max_duration_ms: int
    max_caption_chars: int


class CellBody(msgspec.Struct):
    """Who runs this cell, where, and what it takes."""

    name: str
    jurisdiction: str
    operator: str
    minimum_age_band: str
    version: str
    source_url: str
    release: Release
    limits: Limits
    former_hosts: list[str]
    """Names that it had before; passkeys that were made under them open nothing here."""


class Build(msgspec.Struct):
    """What runs here, by digests; `web_files` has the SHA-256 of each file of the client."""

    release: Release
    web_files: dict[str, str]


class LeastAges(msgspec.Struct):
    """The table of least ages that this cell goes by: the file's text with version and digest, the
    country whose line counts here, its age (None where the table has none), and where the log names
    this table (None where it does not yet)."""

    version: int
    sha256: str
    text: str
    country: str
    age: int | None
    entry: entered.Place | None


class Health(msgspec.Struct):
    status: str


def create() -> Litestar:
    """The application of an API process, by the environment; must be called in a running loop."""
    settings = config.load(os.environ)
    logs.setup("api", level=settings.log_level)
    url, role = settings.database.login("api")
    database = Database(
        url,
        role=role,
        size=settings.database.pool_size,
        country=settings.cell.country,
    )
    return application(Parts.over(settings, database))


def application(parts: Parts, *, is_started: bool = False) -> Litestar:
    """The application over parts. With `is_started`, the database is open already and stays so."""
    settings = parts.settings
    avatar_url = parts.people.avatar_url
    presenter = Presenter(parts.media, avatar_url)
    hub = Hub(parts.db)
    make_avatar = avatar.maker(
        settings.work_dir / "avatars", allow_unfenced=settings.media.allow_unfenced_decoding
    )

    dist = pages.find_dist(settings.web.dist)
    web_sha256 = release.current(dist).web_sha256

    def name_bundle(page: bytes) -> bytes:
        return release.named(page, web_sha256)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        if not is_started:
            await parts.db.start()
        try:
            async with hub.running(), parts.for_you.follower.running():
                yield
        finally:
            if not is_started:
                await parts.custody.close()
                await parts.outward.close()
                await parts.db.close()

    staff_token = console_api.staff_token(parts.db, parts.people, parts.console.desk)
    routers = [
        people_api.routes(parts.db, parts.people, parts.blobs, make_avatar, settings),
        api_staff.routes(parts.db, parts.people, parts.custody, staff_token),
        api_family.routes(
            parts.db, parts.people, parts.graph.is_apart, parts.messages.who_may_write
        ),
        contacts_api.routes(parts.db, parts.people, parts.discovery, settings.contacts),
        graph_api.routes(parts.db, parts.people, parts.graph, parts.notices, avatar_url),
        notify_api.routes(parts.db, parts.people, parts.notify, hub, avatar_url),
        api_choices.routes(parts.db, parts.people, parts.pushes),
        notices_api.routes(parts.db, parts.notices, parts.custody, staff_token),
        *media_api.routes(
            parts.db, parts.people, parts.media, parts.notices, parts.blobs, settings
        ),
        clips_api.routes(
            parts.db,
            parts.people,
            parts.graph,
            parts.clips,
            parts.notices,
            parts.keeping,
            parts.sounds,
            parts.quotes,
            parts.comments,
            presenter,
        ),
        kept_api.routes(
            parts.db,
            parts.people,
            parts.graph,
            parts.notices,
            parts.clips,
            parts.keeping,
            presenter,
        ),
        quotes_api.routes(parts.db, parts.people, parts.quotes),
        sounds_api.routes(parts.db, parts.people, parts.clips, parts.sounds, presenter),
        api_audience.routes(parts.db, parts.people, parts.clips),
        comments_api.routes(parts.db, parts.people, parts.comments, CommentPresenter(avatar_url)),
        messages_api.routes(
            parts.db, parts.people, parts.messages, parts.blobs, Room(parts.settings), avatar_url
        ),
        messages_staff_api.routes(parts.db, parts.messages, staff_token),
        feed_api.routes(parts.db, parts.people, parts.clips, parts.feed, presenter),
        api_for_you.routes(parts.db, parts.people, parts.clips, parts.for_you, presenter),
        search_api.routes(
            parts.db,
            parts.people,
            parts.clips,
            parts.search,
            presenter,
            avatar_url,
            settings.search,
        ),
        safety_api.routes(parts.db, parts.people, parts.safety, parts.clock),
        api_review.routes(
            parts.db,
            parts.people,
            parts.safety,
            parts.media,
            parts.blobs,
            parts.custody,
            knows_countries=bool(settings.web.country_header),
        ),
        api_disclosed.routes(parts.db, parts.people, parts.safety),
        console_api.routes(parts.db, parts.people, parts.console, parts.custody),
        abroad_api.routes(parts.db, parts.people, parts.abroad),
        rights_api.routes(
            parts.db,
            parts.people,
            parts.custody,
            Holdings(catalogue.WHOLE),
            parts.journal,
            parts.cell,
            parts.clock,
        ),
        api_exports.routes(
            parts.db, parts.people, parts.rights, parts.custody, parts.blobs, parts.clock
        ),
        api_imports.routes(parts.db, parts.people, parts.imports, parts.clock),
        api_imported.routes(parts.db, parts.people, Imported(parts.custody)),
        *api_erasure.routes(parts.db, parts.people, parts.leaving),
        api_sale.routes(parts.db),
        api_moving.routes(parts.db, parts.people, Moving(parts.abroad, parts.clock), parts.custody),
        ledger_pages.routes(parts.db, parts.blobs),
        mirror_pages.routes(Mirrors(settings.mirrors_dir)),
        glass.routes(parts),
        _system(parts, dist),
        *pages.routes(
            Folder(dist, {release.PAGE: name_bundle}),
            lambda clip_id: preview.of(parts, clip_id),
            lambda handle: preview.of_person(parts, handle),
        ),
    ]
    return web.application(
        routers,
        title="Luciole",
        version=__version__,
        max_body_bytes=settings.web.max_body_bytes,
        places=web.Places(settings.cell.country, settings.web.country_header),
        films_origin=settings.media.delivery_origin,
        lifespan=[lifespan],
    )


def _system(parts: Parts, dist: Path) -> Router:
    settings = parts.settings
    build = Build(release.current(dist), release.web_files(dist))

    @get("/api/cell")
    async def cell() -> CellBody:
        """Who runs this cell, where, and what it takes."""
        return CellBody(
            name=settings.cell.name,
            jurisdiction=settings.cell.jurisdiction,
            operator=settings.cell.operator,
            minimum_age_band=parts.people.joining.minimum_age_band,
            version=__version__,
            source_url=settings.cell.source_url,
            release=build.release,
            limits=Limits(
                settings.media.max_upload_bytes,
                settings.media.max_duration_ms,
                MAX_CAPTION_CHARS,
            ),
            former_hosts=settings.web.former_hosts.split(),
        )

    named = entered.Entered(parts.blobs)

    @get("/api/cell/ages")
    async def least_ages() -> LeastAges:
        """The least age of each country by law, and where this cell's log names the table, so that
        anybody can compare (`luciole_ages.py`)."""
        table, country = ages.current(), settings.cell.country
        return LeastAges(
            table.version,
            table.sha256,
            table.text,
            country,
            ages.table().get(country),
            await named.place(table),
        )

    @get("/.well-known/luciole/build.json")
    async def built() -> Build:
        """What runs here: the digests of the server's files and of the web client's."""
        return build

    @get("/.well-known/luciole/content-credentials.pem", media_type=MediaType.TEXT)
    async def root_of_credentials() -> str:
        """The certificate under which this cell signs the films that it encodes, as PEM."""
        text = base64.b64encode((await parts.custody.certificates()).root).decode()
        lines = "\n".join(textwrap.wrap(text, PEM_COLUMNS))
        return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"

    @get("/healthz")
    async def healthz() -> Health:
        """Whether the process is alive; looks at nothing else."""
        return Health("alive")

    @get("/readyz")
    async def readyz() -> Health:
        """Whether requests can be answered now: the database is there, at this version."""
        try:
            async with parts.db.read() as tx:
                await tx.fetchval("SELECT 1")
        except (*db.LOST, TimeoutError) as error:
            raise NotReady(retry_after_s=1) from error
        return Health("ready")

    @get("/metrics", include_in_schema=False)
    async def measured(request: AnyRequest) -> Response[bytes]:
        """Metrics of this process, for who may see them."""
        token = settings.web.metrics_token
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token:
            is_allowed = hmac.compare_digest(given.encode(), token.encode())
        else:
            # A proxy on this machine names the visitor in one of these.
            is_passed_on = any(name in request.headers for name in ("x-forwarded-for", "forwarded"))
            host = request.client.host if request.client else ""
            is_allowed = host in LOOPBACK and not is_passed_on
        if not is_allowed:
            raise NotFound
        # Without the database, what this process knows by itself is all the more welcome.
        with contextlib.suppress(*db.LOST, TimeoutError):
            async with parts.db.read() as tx:
                queue_look.measure(await queue_look.jobs(tx))
        return Response(
            metrics.render(),
            headers={"cache-control": "no-store"},
            media_type=metrics.CONTENT_TYPE,
        )

    return Router(
        "/",
        route_handlers=[cell, least_ages, built, root_of_credentials, healthz, readyz, measured],
        tags=["cell"],
    )
