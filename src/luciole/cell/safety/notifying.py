"""Writing to who sent a notice without an account and gave an address (Regulation (EU) 2022/2065,
article 16(4) and (5)): that it came, and what became of it.

The mail leaves through the gateway to the operator's mail server (`border.wire.NoticeMail`). It has
no word of the notice or of whom it is about, for the address need not be the writer's. The address
is forgotten with the right to appeal; one to which nothing can be sent, at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import msgspec

from luciole.ask.gateway import PeerRefused, PeerUnreachable
from luciole.border.wire import NoticeMail
from luciole.cell.safety import model
from luciole.cell.safety.store import notifiers
from luciole.cell.safety.store.notifiers import ToTell
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx

AT_ONCE = 20
# From here on a mail server's word is for good (RFC 5321, section 4.2.1).
FOR_GOOD = 500


class Outside(Protocol):
    """What of `ask.gateway.Outward` is needed here."""

    async def send_notice(self, mail: NoticeMail) -> None: ...


class Notifying:
    """Writes to who sent a notice. `takes_email`: the operator has a mail server."""

    def __init__(
        self, outside: Outside, *, takes_email: bool, cell: str, origin: str, clock: Clock
    ) -> None:
        self._outside, self._clock = outside, clock
        self.takes_email, self._cell, self._page = takes_email, cell, f"{origin}/report"

    async def received(self, email: str, locale: str, code: str) -> bool:
        """Sends a receipt with the code; whether the mail server has taken it. Only here does the
        code leave: it is kept as a hash."""
        page = f"{self._page}#{code}"
        try:
            await self._outside.send_notice(NoticeMail(email, "received", self._cell, locale, page))
        except (PeerUnreachable, PeerRefused):
            return False
        return True

    async def tell(self, db: Database) -> None:
        """Writes to those who have not been told of what stands now. If we stop between a mail and
        the note of it, that mail goes a second time."""
        if not self.takes_email:
            return
        since = self._clock.now() - timedelta(days=model.MAIL_TRIED_DAYS)
        async with db.read() as tx:
            waiting = await notifiers.to_tell(tx, since, AT_ONCE)
        for one in waiting:
            try:
                await self._outside.send_notice(self._mail(one))
            except PeerUnreachable:
                return  # of no use for the others either: in a minute again
            except PeerRefused as refused:
                if refused.status >= FOR_GOOD:
                    async with db.tx() as tx:
                        await notifiers.forget_address(tx, one.report_id)
                continue
            async with db.tx() as tx:
                await notifiers.told(tx, one.report_id, one.outcome)

    async def tidy(self, tx: Tx) -> None:
        """Forgets who sent notices of which nothing can be said any more."""
        now = self._clock.now()
        await notifiers.tidy(
            tx,
            now - timedelta(days=model.NOTIFIER_KEPT_DAYS),
            now - timedelta(days=model.MAIL_TRIED_DAYS),
        )

    def _mail(self, one: ToTell) -> NoticeMail:
        ends = one.decided_at + timedelta(days=model.APPEAL_DAYS)
        said = {
            "to": one.email,
            "what": one.outcome,
            "cell": self._cell,
            "locale": one.locale,
            "page": self._page,
            "until": ends.date().isoformat() if one.outcome == "no-violation" else "",
        }
        return msgspec.convert(said | {"kind": "notice"}, NoticeMail)
