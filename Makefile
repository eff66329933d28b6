# `make demo` and `make test` need nothing but Python 3.11 or later with its venv module, and make.
# They set up .venv by themselves. The line with "##" in front of a target is its help.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
N      ?= 2000
KILLS  ?= 50
MINUTES ?= 10
SECONDS ?= 60
TARGET ?= contract

# pytest, so `make test ARGS="-k contract"` works; -n: the tests are independent of each other
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: help demo test check format docs site screenshots component dist debian packages bare bench torture soak fuzz lock clean
.DEFAULT_GOAL := help

## print this list
help:
	@echo 'make TARGET, with one of these targets:'
	@awk '/^## /{said = substr($$0, 4); next} said && /^[a-z]+:/{sub(/:.*/, ""); printf "  %-10s %s\n", $$0, said} {said = ""}' Makefile

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $$($(PYTHON) --version) was found. Try: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.created pyproject.toml
	@echo "Fetching the packages of the demo into $(VENV) (once; about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.created pyproject.toml
	@echo "Fetching the packages of the tests into $(VENV) (once; some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[aws,console,demo,greengrass,metrics,otel,postgres]' --group dev
	@touch $@ $(VENV)/.demo

## watch a request travel from MQTT to Twilio (simulated) and its status come back; ARGS=--once ends after that
demo: $(VENV)/.demo
	@$(BIN)/twilio-notifications demo $(ARGS)

## run the whole test suite; ARGS="-k contract" for a part of it
test: $(VENV)/.dev
	$(PYTEST) $(ARGS)

## check formatting, lint, types, import rules and the rules of the house
check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q tests/architecture

## format the code, and correct what ruff can correct by itself
format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## write the generated pages of docs/
docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate

$(VENV)/.site: $(VENV)/.created pyproject.toml
	@echo "Fetching the packages of the site into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group site
	@touch $@

# NO_MKDOCS_2_WARNING: an advertisement of the theme's, in red, about a program that is not used here.
# Without --quiet, with which no warning would count, and so no link that leads nowhere.
## make a site of the documents, with a search, in build/site; a link that leads nowhere fails it
site: $(VENV)/.site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo 'build/site/index.html is the first page; $(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site 8000 serves it, search included'

# needs Chromium with its driver, and Mosquitto
## write the pictures of the console and the telephones into docs/images
screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.console.screenshots
	$(BIN)/python -m tests.simulator.screenshots

# e.g. `make torture N=2000 KILLS=50`; SEED=… draws the same again, BROKER=rabbitmq takes that one,
# JOURNAL=postgresql that engine, CONNECTORS=3 has several share it, CALLBACKS=1 has Twilio call back
## kill -9 again and again under load, and count what was lost, doubled, skipped or reported wrongly
torture: $(VENV)/.dev
	@$(BIN)/python -m tests.reliability.torture --requests $(N) --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(if $(BROKER),--broker $(BROKER)) $(if $(JOURNAL),--journal $(JOURNAL)) $(if $(CONNECTORS),--connectors $(CONNECTORS)) $(if $(CALLBACKS),--callbacks)

# e.g. `make soak MINUTES=60`; SEED=… draws the same again, JOURNAL=postgresql CONNECTORS=3 has three of them
# share a database
## run for long under an even load and kills; what was promised must be kept, and nothing may grow
soak: $(VENV)/.dev
	@$(BIN)/python -m tests.reliability.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(JOURNAL),--journal $(JOURNAL)) $(if $(CONNECTORS),--connectors $(CONNECTORS)) $(ARGS)

# atheris comes as a wheel, for some versions of Python only; built from source it would need LLVM
$(VENV)/.fuzz: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary atheris --group fuzz || \
	  { echo "atheris has no wheel for $$($(BIN)/python --version) on this machine; Python 3.11 to 3.14 on Linux (x86-64) have one:" \
	    "make fuzz VENV=.venv-fuzz PYTHON=python3.12"; exit 1; }
	@touch $@

# What breaks a claim is left in fuzz/found.
## give the contract bytes made by a fuzzer, or MQTT's protocol with TARGET=mqtt; SECONDS=600 for a longer run
fuzz: $(VENV)/.fuzz
	@mkdir -p fuzz/found/$(TARGET)
	$(BIN)/python -m fuzz $(TARGET) -max_total_time=$(SECONDS) -timeout=5 -rss_limit_mb=512 -max_len=8192 \
	  -verbosity=0 -print_final_stats=1 $(if $(filter contract,$(TARGET)),-dict=fuzz/contract.dict) \
	  -artifact_prefix=fuzz/found/$(TARGET)/ fuzz/found/$(TARGET) \
	  fuzz/corpus$(if $(filter mqtt,$(TARGET)),-mqtt)

## build the component of Greengrass V2 into build/greengrass; ARGS=--help lists the options
component: $(VENV)/.dev
	@$(BIN)/python deploy/greengrass/build.py $(ARGS)

$(VENV)/publish/.created: $(VENV)/.created pyproject.toml
	@$(PYTHON) -m venv $(VENV)/publish
	@$(VENV)/publish/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(VENV)/publish/bin/python -m pip install --quiet --disable-pip-version-check --group publish
	@touch $@

## build the source distribution and the wheel into dist/, and check them as a package index will
dist: $(VENV)/.dev $(VENV)/publish/.created
	@rm -rf dist
	@$(BIN)/python -m hatchling build -d dist
	@$(VENV)/publish/bin/twine check --strict dist/*

# for the Debian and the architecture of this machine; EXTRAS="aws metrics" adds extras
## build the Debian package into build/debian; ARGS=--help lists the options
debian: $(VENV)/.created
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group build
	@$(BIN)/python deploy/debian/build.py $(EXTRAS) $(ARGS)

# needs root and debootstrap; RELEASE=bookworm for another Debian
## try the steps of the image and the Debian package in a bare Debian
packages:
	@RELEASE=$(or $(RELEASE),trixie) EXTRAS='$(EXTRAS)' .ci/packages

# needs root and debootstrap, and takes as long as both commands; RELEASE=bookworm for another Debian
## try `make demo` and `make test` on a bare Debian
bare:
	@RELEASE=$(or $(RELEASE),trixie) ARGS='$(ARGS)' .ci/bare

## measure the connector; ARGS=--help lists the options
bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

## write requirements.lock: versions and hashes of everything that can be installed with the connector
lock: $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --group build --universal --python-version 3.11 --upgrade --quiet \
	  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' -o requirements.lock

## remove what the other targets have set up
clean:
	rm -rf $(VENV) build/site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
