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

# pytest, so `make test ARGS="-k contract"` works; -n: the tests are independent of each other
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: demo test check format docs bench torture clean
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
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[aws,demo]' --group dev
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

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
