# Two commands need nothing but Python 3.11 or later with its venv module, and make:
#   make demo    watch a request travel from MQTT to Twilio (simulated) and its status come back
#   make test    run the whole test suite
# They set up .venv by themselves.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
N      ?= 2000
KILLS  ?= 50
SECONDS ?= 60

# pytest, so `make test ARGS="-k contract"` works; -n: the tests are independent of each other
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: demo test check format docs component bench torture fuzz lock clean
.DEFAULT_GOAL := test

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $$($(PYTHON) --version) was found. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[aws,demo,greengrass,metrics,migrate]' --group dev
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@$(BIN)/twilio-notifications demo $(ARGS)

test: $(VENV)/.dev
	$(PYTEST) $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate

# kill -9 again and again under load, e.g. `make torture N=2000 KILLS=50`; SEED=… draws the same again
torture: $(VENV)/.dev
	@$(BIN)/python -m tests.reliability.torture --requests $(N) --kills $(KILLS) $(if $(SEED),--seed $(SEED))

# atheris comes as a wheel, for some versions of Python only; built from source it would need LLVM
$(VENV)/.fuzz: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary atheris --group fuzz || \
	  { echo "atheris has no wheel for $$($(BIN)/python --version) on this machine; Python 3.11 to 3.14 on Linux (x86-64) have one:" \
	    "make fuzz VENV=.venv-fuzz PYTHON=python3.12"; exit 1; }
	@touch $@

# payloads made by a fuzzer for the contract, e.g. `make fuzz SECONDS=600`; what breaks it is left in fuzz/found
fuzz: $(VENV)/.fuzz
	@mkdir -p fuzz/found
	$(BIN)/python -m fuzz -max_total_time=$(SECONDS) -timeout=5 -rss_limit_mb=512 -max_len=8192 -verbosity=0 \
	  -print_final_stats=1 -dict=fuzz/contract.dict -artifact_prefix=fuzz/found/ fuzz/found fuzz/corpus

# the component of Greengrass V2, into build/greengrass; `make component ARGS=--help` has what can be chosen
component: $(VENV)/.dev
	@$(BIN)/python deploy/greengrass/build.py $(ARGS)

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

# Versions and hashes of everything that can be installed with the connector, for every platform.
lock: $(VENV)/.created
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade --quiet \
	  --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
