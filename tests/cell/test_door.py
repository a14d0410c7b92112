"""What every request meets, whatever it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest
from tests.cell.house import ORIGIN, PASSWORD, Browser, House, refused

from luciole.kit.db import Database

HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def built(house: House, tmp_path: Path) -> House:
    """A cell with a small web client of known content."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>Luciole</title>" + " " * 600)
    (dist / "assets" / "core-abc.js").write_text("export {}")
    (dist / "sw.js").write_text("self")
    web = msgspec.structs.replace(house.settings.web, dist=str(dist))
    settings = msgspec.structs.replace(house.settings, web=web)
    return House(house.db, settings, house.vault)


@pytest.mark.parametrize("path", ["/", "/@ana", "/c/0192", "/settings/passkeys", "/following"])
async def test_pages_are_the_one_page(built: House, path: str) -> None:
    answer = await built.visitor(**HTML).get(path)
    assert answer.status_code == 200
    assert "<title>Luciole" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_unknown_page_is_drawn_with_404(built: House) -> None:
    answer = await built.visitor(**HTML).get("/no/such/page")
    assert answer.status_code == 404
    assert "<title>Luciole" in answer.text


async def test_hashed_files_are_kept_for_ever_and_others_asked_for(built: House) -> None:
    browser = built.visitor()
    asset = await browser.get("/assets/core-abc.js")
    assert asset.headers["content-type"].startswith("text/javascript")
    assert "immutable" in asset.headers["cache-control"]
    worker = await browser.get("/sw.js")
    assert worker.headers["cache-control"] == "no-cache"
    again = await browser.get("/sw.js", headers={"if-none-match": worker.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    ["/api/nothing", "/assets/../index.html", "/assets/%2e%2e/sw.js", "/robots.txt", "/media/x"],
)
async def test_what_does_not_exist_is_said_in_json(built: House, path: str) -> None:
    answer = await built.visitor().get(path)
    assert answer.status_code == 404
    assert answer.json()["next_step"].endswith(".")


async def test_unbuilt_client_says_what_to_do(house: House, tmp_path: Path) -> None:
    web = msgspec.structs.replace(house.settings.web, dist=str(tmp_path / "nowhere"))
    settings = msgspec.structs.replace(house.settings, web=web)
    answer = await House(house.db, settings, house.vault).visitor(**HTML).get("/")
    assert answer.status_code == 503
    assert "./luciole serve" in answer.text


async def test_other_sites_cannot_act_with_a_persons_cookie(ana: Browser) -> None:
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://evil.example"},
    ):
        answer = await ana.patch("/api/me", json={"bio": "x"}, headers=headers)
        refused(answer, 403, "cross-site")
    # Older browsers send no Fetch Metadata, and the address of the page.
    del ana.headers["sec-fetch-site"]
    for origin in ("https://evil.example", "null", "http://localhost:8081"):
        answer = await ana.patch("/api/me", json={"bio": "x"}, headers={"origin": origin})
        refused(answer, 403, "cross-site")
    assert (await ana.get("/api/me")).json()["bio"] == ""
    answer = await ana.patch("/api/me", json={"bio": "x"}, headers={"origin": ORIGIN})
    assert answer.status_code == 200


async def test_other_sites_cannot_sign_somebody_in_to_their_account(
    house: House, ana: Browser
) -> None:
    # What a form of another site can send: no JSON type is needed for it, and no cookie.
    body = f'{{"handle": "ana", "password": "{PASSWORD}"}}'.encode()
    for headers in (
        {"sec-fetch-site": "cross-site", "content-type": "text/plain"},
        {"sec-fetch-site": "", "origin": "null", "content-type": "text/plain"},
    ):
        answer = await house.visitor().post("/api/sessions", content=body, headers=headers)
        refused(answer, 403, "cross-site")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é", "x" * 9000])
async def test_forged_session_is_nobody(house: House, token: str) -> None:
    browser, headers = house.visitor(), {b"cookie": f"luciole_session={token}".encode()}
    refused(await browser.get("/api/me", headers=headers), 401, "not-signed-in")
    assert (await browser.get("/api/feeds/latest", headers=headers)).status_code == 200


