# `make` shows what there is. Everything lands in .venv/ and .tools/; `make clean` takes both away.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help venv dev demo stack kafka registry prometheus browser lint test fast faults soak fuzz bench bench-detection audit lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KAFKA := .tools/kafka/.fetched
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "no virtual environment: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.txt requirements-build.txt pyproject.toml
	@echo "installing the locked requirements ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements.txt -r requirements-build.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "installing what tests and checks need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.dev requirements-bench.txt
	@echo "installing what the detection bench compares with ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.txt
	@echo "installing Atheris ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@

venv: $(VENV)/.runtime ## the environment with the detector installed

dev: $(VENV)/.dev ## the same with everything that tests and checks need

demo: $(VENV)/.runtime ## the main job on shipped real data; ARGS=--exit ends with the summary
	@$(BIN)/drift-detector demo $(ARGS)

stack: $(VENV)/.runtime ## a day of events through Kafka, detector, Prometheus and Alertmanager to a webhook; ARGS=--keep stays
	@tools/provide kafka
	@tools/provide prometheus
	@tools/provide alertmanager
	@$(BIN)/python -m tools.stack $(ARGS)

kafka: ## fetch Apache Kafka for the tests, from Maven Central
	@tools/provide kafka

registry: ## fetch Apicurio Registry for the tests, from Maven Central
	@tools/provide registry

prometheus: ## fetch Debian's Prometheus and Alertmanager for the tests, unless they are installed
	@tools/provide prometheus
	@tools/provide alertmanager

browser: ## fetch Debian's Chromium for the tests, unless it is installed
	@tools/provide chromium

lint: $(VENV)/.dev ## format, style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: $(VENV)/.dev ## the tests that need no other program, nor build the image
	$(BIN)/pytest -m "not kafka and not registry and not prometheus and not alertmanager and not browser and not image" $(ARGS)

# Three streams side by side: most of the first two wait for other programs. The faults come first, for they are
# about time.
FAULTS := $(addprefix tests/faults/test_,broker.py disk.py killed.py network.py replicas.py)
FIRST := $(FAULTS) tests/deploy tests/demo
SECOND := tests/sources tests/integration tests/browser tests/cli tests/state
THIRD := $(FIRST:%=--ignore %) $(SECOND:%=--ignore %)

# What cannot be fetched is said here and again at the end of the tests, which then leave out what needs it.
# Where CI is set, nothing may be missing.
test: $(VENV)/.dev lint ## all checks and tests, against real Kafka, Apicurio Registry, Prometheus and Alertmanager
	@tools/provide kafka || [ -z "$${CI:-}" ]
	@tools/provide registry || [ -z "$${CI:-}" ]
	@tools/provide prometheus || [ -z "$${CI:-}" ]
	@tools/provide alertmanager || [ -z "$${CI:-}" ]
	@tools/provide chromium || [ -z "$${CI:-}" ]
	@mkdir -p build
	@$(BIN)/pytest $(FIRST) $(ARGS) > build/first.log 2>&1 & first=$$!; \
	  nice -n 10 $(BIN)/pytest $(SECOND) $(ARGS) > build/second.log 2>&1 & second=$$!; code=0; \
	  nice -n 10 $(BIN)/pytest $(THIRD) $(ARGS) || code=$$?; \
	  for beside in $$first $$second; do wait $$beside || { w=$$?; [ $$w -eq 5 ] || code=$$w; }; done; \
	  cat build/first.log build/second.log; exit $$code

faults: $(VENV)/.dev ## the long form of tests/faults: 500 kills, 100,000 crashes; an hour and more
	@tools/provide kafka
	DRIFT_TEST_FAULTS=long $(BIN)/pytest tests/faults $(ARGS)

soak: $(VENV)/.dev ## a day of traffic, 50 million events, with state saved: memory must stay flat
	$(BIN)/python -m tests.faults.soak $(ARGS)

fuzz: $(VENV)/.fuzz ## a minute of fuzzing for each way in; ARGS="--seconds 600 config http", --runs N; see tests/fuzz
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: $(VENV)/.dev ## speed and memory, as ratios in the same run
	@tools/provide kafka
	$(BIN)/pytest -m bench -s tests/bench --ignore tests/bench/detection $(ARGS)

bench-detection: $(VENV)/.bench ## what is found, and how often in vain, beside other rules; see docs/detection-bench.md
	$(BIN)/pytest -m bench -s tests/bench/detection $(ARGS)

AUDIT := .tools/audit

$(AUDIT)/.made: pyproject.toml
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --group audit
	@touch $@

audit: $(AUDIT)/.made ## a bill of materials of what is locked, and what is known against it
	@$(AUDIT)/bin/python -m tools.audit

lock: $(VENV)/.made ## resolve the locked requirements anew
	@$(BIN)/pip install --quiet uv
	$(BIN)/$(LOCK) pyproject.toml -o requirements.txt
	$(BIN)/$(LOCK) --group build -o requirements-build.txt
	$(BIN)/$(LOCK) pyproject.toml --extra parquet --group dev -c requirements.txt -o requirements-dev.txt
	$(BIN)/$(LOCK) --group bench -c requirements.txt -o requirements-bench.txt
	$(BIN)/$(LOCK) --group fuzz -c requirements.txt -o requirements-fuzz.txt

clean: ## take away the environment, fetched programs and caches
	rm -rf $(VENV) .tools .fuzz build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
