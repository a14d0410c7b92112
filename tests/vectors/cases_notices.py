"""Cases about what is withheld, and the public report of notices and orders."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import canonical, iso, sha256
from tests.vectors.world import DAY, FIRST_DAY, HOUR, MINUTE, NOW, SEEN, World, text

AT = FIRST_DAY + 3 * DAY + 8 * HOUR
COURT, POLICE, SECRET, OPENED = (f"0199aaaa-0000-7000-8000-00000000000{n}" for n in range(4))
CLIP, PERSON, OWN = (f"0199bbbb-0000-7000-8000-00000000000{n}" for n in range(3))
STAFF = [f"0199cccc-0000-7000-8000-00000000000{n}" for n in range(2)]
SUBJECT = ("appeal", "reason", "subject")
NOTICE = ("notice", "what", "countries", "ground", "by", "law", "until", "order")
ORDER = ("order", "received", "by", "country", "law", "asks_for", "persons")
Said = dict[str, Any]


def committed(kind: str, nonce: str, said: Said) -> str:
    return sha256(f"luciole/{kind}/v1".encode() + bytes.fromhex(nonce) + canonical(said)).hex()


def order(name: str, **fields: Any) -> Said:
    """An order as the report shows it."""
    said = {
        "order": name,
        "received": "2026-11-25",
        "by": "Tribunal judiciaire de Paris",
        "country": "FR",
        "law": "Loi n° 2004-575, article 6",
        "asks_for": "withhold",
        "persons": 1,
    }
    return said | {"at": iso(AT), "told": True, "outcome": "pending", "settled": ""} | fields


def notice(name: str, subject: str, **fields: Any) -> Said:
    """A notice as the report shows it."""
    said = {
        "notice": name,
        "what": subject.partition("/")[0],
        "countries": ["BE", "FR"],
        "ground": "court",
        "by": "Tribunal judiciaire de Paris",
        "law": "Loi n° 2004-575, article 6",
        "until": "2027-05-01T00:00:00Z",
        "order": COURT,
        "staff": [],
        "at": iso(AT),
        "state": "in-force",
        "reason": "The court found it to be defamatory.",
        "appeal": "Cour d’appel de Paris",
        "subject": subject,
        "nonce": sha256(name.encode()).hex(),
        "ended": "",
        "ended_why": "",
        "url": f"https://cell.example/notices/{name}",
    } | fields
    about = {key: said[key] for key in SUBJECT}
    return said | {"commit": committed("notice", said["nonce"], about)}


def gagged(name: str, until: str, **fields: Any) -> Said:
    said = order(name, **fields)
    nonce = sha256(name.encode()).hex()
    commit = committed("order", nonce, {key: said[key] for key in ORDER})
    return said | {"gag_until": until, "nonce": nonce, "commit": commit}


def begun(one: Said, at: int = AT) -> bytes:
    kept = [
        "notice",
        "what",
        "countries",
        "ground",
        "by",
        "law",
        "until",
        "order",
        "commit",
        "staff",
    ]
    return text(at, "withheld", **{key: one[key] for key in kept})


def counts_of(orders: list[Said]) -> Said:
    told = [one for one in orders if one["told"]]
    tallies = {
        f"by_{key}": dict(Counter(one[key] for one in told))
        for key in ("country", "asks_for", "outcome")
    }
    gag = len(orders) - len(told)
    persons = sum(one["persons"] for one in told)
    return {"orders": len(orders), "gagged": gag, "persons": persons, **tallies}


def lay(
    world: World,
    change: Callable[[Said, list[bytes]], None] = lambda report, entries: None,
    recount: bool = True,
) -> None:
    """A cell with notices of every kind, and its report, as `change` leaves them."""
    court = order(COURT, outcome="complied", settled=iso(AT + MINUTE))
    police = order(POLICE, asks_for="data", persons=3)
    opened = gagged(OPENED, "2026-11-26", country="DE")
    secret = gagged(SECRET, "2027-11-26")
    hidden = {key: secret[key] for key in ("order", "at", "gag_until", "commit")}
    clip = notice(CLIP, "clip/0199dddd-0000-7000-8000-000000000001")
    person = notice(PERSON, "person/ana", state="ended", ended=iso(AT + HOUR), ended_why="Appeal")
    own = notice(OWN, "cell/sg", ground="rules", order="", staff=STAFF, until="")
    report: Said = {
        "v": 1,
        "at": iso(AT + 3 * HOUR),
        "notices": [clip, person | {"subject": "", "nonce": ""}, own],
        "orders": [court, police, hidden | {"told": False}, opened],
    }
    entries = [
        text(AT, "order", **{key: court[key] for key in ORDER}),
        text(AT, "order", **{key: police[key] for key in ORDER}),
        *(
            text(AT, "order-gagged", **{k: one[k] for k in ("order", "gag_until", "commit")})
            for one in (secret, opened)
        ),
        begun(clip),
        begun(person),
        begun(own),
        text(AT + MINUTE, "order-settled", order=COURT, outcome="complied"),
        text(
            AT + MINUTE, "order-told", nonce=opened["nonce"], **{key: opened[key] for key in ORDER}
        ),
        text(AT + HOUR, "withheld-ended", notice=PERSON, ended_why="Appeal"),
    ]
    change(report, entries)
    if recount:
        report["counts"] = counts_of(report["orders"])
    world.entries["decisions"] += entries
    world.ledger()
    raw = json.dumps(report, ensure_ascii=False, indent=1)
    world.files["notices.json"] = raw.encode() + b"\n"


@case("notices-good", GREEN, about="Notices and orders of every kind, all as in the log.")
def _(world: World) -> None:
    lay(world)


@case("notices-new", GREEN, about="What came just before the report, or after, is not judged.")
def _(world: World) -> None:
    def change(report: Said, entries: list[bytes]) -> None:
        made = AT + 3 * HOUR
        late = notice("0199bbbb-0000-7000-8000-00000000000a", "cell/eu", at=iso(made))
        report["notices"].append(late)  # not yet in the log
        report["notices"][0] |= {"state": "ended", "ended": iso(made - MINUTE)}
        entries.append(text(made - MINUTE, "order-settled", order=POLICE, outcome="refused"))
        entries.append(begun(notice("0199bbbb-0000-7000-8000-00000000000b", "cell/xx"), made))

    lay(world, change)


def wrong(
    name: str, verdict: str, code: str, about: str, *, recount: bool = True
) -> Callable[[Callable[[Said, list[bytes]], None]], None]:
    def register(change: Callable[[Said, list[bytes]], None]) -> None:
        @case(f"notices-{name}", verdict, *([code] if code else []), about=about)
        def _(world: World) -> None:
            lay(world, change, recount)

    return register


@wrong("hidden", RED, "notices.missing", "The report leaves a notice out.")
def _(report: Said, _entries: list[bytes]) -> None:
    del report["notices"][0]


@wrong("made-up", RED, "notices.missing", "A notice without an entry.")
def _(report: Said, entries: list[bytes]) -> None:
    entries[:] = [one for one in entries if OWN.encode() not in one]


@wrong("order-hidden", RED, "notices.missing", "The report leaves an order out.")
def _(report: Said, _entries: list[bytes]) -> None:
    del report["orders"][1]


@wrong("twice", UNSURE, "notices.format", "A notice stands twice in the report.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"].append(report["notices"][0])


@wrong("other-country", RED, "notices.differ", "The report names fewer countries than the log.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"][0]["countries"] = ["FR"]


@wrong("other-law", RED, "notices.differ", "The report names another law than the log.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"][0]["law"] = "None at all"


@wrong("not-ended", RED, "notices.differ", "The log says that it has ended, the report not.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"][1] |= {"state": "in-force", "ended": ""}


@wrong("ended-unsaid", RED, "notices.differ", "The report says that it has ended, the log not.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"][0] |= {"state": "ended", "ended": iso(AT + HOUR)}


@wrong("other-outcome", RED, "notices.differ", "An order was refused, as the report says only.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["orders"][1]["outcome"] = "refused"


@wrong("fewer-persons", RED, "notices.differ", "An order was about more than the report says.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["orders"][1]["persons"] = 1


@wrong("told-too-early", RED, "notices.differ", "The report tells of an order under a gag.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["orders"][2] |= gagged(SECRET, "2027-11-26")


@wrong("other-subject", RED, "notices.subject", "The report says that it is about another clip.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"][0]["subject"] = "clip/0199dddd-0000-7000-8000-000000000002"


@wrong("other-reason", RED, "notices.subject", "The reason was changed afterwards.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"][0]["reason"] = "Nobody liked it very much."


@wrong("unopened", RED, "notices.subject", "It is named, and the commitment cannot be opened.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["notices"][0]["nonce"] = ""


@wrong("gag-other", RED, "notices.subject", "A gag ends, and something else is told.")
def _(report: Said, entries: list[bytes]) -> None:
    report["orders"][3]["persons"] = 2
    said = json.loads(entries[8])
    entries[8] = canonical(said | {"persons": 2})


@wrong(
    "numbers",
    RED,
    "notices.counts",
    "The numbers are not those of the orders.",
    recount=False,
)
def _(report: Said, _entries: list[bytes]) -> None:
    report["counts"] = counts_of(report["orders"]) | {"persons": 1}


@wrong("no-numbers", RED, "notices.counts", "There are no numbers.", recount=False)
def _(report: Said, _entries: list[bytes]) -> None:
    del report["v"]


@case("notices-newer", GREEN, about="What is newer than the log cannot be in it.")
def _(world: World) -> None:
    def change(report: Said, _entries: list[bytes]) -> None:
        made = SEEN + 2 * HOUR
        report["at"] = iso(made)
        late = notice("0199bbbb-0000-7000-8000-00000000000a", "cell/eu", at=iso(SEEN + MINUTE))
        report["notices"].append(late)

    lay(world, change)


@wrong("not-new", RED, "notices.missing", "What was there when the log was seen has to be in it.")
def _(report: Said, _entries: list[bytes]) -> None:
    report["at"] = iso(SEEN + 2 * HOUR)
    late = notice("0199bbbb-0000-7000-8000-00000000000a", "cell/eu", at=iso(SEEN))
    report["notices"].append(late)


@wrong("garbage", UNSURE, "notices.format", "The report has no time.")
def _(report: Said, _entries: list[bytes]) -> None:
    del report["at"]


def ground(name: str, about: str, **fields: Any) -> None:
    @case(f"ground-{name}", RED, "notices.ground", about=about)
    def _(world: World) -> None:
        def change(report: Said, entries: list[bytes]) -> None:
            report["notices"][0] |= fields
            entries[4] = begun(report["notices"][0])

        lay(world, change)


ground("no-order", "A court's notice that names no order.", order="")
ground("other-order", "A notice that names an order which the log does not have.", order=CLIP)
ground("nobody", "By the cell's own rules, and nobody has signed.", ground="rules", order="")
ground(
    "one-of-staff", "One of the staff signed twice.", ground="rules", order="",
    staff=[STAFF[0], STAFF[0]],
)  # fmt: skip


def gag(name: str, verdict: str, until: int, about: str) -> None:
    codes = ("notices.gag",) if verdict == RED else ()

    @case(f"gag-{name}", verdict, *codes, about=about)
    def _(world: World) -> None:
        day = iso(until)[:10]
        secret = gagged(SECRET, day)

        def change(report: Said, entries: list[bytes]) -> None:
            report["orders"][2] |= {"gag_until": day, "commit": secret["commit"]}
            keys = ("order", "gag_until", "commit")
            entries[2] = text(AT, "order-gagged", **{key: secret[key] for key in keys})

        lay(world, change)


gag("over", RED, NOW - 3 * DAY, "A gag ended three days ago, and the log does not tell the rest.")
gag("just-over", GREEN, NOW - DAY, "A gag ended yesterday; the log has another day to tell.")


@case("gag-no-day", RED, "notices.gag", "notices.differ", about="A gag without a day.")
def _(world: World) -> None:
    def change(report: Said, entries: list[bytes]) -> None:
        said = json.loads(entries[2])
        del said["gag_until"]
        entries[2] = canonical(said | {"gag_until": "some day"})

    lay(world, change)
