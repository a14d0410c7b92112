"""The web client: its built files, and its one page under every address that it draws itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from litestar import MediaType, Response, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from luciole.cell.notices.model import Withheld
from luciole.cell.notices.refusals import Removed
from luciole.kit.errors import NotFound
from luciole.kit.static import Folder
from luciole.kit.web import SESSION_COOKIE, AnyRequest
from luciole.release import PAGE

# What goes into the head of a clip's page; nothing where not everybody may see the clip. Raises
# Withheld or Removed, as does what looks at a profile's page, which gives where visitors go on to.
Preview = Callable[[UUID], Awaitable[bytes]]
Look = Callable[[str], Awaitable[str | None]]

# The first part of each address that the client knows; `web/src/app/routes.ts` says the rest, and
# tests/rules/test_pages.py compares the two.
PAGES = frozenset(
    {
        "following",
        "friends",
        "latest",
        "publish",
        "sign-in",
        "sign-up",
        "terms",
        "imprint",
        "notifications",
        "requests",
        "messages",
        "search",
        "tag",
        "find",
        "settings",
        "erasure",
        "c",
        "s",
        "favourites",
        "collections",
        "notices",
        "glass",
        "orders",
        "report",
        "reports",
        "review",
        "staff",
        "statements",
        "transparency",
    }
)
# Whoever previews a link asks for the head only.
LOOK = [HttpMethod.GET, HttpMethod.HEAD]
# The worker that meets contacts (`web/src/contacts/finder.ts`) runs WebAssembly, speaks to nobody.
WORKER = "finder-"
WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
HEAD_END = b"</head>"
NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>Luciole</title>
<p>The web client is not built yet. Start the cell with <code>./luciole serve</code>, which builds
it, or point <code>LUCIOLE_WEB_DIST</code> at a built one.</p>"""


def find_dist(named: str) -> Path:
    """The folder of the built client: the named one, the wheel's, or the checkout's."""
    if named:
        return Path(named)
    here = Path(__file__).resolve().parent
    packaged = here / "web_dist"
    return packaged if packaged.is_dir() else here.parents[1] / "web" / "dist"


def routes(folder: Folder, preview: Preview, look: Look) -> list[HTTPRouteHandler]:
    """The routes of the pages and of the files that they load. `preview` gives what goes into the
    head of the page of a clip; `look` whether the page of a handle is withheld, or has moved."""

    def page(request: AnyRequest, status: int = 200) -> Response[bytes]:
        if "index.html" not in folder:
            return Response(NOT_BUILT.encode(), status_code=503, media_type=MediaType.HTML)
        return folder.answer(request, "index.html", status=status)

    def withheld(request: AnyRequest, blocked: Withheld | Removed) -> Response[bytes]:
        """The page, which shows the notice or the statement, under the status of the API."""
        answer = page(request, blocked.http_status)
        answer.headers.update(blocked.http_headers)
        answer.headers["cache-control"] = "no-store"
        return answer

    @route("/", http_method=LOOK, status_code=200, include_in_schema=False)
    async def home(request: AnyRequest) -> Response[bytes]:
        """The feed."""
        return page(request)

    @route("/c/{name:str}", http_method=LOOK, status_code=200, include_in_schema=False)
    async def clip(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """The page of a clip, with what a preview of its link shows."""
        try:
            tags = await preview(UUID(name)) if PAGE in folder else b""
        except ValueError:
            tags = b""
        except (Withheld, Removed) as blocked:
            return withheld(request, blocked)
        if not tags:
            return page(request)
        headers = {"cache-control": "no-cache"}
        content = folder.content(PAGE).replace(HEAD_END, tags + HEAD_END, 1)
        return Response(content, media_type=MediaType.HTML, headers=headers)

    @route("/assets/{name:str}", http_method=LOOK, status_code=200, include_in_schema=False)
    async def asset(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """A file with a hash in its name."""
        answer = folder.answer(request, f"assets/{name}", is_immutable=True)
        if name.startswith(WORKER):
            answer.headers["content-security-policy"] = WORKER_POLICY
        return answer

    @route("/{path:path}", http_method=LOOK, status_code=200, include_in_schema=False)
    async def other(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
        """A file of the client, or a page that the client draws, if only to say that there is
        none."""
        path = path.strip("/")
        if path in folder and path != "index.html":
            return folder.answer(request, path)
        first, _, _ = path.partition("/")
        if first in ("api", "ledger", "media") or request.headers.get("sec-fetch-dest") == "script":
            raise NotFound
        if first.startswith("@"):
            try:
                moved_to = await look(first[1:].lower())
            except (Withheld, Removed) as blocked:
                return withheld(request, blocked)
            # Who has an account here sees the page, which says where the person went: it has what
            # they do with people here, and the person's own way back. Nobody keeps the answer,
            # since the person may take it back.
            if moved_to and SESSION_COOKIE not in request.cookies:
                return Response(
                    b"",
                    status_code=308,
                    headers={"location": moved_to, "cache-control": "no-store"},
                )
        is_known = first in PAGES or first.startswith("@")
        if not is_known and "text/html" not in request.headers.get("accept", ""):
            raise NotFound
        return page(request, 200 if is_known else 404)

    return [home, clip, asset, other]
