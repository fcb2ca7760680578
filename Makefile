# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Every gate by its name; the commands behind them stand in tools/gates.py.
#
#   make demo        the whole chain on an embedded PostgreSQL, no root, nothing installed
#   make check       ruff, mypy, unit tests: under a minute
#   make test        everything; says at the end what ran and what could not run here
#   make PYTHON=…    choose the interpreter of the virtual environment (3.11 or newer)

VENV := .venv
RUN := $(VENV)/bin/python
GATES := check lint sanity unit contract integration faults molecule dist test

# an environment that was moved with its checkout is made again
MOVED := $(if $(filter $(CURDIR)/$(VENV),$(shell cat $(VENV)/.made-for 2>/dev/null)),,moved)

# ansible, molecule and ansible-lint find one another by PATH, and want a UTF-8 locale
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export LC_ALL := C.UTF-8
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.work/collections

.PHONY: help $(GATES) demo demo-clean bench clean moved
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,2\}\( make .*\)/\1/p' Makefile
	@echo "  gates: $(GATES)"

$(GATES): $(VENV)/.stamp-dev
	@$(RUN) tools/gates.py $@

demo: $(VENV)/.stamp-demo
	@$(RUN) tools/collection_tree.py >/dev/null
	@$(RUN) tools/demo/demo.py run

demo-clean:
	@if [ -x $(RUN) ]; then $(RUN) tools/demo/demo.py clean; else $(or $(PYTHON),python3) tools/demo/demo.py clean; fi

bench: $(VENV)/.stamp-dev
	@$(RUN) tools/collection_tree.py >/dev/null
	@$(RUN) tests/bench/run.py

clean:
	rm -rf $(VENV) .work .mypy_cache .pytest_cache .ruff_cache .hypothesis .ansible dist

$(VENV)/.stamp-demo: requirements/demo.txt tools/bootstrap.sh $(MOVED)
	@PYTHON="$(PYTHON)" tools/bootstrap.sh demo $(VENV)
	@touch $@

$(VENV)/.stamp-dev: requirements/dev.txt requirements/demo.txt tools/bootstrap.sh $(MOVED)
	@PYTHON="$(PYTHON)" tools/bootstrap.sh dev $(VENV)
	@touch $(VENV)/.stamp-demo $@
