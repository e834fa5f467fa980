# Everything below needs Python 3.11 or newer, git and make; the rest is fetched, pinned by hash.

PYTHON ?= python3
BIN := .venv/bin
# Much of the suite waits: for programs to start, for what was killed to come back.
WORKERS ?= 2
ABREAST := -p tests.abreast --numprocesses $(WORKERS)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: up test cover mutants check format lock bench drill clean

up: .venv/holdfast.stamp ## start a complete shop; pass options with ARGS="--port 9000"
	@exec $(BIN)/holdfast up $(ARGS)

test: .venv/dev.stamp ## every test, WORKERS at a time; ARGS="tests/unit -x" runs what it names, one at a time
	@exec $(BIN)/python -m pytest $(or $(ARGS),$(ABREAST))

cover: .venv/dev.stamp ## every branch of the code of money, stock, committing and idempotency
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest -q tests/unit tests/store tests/handlers
	@exec $(BIN)/python -m coverage report

mutants: .venv/mutation.stamp ## change the rules of stock and the committer, see tests fail; ARGS="'holdfast.store.batch*'"
	@exec .venv/mutation/bin/python -m tests.mutants $(ARGS)

check: .venv/dev.stamp ## formatter, linter, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/holdfast.stamp ## throughput against the raw limits of this machine
	@exec $(BIN)/holdfast bench $(ARGS)

drill: .venv/holdfast.stamp ## break a shop in the middle of a sale, every fault once, every control; < 3 min
	@exec $(BIN)/holdfast drill run $(ARGS)

lock: .venv/dev.stamp ## refresh the locked requirements within what the .in files allow
	for set in runtime build dev mutation; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" $(LOCK_ARGS) requirements/$$set.in -o requirements/$$set.txt || exit 1; \
	done

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis .coverage

# The environment is built in steps, each marked by a stamp: a running shop needs only the first two.

.venv: .venv/dev.stamp

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Holdfast needs Python 3.11 or newer")'
	@$(PYTHON) -m venv .venv

.venv/runtime.stamp: requirements/runtime.txt requirements/build.txt | .venv/bin/python
	@echo "Installing what a shop needs ..."
	@$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@touch $@

.venv/holdfast.stamp: .venv/runtime.stamp pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/holdfast.stamp requirements/dev.txt
	@echo "Installing what checks and tests need ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# Mutants are made by a tool with many dependencies of its own, so it lives apart.
.venv/mutation.stamp: .venv/dev.stamp requirements/mutation.txt
	@echo "Installing what making mutants needs ..."
	@$(PYTHON) -m venv .venv/mutation
	@.venv/mutation/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/mutation.txt
	@.venv/mutation/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@
