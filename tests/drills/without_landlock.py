"""Becomes a program on a kernel that knows no Landlock: its system calls answer "not implemented",
by a seccomp filter that all children inherit. For drills: `python without_landlock.py PROGRAM …`.
"""

from __future__ import annotations

import os
import sys

from luciole.cell.media import fence_steps as steps

LANDLOCK = range(steps.LANDLOCK_CREATE_RULESET, steps.LANDLOCK_RESTRICT_SELF + 1)


def main(command: list[str]) -> None:
    """Never returns."""
    steps.check(steps.libc.prctl(steps.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    # struct seccomp_data: the number of the call is at 0.
    program = [(steps.LOAD, 0, 0, 0)]
    for number in LANDLOCK:
        program += [
            (steps.JUMP_EQUAL, 0, 1, number),
            (steps.RETURN, 0, 0, steps.ERRNO | steps.ENOSYS),
        ]
    program.append((steps.RETURN, 0, 0, steps.ALLOW))
    steps.filter_calls(steps.packed(program))
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
