# Two commands matter: `make demo` and `make test`. Both install what is missing, on Debian 12 or later, and only once.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
ARGS ?=
RIG ?=

RUN_PACKAGES := python3 python3-venv libspandsp2
SOUND_PACKAGES := portaudio19-dev python3-dev gcc libasound2-plugins pulseaudio pulseaudio-utils
TEST_PACKAGES := mgetty-voice mgetty-pvftools multimon-ng nut-server systemd systemd-container debootstrap \
	flite espeak-ng sox libfst-tools e2fsprogs util-linux postgresql nftables iproute2 $(SOUND_PACKAGES)

.PHONY: help demo test lint unit hil bench cuts prompts soak outages fleet install clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.run ## a call on the simulated bench; ARGS=--once ends after it
	@$(BIN)/linekeeper demo $(ARGS)

test: lint unit ## everything: style, types, layers, tests, scenarios

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.test
	$(BIN)/pytest -n 3 --dist loadfile $(ARGS)

hil: $(VENV)/.test ## whole-call scenarios on the bench, or on hardware with RIG=FILE
	@[ -z "$(RIG)" ] || $(BIN)/pip install --quiet -e '.[rig]'
	$(BIN)/pytest hil $(if $(RIG),--rig=$(RIG)) $(ARGS)

bench: $(VENV)/.test ## the figures P1 to P9, and what idling costs, beside their targets
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/.test ## 1,000 calls with every trouble, kill -9 at 200 instants, ten minutes of flapping mains
	LINEKEEPER_CALLS=1000 LINEKEEPER_KILLS=200 $(BIN)/pytest tests/scenarios/test_thousand_calls.py tests/scenarios/test_kill_nine.py $(ARGS)
	LINEKEEPER_FLAPPING_SECONDS=600 $(BIN)/pytest tests/scenarios/test_services_as_processes.py -k flapping $(ARGS)

cuts: $(VENV)/.test ## the store cut short at POINTS=2000 points, by power and by kill -9 (root)
	$(BIN)/python -m cuts $(or $(POINTS),2000) $(ARGS)

outages: $(VENV)/.test ## 100,000 records over a network that breaks at 50 points; ARGS=--help tells more (root)
	$(BIN)/python -m outages $(ARGS)

fleet: $(VENV)/.test ## 1,000 simulated appliances against one collector on this machine
	$(BIN)/python -m benchmarks.fleet $(ARGS)

prompts: $(VENV)/.test ## speak the prompt catalogue again
	$(BIN)/linekeeper prompts build

install: ## this machine becomes an appliance: /opt/linekeeper, its units and users (as root)
	@scripts/need $(RUN_PACKAGES) systemd udev dbus polkitd
	@scripts/install

clean: ## remove what the other commands made
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

$(VENV)/.packages-run:
	@scripts/need $(RUN_PACKAGES)
	@mkdir -p $(VENV) && touch $@

$(VENV)/.packages-test:
	@scripts/need $(RUN_PACKAGES) $(TEST_PACKAGES)
	@mkdir -p $(VENV) && touch $@

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/.packages-run
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[speech,gpio]'
	@touch $@

$(VENV)/.test: $(VENV)/.run | $(VENV)/.packages-test
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[speech,sound,gpio,collector,dev]'
	@touch $@
