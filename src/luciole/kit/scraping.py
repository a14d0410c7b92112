"""Where a process that has no HTTP server shows its metrics."""

from __future__ import annotations

import socket
import threading
from http.server import ThreadingHTTPServer

from luciole.kit import metrics


def serve(port: int, handle: int | None = None) -> None:
    """Answers every GET on a loopback port with all metrics of this process, from a thread.
    `handle`: a listening socket that was handed down, in place of one of our own, which nobody
    could reach in a network without a route. Raises OSError where the port cannot be had."""
    if handle is None:
        metrics.serve(port)
        return
    server = ThreadingHTTPServer(
        ("127.0.0.1", port), metrics.MetricsHandler, bind_and_activate=False
    )
    server.socket.close()
    server.socket = socket.socket(fileno=handle)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
