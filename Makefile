# `make` alone lists the commands. Servers are started by the commands themselves, not from here.
# A variable of the command line (DEMO_SCRIPT=...) is in the environment of what is run.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Tests wait for servers and kills more than they compute: three share two cores well.
TEST_PROCESSES ?= 3
DONE := $(VENV)/.set-up

.PHONY: help setup demo chat test check format bench fuzz-pools snapshot fuzz-gateways chaos up down lock clean

help: ## Lists these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DONE) ## Makes .venv with the locked packages (the other commands do this by themselves)

demo: $(DONE) ## Two dealers and a chat with Lucas (DEMO_SCRIPT=1: a talk that plays and checks itself)
	@$(BIN)/python -m dev.demo

chat: $(DONE) ## Talks with Lucas in the terminal (GATEWAY=waha; EXPLAIN=1: with his reasons)
	@$(BIN)/python -m dev.chat $(if $(GATEWAY),--gateway $(GATEWAY)) $(if $(EXPLAIN),--explain)

test: check ## Checks the code, then runs all tests against real servers (TEST_PROCESSES=3 at a time)
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal

check: $(DONE) ## Checks formatting, lint rules and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(DONE) ## Formats the code and repairs what ruff can repair
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DONE) ## Measures beside arq, SAQ, BullMQ and no queue at all (BENCH_QUICK=1, BENCH_ONLY=latency)
	@$(BIN)/python -m bench

fuzz-pools: $(DONE) ## Cancels at every await of the tenant pools (FUZZ_SECONDS=600)
	@$(BIN)/python -m dev.fuzz

snapshot: $(DONE) ## Writes the schema of new dealers' databases anew, after a new migration
	@$(BIN)/python -m dev.snapshot

fuzz-gateways: $(DONE) ## Damages webhook bodies of all gateways (FUZZ_BODIES=100000)
	@$(BIN)/python -m dev.fuzz_gateways

chaos: $(DONE) ## Kills, freezes and cuts the fleet off, then counts (CHAOS_SECONDS=600)
	@$(BIN)/python -m dev.chaos

up: $(DONE) ## Starts the private MariaDB and Redis and keeps them
	@$(BIN)/python -m dev.servers up

down: $(DONE) ## Lets them go; the last running command stops them
	@$(BIN)/python -m dev.servers down

lock: ## Makes the lock files anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: python3 -m pip install uv"; exit 1; }
	uv pip compile $(LOCK) pyproject.toml --output-file requirements.lock
	uv pip compile $(LOCK) pyproject.toml --group dev --output-file requirements-dev.lock

clean: ## Stops the servers, then removes .venv, .local (with their data) and all caches
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m dev.servers down; fi
	rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Hashes and no addresses: the same files come from whichever index a machine uses.
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header

# The first of these that is Python 3.11 or newer; PYTHON=... says which one to take.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$name"; break; }; done)

$(DONE): requirements-dev.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is needed: install it, or type: make PYTHON=/path/to/python3.11"; \
		exit 1; fi
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu:" \
		"sudo apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@
