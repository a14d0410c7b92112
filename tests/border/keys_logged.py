"""A process of a cell whose TLS sessions can be read: `python -m tests.border.keys_logged WORDS…`
is `python -m luciole WORDS…`, with the keys of each session in the file that KEY_LOG names.

The cell itself has no such way: its command line forgets `SSLKEYLOGFILE` before anything else.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

from luciole import cli

KEY_LOG = "LUCIOLE_TEST_KEY_LOG"


def main() -> int:
    file, real = os.environ[KEY_LOG], ssl.create_default_context

    def logged(*words: Any, **more: Any) -> ssl.SSLContext:
        context = real(*words, **more)
        context.keylog_filename = file
        return context

    ssl.create_default_context = logged
    ssl._create_default_https_context = logged
    return cli.main()


if __name__ == "__main__":
    raise SystemExit(main())
