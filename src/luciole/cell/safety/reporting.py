"""Taking reports: of who has an account, by the form without one, and those of messages."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

from luciole.cell.clips.comments.model import NoSuchComment
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.model import NoSuchClip
from luciole.cell.clips.service import Clips
from luciole.cell.people.model import handle_sought
from luciole.cell.safety import refusals, statement, store, suggesting
from luciole.cell.safety.model import (
    MAX_EXPLANATION,
    Category,
    Found,
    Report,
    Via,
    severity_of,
)
from luciole.cell.safety.store import queue
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import LAST_ID, new_id
from luciole.kit.queue import Queue
from luciole.ledger import store as ledger

LOG = "decisions"
CODE_BYTES = 16
MATCH_JOB = "safety.match"
AT_ONCE = 100
LISTED = 100


class Reporting:
    """Takes reports in."""

    def __init__(self, clips: Clips, comments: Comments, clock: Clock, queue: Queue) -> None:
        self._clips = clips
        self._comments = comments
        self._clock = clock
        self._queue = queue

    async def find(self, tx: Tx, what: str, name: str, viewer_id: UUID | None) -> Found:
        """What a viewer wants to report, as far as they may see it: a clip or a comment by its id,
        a person by their handle. Raises NothingToReport, OwnThing."""
        found: Found | None = None
        try:
            if what == "clip":
                await self._clips.see(tx, UUID(name), viewer_id)
                found = (await store.clip(tx, UUID(name)) or (None,))[0]
            elif what == "comment":
                await self._comments.see(tx, UUID(name), viewer_id)
                found = (await store.comment(tx, UUID(name)) or (None,))[0]
            elif what == "person":
                handle = handle_sought(name)
                found = await store.person(tx, handle) if handle else None
        except (ValueError, NoSuchClip, NoSuchComment):
            found = None
        if found is None:
            raise refusals.NothingToReport
        if found.person_id == viewer_id:
            raise refusals.OwnThing
        return found

    async def report(
        self,
        tx: Tx,
        reporter_id: UUID,
        found: Found,
        *,
        category: Category,
        is_illegal: bool,
        explanation: str,
    ) -> Report:
        """A report of who has an account. Raises BadReport."""
        words = clean(explanation)
        if is_illegal and not words:
            # Article 16(2)(a): a sufficiently substantiated explanation.
            raise refusals.BadReport
        return await self._add(
            tx, found, "account", category, is_illegal, words, reporter_id=reporter_id
        )

    async def notice(
        self,
        tx: Tx,
        found: Found,
        *,
        category: Category,
        explanation: str,
        name: str,
        email: str,
        locale: str,
    ) -> tuple[Report, str]:
        """A notice of something illegal by the form without an account; and the code by which its
        outcome is found. Raises BadReport."""
        words = clean(explanation)
        if not words:
            raise refusals.BadReport
        code = secrets.token_urlsafe(CODE_BYTES)
        report = await self._add(
            tx, found, "form", category, True, words, code_hash=code_hash(code)
        )
        name, email = clean(name), clean(email)
        if name or email:
            await store.add_notifier(tx, report.id, name, email, locale)
        return report, code

    async def gather(self, tx: Tx) -> bool:
        """Takes in what was disclosed of messages since, and closes what is gone; whether there
        may be more."""
        new = await store.new_message_reports(tx, AT_ONCE)
        for one in new:
            found = Found("message", one.about_id, message_report_id=one.id)
            # What is in it, its reason too, is sealed: two of the staff open it.
            await self._add(
                tx, found, "message", "not-specified-notice", False, "", reporter_id=one.reporter_id
            )
        gone = await store.gone(tx, AT_ONCE)
        for review_id in gone:
            now = self._clock.now()
            answered = await store.answer(tx, review_id, "gone", "", now)
            await queue.settle(tx, review_id, "gone", now)
            await suggesting.settle(tx, review_id, "gone", now)
            if answered:
                ids = [report_id for report_id, _ in answered]
                await ledger.put(tx, LOG, statement.answered_entry(ids, "gone", now))
        return AT_ONCE in (len(new), len(gone))

    async def mine(self, tx: Tx, person_id: UUID) -> list[Report]:
        """What somebody has reported, the newest first."""
        return await store.of_reporter(tx, person_id, LAST_ID, LISTED)

    async def by_code(self, tx: Tx, code: str) -> Report:
        """What became of a notice by the form. Raises NoSuchReport."""
        report = await store.by_code(tx, code_hash(code))
        if report is None:
            raise refusals.NoSuchReport
        return report

    async def _add(
        self,
        tx: Tx,
        found: Found,
        via: Via,
        category: Category,
        is_illegal: bool,
        words: str,
        *,
        reporter_id: UUID | None = None,
        code_hash: bytes | None = None,
    ) -> Report:
        now = self._clock.now()
        key = f"{found.clip_id or found.comment_id or found.message_report_id or found.person_id}"
        await store.hold(tx, key)
        review_id = await store.open_of(tx, found)
        if review_id is None:
            review_id = new_id()
            await store.open_review(tx, review_id, category, severity_of(category), now)
            await store.add_subject(tx, new_id(), review_id, found)
            if found.clip_id is not None:
                await self._queue.put(tx, MATCH_JOB, {"review_id": str(review_id)})
        else:
            await store.raise_severity(tx, review_id, category, severity_of(category))
        report = Report(
            new_id(), review_id, found.what, category, is_illegal, words, now, "waiting", "", None
        )
        # Sent again, or many times, it would look like the word of many.
        if reporter_id is not None and (first := await store.same(tx, report, reporter_id)):
            return first
        subject_id = await store.subject_of(tx, review_id, found)
        await store.add(tx, report, subject_id, reporter_id, code_hash)
        await ledger.put(tx, LOG, statement.report_entry(report, via))
        return report


def clean(text: str) -> str:
    """A text without what cannot be shown. Raises BadReport where it is too long."""
    words = "".join(one for one in text.replace("\r\n", "\n") if one == "\n" or one.isprintable())
    if len(words.strip()) > MAX_EXPLANATION:
        raise refusals.BadReport
    return words.strip()


def code_hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
