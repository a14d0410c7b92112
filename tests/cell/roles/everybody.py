"""One cell with everybody in it who may ask for something, and with one thing of each kind.

What paths name belongs to `member`, so that everybody else asks for what is not theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookiejar import Cookie

from tests.cell.console import bench as console
from tests.cell.console import test_joining as joining
from tests.cell.house import PASSWORD, PIECE, TUS, Browser, House
from tests.cell.messages.phone import Phone, befriend
from tests.cell.notices.court import withhold
from tests.cell.people import kin
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.support import ORIGIN
from tests.cell.people.test_passkeys import add
from tests.cell.safety import bench as safety

#: Whoever asks, the owner of what is asked for last: only they can make it go away.
WHO = (
    *("visitor", "other", "teen", "suspended"),
    *("resting", "moderator", "operator", "auditor", "member"),
)
STAFF = {"resting": "moderator", "moderator": "moderator", "operator": "operator"}
STAFF |= {"auditor": "auditor"}
# Words such as operator are nobody's handle.
HANDLES = {
    "member": "mel",
    "other": "olga",
    "teen": "tim",
    "suspended": "sue",
    "resting": "rita",
    "moderator": "mona",
    "operator": "oscar",
    "auditor": "audrey",
}
#: Somebody whom all of them know.
FRIEND = "ned"
NOWHERE = "0190b6a5-1111-7000-8000-000000000001"
VTT = "WEBVTT\n\n00:00.000 --> 00:00.300\nHello\n"


@dataclass
class Everybody:
    """Browsers by who they are, and `real`: what there is, by the name of a path's part."""

    house: House
    browsers: dict[str, Browser]
    keys: dict[str, Authenticator]
    phone: Phone
    friends: Phone
    talk: str
    real: dict[str, str] = field(default_factory=dict)

    async def again(self, who: str) -> None:
        """Signs in anew, where a request has ended the session, and begins the shift."""
        browser = self.browsers[who]
        if who == "visitor" or (await browser.get("/api/me")).is_success:
            return
        body = {"handle": browser.handle, "password": PASSWORD}
        browser.cookies.clear()
        answer = await browser.post("/api/sessions", json=body)
        assert answer.status_code == 201, answer.text
        browser.token = browser.cookies["luciole_session"]
        await self.begin(who)

    async def begin(self, who: str) -> None:
        """Whoever is at work in a role signs for it."""
        if who in STAFF and who != "resting":
            await console.begin(self.browsers[who], self.keys[who], STAFF[who])
        if who == "moderator":
            await safety.begin(self.browsers[who], self.keys[who])


def cookies(browser: Browser) -> list[Cookie]:
    return [*browser.cookies.jar]


def put_back(browser: Browser, kept: list[Cookie]) -> None:
    """The cookies as they were, whatever an answer has set."""
    browser.cookies.clear()
    for one in kept:
        browser.cookies.jar.set_cookie(one)


async def everybody(house: House, owner_url: str, film: bytes) -> Everybody:
    browsers: dict[str, Browser] = {"visitor": house.visitor()}
    keys: dict[str, Authenticator] = {"visitor": Authenticator(ORIGIN)}
    for who, handle in HANDLES.items():
        if who in STAFF:
            browsers[who], keys[who] = await console.staff(house, owner_url, handle, STAFF[who])
        else:
            band = "13-15" if who == "teen" else "18+"
            browsers[who] = await house.person(handle, age_band=band)
            keys[who] = Authenticator(ORIGIN)
            assert (await add(browsers[who], keys[who])).is_success  # type: ignore[arg-type]
    mel, ned = browsers["member"], await house.person(FRIEND)
    await befriend(mel, ned)
    phone, friends = await Phone.of(house, mel), await Phone.of(house, ned)
    talk = await phone.talk("pair", friends)
    world = Everybody(house, browsers, keys, phone, friends, talk)
    for who in STAFF:
        await world.begin(who)
    world.real |= {"handle": FRIEND, "conversation_id": talk, "device_id": phone.id}
    # Nobody with clips brings an account along, so that comes first.
    brought = await mel.post(
        "/api/me/imports", content=b"x", headers={**PIECE, "upload-length": "5"}
    )
    world.real["import_id"] = brought.headers["location"].split("/")[-2]
    await _publish(world, film)
    await _own(world)
    await _decide(world)
    await _join(world)
    await _leave(world)
    return world


