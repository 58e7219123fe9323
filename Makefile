# `make demo` and `make test` set up what they need in .venv and do it.
PYTHON ?= python3
SAMPLE ?= cat-lover
MESSAGE ?= I got the job! Best day ever!
LISTENER ?= jazz-pianist
SCENE ?= The dragon wakes up and attacks the village

BIN := .venv/bin
INPUTS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo demo-audio test slow lint types conformance clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: .venv/.demo ## install what the main job needs, and make a personalised emoji
	$(BIN)/pmg generate --user $(SAMPLE) --message "$(MESSAGE)" --out out

demo-audio: .venv/.demo-audio ## likewise, and make personalised background music
	$(BIN)/pmg generate --scenario background_music --user $(LISTENER) --message "$(SCENE)" --out out-music

test: .venv/.test ## install what the tests need, and run the fast ones
	$(BIN)/python -m pytest

slow: .venv/.test ## the tests that need minutes or the network
	$(BIN)/python -m pytest -m slow

lint: .venv/.test ## ruff, rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.test ## mypy, strict
	$(BIN)/mypy

conformance: .venv/.test ## every adapter of the repository against the contract; reports in build/conformance
	$(BIN)/python .ci/conformance.py

clean: ## remove the environment and what was built; training data in build/emoji stays
	rm -rf .venv build/lib build/bdist.* build/conformance dist out out-*

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pmg-sdk needs Python 3.11 or newer; set PYTHON=python3.12, for example")'
	$(PYTHON) -m venv .venv

.venv/.demo: .venv/bin/python $(INPUTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[image]'
	touch $@

.venv/.demo-audio: .venv/bin/python $(INPUTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[audio]'
	touch $@ .venv/.demo

.venv/.test: .venv/bin/python $(INPUTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[image,test]'
	touch $@ .venv/.demo .venv/.demo-audio
