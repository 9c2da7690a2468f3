# Everything a person needs, each target from a clean clone: Python 3.11 or newer, make and a package index.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# the core, the store and the documents: what a change breaks first; `make test` runs everything
FAST := tests/core tests/store tests/config tests/test_docs.py tests/test_house.py -m "not slow and not browser"
# what touches the database; the rest has nothing to tell of another one
POSTGRESQL := tests/store tests/actions tests/pipeline tests/faults tests/web -m "not browser"

.PHONY: help up setup setup-dev check test-deps test crash-matrix live-clients bench messages lock clean

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

up: setup  ## set up and start the desk on http://127.0.0.1:8000
	$(BIN)/rapport up

setup: $(VENV)/.run  ## everything the product needs, in .venv

setup-dev: $(VENV)/.dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

check: setup-dev  ## lint, types, fast tests: under two minutes
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest -q -n 2 --dist loadfile $(FAST)

test-deps: setup-dev  ## system packages that the tests need (Chromium)
	sh tests/install-deps.sh

test: test-deps  ## the whole suite, on SQLite and on PostgreSQL, with a real browser
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder --durations 12
	$(BIN)/python tests/with_postgresql.py $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder --durations 12 $(POSTGRESQL)

MATRIX ?= 2000
SEED   ?= 7
crash-matrix: setup-dev  ## every fault at every step of a delivery, on SQLite and on PostgreSQL; MATRIX=10000 for more
	env -u RAPPORT_DATABASE_URL $(BIN)/python tests/faults/matrix/run.py $(MATRIX) $(SEED)
	$(BIN)/python tests/with_postgresql.py $(BIN)/python tests/faults/matrix/run.py $(MATRIX) $(SEED)

live-clients: setup-dev  ## fifty open pages for ten minutes: no missed change, and how long lists take; SECONDS=60 for less
	$(BIN)/python tests/load/live_clients.py $(or $(SECONDS),600)

bench: setup-dev  ## the side-by-side benchmarks
	$(BIN)/rapport bench

messages: setup-dev  ## bring the German catalog up to date with what the desk says
	$(BIN)/python tests/messages.py

lock:  ## write the lock files again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/dev.in -o requirements/dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/run.in -c requirements/dev.lock -o requirements/run.lock

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .hypothesis
