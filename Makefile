# Every target sets itself up: a fresh machine needs Python 3.11 or newer and make, nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# What is installed is byte-compiled once, on all cores; a process that may not write bytecode starts three times as slowly.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo up down test fuzz faults docs sdk build check format lock screenshots

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/installed: requirements.lock pyproject.toml sdks/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, $(PYTHON) is older: call make with PYTHON=/path/to/a/newer/python3."; exit 1; }
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@sed -n '/^pip==/,/[^\\]$$/p' requirements.lock > .venv/pip.lock
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement .venv/pip.lock
	@$(BIN)/python -m pip install --quiet --no-compile --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable . --editable sdks/python
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

demo: .venv/installed ## One request becomes two ready datasets, shown and cleaned up (KEEP=1 leaves all running)
	@$(BIN)/dataops demo

up: .venv/installed ## Serve everything in the foreground
	@exec $(BIN)/dataops up

down: .venv/installed ## Stop what runs in the background
	@$(BIN)/dataops down

# One process more than there are cores: tests of the stack wait for half of their time.
test: .venv/installed ## Run the tests but for the long ones (ALL=1: those too, as CI does; DATABASE=external or distribution: on a given PostgreSQL; LAUNCHER=default or warm: by that launcher)
	@sh scripts/install_chromium.sh
	@sh scripts/install_typescript.sh
	@processes="$$($(BIN)/python -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')"; \
	TEST_DATABASE="$(DATABASE)" TEST_LAUNCHER="$(LAUNCHER)" $(BIN)/pytest --numprocesses "$$processes" --dist loadgroup --no-loadscope-reorder $(if $(ALL),,-m 'not long')

fuzz: .venv/installed ## Ask the API a lot that nobody thought of (SEED=<n> asks the same again, EXAMPLES=<n> as much)
	@seed="$(SEED)"; seed="$${seed:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"; examples="$(or $(EXAMPLES),200)"; \
	echo "Seed $$seed. The same again: make fuzz SEED=$$seed EXAMPLES=$$examples"; \
	FUZZ_SEED="$$seed" FUZZ_EXAMPLES="$$examples" $(BIN)/pytest tests/dataops_api/test_fuzzing.py --timeout=3600

faults: .venv/installed ## Kill each process at each point of the work and print what comes of it (ONLY="*/checking/*", LAUNCHER=<name>, JOBS=<n>)
	@$(BIN)/python -u -m tests.faults.table $(if $(LAUNCHER),--launcher $(LAUNCHER)) $(if $(JOBS),--jobs $(JOBS)) $(if $(ONLY),--only $(patsubst %,'%',$(ONLY)))

docs: .venv/installed sdk ## Write docs/api.md anew: a request and an answer of each operation, from a run; and what is made of the SDKs
	@$(BIN)/python scripts/record_api.py
	@$(BIN)/python scripts/api_page.py

sdk: .venv/installed ## Write what is made of both SDKs: from the asynchronous half of the Python one, and from the OpenAPI description
	@$(BIN)/python scripts/sync_sdk.py
	@$(BIN)/python scripts/javascript_sdk.py

build: .venv/installed ## Wheels and the npm tarball, into dist/, each tried in an empty environment (QUICK=1: the SDKs alone)
	@QUICK="$(QUICK)" sh scripts/build.sh $(BIN)

check: .venv/installed ## Formatting, lint, types, the dependency rule, the lock
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/check_lock.py

format: .venv/installed ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/installed ## Pin the dependencies of pyproject.toml anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-emit-package a-domain-sdk \
	  --custom-compile-command "make lock" --group pyproject.toml:dev pyproject.toml --output-file requirements.lock

screenshots: .venv/installed ## Make the README's pictures anew, from a running demo
	@sh scripts/install_chromium.sh
	@$(BIN)/python scripts/screenshots.py
