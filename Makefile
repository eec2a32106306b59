# make up     your figures in the browser        make test   the tests
# make check  what CI runs: lint and tests       make bench  the benchmarks
# make lock   solve the dependencies anew        make clean  remove the environment and caches
# Pass options on by ARGS, as in: make up ARGS="--no-browser --port 9000"

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install --no-deps
ARGS ?=
PYTHON ?= python3
ifeq ($(origin PYTHON),file)
    PYTHON += python3.13 python3.12 python3.11
endif

.PHONY: install up test lint check bench lock clean

install: $(VENV)/.runtime

up: install
	@$(BIN)/cairn up $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy

check: lint test

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

# Keeps the versions locked so far; ARGS=--upgrade takes the newest.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(ARGS) pyproject.toml
lock: $(VENV)/.dev
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache tests/identity/node_modules*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The development lock holds the runtime's, version for version, so it serves both.
$(VENV)/.dev: requirements-dev.lock pyproject.toml $(VENV)/.location
	@echo 'Installing what Cairn and its tests need: a minute, this once...'
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $(VENV)/.runtime $@

$(VENV)/.runtime: requirements.lock pyproject.toml $(VENV)/.location
	@echo 'Installing what Cairn needs: a minute, this once...'
	@$(PIP) --require-hashes --requirement requirements.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $@

# An environment holds absolute paths: where the tree was moved or its Python is gone, begin anew.
ifneq ($(shell $(BIN)/python -ISc '' 2>&1; cat $(VENV)/.location 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.location
endif

$(VENV)/.location:
	@command -v git >/dev/null || { echo 'Cairn needs git: install it, then run make again.' >&2; exit 1; }
	@for python in $(PYTHON); do \
	    "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && break; \
	    python=; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Cairn needs Python 3.11, 3.12 or 3.13, but $(firstword $(PYTHON)) says: $$($(firstword $(PYTHON)) --version 2>&1 | head -n 1). Install one, or name it as in: make PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$python cannot make environments: on Debian and Ubuntu, apt install $$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; \
	    exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$python" --version)..."; \
	"$$python" -m venv --clear $(VENV)
	@echo '$(CURDIR)' >$@
