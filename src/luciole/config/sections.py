"""The settings of each folder. The comment line after `#:` above a field is its sentence in
`docs/reference/settings.md`."""

from __future__ import annotations

from typing import Literal

import msgspec

Process = Literal["api", "worker", "custody", "ledger", "gateway", "films"]
# Roles of the database as which the processes of a cell act.
ROLES: dict[Process, str] = {
    "api": "luciole_api",
    "worker": "luciole_worker",
    "custody": "luciole_custody_process",
    "ledger": "luciole_ledger_process",
    "gateway": "luciole_gateway_process",
    "films": "luciole_films_process",
}


class CellSettings(msgspec.Struct, frozen=True):
    """Who runs this cell, and where."""

    #: Name of the cell as people see it.
    name: str = "Luciole"
    #: Short name under which other cells know it, such as us (a-z, 0-9, -); empty: no peers.
    short_name: str = ""
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
    #: Folder with the operator's terms.md and imprint.md (or terms.fr.md …); empty: none.
    texts_dir: str = ""

    @property
    def country(self) -> str:
        """That of the jurisdiction, which may name a part of it."""
        return self.jurisdiction[:2].upper()


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
    #: URL for `luciole films` on a machine that only encodes; empty: the owner's URL with SET ROLE.
    films_url: str = ""
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
    #: Peer that holds the other half of people's keys and gives it against the log; empty: nobody.
    guardian: str = ""
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
    #: Host names that the cell had before, with spaces between; `luciole domain` writes it.
    former_hosts: str = ""
    #: Header in which a trusted proxy names a visitor's country; empty: the jurisdiction counts.
    country_header: str = ""
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
    #: How people get an account: open, invitation, approval or closed (`luciole registration`).
    registration: str = "open"
    #: Hashes that a device does at most before an account, at rest (1 to 350); 0: none.
    sign_up_work: int = 100
    #: Accounts made in an hour, all together, from which on the work grows: twice that, thrice it.
    sign_ups_usual: int = 30
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
    #: Bytes of films that one person may have here, uploads too; 0: no limit.
    person_bytes: int = 0
    #: Bytes of films that all may have here together; 0: until the disk is full.
    cell_bytes: int = 0
    #: Clips that one person may make in 24 hours; 0: no limit.
    clips_per_day: int = 0
    #: Hours after which an unfinished upload is forgotten.
    upload_hours: int = 24
    #: Free disk space in bytes below which uploads are refused (1 GiB).
    min_free_bytes: int = 1_073_741_824
    #: Seconds for which a signed address of a restricted clip is good.
    signed_url_s: int = 300
    #: Address that public clips are fetched from (a CDN before /media, a bucket); empty: the cell.
    delivery_url: str = ""
    #: Watches in For You within a day from which on a public clip gets AV1 beside H.264; 0: never.
    av1_watches: int = 100
    #: File (PEM) of signers of content credentials whom this cell trusts; empty: none is on a list.
    trust_anchors: str = ""
    #: Decode without a fence where the platform has none; only together with a demo on loopback.
    allow_unfenced_decoding: bool = False

    @property
    def delivery_origin(self) -> str:
        """The origin of `delivery_url`; empty where films come from the cell."""
        return "/".join(self.delivery_url.split("/")[:3])


class RightsSettings(msgspec.Struct, frozen=True):
    """What people take along and bring along."""

    #: Largest export of another cell that may be brought along, in bytes (20 GiB).
    max_import_bytes: int = 21_474_836_480


class WorkerSettings(msgspec.Struct, frozen=True):
    """Background jobs."""

    #: Jobs that one worker does at the same time, besides films.
    slots: int = 4
    #: Films that are made playable at the same time in one worker; of those that play already, one
    #: fewer get their other renditions meanwhile (at least one), at a lower priority.
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
    #: Most bytes of the disk for the mirror of each peer's logs (10 GiB); beyond, its heads are
    #: still compared and cosigned, and its entries no longer kept. 0: no entries are kept.
    mirror_bytes: int = 10_737_418_240
    #: Bytes of the disk that mirrors leave free (2 GiB).
    mirror_free_bytes: int = 2_147_483_648
    #: Bytes a second at which the logs of each peer are fetched, at most (4 MiB).
    mirror_bytes_per_s: int = 4_194_304
    #: TCP port on loopback where the log's process answers with its metrics; 0: none.
    metrics_port: int = 0


