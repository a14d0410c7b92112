"""Routes of the console. Each look is noted, each act is an entry of the log; what a role may see
is in `model.PAGES`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, delete, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter
from litestar.response import Stream

from luciole.ask.client import Custody
from luciole.cell.console import model, shapes
from luciole.cell.console.desk import Desk
from luciole.cell.console.model import Page, Shift
from luciole.cell.console.service import Console
from luciole.cell.people.model import Viewer
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.errors import NotSignedIn
from luciole.kit.web import AnyRequest, session_token

StaffToken = Callable[[AnyRequest], Awaitable[str]]
JSON_LINES = "application/jsonl"
NO_STORE = {"cache-control": "private, no-store"}
LIST = {200: ResponseSpec(Any, False, "A line about the list, then one an act.", JSON_LINES)}
JobId = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]


def staff_token(db: Database, people: People, desk: Desk) -> StaffToken:
    """For the routes of other slices where notices and reads are signed: the session of who asks,
    once a passkey has opened the console on it."""

    async def opened(request: AnyRequest) -> str:
        async with db.tx() as tx:
            await desk.sign(tx, await people.require(tx, request))
        token = session_token(request)
        if token is None:
            raise NotSignedIn
        return token

    return opened


def routes(db: Database, people: People, console: Console, custody: Custody) -> Router:
    """The routes of the console over their collaborators."""
    desk, looking = console.desk, console.looking

    async def look(tx: Tx, request: AnyRequest, page: Page) -> Shift:
        return await desk.look(tx, await people.require(tx, request), page)

    async def lets_in(tx: Tx, request: AnyRequest) -> Shift:
        return await desk.at_work(tx, await people.require(tx, request), "joining")

    async def shift_of(tx: Tx, viewer: Viewer) -> shapes.ShiftBody:
        roles, shift = await desk.roles(tx, viewer), await desk.now(tx, viewer)
        pages = [page for page, may in model.PAGES.items() if shift and shift.role in may]
        return shapes.ShiftBody(
            roles, shift.role if shift else None, shift.ends_at if shift else None, pages
        )

    @get("/shift")
    async def shift(request: AnyRequest) -> shapes.ShiftBody:
        """As what the viewer may work here, and the shift that is open on this session."""
        async with db.read() as tx:
            return await shift_of(tx, await people.require(tx, request))

    @post("/shifts")
    async def ask(request: AnyRequest, data: JSONBody[shapes.ShiftNew]) -> shapes.ShiftAsked:
        """What one of the staff signs with their passkey to begin in a role, within five
        minutes."""
        async with db.tx() as tx:
            asked, text = await desk.ask(tx, await people.require(tx, request), data.role)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")
        return shapes.ShiftAsked(asked.id, text.decode(), digest)

    @post("/shifts/{shift_id:uuid}/signature")
    async def begin(
        request: AnyRequest, shift_id: FromPath[UUID], data: JSONBody[shapes.Signature]
    ) -> shapes.ShiftBody:
        """Begins work on this device, for two hours. It is an entry of the log."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            asked, text = await desk.asked(tx, viewer, shift_id)
        staff_id = await custody.signer_of(text, data.credential, asked.role)
        async with db.tx() as tx:
            await desk.begin(tx, viewer, asked, staff_id)
            return await shift_of(tx, viewer)

    @delete("/shift", status_code=204)
    async def end(request: AnyRequest) -> None:
        """Ends work on this device."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await desk.roles(tx, viewer)
            await desk.end(tx, viewer)

    @get("/overview")
    async def overview(request: AnyRequest) -> shapes.Overview:
        """How all parts of the cell are."""
        async with db.tx() as tx:
            await look(tx, request, "overview")
        seen = await looking.seen()
        async with db.read() as tx:
            return await looking.overview(tx, seen)

    @get("/people")
    async def accounts(request: AnyRequest) -> shapes.Figures:
        """How many people there are of which kind; nobody in particular."""
        async with db.tx() as tx:
            await look(tx, request, "people")
            return await looking.figures(tx, "people.")

    @get("/joining")
    async def joining(request: AnyRequest) -> shapes.Joining:
        """How the cell takes people, and how many wait and are invited; who, to operators."""
        async with db.tx() as tx:
            return await looking.joining(tx, await look(tx, request, "joining"))

    @post("/joining/requests/{request_id:uuid}/approval", status_code=204)
    async def approve(request: AnyRequest, request_id: FromPath[UUID]) -> None:
        """Lets somebody in who waits. It is an entry of the log, which does not say whom."""
        async with db.tx() as tx:
            await console.approve(tx, await lets_in(tx, request), request_id)

    @post("/joining/requests/{request_id:uuid}/refusal", status_code=204)
    async def refuse(
        request: AnyRequest, request_id: FromPath[UUID], data: JSONBody[shapes.Refusal]
    ) -> None:
        """Tells somebody who waits why not. It is an entry of the log."""
        async with db.tx() as tx:
            await console.refuse(tx, await lets_in(tx, request), request_id, data.reason)

    @post("/joining/invitations")
    async def invite(
        request: AnyRequest, data: JSONBody[shapes.InvitationNew]
    ) -> shapes.InvitationMade:
        """A new invitation. It is an entry of the log: for how many, and how long."""
        async with db.tx() as tx:
            shift = await lets_in(tx, request)
            made = await console.invite(tx, shift, data.uses, data.days, data.note)
        return shapes.InvitationMade(*made)

    @delete("/joining/invitations/{invitation_id:uuid}", status_code=204)
    async def withdraw(request: AnyRequest, invitation_id: FromPath[UUID]) -> None:
        """Takes an invitation back. It is an entry of the log."""
        async with db.tx() as tx:
            await console.withdraw(tx, await lets_in(tx, request), invitation_id)

    @put("/joining/registration", status_code=204)
    async def take_people(request: AnyRequest, data: JSONBody[shapes.Registration]) -> None:
        """How the cell takes people from the next answer on. A change is an entry of the log."""
        async with db.tx() as tx:
            await console.take_people(tx, await lets_in(tx, request), data.mode)

    @get("/clips")
    async def clips(request: AnyRequest) -> shapes.Figures:
        """How many clips there are in which state, and what is withheld."""
        async with db.tx() as tx:
            await look(tx, request, "clips")
            return await looking.figures(tx, "clips.", "withheld.")

    @get("/queue")
    async def queue(request: AnyRequest) -> shapes.QueueBody:
        """What waits for moderators since when, and what each has taken on."""
        async with db.tx() as tx:
            return await looking.queue(tx, await look(tx, request, "queue"))

    @get("/jobs")
    async def jobs(request: AnyRequest) -> shapes.Jobs:
        """Background jobs, and those that are stuck."""
        async with db.tx() as tx:
            await look(tx, request, "jobs")
            return await looking.jobs(tx)

    @post("/jobs/{job_id:int}/retry")
    async def retry(request: AnyRequest, job_id: JobId) -> shapes.Healed:
        """Lets one stuck job run now, with all its attempts. It is an entry of the log."""
        async with db.tx() as tx:
            shift = await desk.at_work(tx, await people.require(tx, request), "jobs")
            return shapes.Healed([await console.retry(tx, shift, job_id)])

    @post("/jobs/healing")
    async def heal(request: AnyRequest) -> shapes.Healed:
        """Lets all stuck jobs run now. It is an entry of the log."""
        async with db.tx() as tx:
            shift = await desk.at_work(tx, await people.require(tx, request), "jobs")
            return shapes.Healed(await console.heal(tx, shift))

    @get("/storage")
    async def storage(request: AnyRequest) -> shapes.Storage:
        """Bytes by kind, room on the disks, and limits."""
        async with db.tx() as tx:
            await look(tx, request, "storage")
            return await looking.storage(tx)

    @get("/keys")
    async def keys(request: AnyRequest) -> shapes.Keys:
        """Which keys there are, and since when; none of them is in the answer."""
        async with db.tx() as tx:
            await look(tx, request, "keys")
        await looking.seen()
        public = await looking.public_keys()
        async with db.read() as tx:
            return await looking.keys(tx, public)

    @get("/policies")
    async def policies(request: AnyRequest) -> shapes.Policies:
        """What the cell goes by: settings in force without secrets, terms, least ages."""
        async with db.tx() as tx:
            await look(tx, request, "policies")
            return await looking.policies(tx)

    @get("/ledger")
    async def ledger(request: AnyRequest) -> shapes.LedgerBody:
        """The logs: heads, witnesses, entries by kind, and what cannot be read."""
        async with db.tx() as tx:
            await look(tx, request, "ledger")
        seen = await looking.seen()
        async with db.read() as tx:
            return await looking.ledger(tx, seen)

    @get("/acts")
    async def acts(request: AnyRequest, before: FromQuery[UUID | None] = None) -> shapes.Acts:
        """What the staff have looked at and done here, the newest first; and days that are over,
        matched with the log."""
        async with db.tx() as tx:
            await look(tx, request, "acts")
        await looking.seen()
        async with db.read() as tx:
            found, following = await desk.acts(tx, before)
            return shapes.Acts(
                [
                    shapes.ActBody(one.id, one.at, one.staff_id, one.role, one.act, one.what)
                    for one in found
                ],
                following,
                await looking.days(tx) if before is None else [],
            )

    @get("/acts/list", media_type=JSON_LINES, responses=LIST)
    async def taken(request: AnyRequest) -> Response[Any]:
        """The same as a file, of all days that are kept, for `luciole_acts.py`, which matches it
        with the log."""
        async with db.tx() as tx:
            await look(tx, request, "acts")
        head, since, until = desk.first_line((await looking.seen()).cell_id)

        async def written() -> AsyncIterator[bytes]:
            yield head
            at = since
            while True:
                async with db.read() as tx:
                    found = await desk.taken(tx, at, until)
                if found is None:
                    return
                some, at = found
                yield some

        name = f"luciole-acts-{until:%Y-%m-%d}.jsonl"
        headers = {**NO_STORE, "content-disposition": f'attachment; filename="{name}"'}
        return Stream(written(), headers=headers, media_type=JSON_LINES)

    handlers: list[Any] = [shift, ask, begin, end, overview, accounts, clips, queue, jobs, retry]
    handlers += [joining, approve, refuse, invite, withdraw, take_people]
    handlers += [heal, storage, keys, policies, ledger, acts, taken]
    return Router("/api/staff/console", route_handlers=handlers, tags=["console"])
