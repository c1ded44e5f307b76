# The one place that knows how this project is set up, checked, tested and shown.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
LAB := $(BIN)/python -m tests.lab.machines
HOST ?= alpha
MINUTES ?= 20
CODE := reconciler tests

# Without its cache, Python compiles everything anew for each of the many processes of the tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.ready ## make the virtual environment with exactly the versions in constraints.txt

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

.PHONY: demo
demo: setup ## do the main job on virtual machines with real ZFS and show it
	@tests/lab/demo.sh

.PHONY: test
test: check integration lab ## everything: the one test command
	@echo "All checks and tests passed."

.PHONY: check
check: fmt-check lint types arch fast ## the fast part: no ssh, no lab

.PHONY: fmt
fmt: setup ## format the code
	$(BIN)/ruff format $(CODE)

.PHONY: fmt-check
fmt-check: setup
	$(BIN)/ruff format --check $(CODE)

.PHONY: lint
lint: setup ## ruff
	$(BIN)/ruff check $(CODE)

.PHONY: types
types: setup ## mypy, strict
	$(BIN)/mypy

.PHONY: arch
arch: setup ## import contracts
	$(BIN)/lint-imports --no-cache

.PHONY: fast
fast: setup ## unit tests, properties and goldens in one go
	$(PYTEST) -q -n 3 --dist worksteal tests/unit tests/behaviours tests/property tests/golden

.PHONY: unit
unit: setup ## unit tests
	$(PYTEST) -q -n 3 tests/unit tests/behaviours

.PHONY: property
property: setup ## property tests
	$(PYTEST) -q -n auto tests/property

.PHONY: property-long
property-long: setup ## the properties with 5,000 examples each
	HYPOTHESIS_PROFILE=long $(PYTEST) -q -n auto tests/property

.PHONY: mutations
mutations: setup ## break the code on purpose: each time a test must fail
	$(BIN)/python -m tests.mutations

.PHONY: golden
golden: setup ## plans as text and JSON, compared whole
	$(PYTEST) -q tests/golden

.PHONY: integration
integration: setup ## against a real sshd on loopback
	$(PYTEST) -q tests/integration

.PHONY: lab
lab: setup ## against real ZFS in virtual machines (builds their image on first use)
	$(PYTEST) -v --durations=10 -n auto --dist worksteal tests/lab

.PHONY: soak
soak: setup ## the controller for 20 minutes while everything goes wrong (MINUTES=20)
	$(BIN)/python -m tests.lab.soak --minutes $(MINUTES)

.PHONY: year
year: setup ## the controller for a year on 50 simulated hosts with random faults
	$(BIN)/python -m tests.support.year

.PHONY: lab-up
lab-up: setup ## boot three hosts with real ZFS and leave them running
	$(LAB) up

.PHONY: lab-ssh
lab-ssh: setup ## log in on a host: make lab-ssh HOST=vault
	$(LAB) ssh $(HOST)

.PHONY: lab-down
lab-down: setup ## stop the hosts and remove their disks
	$(LAB) down

.PHONY: bench
bench: setup ## figures, beside those of peers: docs/benchmarks.md anew (about an hour)
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench page

.PHONY: docs
docs: setup ## write the generated pages anew
	$(BIN)/python -m reconciler.desired.reference > docs/spec-reference.md
	$(BIN)/python -m reconciler.report.metrics_reference > docs/metrics.md

.PHONY: constraints
constraints: setup ## write the versions that are installed into constraints.txt
	(echo '# Exact versions that make and CI install. Made by `make constraints`.'; \
	 $(BIN)/python -m pip freeze --exclude-editable) > constraints.txt
