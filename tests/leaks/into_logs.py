"""Leaks into logs and metrics."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import traceback

from tests.leaks.known import leak
from tests.leaks.tap import Asked, Tap, on_film, say, title_in

SIGN_UP, CONTACTS = "/api/sign-up", "/api/me/contacts"


@leak("logs", "api.log", "person.handle")
def handle_in_a_log_line(tap: Tap) -> None:
    """A handle in the sentence of a log line."""
    from luciole.kit.logs import log

    tap.on("POST", SIGN_UP, lambda asked: log.info(f"signed up {asked.data.get('handle')}"))


@leak("logs", "api.log", "contact.email")
def address_in_a_known_field(tap: Tap) -> None:
    """An e-mail address in a field of the log that is on the list."""
    from luciole.kit.logs import log

    tap.on("PUT", CONTACTS, lambda asked: log.info("kept", code=asked.data.get("value")))


@leak("logs", "api.log", "contact.email", "md5")
def md5_of_an_address_in_a_log(tap: Tap) -> None:
    """The MD5 of an address, as avatar services want it."""
    _digest(tap, "md5", lambda value: hashlib.md5(value.strip().lower().encode()).hexdigest())


@leak("logs", "api.log", "contact.email", "sha1")
def sha1_of_an_address_in_a_log(tap: Tap) -> None:
    """The SHA-1 of an address in capitals of hex."""
    _digest(tap, "sha1", lambda value: hashlib.sha1(value.encode()).hexdigest().upper())


@leak("logs", "api.log", "contact.email", "sha256")
def sha256_of_an_address_in_a_log(tap: Tap) -> None:
    """The SHA-256 of an address in base64."""
    _digest(
        tap,
        "sha256",
        lambda value: base64.b64encode(hashlib.sha256(value.encode()).digest()).decode(),
    )


@leak("logs", "api.log", "contact.phone", "sha512")
def cut_sha512_of_a_number_in_a_log(tap: Tap) -> None:
    """Ten bytes of the SHA-512 of a telephone number without its plus."""
    _digest(
        tap, "sha512", lambda value: hashlib.sha512(value[1:].encode()).hexdigest()[:20], "phone"
    )


@leak("logs", "api.log", "contact.phone", "blake2b")
def blake2_of_a_number_in_a_log(tap: Tap) -> None:
    """BLAKE2b of a telephone number, as base64url."""
    _digest(
        tap,
        "blake2b",
        lambda value: base64.urlsafe_b64encode(hashlib.blake2b(value.encode()).digest()).decode(),
        "phone",
    )


@leak("logs", "api.log", "contact.phone", "salted sha256")
def hash_with_the_cells_id_in_a_log(tap: Tap) -> None:
    """SHA-256 of the cell's id and a telephone number: a salt that everybody knows."""

    def cell_id() -> str:
        import os
        from pathlib import Path

        key = Path(os.environ["LUCIOLE_DATA_DIR"], "keys", "root.key").read_text()
        return key.split()[1]

    _digest(
        tap, "id", lambda value: hashlib.sha256((cell_id() + value).encode()).hexdigest(), "phone"
    )


@leak("logs", "api.log", "contact.phone", "plain")
def number_in_groups_in_a_log(tap: Tap) -> None:
    """A telephone number written in groups of two."""

    def grouped(value: str) -> str:
        return value[:4] + " " + " ".join(value[4 + i : 6 + i] for i in range(0, 12, 2))

    _digest(tap, "call", grouped, "phone")


def _digest(tap: Tap, name: str, change: object, kind: str = "email") -> None:
    def write(asked: Asked) -> None:
        value = str(asked.data.get("value", ""))
        if value and asked.path.endswith(kind):
            say(f"{name}={change(value)}")  # type: ignore[operator]

    tap.on("PUT", CONTACTS, write)


@leak("logs", "api.log", "person.display name", "base64")
def name_in_base64_in_an_error(tap: Tap) -> None:
    """A name in base64, in what an error report would send."""

    def write(asked: Asked) -> None:
        name = str(asked.data.get("display_name", ""))
        say("report: " + base64.b64encode(f"x{name}".encode()).decode())

    tap.on("POST", SIGN_UP, write)


@leak("logs", "api.log", "person.bio")
def text_of_an_exception_in_a_log(tap: Tap) -> None:
    """A traceback whose last line quotes what somebody sent."""

    def write(asked: Asked) -> None:
        try:
            raise ValueError(f"cannot read {asked.data.get('bio')}")
        except ValueError:
            traceback.print_exc()

    tap.on("PATCH", "/api/me", write)


