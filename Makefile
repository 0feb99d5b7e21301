# All that a developer or an operator does. Python 3.11 or later and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-whole test-browser dev lint format bench docs doctor clean

run: $(VENV)/installed  ## everything, from raw events to the published files
	$(BIN)/cx run

test: $(VENV)/installed-dev  ## the tests
	$(BIN)/python -m pytest -n auto --dist loadfile

test-whole: $(VENV)/installed-dev  ## whole runs as users make them, servers, what is killed, what fails
	$(BIN)/python -m pytest -n auto --dist loadfile -m whole

test-browser: $(VENV)/installed-dev  ## what needs Chromium: the report and the web UI
	$(BIN)/python -m pytest -m browser

dev: $(VENV)/installed  ## the web UI on the same instance
	DAGSTER_HOME="$$($(BIN)/cx home)" $(BIN)/dagster dev -w workspace.yaml

doctor: $(VENV)/installed  ## would a run on CX_DATASET work?
	$(BIN)/cx doctor

lint: $(VENV)/installed-dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed-bench  ## speed, memory and how well drift is noticed, measured and written to data/benchmarks/
	$(BIN)/python -m cx_assets_tests.benchmarks
	$(BIN)/python -m cx_assets_tests.benchmarks.drift

docs: $(VENV)/installed  ## cx_assets/docs/tables.md, from the tables' declarations
	$(BIN)/cx tables --write cx_assets/docs/tables.md

clean:  ## all that was made: the environment, and what runs left in data/; your own files there stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf data/published data/.published-* data/working.* data/dagster data/benchmarks data/*_run.json data/failed_runs.log
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/installed-bench: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,bench]'
	touch $@
