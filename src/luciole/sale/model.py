"""What a bundle says of itself, and why a sale is refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.copies.model import Part, TablePart
from luciole.kit.errors import Conflict, Invalid, NotFound, Unavailable
from luciole.sale.elsewhere import Holding

FORMAT = "luciole-bundle-v1"
CONTENTS = "contents.json"
MANIFEST = "manifest.json"
RECEIPT = "receipt.note"
# Between the announcement and the sale; a demonstration on one machine may do with less.
LEAST_NOTICE_DAYS = 30
MOST_NOTICE_DAYS = 365


class Contents(msgspec.Struct, frozen=True):
    """What a bundle holds besides the logs. `secret` is the key of its blocks, sealed to the buyer;
    `statement_key` signs what the seller says afterwards of having removed everything."""

    format: str
    id: UUID
    cell_id: UUID
    made_at: datetime
    version: str
    migrations: tuple[str, ...]
    seller: str
    seller_jurisdiction: str
    buyer: str
    secret: bytes
    persons: Part
    objects: Part
    objects_bytes: int
    tables: tuple[TablePart, ...]
    statement_key: str

    @property
    def rows_dir(self) -> str:
        return f"rows-{self.id}"


class Manifest(msgspec.Struct, frozen=True):
    """The end of a bundle: which contents, the last head of each log, the log's own tables, which
    are copied after that, and what other cells still hold of the cell."""

    format: str
    contents_sha256: str
    heads: dict[str, str]
    ledger: tuple[TablePart, ...]
    elsewhere: tuple[Holding, ...] = ()


class NotAnnounced(Conflict):
    code = "sale-not-announced"
    sentence = "People have not been told yet that this cell is to be handed over."
    next_step = "Run ./luciole divest --announce DAYS --to buyer.pub first."


class TooEarly(Conflict):
    code = "sale-too-early"
    sentence = "The time in which people may leave first is not over yet."
    next_step = "Wait for its end; ./luciole divest says when that is."


class NoticeTooShort(Invalid):
    code = "sale-notice"
    sentence = f"People get {LEAST_NOTICE_DAYS} to {MOST_NOTICE_DAYS} days to leave first."
    next_step = "Give a number of days in that range."


class SaleUnderWay(Conflict):
    code = "sale-under-way"
    sentence = "A sale of this cell is under way already."
    next_step = "Go on with that one, or take it back with ./luciole divest --cancel."


class OtherBuyer(Conflict):
    code = "sale-other-buyer"
    sentence = "This is another buyer than the one whom people were told of."
    next_step = "Take the sale back with ./luciole divest --cancel, and announce this one."


class PastReturn(Conflict):
    code = "sale-past-return"
    sentence = "The logs of this cell are being handed over, so it does not start here any more."
    next_step = "Go on with the same ./luciole divest until the bundle is whole."


class BundleDiffers(Conflict):
    code = "sale-bundle-differs"
    sentence = "This is not the bundle that the log names, or a file of it was changed."
    next_step = "Name the folder of the bundle that was begun; without it this sale cannot end."


class NotWhole(NotFound):
    code = "sale-not-whole"
    sentence = "This bundle is not whole: the seller has not finished it."
    next_step = "Ask the seller to run ./luciole divest once more into the same folder."


class BadBundle(Invalid):
    code = "sale-bad-bundle"
    sentence = "This bundle was changed or damaged, or is not signed by who ran the cell."
    next_step = "Get it again. If it stays so, do not start it: show it to the cell's witnesses."


class NotForUs(Conflict):
    code = "sale-other-key"
    sentence = "This bundle is sealed to another key."
    next_step = "Name the key whose public half the seller got."


class AdoptNotEmpty(Conflict):
    code = "sale-not-empty"
    sentence = "There is a cell in this place already."
    next_step = "Adopt into an empty data folder and an empty database."


class NotDivested(Conflict):
    code = "sale-not-divested"
    sentence = "This cell has not been handed over, so nothing of it is destroyed."
    next_step = "Run ./luciole divest to its end first."


class NoReceipt(Conflict):
    code = "sale-no-receipt"
    sentence = "There is no receipt by which the buyer says to have opened the whole bundle."
    next_step = "Give it with --receipt; without it, what is destroyed here may be all there is."


class NotHandedOver(Unavailable):
    code = "sale-witnesses"
    sentence = "The log could not be brought to its end."
    next_step = "Run it again; ./luciole doctor looks for the usual causes."


def read_contents(folder: Path) -> tuple[Contents, bytes]:
    """Raises NotWhole, BadBundle."""
    try:
        raw = (folder / CONTENTS).read_bytes()
        contents = msgspec.json.decode(raw, type=Contents)
    except FileNotFoundError:
        raise NotWhole from None
    except (msgspec.MsgspecError, OSError) as error:
        raise BadBundle from error
    if contents.format != FORMAT:
        raise BadBundle
    return contents, raw
