"""All settings of a cell: one frozen class, a section per folder, read once from the environment.

`docs/reference/settings.md` is generated from this file: the comment line after `#:` above a
field is its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict, get_type_hints

import msgspec

from luciole.setting_rules import LOOPBACK as LOOPBACK
from luciole.setting_rules import faults

PREFIX = "LUCIOLE_"
Process = Literal["api", "worker", "custody", "ledger", "gateway"]
# Roles of the database as which the processes of a cell act.
ROLES: dict[Process, str] = {
    "api": "luciole_api",
    "worker": "luciole_worker",
    "custody": "luciole_custody_process",
    "ledger": "luciole_ledger_process",
    "gateway": "luciole_gateway_process",
}


class KeyPlace(TypedDict):
    """Where the root of the keys is, and how it is reached."""

    where: str
    folder: Path
    token_file: Path | None
    ca_file: Path | None


class SettingError(Exception):
    """A setting that cannot be used; the text names it and says what is expected."""


class CellSettings(msgspec.Struct, frozen=True):
    """Who runs this cell, and where."""

    #: Name of the cell as people see it.
    name: str = "Luciole"
    #: Who runs it: a person or a company, with the legal name.
    operator: str = "an operator who has not given a name"
    #: Jurisdiction whose law applies to it, as an ISO 3166 code.
    jurisdiction: str = "ZZ"
    #: Youngest age band that may have an account: 13-15, 16-17 or 18+.
    minimum_age_band: str = "13-15"
    #: A demonstration on one machine; some refusals become warnings, on loopback only.
    demo: bool = False
    #: Where the source code of the running version can be had (AGPL, section 13).
    source_url: str = ""


class DatabaseSettings(msgspec.Struct, frozen=True):
    """PostgreSQL: the one that Luciole brings along, or another by URL."""

    #: Owner's URL of a PostgreSQL 15 or newer (also DATABASE_URL); empty: the embedded one.
    url: str = ""
    #: URL for the API process; empty: the owner's URL with SET ROLE luciole_api.
    api_url: str = ""
    #: URL for the worker process; empty: the owner's URL with SET ROLE luciole_worker.
    worker_url: str = ""
    #: URL for the key broker; empty: the owner's URL with SET ROLE luciole_custody_process.
    custody_url: str = ""
    #: URL for the log's process; empty: the owner's URL with SET ROLE luciole_ledger_process.
    ledger_url: str = ""
    #: URL for the gateway; empty: the owner's URL with SET ROLE luciole_gateway_process.
    gateway_url: str = ""
    #: Connections that one process keeps open at most.
    pool_size: int = 10

    def login(self, process: Process) -> tuple[str, str | None]:
        """URL of that process, and the role to act as where the login is not its own."""
        own: str = getattr(self, f"{process}_url")
        return (own, None) if own else (self.url, ROLES[process])


class KeysSettings(msgspec.Struct, frozen=True):
    """The key broker: where the root key is, and how long copies of keys live."""

    #: Root key: file: (keys/root.key in data_dir), file:PATH, transit:https://… or pkcs11:…
    root: str = "file:"
    #: With transit: file with the token of OpenBao or Vault; empty: keys/root.token.
    token_file: str = ""
    #: With transit: file with the certificate that its server is checked against.
    ca_file: str = ""
    #: Days after which all keys of people are wrapped anew and the former wraps become useless.
    epoch_days: int = 7
    #: Folder for hourly copies of the key store, kept for 24 hours; empty: none.
    backup_dir: str = ""


class WebSettings(msgspec.Struct, frozen=True):
    """The HTTP API and the pages."""

    #: Address to listen on. Put a TLS proxy in front before leaving loopback.
    host: str = "127.0.0.1"
    #: TCP port.
    port: int = 8080
    #: Origin under which browsers see the cell; empty: http://localhost:PORT.
    origin: str = ""
    #: API processes.
    processes: int = 1
    #: Folder of the built web client; empty: found beside the code.
    dist: str = ""
    #: Bearer token for /metrics; empty: only a direct request from this machine gets an answer.
    metrics_token: str = ""
    #: Largest body of an API request in bytes (uploads have their own limit).
    max_body_bytes: int = 1_048_576


class PeopleSettings(msgspec.Struct, frozen=True):
    """Accounts and sessions."""

    #: Days after which an unused session ends.
    session_days: int = 30
    #: Sign-ups that one network address may make in an hour.
    sign_ups_per_hour: int = 20
    #: Failed or successful sign-in attempts a minute, per handle and per network address.
    sign_ins_per_minute: int = 20
    #: Password checks that may wait for one of the two threads that do them.
    password_queue: int = 32


class MediaSettings(msgspec.Struct, frozen=True):
    """Uploads, decoding and delivery."""

    #: Largest file that may be uploaded, in bytes (300 MiB).
    max_upload_bytes: int = 314_572_800
    #: Longest clip after trimming, in milliseconds.
    max_duration_ms: int = 180_000
    #: Uploads that one person may have open at once.
    max_open_uploads: int = 5
    #: Films of one person kept as they were sent: unfinished, not published, or still being made.
    max_held_uploads: int = 40
    #: Hours after which an unfinished upload is forgotten.
    upload_hours: int = 24
    #: Free disk space in bytes below which uploads are refused (1 GiB).
    min_free_bytes: int = 1_073_741_824
    #: Seconds for which a signed address of a restricted clip is good.
    signed_url_s: int = 300
    #: Decode without a fence where the platform has none; only together with a demo on loopback.
    allow_unfenced_decoding: bool = False


class RightsSettings(msgspec.Struct, frozen=True):
    """What people take along and bring along."""

    #: Largest export of another cell that may be brought along, in bytes (20 GiB).
    max_import_bytes: int = 21_474_836_480


class WorkerSettings(msgspec.Struct, frozen=True):
    """Background jobs."""

    #: Jobs that one worker does at the same time.
    slots: int = 4
    #: Clips that are encoded at the same time in one worker.
    encoders: int = 2
    #: TCP port on loopback where the worker answers with its metrics; 0: none.
    metrics_port: int = 0


class LedgerSettings(msgspec.Struct, frozen=True):
    """The running log and its witnesses."""

    #: Milliseconds between two rounds in which entries get their place and are cosigned.
    period_ms: int = 250
    #: File of witnesses, one line each as they print it; empty: ledger/witnesses in data_dir.
    witnesses: str = ""
    #: How many witnesses of that file must cosign before a head is published; 0: the own one does.
    quorum: int = 0
    #: TCP port on loopback where the log's process answers with its metrics; 0: none.
    metrics_port: int = 0


class BorderSettings(msgspec.Struct, frozen=True):
    """The gateway: the one process that speaks outside."""

    #: Push services that it may speak to, as origins parted by blanks; *. stands for all below.
    push_services: str = (
        "https://fcm.googleapis.com https://*.push.services.mozilla.com "
        "https://*.notify.windows.com https://web.push.apple.com"
    )
    #: Whom push services may write to about our pushes (mailto: or https:); empty: the origin.
    contact: str = ""
    #: TCP port on loopback where the gateway answers with its metrics; 0: none.
    metrics_port: int = 0


class FeedSettings(msgspec.Struct, frozen=True):
    """For You: where what ranking knows is kept."""

    #: Empty: in each process. ray: Ray actors on this machine. ray:HOST:PORT: in a running cluster.
    ranking: str = ""
    #: With ray: actors that each know everything and share what is asked.
    replicas: int = 2
    #: With ray: memory that an actor may claim, in bytes (2 GiB).
    replica_bytes: int = 2_147_483_648
    #: Pages of For You kept an hour for one account, or one network address of visitors.
    pages_per_hour: int = 1_200
    #: Pages of For You kept a day for all visitors together; each takes about 15 kB.
    visitor_pages_per_day: int = 100_000


class SearchSettings(msgspec.Struct, frozen=True):
    """Looking for people, clips, hashtags and sounds."""

    #: Searches a minute, per person or, of visitors, per network address; typing asks often.
    searches_per_minute: int = 240


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
    feed: FeedSettings = FeedSettings()
    search: SearchSettings = SearchSettings()

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
    def witness_dir(self) -> Path:
        """What the cell's own witness holds; as much as the archive of the log."""
        return self.data / "witness"

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
