# Two commands: `make demo` and `make test`. Each builds .venv with pip as needed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo test check bench clean

install: $(STAMP)

$(STAMP): pyproject.toml
	@echo "Installing nishiki and what it needs into .venv (once, a few minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nishiki needs Python 3.11 or newer; name it: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' 2>.venv/install.log || { cat .venv/install.log; exit 1; }
	@touch $@

demo: install
	@$(BIN)/nishiki demo --home demo-data

test: install
	@$(BIN)/python -m pytest -q

check: install
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@$(BIN)/deptry . 2> .venv/deptry.log || { cat .venv/deptry.log; exit 1; }
	@$(BIN)/typos
	@echo "make check: clean"

bench: install
	@$(BIN)/python -m tests.benchmarks

clean:
	rm -rf .venv build dist demo-data .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
