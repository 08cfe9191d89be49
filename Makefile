# Two commands: `make demo` and `make test`. Each builds .venv with pip as needed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install lock browser viewers demo test test-all check bench pictures clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	@echo "Installing nishiki and what it needs into .venv (once, a few minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nishiki needs Python 3.11 or newer; name it: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]' 2>.venv/install.log || { cat .venv/install.log; exit 1; }
	@touch $@

# Writes requirements.lock anew: what pip chooses today for pyproject.toml and all its parts.
lock: install
	@$(BIN)/python -m tests.lock

demo: install
	@$(BIN)/nishiki demo --home demo-data

# Without those marked long: some ten minutes on two cores.
test: install browser
	@$(BIN)/python -m pytest -q -m "not long"

# Every test, some 35 minutes: before a version is given out.
test-all: install browser
	@$(BIN)/python -m pytest -q

# The browser tests need Chromium, and letters for Japanese: Debian's where it can be had, else Playwright's own.
browser: install
	@command -v chromium >/dev/null || $(BIN)/python -c 'from pathlib import Path; from playwright.sync_api import sync_playwright as s; p = s().start(); raise SystemExit(not Path(p.chromium.executable_path).exists())' 2>/dev/null || { \
	  echo "Installing Chromium for the browser tests (once)"; \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk; } >.venv/browser.log 2>&1 \
	  || $(BIN)/playwright install chromium >>.venv/browser.log 2>&1 || { tail -5 .venv/browser.log; echo "make browser: no Chromium; install Debian's packages chromium and fonts-noto-cjk, then try again"; exit 1; }; }

# Mirador, for the browser test that opens a package's manifests in it; from npm, once. Without it that test is skipped.
MIRADOR := mirador-4.0.0.tgz
viewers:
	@test -f build/viewers/package/dist/mirador.min.js || { \
	  mkdir -p build/viewers && cd build/viewers && npm pack --silent mirador@4.0.0 >npm.log 2>&1 \
	  && echo "ac2423944bd52ffb5a0fc02ff280c117fe39433fac56e50c0b79f0d1ca7c57e6  $(MIRADOR)" | sha256sum --check --quiet && tar xzf $(MIRADOR) package/LICENSE package/dist/mirador.min.js; } \
	  || { cat build/viewers/npm.log; echo "make viewers: Mirador could not be fetched from npm"; exit 1; }

check: install
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@$(BIN)/deptry . 2> .venv/deptry.log || { cat .venv/deptry.log; exit 1; }
	@$(BIN)/typos
	@echo "make check: clean"

# Lists the benchmarks with their times and runs the short ones, or those named: make bench BENCH="colour engine"
bench: install
	@$(BIN)/python -m tests.benchmarks $(BENCH)

# Every picture of README and docs, anew, from a night on the sample archive (two minutes).
pictures: install browser
	@$(BIN)/python -m tests.pictures

clean:
	rm -rf .venv build dist demo-data .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
