# Every target sets up what it needs in .venv first, so nothing has to be installed or activated
# by hand. Another interpreter, beside the first: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
PYTEST ?= $(BIN)/pytest
# Several processes, each with whole modules; `make test PARALLEL=` is one, for a debugger.
PARALLEL ?= --numprocesses auto --dist loadfile --no-loadscope-reorder
# Containers set it, and then every process compiles all modules again, and pytest rewrites them.
unexport PYTHONDONTWRITEBYTECODE
# Passed on to the command that a target runs: make test ARGS="-k origin -x"
ARGS ?=

# Windows has its scripts in another folder.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYRIGHT := $(BIN)/pyright --pythonpath $(BIN)/python

# asv builds what is committed, in environments of its own, with the interpreter of .venv.
ASV_CONFIG := benchmarks/asv.conf.json
ASV := $(BIN)/asv machine --yes --config $(ASV_CONFIG) >/dev/null && CORSCORE_REQUIRE_EXTENSION=1 $(BIN)/asv
ASV_PYTHON = --config $(ASV_CONFIG) --environment virtualenv:$(shell $(PYTHON) -c \
	'import sys; print("%d.%d" % sys.version_info[:2])')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
BENCH := bench bench-compare bench-html bench-table bench-tenants bench-check bench-baseline sanitize
RELEASE := reproducible check-dist cibuildwheel smoke upgrade test-engine test-newest test-prereleases \
	test-pyodide check-github check-release
.PHONY: $(BENCH) help install demo demo-fleet fleet test test-fast test-fast-1 test-fast-2 cov deep fuzz mutants browsers test-oldest lint format types \
	screenshots option-table docs docs-check docs-test dist wheels clean $(RELEASE)

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' Makefile \
		| while IFS='|' read -r name text; do printf '  %-16s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.installed  ## Start the demo: an API, and a page on another origin
	@$(BIN)/corscore demo $(ARGS)

demo-fleet: $(VENV)/.installed  ## Start two hosts of two workers and a store, and watch policies arrive
	$(BIN)/corscore store demo $(ARGS)

# Few examples of each property, and no slow tests: `make cov` has all. The last -m counts.
test: export HYPOTHESIS_PROFILE ?= fast
test: $(VENV)/.test  ## Run the tests, on both builds of the matcher if there is a C compiler
	$(PYTEST) $(PARALLEL) -m "not slow" $(ARGS)

# The markers are set by tests/conftest.py.
FAST := -m "not (browser or server or subprocess or slow)"

test-fast test-fast-1 test-fast-2: export HYPOTHESIS_PROFILE := fast
test-fast: $(VENV)/.test  ## Run the tests that start no server, process or browser
ifeq ($(ARGS)$(if $(PARALLEL),,one),)
# The reports of pytest-xdist take longer than most of these tests: two plain processes are faster.
	@$(MAKE) --no-print-directory --jobs=2 test-fast-1 test-fast-2
else
	$(PYTEST) $(PARALLEL) $(FAST) $(ARGS)
endif
test-fast-1: $(VENV)/.test
	$(PYTEST) --quiet $(FAST) tests/adapters tests/house
test-fast-2: $(VENV)/.test
	$(PYTEST) --quiet $(FAST) --ignore=tests/adapters --ignore=tests/house

cov: $(VENV)/.test  ## Run the tests and fail below 98 % of lines and branches
	$(BIN)/coverage erase
	$(BIN)/coverage run $(BIN)/pytest $(PARALLEL) $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fleet: $(VENV)/.test  ## Eight workers on two hosts, 100 changes, and every fault of Redis and PostgreSQL
	$(PYTEST) --quiet --capture=no --log-level=CRITICAL -m slow tests/adapters/store $(ARGS)

deep: $(VENV)/.test  ## Run the property tests with 20,000 examples each
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest $(PARALLEL) -m hypothesis $(ARGS)

# [tool.mutmut] in pyproject.toml names the sources and tests. Results are kept in mutants/. To try a
# mutant again with a new test, name it, or several: `make mutants ARGS="corscore._standard.host.*"`.
mutants: export CORSCORE_PURE_PYTHON := 1
mutants: export HYPOTHESIS_PROFILE := fast
mutants: $(VENV)/.test  ## Change the matcher and the parsers, and list what no test notices
	$(PIP) install --quiet --group mutants
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results >mutants/results
	! grep -Ev ': (timeout|not checked)$$' mutants/results

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

