"""Who may ask what of the routes for staff: every one of them, by everybody there is.

A route without a line in the table fails, and so does a line without a route.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from litestar.routes import HTTPRoute
from tests.cell.console.bench import CONSOLE, begin, signed, staff
from tests.cell.house import Browser, House
from tests.cell.notices.court import withhold
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.support import ORIGIN
from tests.cell.people.test_passkeys import add
from tests.cell.safety import bench as safety
from tests.cell.safety.bench import REVIEW

WHO = ("visitor", "member", "teen", "suspended", "resting", "moderator", "operator", "auditor")
# One line a route: what each of WHO gets. Of the staff, each has one role and is at work in it, but
# for the resting moderator, who has not begun a shift.
# 404: the case at hand is of a clip, in which nothing was disclosed (`safety/test_disclosed.py`);
# 409: and of one, which there is nothing to part from, and whose notices have no names
# (`safety/test_names.py`). 404 of who joins: nobody waits, and there is no such invitation
# (`test_joining.py` has both).
TABLE = """
GET    console/shift                                   401 403 403 403 200 200 200 200
DELETE console/shift                                   401 403 403 403 204 204 204 204
POST   console/shifts                                  401 403 403 403 201 201 201 201
POST   console/shifts/{shift_id}/signature             401 403 403 403 201 201 201 201
GET    console/overview                                401 403 403 403 403 403 200 403
GET    console/people                                  401 403 403 403 403 403 200 403
GET    console/joining                                 401 403 403 403 403 403 200 200
POST   console/joining/requests/{request_id}/approval  401 403 403 403 403 403 404 403
POST   console/joining/requests/{request_id}/refusal   401 403 403 403 403 403 404 403
POST   console/joining/invitations                     401 403 403 403 403 403 201 403
DELETE console/joining/invitations/{invitation_id}     401 403 403 403 403 403 404 403
PUT    console/joining/registration                    401 403 403 403 403 403 204 403
GET    console/clips                                   401 403 403 403 403 403 200 403
GET    console/queue                                   401 403 403 403 403 200 200 403
GET    console/jobs                                    401 403 403 403 403 403 200 403
POST   console/jobs/{job_id}/retry                     401 403 403 403 403 403 409 403
POST   console/jobs/healing                            401 403 403 403 403 403 201 403
GET    console/storage                                 401 403 403 403 403 403 200 403
GET    console/keys                                    401 403 403 403 403 403 200 403
GET    console/policies                                401 403 403 403 403 200 200 200
GET    console/ledger                                  401 403 403 403 403 403 200 200
GET    console/acts                                    401 403 403 403 403 403 200 200
GET    console/acts/list                               401 403 403 403 403 403 200 200
POST   review/shifts                                   401 403 403 403 201 201 403 403
POST   review/shifts/{shift_id}/signature              401 403 403 403 201 201 403 403
GET    review/queue                                    401 403 403 403 403 200 403 403
POST   review/next                                     401 403 403 403 403 201 403 403
POST   review/cases/{review_id}/notes                  401 403 403 403 403 201 403 403
GET    review/cases/{review_id}/disclosures            401 403 403 403 403 200 403 403
POST   review/cases/{review_id}/disclosures            401 403 403 403 403 404 403 403
POST   review/cases/{review_id}/disclosures/{read_id}/messages 401 403 403 403 403 404 403 403
POST   review/cases/{review_id}/pause                  401 403 403 403 403 404 403 403
GET    review/cases/{review_id}/clips/{clip_id}/{name} 401 403 403 403 403 200 403 403
POST   review/cases/{review_id}/appeal/{outcome}       401 403 403 403 403 400 403 403
POST   review/cases/{review_id}/names                  401 403 403 403 403 409 403 403
POST   review/cases/{review_id}/parting                401 403 403 403 403 409 403 403
POST   review/cases/{review_id}/second-opinion         401 403 403 403 403 204 403 403
POST   review/cases/{review_id}/dismissal              401 403 403 403 403 204 403 403
POST   review/cases/{review_id}/decision               401 403 403 403 403 201 403 403
GET    notices                                         401 403 403 403 403 403 200 403
POST   notices/{notice_id}/signatures                  401 403 403 403 403 403 201 403
GET    reads                                           401 403 403 403 403 403 200 403
POST   reads                                           401 403 403 403 403 403 201 403
POST   reads/{read_id}/approvals                       401 403 403 403 403 403 201 403
POST   reads/{read_id}/contacts                        401 403 403 403 403 403 201 403
POST   reads/{read_id}/message-reports                 401 403 403 403 403 403 201 403
GET    message-reports                                 401 403 403 403 403 403 200 403
"""
# What has been decided is closed to everybody, and says so.
OPEN = "SELECT id FROM safety.review WHERE state = 'open'"
# By whom it is a refusal of the role, and none of the case at hand.
REFUSED = {
    401: {"not-signed-in"},
    403: {
        *("not-staff", "not-moderator", "not-in-this-role", "console-shift-needed"),
        *("approval-refused", "shift-needed", "account-suspended"),
    },
}
# Words such as operator are nobody's handle.
HANDLES = {
    "member": "mel",
    "teen": "tim",
    "suspended": "sue",
    "resting": "rita",
    "moderator": "mona",
    "operator": "oscar",
    "auditor": "audrey",
}
ASKED = {
    "handle": "mel",
    "purpose": "abuse-report",
    "columns": ["contact.email"],
    "minutes": 30,
    "reason": "Report 4711 says that this account threatens people.",
}

NOWHERE = "0190b6a5-1111-7000-8000-000000000001"
DISCLOSURE = {
    "message_report_id": "0190b6a5-1111-7000-8000-000000000001",
    "minutes": 30,
    "reason": "Without its words nobody can say whether it is a threat.",
}


def table() -> dict[tuple[str, str], list[int]]:
    found = {}
    for line in TABLE.strip().splitlines():
        method, path, *numbers = line.split()
        found[method, f"/api/staff/{path}"] = [int(number) for number in numbers]
    return found


def routes_of(house: House) -> set[tuple[str, str]]:
    """The routes for staff, with the names of what varies and without the kinds."""
    found = set()
    for route in house.app.routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith("/api/staff"):
            found |= {(method, route.path_format) for method in route.methods - {"OPTIONS", "HEAD"}}
    return found


@dataclass
class World:
    """Everybody there is, each with a passkey, the staff at work."""

    house: House
    browsers: dict[str, Browser]
    keys: dict[str, Authenticator]
    clip_id: str
    notice_id: str = ""

    async def case(self) -> str:
        """The case that the moderator has in hand."""
        case = await safety.take(self.browsers["moderator"])
        assert case is not None
        return str(case["id"])

    async def read(self, purpose: str, column: str) -> dict[str, Any]:
        """A read of the member that waits for signatures."""
        body = {**ASKED, "purpose": purpose, "columns": [column]}
        answer = await self.browsers["operator"].post("/api/staff/reads", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def granted(self, purpose: str, column: str, other: tuple[Any, Any]) -> str:
        """A read that two have signed."""
        asked = await self.read(purpose, column)
        place = f"/api/staff/reads/{asked['id']}/approvals"
        for browser, key in ((self.browsers["operator"], self.keys["operator"]), other):
            answer = await browser.post(place, json=signed(asked, key))
            assert answer.status_code == 201, answer.text
        return str(asked["id"])


async def furnished(house: House, owner_url: str, film: bytes) -> World:
    browsers, keys = {"visitor": house.visitor()}, {"visitor": Authenticator(ORIGIN)}
    browsers["member"] = await house.person("mel")
    browsers["teen"] = await house.person("tim", age_band="13-15")
    browsers["suspended"] = await house.person("sue")
    for name in ("member", "teen", "suspended"):
        keys[name] = Authenticator(ORIGIN)
        assert (await add(browsers[name], keys[name])).status_code == 201  # type: ignore[arg-type]
    for name in ("moderator", "operator", "auditor"):
        browsers[name], keys[name] = await staff(house, owner_url, HANDLES[name], name)
        await begin(browsers[name], keys[name], name)
    await safety.begin(browsers["moderator"], keys["moderator"])
    await safety.report(browsers["member"], "person", HANDLES["suspended"])
    await safety.decide(browsers["moderator"], act="suspend", days=7)
    browsers["resting"], keys["resting"] = await staff(
        house, owner_url, HANDLES["resting"], "moderator"
    )
    clip = await browsers["member"].clip(house, film)
    await safety.report(browsers["teen"], "clip", clip["id"])
    for name in ("teen", "operator", "auditor"):
        await safety.report(browsers["member"], "person", HANDLES[name])
    notice = await withhold(house, "person", "tim", ground="rules", ordered_by="This cell")
    return World(house, browsers, keys, clip["id"], str(notice.id))


async def sent(world: World, method: str, path: str, who: str, other: Any) -> httpx.Response:
    """A request as it would be right for whoever may make it."""
    browser, key = world.browsers[who], world.keys[who]
    role = who if who in ("moderator", "operator", "auditor") else "operator"
    role = "moderator" if who == "resting" else role
    body: Any = None
    place = path.replace("{job_id}", "1").replace("{name}", "poster").replace("{outcome}", "upheld")
    place = place.replace("{notice_id}", world.notice_id).replace("{clip_id}", world.clip_id)
    for part in ("request_id", "invitation_id"):
        place = place.replace(f"{{{part}}}", NOWHERE)
    if "{review_id}" in place:
        place = place.replace("{review_id}", await world.case())
    if "{shift_id}" in place:
        asked: dict[str, Any] = {"id": str(uuid.uuid4()), "challenge": "AAAA"}
        answer = await browser.post(path.partition("/{")[0], json={"role": role})
        if answer.status_code == 201:
            asked = answer.json()
        place, body = place.replace("{shift_id}", asked["id"]), signed(asked, key)
    if path.endswith("/reads/{read_id}/approvals"):
        asked = await world.read("abuse-report", "contact.email")
        place, body = place.replace("{read_id}", asked["id"]), signed(asked, key)
    elif "{read_id}" in place:
        kind = ("message-report", "messages.report")
        if path.endswith("contacts"):
            kind = ("abuse-report", "contact.email")
        place = place.replace("{read_id}", await world.granted(*kind, other))
    elif path.endswith("/notices/{notice_id}/signatures"):
        (one,) = (await world.browsers["operator"].get("/api/staff/notices")).json()["items"]
        body = signed(one, key)
    bodies: dict[str, Any] = {
        "/api/staff/reads": ASKED,
        f"{CONSOLE}/shifts": {"role": role},
        f"{CONSOLE}/joining/requests/{{request_id}}/refusal": {"reason": "We know no Ana."},
        f"{CONSOLE}/joining/invitations": {},
        f"{CONSOLE}/joining/registration": {"mode": None},
        f"{REVIEW}/cases/{{review_id}}/notes": {"words": "Look at the second half."},
        f"{REVIEW}/cases/{{review_id}}/disclosures": DISCLOSURE,
        f"{REVIEW}/cases/{{review_id}}/parting": {"clip_id": world.clip_id},
        f"{REVIEW}/cases/{{review_id}}/dismissal": {"answer": safety.ANSWER},
        f"{REVIEW}/cases/{{review_id}}/appeal/{{outcome}}": {"answer": safety.ANSWER},
        f"{REVIEW}/cases/{{review_id}}/decision": {
            **safety.REMOVE,
            "act": "limit",
            "acts": ["comment"],
            "days": 1,
        },
    }
    body = body if body is not None else bodies.get(path) if method in ("POST", "PUT") else None
    return await browser.request(method, place, json=body)


async def test_every_route_of_the_staff_is_in_the_table(house: House) -> None:
    routes, known = routes_of(house), set(table())
    assert routes - known == set(), "Say in TABLE who gets what from these new routes for staff."
    assert known - routes == set(), "These lines of TABLE have no route any more."
    assert all(len(numbers) == len(WHO) for numbers in table().values())


async def test_everybody_gets_what_the_table_says(
    house: House, owner_url: str, tiny_film: bytes
) -> None:
    world = await furnished(house, owner_url, tiny_film)
    other = await staff(house, owner_url, "second", "operator")
    await begin(*other, "operator")
    wrong = []
    for (method, path), numbers in table().items():
        for who, expected in zip(WHO, numbers, strict=True):
            answer = await sent(world, method, path, who, other)
            code = answer.json().get("code", "") if answer.status_code >= 400 else ""
            if answer.status_code != expected or (
                expected in REFUSED and code not in REFUSED[expected]
            ):
                wrong.append(f"{method} {path} by {who}: {answer.status_code} {code}")
            has_ended = (method, path) == ("DELETE", f"{CONSOLE}/shift") and expected == 204
            if has_ended and who != "resting":
                await begin(world.browsers[who], world.keys[who], who)
            if who == "resting" and path.endswith("/signature") and answer.status_code == 201:
                # Now they are at work; another one rests.
                handle = f"rita{len(path)}"
                found = await staff(house, owner_url, handle, "moderator")
                world.browsers[who], world.keys[who] = found
    assert not wrong, "\n".join(wrong)


#: What there is to do before a passkey has opened anything, for who has the role.
BEGINS = {
    ("GET", f"{CONSOLE}/shift"),
    ("DELETE", f"{CONSOLE}/shift"),
    ("POST", f"{CONSOLE}/shifts"),
    ("POST", f"{CONSOLE}/shifts/{{shift_id}}/signature"),
    ("POST", f"{REVIEW}/shifts"),
    ("POST", f"{REVIEW}/shifts/{{shift_id}}/signature"),
}


async def test_session_without_a_passkey_opens_nothing_of_the_staff(
    house: House, owner_url: str
) -> None:
    """Whoever has the password of one of the staff, or their session, and not their passkey."""
    roles = ("moderator", "operator", "auditor")
    at_home = {name: await staff(house, owner_url, HANDLES[name], name) for name in roles}
    at_home["all"] = await staff(house, owner_url, "alma", *roles)
    wrong = []
    for method, path in sorted(set(table()) - BEGINS):
        place = path.replace("{job_id}", "1").replace("{name}", "poster")
        place = place.replace("{outcome}", "upheld")
        for part in ("notice_id", "clip_id", "review_id", "read_id", "request_id", "invitation_id"):
            place = place.replace(f"{{{part}}}", NOWHERE)
        bodies: dict[str, Any] = {"notes": {"words": "Look."}, "dismissal": {"answer": "No."}}
        bodies |= {"decision": safety.REMOVE, "reads": ASKED, "approvals": {"credential": {}}}
        bodies |= {
            "disclosures": DISCLOSURE,
            "parting": {"clip_id": NOWHERE},
            "upheld": {"answer": "No."},
            "refusal": {"reason": "No."},
            "invitations": {},
            "registration": {"mode": "closed"},
            "signatures": {"credential": {}},
        }
        body = bodies.get(place.rpartition("/")[2]) if method in ("POST", "PUT") else None
        for who, (browser, _) in at_home.items():
            answer = await browser.request(method, place, json=body)
            code = answer.json().get("code", "")
            needed = "shift-needed" if path.startswith(REVIEW) else "console-shift-needed"
            if path.startswith(REVIEW) and who in ("operator", "auditor"):
                needed = "not-moderator"
            if (answer.status_code, code) != (403, needed):
                wrong.append(f"{method} {path} by {who}: {answer.status_code} {code}")
    assert not wrong, "\n".join(wrong)


async def test_moderator_sees_the_case_in_hand_and_no_other(
    house: House, owner_url: str, tiny_film: bytes
) -> None:
    world = await furnished(house, owner_url, tiny_film)
    moderator = world.browsers["moderator"]
    case = await safety.take(moderator)
    assert case is not None
    # Not who reported, no id of a person, no address, and nothing of the account but its name.
    told = str(case)
    for name in ("mel", "tim"):
        assert str(await house.person_id(name)) not in told
    ids = {row["id"] for row in await house.rows(OPEN)}
    for one in ids - {uuid.UUID(case["id"])}:
        place = f"{REVIEW}/cases/{one}"
        for path in ("notes", "dismissal"):
            body = {"words": "Let me look.", "answer": safety.ANSWER}
            answer = await moderator.post(f"{place}/{path}", json=body)
            assert answer.status_code == 404, (path, answer.text)
        for answer in (
            await moderator.get(f"{place}/disclosures"),
            await moderator.post(f"{place}/disclosures", json=DISCLOSURE),
            await moderator.post(f"{place}/pause"),
        ):
            assert answer.status_code == 404, answer.text
        answer = await moderator.get(f"{place}/clips/{world.clip_id}/poster")
        assert answer.status_code == 404
