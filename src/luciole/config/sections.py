"""The settings of each folder. The comment line after `#:` above a field is its sentence in
`docs/reference/settings.md`."""

from __future__ import annotations

from typing import Literal

import msgspec

Process = Literal["api", "worker", "custody", "ledger", "gateway"]
# Roles of the database as which the processes of a cell act.
ROLES: dict[Process, str] = {
    "api": "luciole_api",
    "worker": "luciole_worker",
    "custody": "luciole_custody_process",
    "ledger": "luciole_ledger_process",
    "gateway": "luciole_gateway_process",
}


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
