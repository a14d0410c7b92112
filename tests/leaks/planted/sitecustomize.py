"""Python loads this at the start of each process of a cell whose path leads here: in tests only.

It plants the leaks that the environment names. The cell itself has no switch for them.
"""

import os
import sys

_WORDS = getattr(sys, "orig_argv", [])
if os.environ.get("CANARY_PLANTED") and "luciole" in _WORDS:
    from tests.leaks.known import install

    install(os.environ["CANARY_PLANTED"].split(","), _WORDS[_WORDS.index("luciole") + 1])
