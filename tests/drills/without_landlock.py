"""Becomes a program on a kernel that knows no Landlock: its system calls answer "not implemented",
by a seccomp filter that all children inherit. For drills: `python without_landlock.py PROGRAM …`.
"""

from __future__ import annotations

import os
import sys

from luciole.cell.media import fence_launcher as launcher

LANDLOCK = range(launcher.LANDLOCK_CREATE_RULESET, launcher.LANDLOCK_RESTRICT_SELF + 1)


def main(program: list[str]) -> None:
    """Never returns."""
    launcher.check(launcher.libc.prctl(launcher.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    # struct seccomp_data: the number of the call is at 0.
    steps = [(launcher.LOAD, 0, 0, 0)]
    for number in LANDLOCK:
        steps += [
            (launcher.JUMP_EQUAL, 0, 1, number),
            (launcher.RETURN, 0, 0, launcher.ERRNO | launcher.ENOSYS),
        ]
    steps.append((launcher.RETURN, 0, 0, launcher.ALLOW))
    launcher.filter_calls(steps)
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
