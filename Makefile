.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3.11
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
STAGES := $(shell sed -n 's/^    "\([a-z]*\)": StageEntry.*/\1/p' recsys/runs/stages.py)
BENCH ?= categories --data ../shared/data/bbc/articles.jsonl.gz --folds 5

# Every job and test starts processes: without bytecode on disk each compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

# Names in the environment that set nothing are refused before anything is installed.
.PHONY: names help setup settings run worker test slow cluster check chaos audit object-store mutants serve all simulate publish rollback releases evaluate bench clean $(STAGES)

help: ## this list
	@grep -hE '^[a-z$$()A-Z_ -]+:.*## ' $(MAKEFILE_LIST) | sed 's/$$(STAGES)/STAGE/' | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo "  stages: $(STAGES)"

setup: $(READY) ## make .venv with everything pinned

names:
	@python=$$(command -v $(PY) || command -v $(PYTHON)) || { echo "Python 3.11 is needed and was not found as '$(PYTHON)'. Install it, or say where it is: make PYTHON=/path/to/python3.11 setup"; exit 1; }; $$python -S -m recsys.names

$(READY): pyproject.toml constraints.txt | names
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

run: setup ## build the demo newsroom and serve it at http://127.0.0.1:8080
	$(PY) -m jobs simulate
	$(PY) -m jobs all
	@$(PY) -m jobs person editor --first
	@$(PY) -m jobs worker & worker=$$!; trap 'kill $$worker 2>/dev/null || true; wait $$worker 2>/dev/null || true' EXIT; $(PY) -m web

worker: setup ## take queued runs and keep the schedules
	$(PY) -m jobs worker

test: setup ## pass the tests
	$(PY) -m pytest -n 2 --dist worksteal

slow: setup ## the tests of whole commands: every command of the documents, torchrun, the benchmark of the service
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow

cluster: setup ## the tests of a cluster: Ray is installed beside the rest, and two nodes are started
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,cluster]'
	$(PY) -m pytest -m cluster

check: setup ## ruff, ruff format, mypy --strict, the layer test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PY) -m pytest -q tests/test_layers.py

serve: setup ## serve what was published
	$(PY) -m web

all: setup ## make every stage that is not up to date, and publish
	$(PY) -m jobs all

$(STAGES): setup ## one stage
	$(PY) -m jobs $@

simulate publish rollback releases evaluate: setup
	$(PY) -m jobs $@

settings: setup ## write docs/settings.md and config.yaml anew from the sections' classes
	$(PY) -m jobs settings > docs/settings.md
	$(PY) -m jobs settings --yaml > config.yaml.new && mv config.yaml.new config.yaml

chaos: setup ## faults on purpose against real processes, counted (docs/reliability.md; CHAOS=quick: fewer tries)
	$(PY) -m tests.chaos

audit: setup ## known weaknesses: bandit over the code, pip-audit over constraints.txt (asks the network; installs both in .audit)
	test -x .audit/bin/pip-audit || { $(PYTHON) -m venv .audit; .audit/bin/pip install --quiet bandit pip-audit; }
	.audit/bin/bandit --quiet -ll --recursive recsys jobs web
	.audit/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

object-store: .s3/bin/moto_server ## an object store for tests/test_shared_releases.py, in an environment of its own (asks the network)

.s3/bin/moto_server:
	$(PYTHON) -m venv .s3
	.s3/bin/pip install --quiet --disable-pip-version-check 'moto[s3,server]'

mutants: setup ## plant faults one at a time, and say which the tests do not notice
	$(PY) -m tests.mutants

bench: setup ## run a benchmark: make bench BENCH='next_click --clicks FILE'
	$(PY) -m benchmarks.$(BENCH)

clean: ## remove .venv, caches and the data folder's workspace (releases and the store stay)
	rm -rf $(VENV) .audit .s3 build *.egg-info .mypy_cache .ruff_cache .pytest_cache "$${RECSYS_DATA_DIR:-data}/work"
	find recsys jobs web tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