async def _publish(world: Everybody, film: bytes) -> None:
    """A clip of the member with captions and a comment, a talk, a page of For You."""
    house, mel = world.house, world.browsers["member"]
    clip = await mel.clip(
        house, film, caption="Hello #sea", captions_vtt=VTT, captions_language="en"
    )
    theirs = f"/api/clips/{clip['id']}"
    said = await mel.post(f"{theirs}/comments", json={"text": "Mine"})
    sent = await world.phone.send(world.talk)
    page = (await mel.get("/api/feeds/for-you")).json()
    draft = await mel.draft(film)
    begun = await mel.post("/api/uploads", headers={**TUS, "upload-length": "9"})
    world.real |= {
        "clip_id": clip["id"],
        "comment_id": said.json()["id"],
        "key": clip["renditions"][0]["url"].removeprefix("/media/").partition("?")[0],
        "sound_id": clip["sound_id"] or NOWHERE,
        "tag": "sea",
        "message_id": sent.json()["id"],
        "page_id": page["page"],
        "slot": "0",
        "upload_id": begun.headers["location"].rsplit("/", 1)[1],
        # A whole film, for a clip that is not there yet.
        "draft": draft["upload_id"],
    }


async def _own(world: Everybody) -> None:
    """What the member keeps for themselves."""
    house, mel = world.house, world.browsers["member"]
    collection = (await mel.post("/api/me/collections", json={"name": "Mine"})).json()
    circle = (await mel.post("/api/me/circles", json={"name": "Us", "handles": [FRIEND]})).json()
    export = (await mel.post("/api/me/exports")).json()
    await house.work()
    attached = await mel.post(
        f"/api/messages/conversations/{world.talk}/attachments", content=b"sealed" * 10
    )
    elsewhere = house.visitor()
    signed_in = await elsewhere.post("/api/sessions", json={"handle": "mel", "password": PASSWORD})
    assert signed_in.is_success
    sessions = (await mel.get("/api/sessions")).json()["items"]
    passkeys = (await mel.get("/api/me/passkeys")).json()["items"]
    young = await house.person("tom", age_band="13-15")
    world.real |= {
        "collection_id": collection["id"],
        "circle_id": circle["id"],
        "export_id": export["id"],
        "attachment_id": attached.json()["id"],
        "session_id": next(one["id"] for one in sessions if not one["current"]),
        "passkey_id": passkeys[0]["id"],
        "pairing_id": await kin.pair(mel, young),
        "crossing_id": NOWHERE,
        "n": "1",
    }


async def _decide(world: Everybody) -> None:
    """A decision about a clip of the member, a report of theirs that led to nothing, a suspension,
    a notice, and one by the form."""
    house, moderator = world.house, world.browsers["moderator"]
    mel, other = world.browsers["member"], world.browsers["other"]
    clip_id = world.real["clip_id"]
    await safety.report(other, "clip", clip_id)
    decision = await safety.decide(moderator, act="label", label="misleading")
    await safety.report(other, "person", "sue")
    await safety.decide(moderator, act="suspend", days=7)
    mine = await safety.report(mel, "person", "olga")
    case = await safety.take(moderator)
    assert case is not None
    place = f"{safety.REVIEW}/cases/{case['id']}/dismissal"
    answer = await moderator.post(place, json={"answer": safety.ANSWER})
    assert answer.status_code == 204, answer.text
    form = {
        "address": f"{ORIGIN}/c/{clip_id}",
        "category": "violence",
        "explanation": "It threatens somebody.",
        "is_in_good_faith": True,
    }
    noticed = await house.visitor().post("/api/report-form", json=form)
    assert noticed.is_success, noticed.text
    withheld = await house.person("wim")
    notice = await withhold(house, "person", withheld.handle)
    world.real |= {
        "decision_id": decision["id"],
        "report_id": mine["id"],
        "code": noticed.json()["code"],
        "notice_id": str(notice.id),
    }


async def _join(world: Everybody) -> None:
    """An invitation of the operator's, and somebody who has asked for an account."""
    house, operator = world.house, world.browsers["operator"]
    made = await operator.post(f"{joining.JOINING}/invitations", json={"note": "For a friend"})
    assert made.is_success, made.text
    await joining.by(house, "approval")
    await joining.asks(house, "Ina")
    found = (await operator.get(joining.JOINING)).json()
    await joining.by(house, "open")
    world.real |= {
        "invitation_id": found["invited"][0]["id"],
        "request_id": found["requests"][0]["id"],
    }


async def _leave(world: Everybody) -> None:
    """Somebody who has asked to be erased."""
    gone = await world.house.person("gus")
    answer = await gone.post("/api/me/erasure", json={})
    assert answer.status_code == 201, answer.text
    world.real["ticket"] = answer.json()["ticket"]
