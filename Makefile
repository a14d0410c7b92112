# Short names for a developer's hands. `make` alone lists them.

.PHONY: list demo serve test all fix types reference doctor

list:           # list these targets
	@sed -n 's/^\([a-z]*\): *# \(.*\)/  make \1 	\2/p' Makefile

demo:           # start the demo cell; Ctrl-C stops it
	@./luciole demo

serve:          # start your own cell
	@./luciole serve

test:           # everything quick: what a change must pass
	@./luciole test

all:            # the same with the long drills: what CI runs
	@./luciole test all

fix:            # format, and correct what ruff can
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

types:          # mypy alone
	@.venv/bin/python -m mypy

reference:      # write docs/reference anew from the code and a real database
	@PYTHONPATH=src .venv/bin/python -m tests.rules.reference

doctor:         # say what is wrong on this machine
	@./luciole doctor
