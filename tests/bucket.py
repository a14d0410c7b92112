"""A bucket that is spoken to as S3 is, over HTTP, by requests signed with its key (AWS signature,
version 4): what a cell does with objects, and no more. It lives in the memory of the test's
process, lists few keys in a page, and can be made to answer nothing but errors."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

NAME, KEY_ID, SECRET = "films", "AKIDEXAMPLE", "a secret of tests only"
# So that a list of some objects has several pages, as a list of many has with others.
PAGE = 7
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class Bucket:
    """Objects by key. `is_away`: every request gets 503. `asked` counts requests by method."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.is_away = False
        self.asked = Counter[str]()
        self.lock = threading.Lock()
        self.origin = ""

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it as `s3://films/…`."""
        return {
            "AWS_ENDPOINT_URL": self.origin,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def signature(method: str, path: str, headers: dict[str, str], names: str, scope: str) -> str:
    """As the documentation of AWS has it: Signature Version 4, over a request with headers in small
    letters."""
    parts = urlsplit(path)
    query = sorted(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in names.split(";")]
    told = headers["x-amz-content-sha256"]
    asked = "\n".join([method, parts.path, "&".join(query), *lines, "", names, told])
    day, *rest = scope.split("/")
    digest = hashlib.sha256(asked.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
    key = f"AWS4{SECRET}".encode()
    for word in (day, *rest):
        key = hmac.digest(key, word.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _handler(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def fail(self, status: int, code: str) -> None:
            self.answer(status, f"<Error><Code>{code}</Code></Error>".encode())

        def is_signed(self, body: bytes) -> bool:
            headers = {name.lower(): value for name, value in self.headers.items()}
            found = _SIGNED.fullmatch(headers.get("authorization", ""))
            told = headers.get("x-amz-content-sha256", "")
            if found is None or found["key"] != KEY_ID:
                return False
            if told not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
                return False
            right = signature(self.command, self.path, headers, found["names"], found["scope"])
            return hmac.compare_digest(right, found["signature"])

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            _, name, *rest = unquote(parts.path).split("/", 2)
            with bucket.lock:
                bucket.asked[self.command] += 1
                if bucket.is_away:
                    return self.fail(503, "ServiceUnavailable")
                if not self.is_signed(body):
                    return self.fail(403, "SignatureDoesNotMatch")
                if name != NAME:
                    return self.fail(404, "NoSuchBucket")
                key = rest[0] if rest else ""
                if not key and self.command == "GET":
                    return self.list(query)
                if not key and self.command == "POST" and "delete" in query:
                    return self.delete_many(body.decode())
                act = getattr(self, f"on_{self.command.lower()}")
                return act(key, query, body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

        def list(self, query: dict[str, str]) -> None:
            start, prefix = query.get("continuation-token", ""), query.get("prefix", "")
            keys = sorted(key for key in bucket.objects if key.startswith(prefix) and key > start)
            shown, more = keys[:PAGE], len(keys) > PAGE
            items = "".join(
                f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-27T00:00:00.000Z"
                f"</LastModified><ETag>{escape(etag(bucket.objects[key]))}</ETag>"
                f"<Size>{len(bucket.objects[key])}</Size></Contents>"
                for key in shown
            )
            token = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>"
            text = (
                f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>"
                f"{token if more else ''}{items}</ListBucketResult>"
            )
            self.answer(200, text.encode(), Content_Type="application/xml")

        def delete_many(self, text: str) -> None:
            keys = re.findall("<Key>(.*?)</Key>", text)
            for key in keys:
                bucket.objects.pop(key, None)
            done = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            self.answer(200, f"<DeleteResult>{done}</DeleteResult>".encode())

        def on_get(self, key: str, _query: dict[str, str], _body: bytes) -> None:
            data = bucket.objects.get(key)
            if data is None:
                return self.fail(404, "NoSuchKey")
            shown = {"ETag": etag(data), "Last_Modified": "Fri, 27 Nov 2026 00:00:00 GMT"}
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
            if asked is None:
                return self.answer(200, data, Content_Length=str(len(data)), **shown)
            start, end = int(asked[1]), min(int(asked[2] or len(data)) + 1, len(data))
            shown["Content_Range"] = f"bytes {start}-{end - 1}/{len(data)}"
            return self.answer(206, data[start:end], **shown)

        on_head = on_get

        def on_put(self, key: str, query: dict[str, str], body: bytes) -> None:
            if "uploadId" in query:
                bucket.parts[query["uploadId"]][int(query["partNumber"])] = body
                return self.answer(200, ETag=etag(body))
            there = bucket.objects.get(key)
            wanted = self.headers.get("if-match")
            if self.headers.get("if-none-match") == "*" and there is not None:
                return self.fail(412, "PreconditionFailed")
            if wanted is not None and (there is None or wanted != etag(there)):
                return self.fail(412, "PreconditionFailed")
            source = self.headers.get("x-amz-copy-source")
            if source is not None:
                found = bucket.objects.get(unquote(source).lstrip("/").partition("/")[2])
                if found is None:
                    return self.fail(404, "NoSuchKey")
                bucket.objects[key] = found
                said = f"<CopyObjectResult><ETag>{escape(etag(found))}</ETag></CopyObjectResult>"
                return self.answer(200, said.encode())
            bucket.objects[key] = body
            return self.answer(200, ETag=etag(body))

        def on_post(self, key: str, query: dict[str, str], _body: bytes) -> None:
            if "uploads" in query:
                upload = f"upload-{len(bucket.parts)}"
                bucket.parts[upload] = {}
                said = f"<UploadId>{upload}</UploadId>"
                text = f"<InitiateMultipartUploadResult>{said}</InitiateMultipartUploadResult>"
                return self.answer(200, text.encode())
            pieces = bucket.parts.pop(query["uploadId"])
            data = b"".join(pieces[number] for number in sorted(pieces))
            bucket.objects[key] = data
            said = f"<ETag>{escape(etag(data))}</ETag>"
            text = f"<CompleteMultipartUploadResult>{said}</CompleteMultipartUploadResult>"
            return self.answer(200, text.encode())

        def on_delete(self, key: str, query: dict[str, str], _body: bytes) -> None:
            if "uploadId" in query:
                bucket.parts.pop(query["uploadId"], None)
            else:
                bucket.objects.pop(key, None)
            self.answer(204)

    return Handler


@contextmanager
def serving() -> Iterator[Bucket]:
    """A bucket without objects."""
    bucket = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bucket))
    server.daemon_threads = True
    bucket.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
