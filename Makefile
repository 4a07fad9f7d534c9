# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
# Some of nox's sessions, or all: make test SESSIONS="lint docs"
SESSIONS ?=
# Some of Molecule's scenarios, or all: make molecule SCENARIO=gpu_facts
SCENARIO ?=

# Some of the benchmarks, or all: make bench BENCH="header plan"
BENCH ?=

# How long make fuzz takes, and which inputs it makes.
SECONDS ?= 120
SEED ?= 1

# For make demo: a path, an https URL or hf:org/repo:QUANT. Without it a tiny model is made.
MODEL ?=

VENV := .venv
RUN := $(VENV)/bin/python tests/harness/run.py

.DEFAULT_GOAL := help
.PHONY: help demo demo-stop test test-unit lint molecule test-kube kube-up kube-down truth oracle bench fuzz changelog clean

help: ## Say what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/demo ## Build, install, plan, run a server on this machine and ask it a question. MODEL=… for a model of yours.
	@examples/demo/demo.sh start "$(MODEL)"

demo-stop: ## Stop the server of the demo.
	@examples/demo/demo.sh stop

test: $(VENV)/ready ## Run every check. The last line says how many passed.
	@$(RUN) $(SESSIONS)

test-unit: $(VENV)/ready ## Run the unit tests on each ansible-core this machine's Pythons can run.
	@$(RUN) unit

lint: $(VENV)/ready ## Run the linters of code, documentation and changelog.
	@$(RUN) lint docs changelog

molecule: $(VENV)/ready ## Run the roles on Debian 12 and 13 in systemd containers.
	@$(RUN) molecule -- $(SCENARIO)

test-kube: $(VENV)/ready ## Run what needs a Kubernetes control plane, on a real one. Builds it at first use: 20 minutes, and Go 1.26.
	@$(RUN) kube

kube-up: ## Start a Kubernetes control plane on loopback, and say how to use it.
	@$(PYTHON) tests/kube/cluster.py up

kube-down: ## End it, and remove what is in it.
	@$(PYTHON) tests/kube/cluster.py down

truth: $(VENV)/ready ## Compare the memory rules with every figure of llama.cpp in tests/truth.
	@$(VENV)/bin/python tests/truth/compare.py

oracle: $(VENV)/ready ## Ask llama.cpp itself: every row of tests/truth again, questions by chance, whether plans stay within budget, --fit's choices. 15 minutes.
	@$(VENV)/bin/python tests/oracle/oracle.py check
	@$(VENV)/bin/python tests/oracle/oracle.py chance
	@$(VENV)/bin/python tests/oracle/oracle.py plans
	@$(VENV)/bin/python tests/oracle/oracle.py fit

bench: $(VENV)/demo ## Measure headers, memory queries, plans and an inventory of 1,000 hosts. Minutes. Judges nothing.
	@$(VENV)/bin/python tests/benchmarks $(BENCH)

fuzz: $(VENV)/ready ## Try damaged headers and absurd models for SECONDS, and say how many. SEED=… for others.
	@$(VENV)/bin/python tests/fuzz/fuzz.py --count 1000000 --seconds $(SECONDS) --seed $(SEED)

changelog: $(VENV)/ready ## Write CHANGELOG for the version in galaxy.yml from changelogs/fragments.
	@$(RUN) release

clean: ## Remove everything these targets made, containers and images too.
	@tests/harness/clean.sh

$(VENV)/ready: tests/harness/requirements/nox.txt tests/harness/bootstrap.sh
	@tests/harness/bootstrap.sh "$(PYTHON)" "$(VENV)"
	@touch $@

$(VENV)/demo: $(VENV)/ready examples/demo/requirements.txt examples/demo/model-requirements.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement examples/demo/requirements.txt
	@touch $@
