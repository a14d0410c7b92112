"""Read-out to the Fediverse: who is shown there, who follows, and who may say what."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from tests.cell.abroad.agreeing import agree
from tests.cell.abroad.read_out import BOB, EVE, ORIGIN, Author, Read, share, webfinger
from tests.cell.abroad.servers import ED25519, OTHER_RSA, Actor
from tests.cell.house import Browser, House

from luciole.border import proofs
from luciole.border.activities import PUBLIC
from luciole.border.asked import Request
from luciole.border.documents import jcs
from luciole.border.fediverse.hearing import public

# --- who is shown ---------------------------------------------------------------------------------


async def test_nobody_is_shown_who_has_not_asked_for_it(
    read: Read, house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film)
    await agree(ben, "fediverse")
    clip = await ben.clip(house, tiny_film)
    assert (await read.get(webfinger("acct:ana@border.example"))).status == 404
    found = json.loads((await read.get(webfinger("acct:ben@border.example"))).body)
    ben_uri = found["links"][0]["href"]
    # Ben is shown, and none of his clips: each is asked for by itself.
    assert (await read.document(f"{ben_uri}/outbox?page=1"))["orderedItems"] == []
    assert (await read.get(f"/ap/clips/{clip['id']}")).status == 404


async def test_author_is_found_and_shows_what_is_public(read: Read, author: Author) -> None:
    person = await read.document(author.uri)
    assert person["id"] == author.uri
    assert (person["preferredUsername"], person["type"]) == ("ana", "Person")
    assert person["summary"] == "<p>Herons, mostly.</p>"
    assert person["inbox"] == f"{author.uri}/inbox"
    assert person["endpoints"] == {"sharedInbox": f"{ORIGIN}/ap/inbox"}
    assert person["publicKey"]["owner"] == author.uri
    account = (await author.browser.get("/api/me")).json()["id"]
    assert account not in json.dumps(person), "the persona has a number of its own"
    for box in ("followers", "following"):
        shown = await read.document(f"{author.uri}/{box}")
        assert set(shown) == {"@context", "id", "type"}, "who follows is nobody's business"
    for resource in (author.uri, "acct:ANA@border.example"):
        assert (await read.get(webfinger(resource))).status == 200
    for resource in ("acct:ana@other.example", "acct:nobody@border.example", "", author.uri + "x"):
        assert (await read.get(webfinger(resource))).status in (400, 404)
    browser = await read.get(author.uri, "text/html,*/*")
    assert (browser.status, browser.headers["location"]) == (303, "https://pages.example/@ana")


async def test_clip_is_a_note_that_others_play(read: Read, house: House, author: Author) -> None:
    page = await read.document(f"{author.uri}/outbox?page=1")
    (created,) = page["orderedItems"]
    note = await read.document(author.clip_uri)
    assert {**note, "@context": None} == {**created["object"], "@context": None}
    assert created["id"] == f"{author.clip_uri}/activity"
    assert (await read.document(created["id"]))["object"] == created["object"]
    (film,) = note["attachment"]
    assert (film["type"], film["mediaType"]) == ("Document", "video/mp4")
    assert film["url"].startswith("https://pages.example/media/p/")
    assert note["attributedTo"] == author.uri
    assert note["to"] == [PUBLIC]
    assert note["madeWithAI"] is False
    # What a film says of itself counts where its credentials are sound.
    for credentials, is_told in (("invalid", False), ("valid", True)):
        await house.rows(f"UPDATE media.asset SET ai = 'made', credentials = '{credentials}'")
        assert (await read.document(author.clip_uri))["madeWithAI"] is is_told
    assert "https://pages.example/tag/herons" in note["content"]
    assert note["tag"][0]["name"] == "#herons"
    browser = await read.get(author.clip_uri, "text/html")
    assert browser.headers["location"] == f"https://pages.example/c/{author.clip['id']}"


async def test_cell_reader_and_nodeinfo_are_found(read: Read) -> None:
    cell = await read.document(f"{ORIGIN}/ap/cell")
    reader = await read.document(f"{ORIGIN}/ap/reader")
    assert (cell["type"], reader["type"]) == ("Application", "Person")
    assert any("9421" in one["name"] for one in cell["implements"])
    for name in ("readers-us", "border.example"):
        assert (await read.get(webfinger(f"acct:{name}@border.example"))).status == 200
    for resource in (f"{ORIGIN}/", cell["id"], reader["id"]):
        assert (await read.get(webfinger(resource))).status == 200
    links = await read.document("/.well-known/nodeinfo")
    node = await read.document(links["links"][0]["href"])
    assert (node["version"], node["software"]["name"]) == ("2.1", "luciole")
    assert node["usage"] == {"users": {}}


async def test_outbox_has_pages(
    read: Read, author: Author, house: House, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.border.fediverse.service.PAGE", 1)
    newer = await share(author.browser, house, tiny_film)
    first = await read.document((await read.document(f"{author.uri}/outbox"))["first"])
    second = await read.document(first["next"])
    ids = [one["orderedItems"][0]["object"]["id"] for one in (first, second)]
    assert ids == [f"{ORIGIN}/ap/clips/{newer['id']}", author.clip_uri]
    assert "next" not in second
    assert (await read.get(f"{author.uri}/outbox?before=x")).status == 400


# --- who follows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [False, True])
async def test_follow_from_elsewhere_is_accepted_and_told_what_is_new(
    read: Read, author: Author, house: House, tiny_film: bytes, old: bool
) -> None:
    read.servers.add(BOB)
    follow = BOB.act("Follow", author.uri)
    assert await read.tell(BOB, follow, old=old) == 202
    (accept,) = await read.told()
    assert (accept["type"], accept["actor"], accept["object"]["id"]) == (
        "Accept",
        author.uri,
        follow["id"],
    )
    clip = await share(author.browser, house, tiny_film, caption="Again")
    (created,) = await read.told()
    assert created["type"] == "Create"
    assert created["object"]["id"] == f"{ORIGIN}/ap/clips/{clip['id']}"
    name = proofs.method_of(created)
    key = read.servers.keys[name]
    proofs.verify(created, public(key).verifies)
    # Told once, to the shared inbox, though there are more followers on that server.
    assert await read.told() == []
    undo = BOB.act("Undo", follow)
    assert await read.tell(BOB, undo, old=old) == 202
    await share(author.browser, house, tiny_film)
    assert await read.told() == []


async def test_two_followers_on_one_server_are_told_once(
    read: Read, followed: Author, house: House, tiny_film: bytes
) -> None:
    cleo = read.servers.add(Actor("https://far.example/users/cleo"))
    assert await read.tell(cleo, cleo.act("Follow", followed.uri)) == 202
    await read.told()
    await share(followed.browser, house, tiny_film)
    assert len(await read.told()) == 1


async def test_nobody_is_followed_who_is_not_shown(
    read: Read, author: Author, ben: Browser
) -> None:
    read.servers.add(BOB)
    for number, about in enumerate(
        (f"{ORIGIN}/ap/reader", f"{ORIGIN}/ap/people/{UUID(int=7)}", author.clip_uri, BOB.uri)
    ):
        assert await read.tell(BOB, BOB.act("Follow", about, number)) == 202
    assert await read.told() == []
    assert await read.rows("SELECT * FROM border.fedi_follower") == []


# --- what is counted ------------------------------------------------------------------------------


async def test_likes_shares_and_answers_are_counted_and_nothing_of_who(
    read: Read, author: Author
) -> None:
    for number in range(10):
        fan = read.servers.add(Actor(f"https://far.example/users/canary-{number}"))
        answer = {
            "id": f"{fan.uri}/notes/1",
            "type": "Note",
            "attributedTo": fan.uri,
            "to": [PUBLIC],
            "content": "canary words",
            "inReplyTo": author.clip_uri,
        }
        for document in (
            fan.act("Like", author.clip_uri),
            fan.act("Like", author.clip_uri, 2),
            fan.act("Announce", author.clip_uri, to=[PUBLIC]),
            fan.act("Create", answer),
        ):
            assert await read.tell(fan, document) == 202
        if number == 8:
            assert await read.rows("SELECT likes FROM border.fediverse_totals") == [(None,)]
    totals = "SELECT likes, shares, answers FROM border.fediverse_totals"
    assert await read.rows(totals) == [(10, 10, 10)]
    note = await read.document(author.clip_uri)
    for name in ("likes", "shares"):
        assert (await read.document(note[name]))["totalItems"] == 10
    for table in ("fedi_reaction", "fedi_seen", "fedi_follower", "fedi_delivery"):
        kept = str(await read.rows(f"SELECT t::text FROM border.{table} t"))
        assert "canary" not in kept, table
    assert await read.tell(fan, fan.act("Undo", fan.act("Like", author.clip_uri))) == 202
    assert await read.tell(fan, fan.act("Delete", f"{fan.uri}/notes/1")) == 202
    assert await read.rows(totals) == [(None, 10, None)]
    assert "totalItems" not in await read.document(note["likes"])
    # Taken back, nothing is left of it.
    await author.browser.delete(f"/api/clips/{author.clip['id']}")
    await read.told()
    assert await read.rows("SELECT * FROM border.fedi_reaction") == []


# --- who may say it -------------------------------------------------------------------------------


async def test_what_is_not_signed_by_its_actor_is_refused(read: Read, author: Author) -> None:
    for actor in (BOB, EVE):
        read.servers.add(actor)
    follow = BOB.act("Follow", author.uri)
    assert await read.tell(EVE, follow) == 401, "Eve signs for Bob"
    assert await read.tell(EVE, follow, key_id=BOB.key_id) == 401, "in the name of his key"
    assert await read.tell(BOB, follow, body=jcs(BOB.act("Like", author.uri))) == 401
    assert await read.tell(BOB, follow, now=int(read.clock.now().timestamp()) - 4000) == 401
    assert await read.tell(BOB, {"a": "b"}) == 401
    assert await read.tell(BOB, follow, body=b"{") == 400
    unsigned = Request("POST", "/ap/inbox", "", f"{ORIGIN}/ap/inbox", {}, jcs(follow), "n")
    assert (await read._ask(unsigned)).status == 401
    elsewhere = Actor("https://far.example/users/bob", OTHER_RSA)
    assert await read.tell(elsewhere, follow) == 401, "with a key that he does not have"
    assert await read.rows("SELECT * FROM border.fedi_follower") == []
    read.clock.advance(timedelta(minutes=2))
    assert await read.tell(BOB, follow) == 202


async def test_same_activity_counts_once(read: Read, author: Author) -> None:
    read.servers.add(BOB)
    follow = BOB.act("Follow", author.uri)
    for _ in range(3):
        assert await read.tell(BOB, follow) == 202
    assert len(await read.told()) == 1


async def test_activity_that_somebody_passes_on_needs_its_own_proof(
    read: Read, author: Author
) -> None:
    for actor in (BOB, EVE):
        read.servers.add(actor)
    context = ["https://www.w3.org/ns/activitystreams", proofs.CONTEXT]
    like = {**BOB.act("Like", author.clip_uri), "@context": context}
    proved = proofs.proved(like, f"{BOB.uri}#ed", ED25519.sign, read.clock.now())
    forged = proofs.proved(like, f"{EVE.uri}#ed", ED25519.sign, read.clock.now())
    assert await read.tell(EVE, like) == 401
    assert await read.tell(EVE, forged) == 401
    assert await read.tell(EVE, {**proved, "id": f"{BOB.uri}#other"}) == 401
    assert await read.rows("SELECT * FROM border.fedi_reaction") == []
    assert await read.tell(EVE, proved) == 202
    assert len(await read.rows("SELECT * FROM border.fedi_reaction")) == 1


async def test_actor_with_new_keys_is_asked_again_once(read: Read, author: Author) -> None:
    read.servers.add(BOB)
    assert await read.tell(BOB, BOB.act("Like", author.clip_uri)) == 202
    asked = len(read.servers.gets)
    assert await read.tell(BOB, BOB.act("Like", author.clip_uri, 2)) == 202
    assert len(read.servers.gets) == asked, "keys are kept for a day"
    turned = read.servers.add(Actor(BOB.uri, OTHER_RSA))
    # Whoever tries many signatures does not make us ask as often.
    assert await read.tell(turned, turned.act("Like", author.clip_uri, 3)) == 401
    read.clock.advance(timedelta(minutes=2))
    assert await read.tell(turned, turned.act("Like", author.clip_uri, 3)) == 202
    assert await read.tell(turned, turned.act("Like", author.clip_uri, 4)) == 202
    assert len(read.servers.gets) == asked + 1


async def test_farewell_of_an_account_that_is_gone_is_heard(read: Read, followed: Author) -> None:
    del read.servers.documents[BOB.uri]
    read.clock.advance(timedelta(days=2))
    assert await read.tell(BOB, BOB.act("Delete", BOB.uri)) == 202
    # Unverified, it comes to nothing: the address goes when it is looked up.
    assert len(await read.rows("SELECT * FROM border.fedi_follower")) == 1
    read.clock.advance(timedelta(days=31))
    await read.made.telling.upkeep()
    assert await read.rows("SELECT * FROM border.fedi_follower") == []
