# Everything starts here: `make lab` for the lessons, `make test` for the proof.
# Works with GNU make 3.81 (macOS) and newer, and in a folder with spaces in its name: make takes a space
# for the end of a name, so targets are named from this folder on, and recipes quote whole paths.
# With -P, Python does not take a queue.py that lies beside a lesson for its own.

PYTHON ?= python3
VENV ?= .venv
JUPYTER_ARGS ?=
PYTEST_ARGS ?=
MUTANTS_ARGS ?=

LESSON := notebooks/00_start_here.ipynb
BIN := $(VENV)/bin
PY := $(BIN)/python
# A stamp is touched only after an install that succeeded, so an interrupted one is done again.
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
INSTALLED_EXPLORE := $(VENV)/.installed-explore
LAB_SETTINGS := $(VENV)/share/jupyter/lab/settings/overrides.json
PIP := $(PY) -m pip --disable-pip-version-check install --quiet
# JupyterLab refuses to run as root unless told to, as in a container.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
CACHE := .cache
# Amazon's own DynamoDB Local, from the npm package that carries it. Its licence lets you use it,
# not pass it on, so it is fetched and never committed.
DYNAMODB_LOCAL := $(CACHE)/dynamodb-local/DynamoDBLocal.jar
DYNAMODB_LOCAL_NPM := amplify-dynamodb-simulator@2.9.30
JAVASCRIPT := $(CACHE)/javascript/package.json
JAVASCRIPT_NPM := @aws-sdk/client-dynamodb@3.1164.0
EXECUTED := $(patsubst notebooks/%,$(CACHE)/executed/%,$(wildcard notebooks/*.ipynb))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two lessons run at a time would disturb each other's latencies.
.NOTPARALLEL:
.PHONY: help lab explore test demo lint lessons conformance bench mutants site slides dynamodb-local javascript

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

lab: $(INSTALLED) ## Open the lessons in JupyterLab (JUPYTER_ARGS=--no-browser to open it yourself)
	PATH="$(abspath $(BIN)):$$PATH" $(PY) -P -m jupyterlab $(AS_ROOT) --ip=127.0.0.1 \
		--ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/$(LESSON) $(JUPYTER_ARGS)

# Voila reads notebooks/voila.json: this machine only, with a token, and nothing from elsewhere. Its
# check of POSTs is off, or the page, when it is closed, could not end its kernel; what is left to
# POST to asks for the token, and for the kernel's own random id.
explore: $(INSTALLED_EXPLORE) ## Open the explorer as a page of its own (JUPYTER_ARGS as above)
	cd notebooks && "$(abspath $(PY))" -P -m voila explore.ipynb $(JUPYTER_ARGS)

# fetch: $(1) is made where the commands $(2) work. Where it cannot be, as without a network, the
# tests that need it are left out, and the last line of the run says so; in CI they fail.
define fetch
@if { $(2); } >/dev/null 2>&1 && ! npm_config_fetch_retries=0 $(MAKE) --silent $(1); then \
	echo "make $(1) has failed: the tests that need it are left out."; fi
endef

test: $(INSTALLED_TEST) ## Run every test (PYTEST_ARGS="-k cache" for some of them)
	$(call fetch,dynamodb-local,test -z "$$DYNAMODB_LOCAL_DIR" && java -version && npm --version)
	$(call fetch,javascript,node --version && npm --version)
	$(PY) -m pytest -q --numprocesses=2 --dist=loadscope $(PYTEST_ARGS)

demo: $(INSTALLED) ## Run the headline experiment here in the terminal; writes demo.png
	$(BIN)/tweetlab demo --out demo.png

lint: $(INSTALLED_TEST) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lessons: $(INSTALLED_TEST) ## Write the lessons anew from their solutions
	$(PY) notebooks/solutions/make_lessons.py

conformance: $(INSTALLED_TEST) ## Write tests/conformance.md, AWS' worked examples, from the tests' data
	$(PY) -m tests.support.conformance

bench: $(INSTALLED_TEST) ## Measure the cache and the endpoint against others, and the explorer
	@$(PIP) --editable '.[test,bench]'
	$(PY) -m tests.benchmarks
	$(PY) -m tests.benchmarks.endpoint
	$(PY) -m tests.benchmarks.explorer

mutants: $(INSTALLED_TEST) ## Change the code at random: do the tests notice? (MUTANTS_ARGS="--seed 2")
	@$(PIP) --editable '.[test,mutants]'
	$(PY) -m tests.mutants $(MUTANTS_ARGS)

site: $(EXECUTED) ## Build the site, to read the lessons without running them: _site/index.html
	$(PY) .publish/pages.py _site $(EXECUTED)
	@echo "Open _site/index.html"

slides: $(EXECUTED) ## Make slides of the lessons, a file each that needs no network: _slides/index.html
	$(PY) .publish/slides.py _slides $(EXECUTED)
	@echo "Open _slides/index.html"

dynamodb-local: $(DYNAMODB_LOCAL) ## Fetch Amazon's DynamoDB Local for the tests that use it (npm)

javascript: $(JAVASCRIPT) ## Fetch the AWS SDK for JavaScript for the test that uses it (npm)

$(INSTALLED): pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "tweetlab needs Python 3.11 or newer, and '$(PYTHON)' is not." >&2; \
		echo "Name one that is: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing into $(VENV): a minute or two, once."
	@$(PY) -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	@$(PIP) --editable .
	@mkdir -p $(dir $(LAB_SETTINGS))
# Without these settings JupyterLab greets the learner with a pop-up about its news.
	@printf '%s\n' '{"@jupyterlab/apputils-extension:notification":' \
		'  {"fetchNews": "false", "checkForUpdates": false}}' > $(LAB_SETTINGS)
	@touch $@

$(INSTALLED_TEST): $(INSTALLED)
	@$(PIP) --editable '.[test]'
	@touch $@

$(INSTALLED_EXPLORE): $(INSTALLED)
	@$(PIP) --editable '.[explore]'
	@touch $@

# A lesson is run anew when it, its solution or the code that it shows has changed.
.SECONDEXPANSION:
$(CACHE)/executed/%.ipynb: notebooks/%.ipynb $$(wildcard notebooks/solutions/$$*.ipynb) \
		$(shell find tweetlab -name '*.py') .publish/execute.py | $(INSTALLED_TEST)
	@mkdir -p $(@D)
	$(PY) .publish/execute.py $< $@

$(DYNAMODB_LOCAL):
	@echo "Fetching DynamoDB Local."
	@mkdir -p $(CACHE)
	cd $(CACHE) && package="$$(npm pack --loglevel=error $(DYNAMODB_LOCAL_NPM))" && \
		tar -xzf "$$package" package/emulator && rm "$$package"
	rm -rf $(@D) && mv $(CACHE)/package/emulator $(@D)
	rm -rf $(CACHE)/package

$(JAVASCRIPT):
	@echo "Fetching the AWS SDK for JavaScript."
	@mkdir -p $(@D)
	npm install --loglevel=error --no-audit --no-fund --prefix $(@D) $(JAVASCRIPT_NPM)
