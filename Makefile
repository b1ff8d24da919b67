# Every target sets up what it needs in .venv first, so nothing has to be installed or activated
# by hand. Another interpreter, beside the first: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
PYTEST ?= $(VENV)/bin/pytest
# Several processes, each with whole modules; `make test PARALLEL=` is one, for a debugger.
PARALLEL ?= --numprocesses auto --dist loadgroup --no-loadscope-reorder
# Passed on to the command that a target runs: make test ARGS="-k origin -x"
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYRIGHT := $(BIN)/pyright --pythonpath $(BIN)/python

# asv builds what is committed, in environments of its own, with the interpreter of .venv.
ASV_CONFIG := benchmarks/asv.conf.json
ASV := $(BIN)/asv machine --yes --config $(ASV_CONFIG) >/dev/null && CORSCORE_REQUIRE_EXTENSION=1 $(BIN)/asv
ASV_PYTHON = --config $(ASV_CONFIG) --environment virtualenv:$(shell $(PYTHON) -c \
	'import sys; print("%d.%d" % sys.version_info[:2])')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
BENCH := bench bench-compare bench-html bench-table bench-check bench-baseline sanitize
.PHONY: $(BENCH) help install demo demo-fleet fleet test test-fast cov deep fuzz mutants test-oldest lint format types screenshots dist \
	wheel clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' Makefile \
		| while IFS='|' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.installed  ## Start the demo: an API, and a page on another origin
	$(BIN)/corscore demo $(ARGS)

test: $(VENV)/.test  ## Run the tests, on both builds of the matcher if there is a C compiler
	$(PYTEST) $(PARALLEL) $(ARGS)

# The markers are set by tests/conftest.py.
FAST := -m "not (browser or server or subprocess or slow)"

test-fast: export HYPOTHESIS_PROFILE := fast
test-fast: $(VENV)/.test  ## Run the tests that start no server, process or browser
	$(PYTEST) $(PARALLEL) $(FAST) $(ARGS)

cov: $(VENV)/.test  ## Run the tests and fail below 98 % of lines and branches
	$(BIN)/coverage erase
	$(BIN)/coverage run $(BIN)/pytest $(PARALLEL) $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fleet: $(VENV)/.test  ## Eight workers on two hosts, 100 changes, and every fault of Redis and PostgreSQL
	$(PYTEST) --quiet --capture=no --log-level=CRITICAL -m slow tests/adapters/store $(ARGS)

deep: $(VENV)/.test  ## Run the property tests with 20,000 examples each
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest $(PARALLEL) -m hypothesis $(ARGS)

# Which sources and tests: [tool.mutmut] in pyproject.toml. `make mutants ARGS="corscore._standard.*"`.
mutants: export CORSCORE_PURE_PYTHON := 1
mutants: export HYPOTHESIS_PROFILE := fast
mutants: $(VENV)/.test  ## Change the matcher and the parsers, and list what no test notices
	$(PIP) install --quiet --group mutants
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

# Coverage-guided, of the plain build: atheris reads no compiled code. `make fuzz SECONDS=60`.
SECONDS ?= 600
fuzz: export CORSCORE_PURE_PYTHON := 1
fuzz: $(VENV)/.test  ## Fuzz the parsers and whole requests for ten minutes
	$(PIP) install --quiet --group fuzz
	for target in tests/fuzz/fuzz_*.py; do \
		$(BIN)/python $$target -max_total_time=$$(($(SECONDS) / 2)) || exit 1; \
	done

test-oldest:  ## Run the tests with the lowest versions of everything we declare
	$(MAKE) VENV=$(VENV)-oldest GROUP=oldest test ARGS='$(or $(ARGS),-m "not browser")'

lint: $(VENV)/.lint  ## Check style and common mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.lint  ## Repair what can be repaired of them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.typing  ## Check types: mypy (strict) and pyright
	$(BIN)/mypy
	$(PYRIGHT)

bench: $(VENV)/.bench  ## Run the asv benchmarks for the last commit, on both builds of the matcher
	$(ASV) run --show-stderr $(ASV_PYTHON) $(ARGS) 'HEAD^!'

bench-compare: $(VENV)/.bench  ## Run them for BASE and for the last commit, in turns, and compare
	@test -n "$(BASE)" || { echo "Name the commit to compare with: make bench-compare BASE=main"; exit 2; }
	$(ASV) run --interleave-rounds $(ASV_PYTHON) $(ARGS) '$(BASE)^!'
	$(ASV) run --interleave-rounds $(ASV_PYTHON) $(ARGS) 'HEAD^!'
	$(BIN)/asv compare --config $(ASV_CONFIG) --factor 1.1 --split $(BASE) HEAD

bench-html: $(VENV)/.bench  ## Make pages of all results so far in .asv/html
	$(BIN)/asv publish --config $(ASV_CONFIG)

bench-table: $(VENV)/.bench  ## Measure all targets beside the peers; writes to docs/performance.*
	$(BIN)/python -m benchmarks.table --into docs $(ARGS)

bench-check: $(VENV)/.test  ## Fail when requests take more instructions than they used to
	$(BIN)/python -m benchmarks.guard $(ARGS)

bench-baseline: $(VENV)/.test  ## Write what they take now to benchmarks/baseline.json
	$(BIN)/python -m benchmarks.guard --update

sanitize: $(VENV)/.test  ## Run the tests of the matcher on a build with ASan and UBSan
	.ci/sanitize $(BIN)/python $(ARGS)

screenshots: $(VENV)/.installed  ## Make docs/cli/*.svg: what the commands print on a terminal
	$(BIN)/python docs/screenshots.py

dist: $(VENV)/.dist  ## Build the source distribution and a wheel into dist/
	rm -rf build dist
	$(if $(CORSCORE_PURE_PYTHON),,CORSCORE_REQUIRE_EXTENSION=1) $(BIN)/python -m build

wheel: dist

install: $(VENV)/.installed  ## Make .venv with the package and all of its extras

clean:  ## Remove .venv and whatever was built
	rm -rf .venv .venv-* build dist .coverage* htmlcov mutants *.egg-info
	rm -rf .asv .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f corscore/_engine/*_c.*so corscore/_engine/*_c.*pyd
	find benchmarks corscore adapters tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The group of dependencies that the tests run with.
GROUP ?= test

# `pip install --group` came with pip 25.1.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; \
	sys.exit(sys.version_info < (3, 10) and "corscore needs Python 3.10 or newer, and $(PYTHON) is " \
	+ v + ". Name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25.1"
	@touch $@

# An editable install compiles into corscore/, where an old build would stay, and be used, when the
# new one cannot be made. Hence it is removed first.
COMPILED := $(wildcard corscore/_engine/*_py.py corscore/_engine/*_c.pxd)
$(VENV)/.installed: $(VENV)/.pip pyproject.toml setup.py $(COMPILED)
	rm -f corscore/_engine/*_c"$$($(BIN)/python -c \
		'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')"
	$(PIP) install -qq --editable ".[all]"
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) install --quiet --group $(GROUP)
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(PIP) install --quiet --group bench
	@touch $@

$(VENV)/.typing: $(VENV)/.installed
	$(PIP) install --quiet --group typing
	@touch $@

$(VENV)/.lint: $(VENV)/.pip pyproject.toml
	$(PIP) install --quiet --group lint
	@touch $@

$(VENV)/.dist: $(VENV)/.pip pyproject.toml
	$(PIP) install --quiet --group dist
	@touch $@
