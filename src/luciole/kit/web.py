"""The only part that knows HTTP: errors as answers, cookies, same-origin checks, headers."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from luciole.kit import db, errors, metrics
from luciole.kit.described import describe
from luciole.kit.logs import log

SESSION_COOKIE = "luciole_session"
DEVICE_COOKIE = "luciole_device"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
COUNTRY = re.compile(r"[A-Z]{2}")
# What proxies say where they do not know.
NO_COUNTRY = frozenset({"XX", "ZZ", "T1"})
METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
AnyRequest = Request[Any, Any, State]

STATUS: tuple[tuple[type[errors.Problem], int], ...] = (
    (errors.NotSignedIn, 401),
    (errors.NotAllowed, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.TooLarge, 413),
    (errors.TooMany, 429),
    (errors.Unavailable, 503),
    (errors.Invalid, 400),
)

POLICY = b"content-security-policy"


def content_security_policy(films_origin: str = "") -> str:
    """What the pages may load: all from the cell, films and stills also from `films_origin`."""
    films = f" {films_origin}" if films_origin else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src 'self' data: blob:{films}",
            f"media-src 'self' blob:{films}",
            "style-src 'self' 'unsafe-inline'",
            f"connect-src 'self'{films}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(self), microphone=(self), geolocation=(), browsing-topics=()",
    ),
)


# Most answers are for one viewer and hold signed addresses; who may be kept says so.
DEFAULT_HEADERS = (*SECURITY_HEADERS, (b"cache-control", b"private, no-store"))


class CrossSite(errors.NotAllowed):
    code = "cross-site"
    sentence = "This request came from another site, so it was not carried out."
    next_step = "Open the cell's own page and do it there."


class MethodUnknown(errors.Invalid):
    code = "method-not-allowed"
    sentence = "This address does not answer to that method."
    next_step = "Look the address up in the API description at /api/openapi.json."
    http_status = 405


class ErrorBody(msgspec.Struct, frozen=True):
    """What every refusal looks like."""

    code: str
    sentence: str
    next_step: str


def status_of(problem: errors.Problem) -> int:
    """The HTTP status for a refusal; a class sets `http_status` where a protocol asks for one."""
    own = getattr(problem, "http_status", None)
    if isinstance(own, int):
        return own
    return next((status for kind, status in STATUS if isinstance(problem, kind)), 400)


def _answer(problem: errors.Problem) -> Response[ErrorBody]:
    headers = {"cache-control": "no-store"}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    headers |= getattr(problem, "http_headers", {})
    body = ErrorBody(problem.code, problem.sentence, problem.next_step)
    return Response(
        body, status_code=status_of(problem), headers=headers, media_type=MediaType.JSON
    )


def address_of(request: AnyRequest) -> str:
    """The network address of a request. It goes into limits in memory and nowhere else."""
    return request.client.host if request.client else ""


def _on_problem(_request: AnyRequest, problem: errors.Problem) -> Response[ErrorBody]:
    return _answer(problem)


def _on_http(_request: AnyRequest, error: HTTPException) -> Response[ErrorBody]:
    if isinstance(error, NotFoundException):
        return _answer(errors.NotFound())
    if isinstance(error, MethodNotAllowedException):
        response = _answer(MethodUnknown())
        response.headers["allow"] = (error.headers or {}).get("allow", "")
        return response
    if error.status_code == 413:
        return _answer(errors.TooLarge())
    if error.status_code >= 500:
        return _on_unexpected(_request, error)
    # Litestar's own sentence may quote the input; ours names the field only.
    return _answer(errors.Invalid(_which_field(error)))


def _which_field(error: HTTPException) -> str | None:
    extra = error.extra if isinstance(error.extra, list) else []
    keys = [str(e.get("key")) for e in extra if isinstance(e, dict) and e.get("key")]
    if not keys:
        return None
    return f"These parts of the request are not in the expected form: {', '.join(keys[:5])}."


def _on_too_deep(_request: AnyRequest, _error: RecursionError) -> Response[ErrorBody]:
    # Only what a client sent is read by recursion: JSON that is nested thousands of times.
    return _answer(errors.Invalid("This request is nested too deeply."))


def _on_lost_database(_request: AnyRequest, error: Exception) -> Response[ErrorBody]:
    log.warning("database unreachable", error=type(error).__name__)
    return _answer(errors.Unavailable(retry_after_s=2))


def _on_deadlock(request: AnyRequest, _error: Exception) -> Response[ErrorBody]:
    log.warning("transaction gave way to another", route=_route(request.scope))
    return _answer(errors.Unavailable(retry_after_s=1))


def _on_unexpected(request: AnyRequest, error: Exception) -> Response[ErrorBody]:
    log.error("request failed", method=request.method, route=_route(request.scope), exc_info=error)
    problem = errors.Problem(
        "Something went wrong in the cell.",
        code="internal",
        next_step="Try again. If it goes on, tell the operator what you did and when.",
    )
    response = _answer(problem)
    response.status_code = 500
    return response


def session_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The session token that came with a request: a bearer header, else the cookie."""
    authorization = connection.headers.get("authorization", "")
    if authorization[:7].lower() == "bearer ":
        return authorization[7:].strip() or None
    return connection.cookies.get(SESSION_COOKIE)


