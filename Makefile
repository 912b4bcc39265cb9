# Sets up what is missing, then does it. Needs python3 (3.11 or newer), git and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
JAVASCRIPT := .venv/javascript
EDITORS := .venv/editors

.PHONY: bench demo test flags check format clean

demo: $(READY) sandbox
	$(BIN)/prp demo

test: $(READY) sandbox browser toolchains
	$(BIN)/pytest -n auto

# `make bench PEERS=FOLDER` measures beside those that bench/install_peers.sh has put there.
PEERS ?=
HARNESSES := prp,pai,bare,mini,aider,codex,gemini,opencode
RESULTS = bench/results/$(shell date -u +%Y-%m-%d).json

bench: $(READY) sandbox toolchains
	PYTHONPATH=. $(BIN)/python bench/documents.py
	PYTHONPATH=. $(BIN)/python bench/durability.py
	PYTHONPATH=. $(BIN)/python bench/sandbox.py
	PYTHONPATH=. $(BIN)/python bench/side_by_side.py
	PYTHONPATH=. $(BIN)/python bench/growth.py
	for scenario in A N C B; do PYTHONPATH=. $(BIN)/python -m bench.peers --scenario $$scenario \
	  --peers $(HARNESSES) $(if $(PEERS),--peers-root $(PEERS)) --runs 3 --patience 1 \
	  --timeout 300 --out $(RESULTS) || exit 1; done

# Takes each flag of the sandbox away in turn: its test must turn red.
flags: $(READY) sandbox
	PYTHONPATH=. $(BIN)/python scripts/flags.py

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Installs exactly the versions of the lock file, and prp itself so that edits count at once. The lock
# names every dependency: asking for more would let pip take a newer release for an extra and fail.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# Some machines keep Python from doing this by itself; then each start would take a second more.
	$(BIN)/python -m compileall -q -j 0 .venv/lib agent >/dev/null || true
	touch $@

# The sandbox is a system package: installed where we may, named where we may not.
.PHONY: sandbox
sandbox:
	@command -v bwrap >/dev/null 2>&1 || sh scripts/install_sandbox.sh

.PHONY: browser
browser:
	@command -v chromium >/dev/null 2>&1 || sh scripts/install_browser.sh

# Other languages' test runners: without them the tests that run them are left out.
.PHONY: toolchains
toolchains:
	@sh scripts/install_toolchains.sh
	@if command -v npm >/dev/null 2>&1; then \
	  $(MAKE) --no-print-directory $(JAVASCRIPT)/ready $(EDITORS)/ready; fi

$(JAVASCRIPT)/ready: tests/fixtures/javascript/package-lock.json
	mkdir -p $(JAVASCRIPT)
	cp tests/fixtures/javascript/package.json tests/fixtures/javascript/package-lock.json $(JAVASCRIPT)
	cd $(JAVASCRIPT) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# Coding tools that our skills are tried in, each a copy of the tests' own.
$(EDITORS)/ready: tests/fixtures/editors/package-lock.json
	mkdir -p $(EDITORS)
	cp tests/fixtures/editors/package.json tests/fixtures/editors/package-lock.json $(EDITORS)
	cd $(EDITORS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache dist
