# Everything sets itself up: each target makes .venv first if it is missing or its pins changed.
# PYTHON=python3.13 makes .venv of another Python (3.11 or newer); `make clean` first.

PYTHON ?= python3
PYTEST_WORKERS ?= 2
SCHEDULES ?= 200
bin := .venv/bin
ready := .venv/.ready
scans := .venv-scan/.ready
fuzzes := .venv-fuzz/.ready
emulator := .emulator/.ready
browser := .venv/.browser
export SAM_CLI_TELEMETRY := 0
# Compiled once, not in each run and each worker of one; `make clean` removes it.
unexport PYTHONDONTWRITEBYTECODE
export AWS_DEFAULT_REGION ?= eu-west-1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup bake test long fuzz atheris crowd bench bench-scale bench-rollouts bench-peer bench-cold bench-overhead bench-cost bench-memory bench-local emulator faults promises matrix check lint scan audit coverage build deploy tables pins clean browser

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(ready) ## .venv with kiln, sam, cfn-lint and every tool, from pins with hashes

$(ready): requirements/dev.txt pyproject.toml tools/setup.sh
	@PYTHON='$(PYTHON)' tools/setup.sh
	@touch $@

bake: $(ready) ## bake both examples in the local AWS
	$(bin)/kiln bake blueprints/al2023-web.yaml blueprints/opsworks-ubuntu-1804-chef12.yaml --local

test: $(ready) ## the tests that five minutes hold, with branch coverage of the package
	$(bin)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal -q -m 'not long' --cov --cov-report=term --cov-fail-under=90

long: $(ready) ## the tests that take longer: whole rollouts, Windows, rows of matrices
	$(bin)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal -q -m long

fuzz: $(ready) ## properties with examples of their own in each run, many of them
	$(bin)/python -m pytest -n $(PYTEST_WORKERS) -q -m hypothesis --hypothesis-profile=fuzz --timeout=3000

atheris: $(fuzzes) ## coverage-guided fuzzing of what reads files and notices, FUZZ_SECONDS each
	PYTHONPATH=layers/kiln:cli .venv-fuzz/bin/python -m tools.fuzz

crowd: $(ready) ## bake a hundred at once under EC2's token buckets (KILN_CROWD=1000)
	KILN_CROWD=$${KILN_CROWD:-100} $(bin)/python -m pytest -q tests/e2e/test_crowd.py

bench: bench-overhead bench-peer bench-cold bench-memory bench-cost bench-scale bench-rollouts bench-local ## measure everything: bench/results.md (about an hour)

bench-overhead: $(ready) $(emulator) ## makespan of bakes over AWS's own time, in real time (half an hour)
	$(bin)/python -m bench.overhead

bench-peer: $(ready) ## Debian's packer beside Kiln, in real time (20 minutes)
	$(bin)/python -m bench.peer

bench-cold: $(ready) $(emulator) ## first call of each function under AWS's emulator, beside an empty one
	$(bin)/python -m bench.cold

bench-memory: $(ready) $(emulator) ## a bake with functions of 256 to 1,769 MB, with their shares of a processor (as root)
	$(bin)/python -m bench.memory

bench-cost: $(ready) $(emulator) ## what a bake and a rollout cost, counted
	$(bin)/python -m bench.cost

bench-local: $(ready) ## time of make bake, make test and kiln --help
	$(bin)/python -m bench.local

bench-scale: $(ready) ## measure crowds of bakes against what EC2's buckets let pass (BAKES="1 10 100")
	$(bin)/python -m bench.scale $(BAKES) --json bench/scale.json

bench-rollouts: $(ready) ## measure rollouts to many instances at once (INSTANCES="10 100")
	$(bin)/python -m bench.rollouts $(INSTANCES)

faults: $(ready) ## let every call behind a bake or a rollout go wrong, and judge what comes of it (WHOLE=1: leave out none)
	@WHOLE='$(WHOLE)' $(bin)/python -m tests.faults

promises: $(ready) ## two hundred random schedules of what may happen, none of which may break a promise
	SCHEDULES=$(SCHEDULES) $(bin)/python -m pytest -n $(PYTEST_WORKERS) -q tests/e2e/test_promises.py

matrix: $(ready) ## bake every platform with every Chef version (make long bakes a sample)
	KILN_MATRIX=whole $(bin)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal -q tests/e2e/test_matrix.py tests/e2e/test_windows.py

check: lint scan test coverage long ## the gate: every check, then every test

lint: $(ready) ## the checks that are no tests
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	PYTHONPATH=. $(bin)/lint-imports
	$(bin)/cfn-lint template.yaml
	$(bin)/sam validate --lint
	$(bin)/python -m tools.check_state_machines
	$(bin)/python -m tools.cleanup --check
	$(bin)/python -m tools.check_scripts
	$(bin)/python -m tools.powershell
	$(bin)/python -m tools.service_reference --check
	$(bin)/python -m tools.models --check
	PYTHONPATH=local $(bin)/python -m tools.permissions --check
	$(bin)/python -m tools.reference --check
	$(bin)/python -m tools.check_sizes
	$(bin)/codespell

scan: $(ready) $(scans) ## checkov over the template; each finding has a reason in tools/findings.yaml
	PYTHONPATH=local $(bin)/python -m tools.check_template

audit: $(scans) ## look up known vulnerabilities of every pin; Error 3 where nobody can be asked
	@$(PYTHON) -m tools.audit

$(scans) $(fuzzes): .venv-%/.ready: requirements/%.txt tools/setup.sh
	@PYTHON='$(PYTHON)' tools/setup.sh $*
	@touch $@

coverage: test
	$(bin)/python -m tools.check_coverage 90

emulator: $(emulator) ## what functions need to run under AWS's emulator

$(emulator): requirements/runtime.txt layers/deps/requirements.txt $(shell find layers -type f -not -path '*/__pycache__/*') tools/emulator.sh | $(ready)
	tools/emulator.sh
	@touch $@

browser: $(browser) ## what tests/browser needs: Debian's chromium, playwright and axe-core

$(browser): requirements/browser.txt tools/browser.sh | $(ready)
	tools/browser.sh
	@touch $@

build: $(ready) ## sam build under Python 3.13, twice, and compare the artifacts
	tools/build.sh

deploy: $(ready) ## build and deploy (STACK=kiln PARAMETERS="MaxBakes=20" YES=1); docs/deploying.md
	@$(bin)/python -m tools.deploy --stack '$(or $(STACK),kiln)' --parameters '$(PARAMETERS)' $(if $(YES),--yes)

tables: $(ready) ## write what is made of tables: the clean-up, docs/platforms.md, docs/permissions.md, docs/reference, service models
	$(bin)/python -m tools.cleanup
	$(bin)/python -m tools.service_reference
	$(bin)/python -m tools.models
	PYTHONPATH=local $(bin)/python -m tools.permissions
	$(bin)/python -m tools.reference

pins: $(ready) ## compile requirements/*.in into pins with hashes
	tools/pins.sh

clean: ## remove .venv, builds and caches
	rm -rf .venv .venv-scan .venv-fuzz .fuzz .emulator .aws-sam .coverage coverage.json dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