def session_cookie(token: str, *, secure: bool, max_age_s: int) -> Cookie:
    """The cookie that carries a session; scripts cannot read it, other sites do not send it."""
    return _cookie(SESSION_COOKIE, token, "/", secure=secure, max_age_s=max_age_s)


def device_cookie(mark: str, path: str, *, secure: bool, max_age_s: int) -> Cookie:
    """The cookie that says, below `path` only, who has signed in on this device before."""
    return _cookie(DEVICE_COOKIE, mark, path, secure=secure, max_age_s=max_age_s)


def _cookie(key: str, value: str, path: str, *, secure: bool, max_age_s: int) -> Cookie:
    return Cookie(
        key=key,
        value=value,
        httponly=True,
        secure=secure,
        samesite="lax",
        path=path,
        max_age=max_age_s,
    )


def _is_cross_site(scope: Scope) -> bool:
    """Whether a browser sent this for another site (Fetch Metadata, then Origin).

    Also without a cookie: another site must not sign somebody in to an account of its own, where
    they would then publish. Scripts of other sites cannot send `Authorization` (CORS).
    """
    headers = dict(scope["headers"])
    if b"authorization" in headers:
        return False
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return origin.split(b"://", 1)[-1] != headers.get(b"host", b"")


def _method(method: str) -> str:
    # A client may invent methods; each would be a row of the metrics for ever.
    return method if method in METHODS else "other"


def _route(scope: Scope) -> str:
    return str(scope.get("path_template") or "unmatched")


class Places:
    """Where requests come from: a header that a trusted proxy sets says so, else it is `home`."""

    def __init__(self, home: str, header: str = "") -> None:
        self._home = home
        self.header = header.lower()

    def country_of(self, scope: Scope) -> str:
        """An ISO 3166 code. Whatever else a header says counts as `home`."""
        if not self.header:
            return self._home
        name = self.header.encode()
        said = [value for key, value in scope["headers"] if key == name]
        text = said[0].decode("latin-1").strip().upper() if len(said) == 1 else ""
        return text if COUNTRY.fullmatch(text) and text not in NO_COUNTRY else self._home


NOWHERE = Places("ZZ")


class Border:
    """Around every request, also those that no route answers: the country that it comes from,
    same-origin check, security headers, duration metric."""

    def __init__(self, app: ASGIApp, places: Places, films_origin: str = "") -> None:
        self._app = app
        self._places = places
        self._headers = (*DEFAULT_HEADERS, (POLICY, content_security_policy(films_origin).encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        asked = db.asked_from.set(self._places.country_of(scope))
        try:
            await self._guarded(scope, receive, send)
        finally:
            db.asked_from.reset(asked)

    async def _guarded(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in self._headers if pair[0] not in names),
                ]
                metrics.request_duration.labels(
                    _method(scope["method"]), _route(scope), message["status"]
                ).observe(time.perf_counter() - started)
            await send(message)

        if scope["method"] not in SAFE_METHODS and _is_cross_site(scope):
            await _refuse(CrossSite(), send_guarded)
        else:
            await self._app(scope, receive, send_guarded)


async def _refuse(problem: errors.Problem, send: Send) -> None:
    """Answers without a route."""
    body = msgspec.json.encode(ErrorBody(problem.code, problem.sentence, problem.next_step))
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    start: Any = {
        "type": "http.response.start",
        "status": status_of(problem),
        "headers": [*headers, (b"content-length", str(len(body)).encode())],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def application(
    routers: Sequence[Any],
    *,
    title: str,
    version: str,
    max_body_bytes: int,
    places: Places = NOWHERE,
    films_origin: str = "",
    lifespan: Sequence[Any] = (),
) -> Litestar:
    """An ASGI application with our errors, headers and OpenAPI around `routers`."""
    lost: dict[type[Exception], Any] = dict.fromkeys(db.LOST, _on_lost_database)
    lost.pop(OSError)  # too wide a net here: disks raise it as well

    @get("/api/openapi.json", include_in_schema=False)
    async def described(request: AnyRequest) -> dict[str, Any]:
        """This API in OpenAPI 3.1."""
        return describe(request.app)

    app = Litestar(
        [*routers, described],
        exception_handlers={
            **cast(dict[int | type[Exception], Any], lost),
            ConnectionError: _on_lost_database,
            TimeoutError: _on_lost_database,
            RecursionError: _on_too_deep,
            db.Deadlock: _on_deadlock,
            errors.Problem: _on_problem,
            HTTPException: _on_http,
            Exception: _on_unexpected,
        },
        openapi_config=OpenAPIConfig(
            title=title,
            version=version,
            # Litestar answers in HTML to everything else below this path, so it gets its own.
            path="/api/openapi",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        request_max_body_size=max_body_bytes,
        lifespan=list(lifespan),
        logging_config=None,
        debug=False,
    )
    # Middleware of Litestar begins after routing; this begins before it.
    app.asgi_handler = Border(app.asgi_handler, places, films_origin)
    return app


__all__: Sequence[str] = (
    "DEVICE_COOKIE",
    "AnyRequest",
    "ErrorBody",
    "Router",
    "application",
    "device_cookie",
    "session_cookie",
    "session_token",
)