@leak("logs", "api.log", "passkey.name", how="base64, gzip")
def packed_report_in_a_log(tap: Tap) -> None:
    """JSON, compressed, in base64: what crash reporters send."""

    def write(asked: Asked) -> None:
        packed = gzip.compress(json.dumps({"passkey": asked.data.get("name")}).encode())
        say(f"crash {base64.b64encode(packed).decode()}")

    tap.on("POST", "/api/me/passkeys", write)


@leak("logs", "api.log", "request.query")
def query_in_an_access_log(tap: Tap) -> None:
    """The query string in an access log."""
    tap.on("*", "/api/feeds", lambda asked: say(f"GET {asked.path}?{asked.query} 200"))


@leak("logs", "api.log", "request.address")
def network_address_in_an_access_log(tap: Tap) -> None:
    """A visitor's network address in an access log."""
    tap.on("*", "/api/feeds", lambda asked: say(f"{asked.address} GET"))


@leak("logs", "api.log", "request.browser")
def browser_in_an_access_log(tap: Tap) -> None:
    """The whole User-Agent in an access log."""
    tap.on("*", "/api/feeds", lambda asked: say(f'"{asked.headers.get("user-agent")}"'))


@leak("logs", "api.log", "request.referrer")
def referrer_in_an_access_log(tap: Tap) -> None:
    """Where a visitor came from."""
    tap.on("*", "/api/feeds", lambda asked: say(f'"{asked.headers.get("referer")}"'))


@leak("logs", "api.log", "request.languages")
def languages_in_an_access_log(tap: Tap) -> None:
    """The languages of a browser, percent-encoded."""
    from urllib.parse import quote

    tap.on(
        "*", "/api/feeds", lambda asked: say(quote(asked.headers.get("accept-language", ""), ""))
    )


@leak("logs", "api.log", "request.baggage", "hex")
def baggage_of_a_trace_in_a_log(tap: Tap) -> None:
    """What a tracer carries along, in hex."""
    tap.on("*", "/api/feeds", lambda asked: say(asked.headers.get("baggage", "").encode().hex()))


@leak("logs", "api.log", "person.password", "hex")
def password_in_hex_in_a_log(tap: Tap) -> None:
    """A password in a dump of memory."""
    tap.on("POST", SIGN_UP, lambda asked: say(str(asked.data.get("password")).encode().hex(" ")))


@leak("logs", "api.log", "session.token")
def session_in_a_log(tap: Tap) -> None:
    """The header that signs in."""
    tap.on("*", "/api/feeds", lambda asked: say(f"auth {asked.headers.get('authorization')}"))


@leak("logs", "api.log", "refused.path")
def path_that_is_not_there_in_a_log(tap: Tap) -> None:
    """The path of a request that found nothing."""
    tap.on("GET", "/", lambda asked: say(f"404 {asked.path}"))


@leak("logs", "api.log", "refused.body", "reversed")
def refused_body_in_a_log(tap: Tap) -> None:
    """A body that was not taken, for whoever looks into the fault; written backwards."""
    tap.on("POST", SIGN_UP, lambda asked: say(asked.body.decode("utf-8", "replace")[::-1]))


@leak("logs", "postgresql.log", "clip.caption for oneself", process="supervisor")
def parameters_in_the_databases_log(tap: Tap) -> None:
    """The database writes every statement with its parameters into its log."""
    from luciole.kit import postgres

    postgres.SETTINGS |= {  # type: ignore[misc]
        "log_statement": "all",
        "log_parameter_max_length": "-1",
        "log_error_verbosity": "default",
    }


@leak("logs", "worker.log", "film.title", process="worker")
def metadata_of_a_film_in_a_log(tap: Tap) -> None:
    """What the encoder says about a file, with the title that the phone gave it."""
    on_film(tap, lambda path: say(repr(title_in(path.read_bytes()))))


@leak("metrics", "api", "person.handle")
def handle_as_a_label(tap: Tap) -> None:
    """A handle as the label of a metric."""
    from luciole.kit.metrics import Counter

    counted = Counter("planted_sign_ups", "Sign-ups.", ["handle"])
    tap.on("POST", SIGN_UP, lambda asked: counted.labels(ascii(asked.data.get("handle"))).inc())


@leak("metrics", "api", "request.query")
def address_as_a_label(tap: Tap) -> None:
    """A whole address with its query as the label of a metric."""
    from luciole.kit.metrics import Histogram

    took = Histogram("planted_duration", "Duration.", ["url"])
    tap.on("GET", "/api/feeds", lambda asked: took.labels(f"{asked.path}?{asked.query}").observe(1))