class BorderSettings(msgspec.Struct, frozen=True):
    """The gateway: the one process that speaks outside."""

    #: Address on which the gateway answers other cells.
    host: str = "127.0.0.1"
    #: TCP port on which the gateway answers other cells; 0: it answers nobody.
    port: int = 0
    #: Origin under which other cells reach the gateway; empty: that of the pages.
    origin: str = ""
    #: Read-out to the wider Fediverse for authors who ask for it: off, on, or open (for trials:
    #: also without TLS, and with servers on this machine and on private networks).
    fediverse: str = "off"
    #: Push services that it may speak to, as origins parted by blanks; *. stands for all below.
    push_services: str = (
        "https://fcm.googleapis.com https://*.push.services.mozilla.com "
        "https://*.notify.windows.com https://web.push.apple.com"
    )
    #: Where codes are sent that verify addresses (docs/howto/send-codes.md); empty: none are.
    codes_url: str = ""
    #: File with the secret that signs them, shared with who sends them on.
    codes_secret_file: str = ""
    #: Kinds of addresses that it can send to: phone, email, or both parted by a blank.
    codes_kinds: str = "phone email"
    #: Mail server that takes codes for mail addresses: smtps://HOST:465, smtp://HOST:587 (STARTTLS
    #: or nothing), or smtp+plain://127.0.0.1:25; empty: none.
    mail_url: str = ""
    #: The address that such mail comes from.
    mail_from: str = ""
    #: File with the login there, the user on one line and the password on the next; empty: none.
    mail_login_file: str = ""
    #: File of certificates (PEM) to trust there in place of the system's; empty: the system's.
    mail_authority_file: str = ""
    #: Whom push services may write to about our pushes (mailto: or https:); empty: the origin.
    contact: str = ""
    #: TCP port on loopback where the gateway answers with its metrics; 0: none.
    metrics_port: int = 0


class AbroadSettings(msgspec.Struct, frozen=True):
    """The backup that another cell keeps for this one, sealed to a key that only home has."""

    #: Peer cell that keeps it, by its short name; empty: none is made.
    peer: str = ""
    #: Seconds between two rounds: what is written goes abroad so much later at most.
    every_s: int = 60
    #: Hours between two base backups.
    base_hours: int = 24
    #: Days back to which the cell can be restored, to any moment.
    days: int = 7
    #: Most bytes of write-ahead log that wait for the peer (4 GiB); beyond, it begins anew.
    spool_bytes: int = 4_294_967_296
    #: URL of a login that may replicate, of an outside PostgreSQL; empty: that of the embedded one.
    database_url: str = ""
    #: Folder with pg_basebackup and its like for an outside PostgreSQL; empty: those of the wheel.
    bin_dir: str = ""
    #: Port on loopback for /metrics of this process; 0: none.
    metrics_port: int = 0


class TrusteeSettings(msgspec.Struct, frozen=True):
    """What this cell does for its peers."""

    #: Most bytes of sealed backups kept for each peer; 0: none are kept.
    backup_bytes: int = 0


class ContactsSettings(msgspec.Struct, frozen=True):
    """Finding people whom one knows, with half of the key in another cell."""

    #: Short name of the peer with the other half of the key; empty: nobody looks for contacts.
    peer: str = ""
    #: Up to so many people who want to be found, devices fetch the whole filter.
    whole_filter_people: int = 1_000_000
    #: New askers that one other cell may bring here in a day, for which it needs our half.
    new_askers_per_day: int = 1_000
    #: After so many days the key is changed by itself; 0: only by `luciole contacts rotate`.
    rotate_days: int = 180


class MessagesSettings(msgspec.Struct, frozen=True):
    """Messages: room for their sealed files."""

    #: Bytes of files that one person may send in messages within 30 days; 0: no limit.
    person_bytes: int = 2_000_000_000
    #: Bytes that files and backups of messages may take here together; 0: until the disk is full.
    cell_bytes: int = 20_000_000_000


class PacesSettings(msgspec.Struct, frozen=True):
    """How often one account may do what others meet. 0: not at all."""

    #: Likes of clips and comments an hour.
    likes_per_hour: int = 600
    #: Follows, and requests to follow, a day.
    follows_per_day: int = 300
    #: Comments and answers an hour.
    comments_per_hour: int = 200
    #: Reposts a day.
    reposts_per_day: int = 200
    #: Clips published a day.
    clips_per_day: int = 100
    #: Conversations begun a day, with whom it has not written before.
    conversations_per_day: int = 60
    #: Reports of clips, comments and people a day; 1 at least.
    reports_per_day: int = 30
    #: Reports of messages a day; 1 at least.
    message_reports_per_day: int = 20


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