async def test_method_and_body_mistakes_are_named(ana: Browser) -> None:
    refused(await ana.post("/api/me"), 405, "method-not-allowed")
    refused(await ana.patch("/api/me", content=b"{"), 400, "invalid")
    refused(await ana.patch("/api/me", content=b"\xff\xfe"), 400, "invalid")
    refused(await ana.patch("/api/me", json=[1]), 400, "invalid")
    refused(await ana.patch("/api/me", json={"bio": "x" * 1_100_000}), 413, "too-large")


DEEP = b"[" * 50_000 + b"]" * 50_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/sessions", DEEP),
        # Unknown parts of a credential are passed over, however deep.
        (
            "/api/sessions/passkey",
            b'{"challenge_id": "0192b3c4-0000-7000-8000-000000000000", "credential": {"id": "a",'
            b'"rawId": "a", "type": "public-key", "response": {"clientDataJSON": "a"}, "x": '
            + DEEP
            + b"}}",
        ),
    ],
)
async def test_deep_json_is_refused(house: House, path: str, body: bytes) -> None:
    refused(await house.visitor().post(path, content=body), 400, "invalid")


async def test_refused_method_names_those_that_work(ana: Browser) -> None:
    answer = await ana.post("/api/me")
    assert {"GET", "PATCH"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("path", ["/", "/@ana", "/assets/core-abc.js", "/sw.js"])
async def test_head_of_a_page_is_that_of_the_page(built: House, path: str) -> None:
    head, page = await built.visitor().head(path), await built.visitor().get(path)
    assert head.status_code == 200
    for name in ("content-type", "content-length", "etag", "cache-control"):
        assert head.headers[name] == page.headers[name]


async def test_answers_for_a_viewer_are_kept_by_nobody(ana: Browser) -> None:
    for path in ("/api/me", "/api/feeds/latest", "/api/notifications", "/api/people/ana"):
        assert (await ana.get(path)).headers["cache-control"] == "private, no-store"


async def test_answers_carry_the_security_headers(house: House) -> None:
    for path in ("/api/cell", "/api/nothing", "/healthz"):
        headers = (await house.visitor().get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_operator_asks_about_the_process(house: House) -> None:
    visitor = house.visitor()
    assert (await visitor.get("/healthz")).json() == {"status": "alive"}
    assert (await visitor.get("/readyz")).json() == {"status": "ready"}
    cell = (await visitor.get("/api/cell")).json()
    assert cell["limits"]["max_duration_ms"] == 180_000


async def test_metrics_are_not_for_visitors(house: House) -> None:
    refused(await house.visitor().get("/metrics"), 404, "not-found")


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
async def test_metrics_are_given_on_this_machine_and_not_through_its_proxy(
    house: House, header: str
) -> None:
    transport = httpx.ASGITransport(cast(Any, house.app), client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as here:
        assert (await here.get("/metrics")).status_code == 200
        answer = await here.get("/metrics", headers={header: "for=192.0.2.1"})
        refused(answer, 404, "not-found")


async def test_metrics_are_given_for_the_token(house: House) -> None:
    web = msgspec.structs.replace(house.settings.web, metrics_token="let me see")
    settings = msgspec.structs.replace(house.settings, web=web)
    visitor = House(house.db, settings, house.vault).visitor()
    refused(await visitor.get("/metrics"), 404, "not-found")
    await visitor.get("/api/people/somebody-private")
    await visitor.request("BREW", "/api/cell")
    answer = await visitor.get("/metrics", headers={"authorization": "Bearer let me see"})
    assert answer.status_code == 200
    assert "http_server_request_duration_seconds_bucket" in answer.text
    # The template of the path, not the path.
    assert "/api/people/{handle" in answer.text
    assert "somebody-private" not in answer.text
    # Methods that clients make up do not fill the memory.
    assert "BREW" not in answer.text


async def test_lost_database_is_said_and_waited_for(house: House) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    other = House(away, house.settings, house.vault)
    answer = await other.visitor().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["next_step"].endswith(".")