bench-tenants: $(VENV)/.test  ## Measure look-ups among a million tenants in Redis and PostgreSQL
	$(BIN)/python -m benchmarks.tenants

bench-check: $(VENV)/.test  ## Fail when requests take more instructions than they used to
	$(BIN)/python -m benchmarks.guard $(ARGS)

bench-baseline: $(VENV)/.test  ## Write what they take now to benchmarks/baseline.json
	$(BIN)/python -m benchmarks.guard --update

sanitize: $(VENV)/.test  ## Run the tests of the matcher on a build with ASan and UBSan
	.ci/sanitize $(BIN)/python $(ARGS)

# Prints the versions of the engines; each of the N fetches is predicted, and each deviation there.
N ?= 2000
SEED ?= $(shell date +%s)
browsers: export CORSCORE_REQUIRE_BROWSER := 1
browsers: export CORSCORE_BROWSERS_FETCHES := $(N)
browsers: export CORSCORE_BROWSERS_SEED := $(SEED)
browsers: $(VENV)/.test  ## Compare the model with Chromium, Firefox and WebKit: N fetches of SEED
	$(PYTEST) -s tests/browsers $(ARGS)

screenshots: $(VENV)/.installed  ## Make docs/cli/*.svg: what the commands print on a terminal
	$(BIN)/python docs/screenshots.py

option-table: $(VENV)/.installed  ## Write the spellings of each option into docs/options.md
	$(BIN)/python docs/option_table.py

# Strict: a warning, a broken link or a missing anchor fails.
SITE := build/site
docs: $(VENV)/.docs build/node_modules/.installed  ## Make the site in build/site, with the playground
	rm -rf $(SITE)
	$(BIN)/python -m sphinx -c docs -b html -j auto --fail-on-warning --keep-going -q . $(SITE)
	rm -rf $(SITE)/.doctrees
	$(BIN)/python docs/make_playground.py $(SITE) build/node_modules/pyodide
	$(BIN)/python docs/check_links.py $(SITE)

docs-test: $(VENV)/.test docs  ## Test the playground of the site in Chromium
	CORSCORE_SITE=$(SITE) $(PYTEST) tests/house/test_playground.py $(ARGS)

# The pages as a new user follows them, in an environment that has nothing but the wheel.
docs-check: $(VENV)/.test dist  ## Follow every page of the documentation, in an environment made from the wheel
	CORSCORE_WHEEL="$$(echo dist/*.whl)" $(PYTEST) tests/house/test_pages.py $(ARGS)

# The time of the commit, or of an unpacked source distribution, which has that time: two builds of
# one commit are the same bytes.
REQUIRE_EXTENSION = $(if $(CORSCORE_PURE_PYTHON),,CORSCORE_REQUIRE_EXTENSION=1)
dist reproducible wheels cibuildwheel: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || \
	$(PYTHON) -c 'import os; print(int(os.stat("pyproject.toml").st_mtime))')

dist: $(VENV)/.dist  ## Build the source distribution and a wheel into dist/
	rm -rf build dist
	umask 022 && $(REQUIRE_EXTENSION) $(BIN)/python -m build

reproducible: $(VENV)/.dist  ## Build what is in dist/ again, elsewhere, and compare the bytes
	$(REQUIRE_EXTENSION) .ci/reproducible $(BIN)/python

