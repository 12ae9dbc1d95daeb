# Everything is one of these; `make` lists them. Needs python3 (3.11 or newer), make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
DATA ?= .gatepass
DEMO ?=
TESTS ?= tests
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz lint format form types imports bench lock chromium pdfsig clean reset

help: ## list what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.dev ## make the virtual environment with everything for development

demo: $(VENV)/.demo ## run everything on this machine (DEMO="--port 9000" passes options)
	@$(BIN)/gatepass demo --end-with-parent --data $(DATA) $(DEMO)

test: $(VENV)/.dev chromium pdfsig ## run every test and the coverage gates (TESTS=… for some, no gates)
	@rm -f .coverage .coverage.*
ifeq ($(TESTS),tests)
	@$(BIN)/python -m tests.lanes
	@$(BIN)/python -m coverage combine --quiet
	@echo "The rules and the workflows, every branch of them:"
	$(BIN)/python -m coverage report --include='domain/*,workflows/*' --fail-under=100
	@echo "Everything:"
	$(BIN)/python -m coverage report --fail-under=95
else
	$(BIN)/python -m pytest $(TESTS)
endif

fuzz: $(VENV)/.dev ## try the parsers with other examples each time, for MINUTES=10
	@end=$$(($$(date +%s) + 60 * $(MINUTES))); \
	while [ $$(date +%s) -lt $$end ]; do \
		$(BIN)/python -m pytest tests/unit/test_parsers_fuzz.py --hypothesis-profile=fuzz \
			-x -o timeout=0 --show-capture=no || exit 1; \
	done

lint: form types imports ## check form, types, imports and dependencies

form: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(VENV)/.dev ## put the code in form
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## measure the embedded stack beside its floors
	$(BIN)/python -m benchmarks

lock: $(VENV)/lock/bin/uv ## resolve requirements/*.txt anew from pyproject.toml
	@compile() { $(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes \
		--no-header --no-annotate "$$@"; }; set -e; \
	compile pyproject.toml --extra antivirus -o requirements/runtime.txt; \
	compile pyproject.toml --extra demo -o requirements/demo.txt; \
	compile pyproject.toml --extra dev -o requirements/dev.txt; \
	compile --group build -o requirements/build.txt

clean: ## delete caches and the virtual environment
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist *.egg-info
	rm -f .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

reset: ## delete the demo's data
	@if [ -f $(DATA)/postgres/LOCATION ]; then rm -rf "$$(head -n 1 $(DATA)/postgres/LOCATION)"; fi
	rm -rf $(DATA)

# The virtual environment: made once, brought up to date when a lock file changes.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Gatepass needs Python 3.11 or newer; $(PYTHON) is older. Try make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory install-venv
	@echo "Making the virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.demo: requirements/build.txt requirements/demo.txt | $(BIN)/python
	@echo "Installing what the demo needs …"
	@# Locks name everything, so that pip need not look for what they stand in for.
	@$(PIP) --no-deps --require-hashes -r requirements/build.txt -r requirements/demo.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.demo
	@echo "Installing what tests and linters need …"
	@$(PIP) --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/lock/bin/uv:
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip --disable-pip-version-check install --quiet uv

# What only the system's package manager can install.

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)
CAN_INSTALL := command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0

.PHONY: install-venv
install-venv:
	@$(CAN_INSTALL) || { echo "$(PYTHON) cannot make virtual environments. Install its venv module" \
		"(Debian, Ubuntu: apt-get install python3-venv) and run make again."; exit 1; }
	@echo "Installing python3-venv …"
	@$(SUDO) sh -c '$(APT) update && $(APT) install -y --no-install-recommends python3-venv >/dev/null'

chromium: ## make sure that there is a browser for the tests
	@command -v chromium-headless-shell >/dev/null || $(MAKE) --no-print-directory install-chromium

# The shell opens pages in a quarter of the time; where there is none, the whole browser will do.
.PHONY: install-chromium
install-chromium:
	@if $(CAN_INSTALL); then echo "Installing chromium …"; $(SUDO) sh -c '$(APT) update; \
		$(APT) install -y --no-install-recommends chromium-headless-shell fonts-dejavu-core || \
		$(APT) install -y --no-install-recommends chromium fonts-dejavu-core' >/dev/null || true; fi
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null \
		|| { echo "The tests need a browser. Install chromium" \
		"(Debian: apt-get install chromium-headless-shell) and run make again."; exit 1; }

pdfsig: ## make sure that there is a second judge of sealed documents for the tests
	@command -v pdfsig >/dev/null || $(MAKE) --no-print-directory install-pdfsig

.PHONY: install-pdfsig
install-pdfsig:
	@$(CAN_INSTALL) || { echo "The tests need pdfsig. Install poppler-utils" \
		"(Debian, Ubuntu: apt-get install poppler-utils) and run make again."; exit 1; }
	@echo "Installing poppler-utils …"
	@$(SUDO) sh -c '$(APT) update && $(APT) install -y --no-install-recommends poppler-utils >/dev/null'
