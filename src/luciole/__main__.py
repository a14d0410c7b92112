"""`python -m luciole`."""

from luciole.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
