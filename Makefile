# Every target starts from a bare checkout and sets up what it needs. `make` alone lists them.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: help dev programs demo test pass-suite check bench generate clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

dev: $(INSTALLED) ## make .venv with clave and the tools for its development

$(INSTALLED): pyproject.toml
	@PYTHON=$(PYTHON) tools/need dev
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip --quiet install --upgrade 'pip>=25.1'  # the first that knows --group
	@$(BIN)/python -m pip --quiet install --editable . --group dev
	@touch $@

programs: # before all else, so that everything that is missing is named at once
	@PYTHON=$(PYTHON) tools/need dev test

demo: dev ## run the main job for real, in a throw-away home
	@tools/need dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" tools/demo

test: programs dev ## run the tests; T= chooses: make test T='tests/vcs -k lock'
	$(BIN)/python -m pytest --numprocesses auto $(T)

pass-suite: programs dev ## run the test-suite of pass with clave in its place
	$(BIN)/python -m pytest tests/pass_suite

check: programs dev ## ruff, mypy, layers, generated files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generated.py --check

generate: programs dev ## write the generated files: man pages, completions, outputs in the documents
	$(BIN)/python tools/generated.py

bench: programs dev ## measure clave against pass
	@tools/need bench
	$(BIN)/python benchmarks/run.py

clean: ## remove everything that make has made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +
