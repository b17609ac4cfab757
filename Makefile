# ctdhub: `make demo`, `make test`, `make bench`, `make lint`, `make spark`.  `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= yes
DEMO_DIR ?= demo-hub
DESK_DIR ?= demo-desk
TESTS ?= -q -n auto --dist loadfile --no-loadscope-reorder
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# A lock names all that is installed: nothing is resolved again, so that a version published later changes nothing.  What is
# used is compiled once it is used, and most is not.
LOCKED := $(PIP) install --require-hashes --no-deps --no-compile

# What Python compiles once serves every process after it; a build machine may forbid to keep it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo desk test test-all test-nightly durations golden spark mutations bench faults lint audit docs messages rules changelog dist release kit-folder kit-check image image-check lock clean

help: ## what each target does
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/'

$(VENV)/runtime: requirements.lock requirements-hub.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("ctdhub needs Python 3.11 or newer; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(LOCKED) -r requirements.lock
	$(LOCKED) --no-build-isolation -r requirements-hub.lock
	$(PIP) install --no-build-isolation --no-deps -e .
	touch $@

$(VENV)/development: $(VENV)/runtime requirements-dev.lock
	$(LOCKED) -r requirements-dev.lock
	touch $@

$(VENV)/spark: $(VENV)/development requirements-spark.lock
	$(LOCKED) --no-build-isolation -r requirements-spark.lock
	touch $@

$(VENV)/docs: $(VENV)/development requirements-docs.lock
	$(LOCKED) --no-build-isolation -r requirements-docs.lock
	touch $@

demo: $(VENV)/runtime ## build the practice hub and serve its site (SERVE=no stops before serving)
	$(BIN)/ctdhub demo $(DEMO_DIR)
ifneq ($(SERVE),no)
	$(BIN)/ctdhub serve $(DEMO_DIR)
endif

desk: $(VENV)/runtime ## open a demo of the desk: a practice hub, an account of each role (SERVE=no stops before serving)
	$(BIN)/ctdhub desk --demo $(DESK_DIR) $(if $(filter no,$(SERVE)),--no-serve)

test: $(VENV)/development ## install and run the quick tests, on all cores (TESTS="-k withdraw" runs some)
	$(BIN)/python -m pytest --tier quick $(TESTS)

test-all: $(VENV)/development ## all tests, as CI runs them
	$(BIN)/python -m pytest $(TESTS)

test-nightly: $(VENV)/development ## all tests with three further seeds, and ten times as many random examples
	@ended=0; for seed in $$($(BIN)/python -c 'import secrets; print(*(2 + secrets.randbelow(10**6) for _ in range(3)))'); do \
	  echo "CTDHUB_TEST_SEED=$$seed"; \
	  CTDHUB_TESTS=nightly CTDHUB_TEST_SEED=$$seed $(BIN)/python -m pytest $(TESTS) || ended=1; \
	done; exit $$ended

durations: $(VENV)/development ## measure all tests and write down which are slow, in tests/durations.json
	$(BIN)/python -m pytest $(TESTS) --measure tests/durations.json

spark: $(VENV)/spark ## install Spark too (450 MB), so that its tests run; they need Java 17

golden: $(VENV)/development ## compute every kept output again and list those that changed (6 CPU minutes)
	$(BIN)/python tools/golden.py check

mutations: $(VENV)/development ## make known mistakes in a copy of the source and see that a test meets each
	$(BIN)/python tools/mutations.py

bench: $(VENV)/development ## speed and memory beside the peers, ratios in one run
	$(BIN)/python benchmarks/run.py

lint: $(VENV)/development ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/subjects.py
	$(BIN)/python tools/changelog.py --check

audit: $(VENV)/development ## locked packages: pinned, licences, known weaknesses (says so where it cannot ask)
	$(BIN)/python tools/audit.py

faults: $(VENV)/development ## kill a build at every call that writes and at 200 random times (45 CPU minutes)
	$(BIN)/python tools/faults.py --log faults.jsonl

docs: $(VENV)/docs ## the documentation as a site in docs/_site, with pages made from the code
	$(BIN)/python tools/reference.py
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_site

messages: $(VENV)/development ## collect user-visible texts into the language catalogues
	$(BIN)/python tools/messages.py

rules: $(VENV)/development ## write the reference page of rules from the catalogue of errors
	$(BIN)/python tools/rules.py

changelog: ## collect the fragments of changelog.d into CHANGELOG.md (VERSION=0.3.0)
	$(PYTHON) tools/changelog.py $(VERSION)

dist: $(VENV)/development ## the source distribution, and the wheel built from it, in dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -t sdist
	tar -xzf dist/ctdhub-*.tar.gz -C dist
	cd dist/ctdhub-*/ && $(abspath $(BIN))/python -m hatchling build -t wheel -d ..
	rm -rf dist/ctdhub-*/

release: $(VENV)/development ## make a version in dist/, to be tagged and signed (VERSION=0.3.0); pushes nothing
	$(BIN)/python tools/release.py raise $(VERSION)
	$(MAKE) dist
	$(BIN)/python tools/release.py seal $(VERSION)

kit-folder: $(VENV)/runtime ## the kit as a folder to open without Python, in dist/kit (5 minutes)
	$(BIN)/python freezer/build.py

kit-check: $(VENV)/development ## try that folder in a Debian without Python and network (as root; needs mmdebstrap)
	$(BIN)/python freezer/check.py

image: $(VENV)/development ## the image of ctdhub, in dist/image (as root; needs buildah and mmdebstrap; 5 minutes)
	$(BIN)/python freezer/image.py

image-check: $(VENV)/development ## from a file to a release in that image (as root; needs buildah, postgresql, chromium)
	PYTHONPATH=.:tests/unit $(BIN)/python freezer/image_check.py

lock: ## renew the locked versions (needs uv)
	$(LOCK) --extra build pyproject.toml -o requirements.lock
	$(LOCK) --extra build --extra hub --extra postgres -c requirements.lock pyproject.toml -o requirements-hub.lock
	$(LOCK) --extra build --extra hub --extra postgres --extra dev -c requirements-hub.lock pyproject.toml -o requirements-dev.lock
	$(LOCK) --extra build --extra spark -c requirements-dev.lock pyproject.toml -o requirements-spark.lock
	$(LOCK) --extra build --extra docs -c requirements-dev.lock pyproject.toml -o requirements-docs.lock
	echo "pyinstaller>=6.22" | $(LOCK) - -o requirements-freezer.lock
	printf 'pip-audit>=2.10\ncyclonedx-bom>=7\n' | $(LOCK) - -o requirements-audit.lock

clean: ## remove the environment, the practice hub, what was built
	rm -rf $(VENV) $(DEMO_DIR) $(DESK_DIR) $(DESK_DIR)-inbox dist docs/_site docs/generated
