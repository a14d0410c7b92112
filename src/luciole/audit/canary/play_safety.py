"""Something of ana's is reported, reviewed, labelled and appealed; another report to no effect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from luciole.audit.canary import play_console, things
from luciole.audit.canary.browser import Stale
from luciole.audit.canary.cell import Cell
from luciole.audit.canary.play import PASSKEYS
from luciole.audit.canary.stage import PERSONS, STAFF, VISITOR, Stage

REVIEW = "/api/staff/review"
CASE = f"{REVIEW}/cases/{{review_id}}"
ANSWER = {"answer": "We have looked at it, all of it."}
NOT_FOR_THEM = (401, 403, 404)


async def run(stage: Stage, cell: Cell) -> None:
    """dan and gil are moderators, too. cleo reports, and a visitor sends a notice."""
    for person in STAFF:
        handle = stage.handle(person)
        await asyncio.to_thread(cell.command, "staff", "remove", handle)
        roles = ("--role", "operator", "--role", "moderator")
        await asyncio.to_thread(cell.command, "staff", "add", handle, *roles)
        await begin(stage, person)
    await disclosed(stage)
    await report(stage)
    twin = await again(stage)
    case = await take(stage, "dan", lambda case: about(case, "clip"))
    if (
        len((await stage["dan"].ask(f"POST {CASE}/names", review_id=case["id"])).json()["names"])
        != 1
    ):
        raise Stale("a moderator does not see who says that something is theirs")
    await part(stage, case["id"], twin)
    await look(stage, case["id"])
    said = await decide(stage, case["id"])
    await appeal(stage, said)
    await dismiss(stage)
    for person in (*PERSONS, VISITOR):
        one = stage[person]
        await one.ask("GET /api/reports", expect=(200, 401))
        await one.ask("GET /api/statements", expect=(200, 401))
        await one.ask("GET /api/statements/{decision_id}", decision_id=said)
    for path in ("statements/export", "transparency", "transparency.csv"):
        await stage[VISITOR].ask(f"GET /api/{path}")


async def begin(stage: Stage, person: str) -> None:
    """A shift, opened with a passkey."""
    asked = (await stage[person].ask(f"POST {REVIEW}/shifts")).json()
    options = {"rpId": "localhost", "challenge": asked["challenge"]}
    await stage[person].ask(
        f"POST {REVIEW}/shifts/{{shift_id}}/signature",
        shift_id=asked["id"],
        json={"credential": PASSKEYS[person].get(options)},
    )
    await stage[person].ask(f"GET {REVIEW}/queue")


async def report(stage: Stage) -> None:
    """Of one clip of ana's, with and without an account."""
    plant, clip = stage.book.plant, stage.ids["open"]
    words = plant("cleo", "report.explanation", "She says {}.")
    body: dict[str, Any] = {"what": "clip", "name": clip, "category": "violence"}
    await stage["cleo"].ask("POST /api/reports", json={**body, "explanation": words})
    notice = {
        "address": f"/c/{clip}",
        # Here it counts who says so.
        "category": "intellectual-property-infringements",
        "explanation": plant(VISITOR, "report.explanation", "It calls for {}."),
        "is_in_good_faith": True,
        "name": plant(VISITOR, "report.name", "Zoe {}"),
        "email": plant(VISITOR, "report.email", "{}@notice.example"),
    }
    await stage[VISITOR].ask("GET /api/report-form")
    made = (await stage[VISITOR].ask("POST /api/report-form", json=notice)).json()
    stage.book.learn(VISITOR, "report.code", made["code"])
    await stage[VISITOR].ask("GET /api/report-form/{code}", code=made["code"])


async def again(stage: Stage) -> str:
    """ana publishes that film once more, and cleo reports it, too: one case. Gives the clip's
    id."""
    film = things.tall_film(stage.folder / "film.mp4", stage.book, "ana")
    twin = await stage.clip("ana", film, audience="everyone")
    body = {"what": "clip", "name": twin, "category": "violence"}
    await stage["cleo"].ask("POST /api/reports", json=body)

    async def is_one() -> bool:
        queue = (await stage["gil"].ask(f"GET {REVIEW}/queue")).json()
        return bool(queue["waiting"].get("violence") == 1)

    await stage.until("both are one case", is_one, 90)
    return twin


async def part(stage: Stage, review_id: str, twin: str) -> None:
    """dan takes the other clip out of the case, gil finds nothing in it, and ana deletes it."""
    body = {"clip_id": twin}
    await stage["dan"].ask(f"POST {CASE}/parting", review_id=review_id, json=body)
    case = await take(stage, "gil", lambda case: about(case, "clip"))
    await stage["gil"].ask(f"POST {CASE}/dismissal", review_id=case["id"], json=ANSWER)
    await stage["ana"].ask("DELETE /api/clips/{clip_id}", clip_id=twin)


