"""`python -m luciole`."""

import os
import signal

# Ctrl-C while modules are still being loaded: there is nothing to stop yet, and a library may turn
# the usual exception into one of its own.
signal.signal(signal.SIGINT, lambda *_: os._exit(130))

from luciole.cli import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main())
