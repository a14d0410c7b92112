"""Where the verifier reads: one folder or one site, with limits, and nothing else."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.verifier import runs
from verifier.luciole_verify import Finding, Folder, Site

from verifier import luciole_verify

MOST = 1000


def finding(read: Callable[[], object]) -> Finding:
    with pytest.raises(Finding) as caught:
        read()
    return caught.value


# Folders


def test_folder_may_hold_the_ledger_or_be_it(tmp_path: Path) -> None:
    (tmp_path / "ledger" / "access").mkdir(parents=True)
    (tmp_path / "ledger" / "access" / "checkpoint").write_bytes(b"note")
    assert Folder(str(tmp_path)).read("access/checkpoint", MOST) == b"note"
    assert Folder(str(tmp_path / "ledger")).read("access/checkpoint", MOST) == b"note"
    assert Folder(str(tmp_path)).read("border/checkpoint", MOST) == b""
    assert Folder("").read("access/checkpoint", MOST) == b""


def test_what_is_no_plain_file_or_too_large_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(bytes(MOST + 1))
    (tmp_path / "just").write_bytes(bytes(MOST))
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    (tmp_path / "loop").symlink_to("loop")
    source = Folder(str(tmp_path))
    for name in ("folder", "large", "pipe"):
        found = finding(lambda name=name: source.read(name, MOST))
        assert (found.code, found.verdict) == ("source.unreadable", "CANNOT TELL")
    assert source.read("just", MOST) == bytes(MOST)
    assert source.read("just/below", MOST) == source.read("loop", MOST) == b""


def test_failing_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"x")

    def fail(self: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert "OSError" in finding(lambda: Folder(str(tmp_path)).read("file", MOST)).sentence


# Sites


class Answers(BaseHTTPRequestHandler):
    """Good and bad answers by path; says which paths were asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        name = self.path.removeprefix("/ledger/")
        handlers: dict[str, Callable[[], None]] = {
            "plain": lambda: self.answer(b"body"),
            "empty": lambda: self.answer(b""),
            "just": lambda: self.answer(bytes(MOST)),
            "large": lambda: self.answer(bytes(MOST + 1)),
            "broken": lambda: self.answer(b"", 500),
            "elsewhere": lambda: self.answer(b"", 302, Location="http://192.0.2.1/"),
            "file": lambda: self.answer(b"", 301, Location="file:///etc/hostname"),
            "packed": lambda: self.answer(b"\x1f\x8b", **{"Content-Encoding": "gzip"}),
            "cut": lambda: self.answer(b"half", **{"Content-Length": "8"}),
            "chunks": lambda: self.answer(
                b"4\r\nhalf\r\n8\r\nha", **{"Transfer-Encoding": "chunked"}
            ),
            "slow": self.drip,
            "noise": lambda: self.wfile.write(b"\0\0\0 not HTTP\r\n\r\n") and None,
        }
        handlers.get(name, lambda: self.answer(b"", 404))()
        self.close_connection = True

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        if "Transfer-Encoding" not in headers:
            headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(20):
            try:
                self.wfile.write(b"x")
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    Answers.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_site_is_read_below_its_ledger(site: str) -> None:
    for url in (site, f"{site}/", f"{site}/ledger", f"{site}/ledger/"):
        assert Site(url).read("plain", MOST) == b"body"
    assert set(Answers.asked) == {"/ledger/plain"}
    assert Site(site).read("just", MOST) == bytes(MOST)
    assert Site(site).read("empty", MOST) == b""


def test_what_a_site_lacks_is_nothing(site: str) -> None:
    assert Site(site).read("absent", MOST) == b""


@pytest.mark.parametrize(
    "name", ["large", "broken", "elsewhere", "file", "packed", "cut", "chunks", "noise"]
)
def test_odd_answer_cannot_be_read(site: str, name: str) -> None:
    found = finding(lambda: Site(site).read(name, MOST))
    assert (found.code, found.verdict) == ("source.unreadable", "CANNOT TELL")
    assert Answers.asked == [f"/ledger/{name}"]


def test_slow_answer_is_not_waited_for(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(luciole_verify, "ANSWER_SECONDS", 0.2)
    assert finding(lambda: Site(site).read("slow", MOST)).code == "source.unreadable"


def test_run_ends_when_its_time_is_over(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(luciole_verify, "RUN_SECONDS", -1)
    assert finding(lambda: Site(site).read("plain", MOST)).code == "source.unreadable"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://[", "http://a b", "https://127.0.0.1:1"]
)
def test_no_answer_cannot_be_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert finding(lambda: Site(url).read("plain", MOST)).code == "source.unreadable"


class Files(BaseHTTPRequestHandler):
    """Serves a laid-out case."""

    folder: Path

    def do_GET(self) -> None:
        path = self.folder / self.path.lstrip("/")
        self.send_response(200 if path.is_file() else 404)
        self.end_headers()
        self.wfile.write(path.read_bytes() if path.is_file() else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("name", "verdict", "codes"),
    [
        ("good-grown", "GREEN", []),
        ("seal-never", "RED", ["seal.missing"]),
        # A copy may lack a file through nobody's fault; a site may not.
        ("missing-bundle", "RED", ["tree.withheld"]),
        ("checkpoint-missing", "CANNOT TELL", ["checkpoint.missing"]),
    ],
)
def test_site_is_judged_as_a_copy_is(
    name: str,
    verdict: str,
    codes: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    words = runs.lay(name, tmp_path)
    Files.folder = tmp_path
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    words[words.index(str(tmp_path))] = f"http://127.0.0.1:{server.server_port}/"
    _, report = runs.run(capsys, *words)
    server.shutdown()
    thread.join()
    server.server_close()
    assert (report["verdict"], runs.codes(report)) == (verdict, codes)