async def disclosed(stage: Stage) -> None:
    """gil gets the case of what ana disclosed, asks to read it, and reads; both sign, as operators.

    It becomes a case at the next full minute.
    """
    gil = stage["gil"]
    found: dict[str, Any] = {}

    async def is_there() -> bool:
        found.update((await gil.ask(f"POST {REVIEW}/next")).json()["case"] or {})
        return bool(found)

    await stage.until("a report of messages is a case", is_there, 90)
    if not about(found, "message"):
        raise Stale("another case than that of the reported message")
    case = {"review_id": found["id"]}
    body = {
        "message_report_id": found["subjects"][0]["message_report_id"],
        "minutes": 30,
        "reason": stage.book.plant("ana", "staff.reason", "Is {} a threat?"),
    }
    one = f"{CASE}/disclosures"
    await gil.ask(f"POST {CASE}/pause", **case, expect=(404,))
    asked = (await gil.ask(f"POST {one}", **case, json=body)).json()
    await gil.ask(f"GET {one}", **case)
    await gil.ask(f"POST {CASE}/pause", **case)
    for person in STAFF:
        await play_console.begin(stage, person)
        reads = (await stage[person].ask("GET /api/staff/reads")).json()["items"]
        challenge = next(read["challenge"] for read in reads if read["id"] == asked["id"])
        credential = PASSKEYS[person].get({"rpId": "localhost", "challenge": challenge})
        await stage[person].ask(
            "POST /api/staff/reads/{read_id}/approvals",
            read_id=asked["id"],
            json={"credential": credential},
        )
    await gil.ask(f"POST {REVIEW}/next")
    for person, expect in (("gil", (201,)), ("dan", (404, 409)), ("ana", NOT_FOR_THEM)):
        await stage[person].ask(
            f"POST {one}/{{read_id}}/messages", **case, read_id=asked["id"], expect=expect
        )
    await gil.ask(f"POST {CASE}/dismissal", **case, json=ANSWER)


async def take(
    stage: Stage, person: str, is_meant: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The case that is meant, in hand. Raises Stale where there is none.

    What ana reported of messages becomes a case at the next full minute, whenever that is; who gets
    it first decides it.
    """
    for other in ("ana", VISITOR):
        await stage[other].ask(f"POST {REVIEW}/next", expect=NOT_FOR_THEM)
    while True:
        case: dict[str, Any] | None
        case = (await stage[person].ask(f"POST {REVIEW}/next")).json()["case"]
        if case is None:
            raise Stale(f"no such case for {person}")
        if is_meant(case):
            return case
        if not about(case, "message"):
            raise Stale(f"another case than the one meant for {person}")
        await stage[person].ask(f"POST {CASE}/dismissal", review_id=case["id"], json=ANSWER)


def about(case: dict[str, Any], what: str) -> bool:
    """Whether a case is open, about something of this kind."""
    return bool(case["state"] == "open" and case["subjects"][0]["what"] == what)


async def look(stage: Stage, review_id: str) -> None:
    """dan looks at the film and notes something; others may not."""
    for name in ("film", "poster"):
        for person, expect in (("dan", (200,)), ("gil", (404, 409)), ("ana", NOT_FOR_THEM)):
            await stage[person].ask(
                f"GET {CASE}/clips/{{clip_id}}/{{name}}",
                review_id=review_id,
                clip_id=stage.ids["open"],
                name=name,
                expect=expect,
            )
    words = stage.book.plant("dan", "review.note", "Is {} satire?")
    await stage["dan"].ask(f"POST {CASE}/notes", review_id=review_id, json={"words": words})


async def decide(stage: Stage, review_id: str) -> str:
    """A label, so that everything else is as it was; gives the statement's id."""
    wish = {
        "act": "label",
        "label": "misleading",
        "category": "violence",
        "is_illegal": False,
        "ground": "Terms, section 4",
        "explanation": "The terms ask for a label here.",
        "facts": stage.book.plant("dan", "decision.facts", "Somebody says {}."),
        "countries": ["*"],
        **ANSWER,
    }
    answer = await stage["dan"].ask(f"POST {CASE}/decision", review_id=review_id, json=wish)
    return str(answer.json()["items"][0]["id"])


async def appeal(stage: Stage, decision_id: str) -> None:
    """ana appeals, and gil hears it."""
    words = {"explanation": stage.book.plant("ana", "appeal.explanation", "It is {}.")}
    place = "POST /api/statements/{decision_id}/appeal"
    await stage["ben"].ask(place, decision_id=decision_id, json=words, expect=(404,))
    await stage["ana"].ask(place, decision_id=decision_id, json=words)
    case = await take(stage, "gil", lambda case: bool(case["state"] == "appealed"))
    hear = f"POST {CASE}/appeal/{{outcome}}"
    await stage["gil"].ask(hear, review_id=case["id"], outcome="upheld", json=ANSWER)


async def dismiss(stage: Stage) -> None:
    """cleo and a visitor report ana herself; gil asks for a second opinion, dan finds nothing; both
    appeal, the visitor by the notice's code."""
    body = {"what": "person", "name": stage.handle("ana"), "category": "scams-and-fraud"}
    made = (await stage["cleo"].ask("POST /api/reports", json=body)).json()
    notice = {
        "address": f"/@{stage.handle('ana')}",
        "category": "scams-and-fraud",
        "explanation": stage.book.plant(VISITOR, "report.explanation", "Nobody is called {}."),
        "is_in_good_faith": True,
    }
    code = (await stage[VISITOR].ask("POST /api/report-form", json=notice)).json()["code"]
    stage.book.learn(VISITOR, "report.code", code)
    case = await take(stage, "gil", lambda case: about(case, "person"))
    await stage["gil"].ask(f"POST {CASE}/second-opinion", review_id=case["id"])
    case = await take(stage, "dan", lambda case: about(case, "person"))
    await stage["dan"].ask(f"POST {CASE}/dismissal", review_id=case["id"], json=ANSWER)
    words = {"explanation": stage.book.plant("cleo", "appeal.explanation", "Look: {}.")}
    place = "POST /api/reports/{report_id}/appeal"
    await stage["cleo"].ask(place, report_id=made["id"], json=words)
    words = {"explanation": stage.book.plant(VISITOR, "appeal.explanation", "Look again: {}.")}
    await stage[VISITOR].ask("POST /api/report-form/{code}/appeal", code=code, json=words)
