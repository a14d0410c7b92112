"""All settings of a cell: one frozen class, a section per folder, read once from the environment.

`docs/reference/settings.md` is generated from this folder: the comment line after `#:` above a
field is its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, get_type_hints

import msgspec

from luciole.config.rules import AGE_BANDS, LOOPBACK, faults
from luciole.config.sections import (
    ROLES,
    AbroadSettings,
    BorderSettings,
    CellSettings,
    ContactsSettings,
    DatabaseSettings,
    FeedSettings,
    KeysSettings,
    LedgerSettings,
    MediaSettings,
    MessagesSettings,
    PacesSettings,
    PeopleSettings,
    Process,
    RightsSettings,
    SearchSettings,
    TrusteeSettings,
    WebSettings,
    WorkerSettings,
)

__all__ = [
    "AGE_BANDS",
    "LOOPBACK",
    "PREFIX",
    "ROLES",
    "AbroadSettings",
    "BorderSettings",
    "CellSettings",
    "ContactsSettings",
    "DatabaseSettings",
    "FeedSettings",
    "KeyPlace",
    "KeysSettings",
    "LedgerSettings",
    "MediaSettings",
    "MessagesSettings",
    "PacesSettings",
    "PeopleSettings",
    "Process",
    "RightsSettings",
    "SearchSettings",
    "SettingError",
    "Settings",
    "TrusteeSettings",
    "WebSettings",
    "WorkerSettings",
    "load",
    "names",
]

PREFIX = "LUCIOLE_"


class KeyPlace(TypedDict):
    """Where the root of the keys is, and how it is reached."""

    where: str
    folder: Path
    token_file: Path | None
    ca_file: Path | None


class SettingError(Exception):
    """A setting that cannot be used; the text names it and says what is expected."""


class Settings(msgspec.Struct, frozen=True):
    """Everything that can be set, and nothing that is found out at run time."""

    #: Folder with everything that the cell keeps.
    data_dir: str = "var"
    #: Object store: empty for a folder in data_dir, or a URL such as s3://bucket/prefix.
    blobs: str = ""
    #: debug, info, warning or error.
    log_level: str = "info"
    #: Whether people may have their devices woken through a push service: on or off.
    push: str = "on"
    cell: CellSettings = CellSettings()
    database: DatabaseSettings = DatabaseSettings()
    keys: KeysSettings = KeysSettings()
    web: WebSettings = WebSettings()
    people: PeopleSettings = PeopleSettings()
    media: MediaSettings = MediaSettings()
    worker: WorkerSettings = WorkerSettings()
    ledger: LedgerSettings = LedgerSettings()
    rights: RightsSettings = RightsSettings()
    border: BorderSettings = BorderSettings()
    contacts: ContactsSettings = ContactsSettings()
    feed: FeedSettings = FeedSettings()
    messages: MessagesSettings = MessagesSettings()
    paces: PacesSettings = PacesSettings()
    search: SearchSettings = SearchSettings()
    trustee: TrusteeSettings = TrusteeSettings()
    abroad: AbroadSettings = AbroadSettings()

    @property
    def data(self) -> Path:
        return Path(self.data_dir).absolute()

    @property
    def blobs_place(self) -> str:
        return self.blobs or str(self.data / "blobs")

    @property
    def keys_dir(self) -> Path:
        return self.data / "keys"

    @property
    def custody_dir(self) -> Path:
        """Sockets of the key broker, one for each process that may ask it."""
        return self.data / "run" / "custody"

    @property
    def gateway_dir(self) -> Path:
        """Sockets of the gateway's outward door, one for each process that may ask it."""
        return self.data / "run" / "gateway"

    @property
    def trustee_socket(self) -> Path:
        """Where the trustee process answers the gateway."""
        return self.data / "run" / "trustee.sock"

    @property
    def incoming_dir(self) -> Path:
        """Films of other cells that the gateway has fetched, by their SHA-256."""
        return self.data / "border" / "incoming"

    @property
    def pages_here(self) -> str:
        """Where the pages answer on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.web.host, self.web.host)  # noqa: S104
        return f"http://{host}:{self.web.port}"

    @property
    def border_origin(self) -> str:
        """The origin under which other cells reach this one."""
        return (self.border.origin or self.origin).rstrip("/")

    @property
    def ranking_socket(self) -> Path:
        """Where the process of ranking answers, where there is one."""
        return self.data / "run" / "ranking.sock"

    @property
    def key_place(self) -> KeyPlace:
        """Arguments of `keys.open_root` and `keys.open_secret`."""
        return {
            "where": self.keys.root,
            "folder": self.keys_dir,
            "token_file": Path(self.keys.token_file) if self.keys.token_file else None,
            "ca_file": Path(self.keys.ca_file) if self.keys.ca_file else None,
        }

    @property
    def abroad_dir(self) -> Path:
        """What belongs to the backup in another cell: its public key, what was sent, the log that
        waits."""
        return self.data / "abroad"

    @property
    def witness_dir(self) -> Path:
        """What the cell's own witness holds; as much as the archive of the log."""
        return self.data / "witness"

    @property
    def witness_socket(self) -> Path:
        """Where the cell's own witness answers the log's process."""
        return self.data / "run" / "witness.sock"

    @property
    def mirrors_dir(self) -> Path:
        """What the witness holds of the logs of peers, by the ids of their cells."""
        return self.witness_dir / "peers"

    @property
    def trustee_dir(self) -> Path:
        """What the trustee holds for other cells."""
        return self.data / "trustee"

    @property
    def witnesses_file(self) -> Path:
        return Path(self.ledger.witnesses or self.data / "ledger" / "witnesses")

    @property
    def work_dir(self) -> Path:
        """Scratch space of running jobs; nothing in it survives its job."""
        return self.data / "work"

    @property
    def push_contact(self) -> str:
        """Who stands behind our pushes, for push services; empty where nobody can be reached."""
        return self.border.contact or (self.origin if self.is_secure else "")

    @property
    def code_kinds(self) -> frozenset[str]:
        """Kinds of addresses to which codes can be sent; none without a place to send them."""
        by_program = self.border.codes_kinds.split() if self.border.codes_url else []
        return frozenset([*by_program, *(["email"] if self.border.mail_url else [])])

    @property
    def origin(self) -> str:
        return (self.web.origin or f"http://localhost:{self.web.port}").rstrip("/")

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https://")


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from `LUCIOLE_DATA_DIR`, `LUCIOLE_WEB_PORT` and so on; defaults for the rest.

    Raises SettingError for a value of the wrong form and for a `LUCIOLE_` name that is unknown
    inside a known section.
    """
    values: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}
    for name, kind in get_type_hints(Settings).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            sections[name] = {}
            for field, field_kind in get_type_hints(kind).items():
                _take(environ, f"{PREFIX}{name}_{field}".upper(), field_kind, sections[name], field)
            _refuse_unknown(environ, name, kind)
        else:
            _take(environ, f"{PREFIX}{name}".upper(), kind, values, name)
    if "url" not in sections["database"] and environ.get("DATABASE_URL"):
        sections["database"]["url"] = environ["DATABASE_URL"]
    for process in ROLES:
        alias = environ.get(f"DATABASE_URL_{process.upper()}")
        if alias:
            sections["database"].setdefault(f"{process}_url", alias)
    try:
        settings = msgspec.convert(values | sections, Settings)
    except msgspec.ValidationError as error:
        raise SettingError(str(error)) from error
    for fault in faults(settings):
        raise SettingError(fault)
    return settings


def names() -> dict[str, tuple[str, Any]]:
    """Every setting: its environment name, its section and default; for the reference docs."""
    found: dict[str, tuple[str, Any]] = {}
    defaults = Settings()
    for name, kind in get_type_hints(Settings).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            for field in get_type_hints(kind):
                found[f"{PREFIX}{name}_{field}".upper()] = (
                    name,
                    getattr(getattr(defaults, name), field),
                )
        else:
            found[f"{PREFIX}{name}".upper()] = ("", getattr(defaults, name))
    return found


def _take(
    environ: Mapping[str, str], variable: str, kind: Any, into: dict[str, Any], field: str
) -> None:
    text = environ.get(variable)
    if text is None:
        return
    if kind is bool:
        if text.lower() not in ("1", "true", "yes", "0", "false", "no", ""):
            raise SettingError(f"{variable} is {text!r}; it should be true or false.")
        into[field] = text.lower() in ("1", "true", "yes")
    elif kind is int:
        try:
            into[field] = int(text.replace("_", ""))
        except ValueError:
            raise SettingError(f"{variable} is {text!r}; it should be a whole number.") from None
    else:
        into[field] = text


def _refuse_unknown(environ: Mapping[str, str], section: str, kind: type[msgspec.Struct]) -> None:
    prefix = f"{PREFIX}{section}_".upper()
    known = {f"{prefix}{field}".upper() for field in get_type_hints(kind)}
    for variable in environ:
        if variable.startswith(prefix) and variable not in known:
            raise SettingError(
                f"{variable} is not a setting. Known ones here: {', '.join(sorted(known))}."
            )
