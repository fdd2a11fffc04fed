# Everything a newcomer needs; `make` lists it. The environment is built in .venv from requirements-dev.lock.
PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate --no-header \
	--python-version 3.11 --extra worker --extra embedded --extra http pyproject.toml

CHROMA_TESTS := tests/integration/test_chroma.py tests/integration/test_semantic_indexes.py tests/faults/test_chroma_faults.py

.DEFAULT_GOAL := help
.PHONY: help demo test check types site imports style faults chaos chaos-documents bench real compose-check test-legacy test-chroma lock clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

demo: .venv/.installed  ## the main job on real input; KEEP=1 leaves it running, REAL=1 spends up to $0.05 at OpenAI
	@$(BIN)/python examples/demo.py $(if $(KEEP),--keep) $(if $(REAL),--real)

# Tests wait more than they work: four processes keep two cores busy.
test: check  ## the default lane: static checks, every test but the faults, and a few of those
	$(BIN)/pytest -m "not faults or smoke" -n 4 --dist worksteal

check: .venv/.installed  ## ruff, mypy --strict, import-linter, the documentation's site; two at a time
	@$(MAKE) --no-print-directory -j 2 types site imports style

types:
	$(BIN)/mypy

site:
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

imports:
	$(BIN)/lint-imports

style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

faults: .venv/.installed  ## tests that kill, freeze and restart things
	$(BIN)/pytest -m faults -n 3

chaos: .venv/.installed  ## 2,000 jobs under kills, freezes and restarts; POOL=prefork, SEED=7, JOBS=500
	$(BIN)/python tests/chaos.py $(if $(POOL),--pool $(POOL)) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))

chaos-documents: .venv/.installed  ## 1,000 documents summarised while worker and producer are killed; SEED=7
	$(BIN)/python tests/chaos_documents.py $(if $(SEED),--seed $(SEED))

bench: .venv/.installed  ## what a job costs beside other libraries: writes docs/performance.md, in some 20 minutes; ONLY=cost
	$(BIN)/python benchmarks/bench.py --write $(if $(ONLY),--only "$(ONLY)")

real: .venv/.installed  ## a real server with a small model, compiled once in some 20 minutes outside this folder; not in CI
	$(BIN)/python tests/real.py

compose-check:  ## build and run docker-compose.yml, kill each container; skipped, and says so, without a container engine
	$(PYTHON) deploy/compose_check.py

test-legacy: .venv-legacy/.installed  ## the contract suite over gemini-legacy, in an environment of its own
	.venv-legacy/bin/pytest -n 2 tests/contract --adapters gemini-legacy

test-chroma: .venv-chroma/.installed  ## the semantic cache's index in a real Chroma, in an environment of its own
	.venv-chroma/bin/pytest -n 2 -m chroma $(CHROMA_TESTS)

lock: .venv/.installed  ## write the lock files anew
	$(COMPILE) --upgrade --extra dashboard --extra chroma -o requirements.lock
	$(COMPILE) --upgrade --extra dashboard --extra documents --extra tables --group dev -o requirements-dev.lock
	$(COMPILE) --upgrade --extra google-generativeai --group dev -o requirements-legacy.lock
	$(COMPILE) --upgrade --group dev --group chroma -o requirements-chroma.lock

clean:  ## remove the environment, the demo's data and every cache
	rm -rf .venv .venv-legacy .venv-chroma .bench .demo .site .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: requirements-dev.lock pyproject.toml
	@$(call build,.venv,requirements-dev.lock)

.venv-legacy/.installed: requirements-legacy.lock pyproject.toml
	@$(call build,.venv-legacy,requirements-legacy.lock)

.venv-chroma/.installed: requirements-chroma.lock pyproject.toml
	@$(call build,.venv-chroma,requirements-chroma.lock)

define build
$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
echo "Building $(1) (a minute or two, once)"
$(PYTHON) -m venv --clear $(1)
$(1)/bin/pip install -qq --disable-pip-version-check --no-deps --require-hashes -r $(2)  # the lock is complete: nothing to resolve
rm -rf *.egg-info  # an old one would hide new commands
$(1)/bin/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
$(1)/bin/pip check -q --disable-pip-version-check
touch $(1)/.installed
endef