check-dist: $(VENV)/.dist  ## Check the metadata, and the archives in dist/
	$(BIN)/validate-pyproject pyproject.toml
	$(BIN)/twine check --strict dist/*.tar.gz dist/*.whl
	$(BIN)/check-wheel-contents dist/*.whl

# As cibuildwheel does, without its containers: `make wheels PYTHONS="python3.10 python3.13"`.
PYTHONS ?= $(PYTHON)
wheels: dist $(VENV)/.wheels  ## Build the wheels of PYTHONS and the pure one, and repair them
	mkdir -p dist/raw && mv dist/*.whl dist/raw
	for python in $(PYTHONS); do \
		CORSCORE_REQUIRE_EXTENSION=1 $$python -m pip wheel -q --no-cache-dir --no-deps -w dist/raw dist/*.tar.gz \
			|| exit 1; \
	done
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/auditwheel repair --wheel-dir dist dist/raw/*.whl
	rm -rf dist/raw
	CORSCORE_PURE_PYTHON=1 $(BIN)/python -m pip wheel -q --no-cache-dir --no-deps -w dist dist/*.tar.gz

cibuildwheel: $(VENV)/.wheels  ## Build, repair and smoke-test the wheels of all Pythons for this system
	$(BIN)/python -m cibuildwheel --output-dir dist

# Each wheel gets an environment of its own, so that nothing of this folder is used, and the first of
# PYTHONS that can install it: `make smoke WHEELS=... PYTHONS="python3.10 python3.13"`.
WHEELS ?= $(wildcard dist/*.whl)
smoke:  ## Install each wheel in dist/ afresh, and ask it through three servers
	for wheel in $(WHEELS); do \
		python=$$(.ci/python-for "$$wheel" $(PYTHONS)) && .ci/smoke "$$python" "$$wheel" || exit 1; \
	done

# FROM is a wheel or a version: `make upgrade FROM="corscore==0.1.0" WHEELS=dist/...`.
upgrade:  ## Upgrade from another version to the wheel in dist/, and ask it again
	@test -n "$(FROM)" || { echo 'Name what to upgrade from: make upgrade FROM="corscore==0.1.0"'; exit 2; }
	.ci/smoke $(PYTHON) "$(FROM)" $(firstword $(WHEELS))

# The tests that start no server and no browser, in an environment with few packages: they run on every
# system, and on interpreters that servers and frameworks have no wheels for yet.
ENGINE := tests/standard tests/config tests/engine tests/browser tests/explain tests/policy tests/diagnostics \
	tests/integration
test-engine:  ## Run the tests of the engine, in an environment with little beside it
	$(MAKE) VENV=$(VENV)-engine GROUP=test-engine test ARGS='$(or $(ARGS),$(FAST) $(ENGINE))'

test-newest:  ## Run the tests on Python 3.14 and 3.15, from a newer suite of Debian
	.ci/newest $(or $(VERSIONS),3.14 3.15) -- --quiet $(PARALLEL) $(or $(ARGS),$(FAST) $(ENGINE))

# Shows early what the next releases of the frameworks break.
test-prereleases:  ## Run the tests with the newest pre-releases of everything
	$(MAKE) VENV=$(VENV)-prereleases $(VENV)-prereleases/.test
	$(VENV)-prereleases/bin/python -m pip install -q --upgrade --upgrade-strategy eager --pre \
		--editable ".[all]" --group test
	$(VENV)-prereleases/bin/pytest $(PARALLEL) $(or $(ARGS),-m "not browser")

PORTABLE := tests/standard tests/config tests/engine tests/browser/test_browser.py
test-pyodide: $(VENV)/.dist  ## Run the tests of the engine on WebAssembly: Pyodide, under node
	HYPOTHESIS_PROFILE=fast .ci/pyodide $(BIN)/python $(or $(ARGS),$(FAST) $(PORTABLE))

check-github: $(VENV)/.github  ## Check .github/, action.yml, CITATION.cff and the hooks
	.ci/check-github $(BIN)

check-release: $(VENV)/.pip  ## Check that version, changelog and citation name one release
	$(BIN)/python .ci/release.py $(TAG)

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
	@echo "Making $(VENV) with corscore and its extras: about a minute, the first time only." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --upgrade "pip>=25.1"
	@touch $@

# An editable install compiles into corscore/, where an old build would stay, and be used, when the
# new one cannot be made. Hence it is removed first.
COMPILED := $(wildcard corscore/_engine/*_py.py corscore/_engine/*_c.pxd)
$(VENV)/.installed: $(VENV)/.pip pyproject.toml setup.py $(COMPILED)
	@rm -f corscore/_engine/*_c"$$($(BIN)/python -c \
		'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')"
	@$(PIP) install -qq --editable ".[all]"
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

$(VENV)/.docs: $(VENV)/.installed
	$(PIP) install --quiet --group docs
	@touch $@

# What the playground is made of: files to copy, and the Python that compiles the others.
build/node_modules/.installed: docs/playground/package.json docs/playground/package-lock.json
	mkdir -p build
	cp docs/playground/package*.json build
	npm ci --silent --ignore-scripts --prefix build
	@touch $@

$(VENV)/.lint: $(VENV)/.pip pyproject.toml
	$(PIP) install --quiet --group lint
	@touch $@

$(VENV)/.dist $(VENV)/.wheels $(VENV)/.github: $(VENV)/.pip pyproject.toml
	$(PIP) install --quiet --group $(subst .,,$(@F))
	@touch $@
