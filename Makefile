# Two commands: `make demo` to see it, `make test` to check it. `make help` lists the rest.
# Everything is installed below this folder, from committed locks, and only once.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The project's own tools first; .bootstrap/node exists only where the system has no usable Node.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.bootstrap/node:$(PATH)
export CHROMIUM
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

FRONT_END := $(shell find labextension -type f)
PY := .venv/bin/python
FUZZ ?= 100000

# Each of these files stands for what lies beside it; remove the folder and it is made again.
MAIN := .venv/.project
ORACLE := tests/oracle/node_modules/.locked
LABEXTENSION := secure_ml_ext/labextension/package.json

.SECONDARY:
.PHONY: help demo test lint types test-python test-ts test-browser test-sdk2 test-sdk3 bench fuzz \
  freshness build bootstrap environments format lock clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## JupyterLab with the extension, the embedded AWS and the sample notebook
	@$(MAKE) --no-print-directory -j2 $(MAIN)
	@exec $(PY) -m secure_ml_ext.demo

test: ## everything: lint, types, TypeScript, browser, both SDK generations, Python
	@$(MAKE) --no-print-directory -j4 environments .bootstrap/chromium
	@$(MAKE) --no-print-directory lint types test-ts test-browser test-sdk2 test-sdk3 test-python

lint: $(MAIN) ## ruff, import layers, stylelint, prettier, eslint
	ruff check .
	ruff format --check .
	lint-imports --no-logo
	jlpm lint:check

types: $(MAIN) ## mypy, strict
	mypy

test-python: $(MAIN) environments $(ORACLE) ## pytest in the main environment
	$(PY) -m pytest

test-ts: node_modules/.locked ## unit tests of the front end
	jlpm test

test-browser: $(MAIN) .bootstrap/chromium ## a real JupyterLab in Chromium
	CHROMIUM=$$(cat .bootstrap/chromium) jlpm test:browser

test-sdk2 test-sdk3: test-sdk%: .venv-sdk%/.project ## the SageMaker Python SDK, each generation in its environment
	.venv-sdk$*/bin/python -m pytest tests/sdk$*

bench: $(MAIN) $(ORACLE) ## the numbers of docs, measured here
	$(PY) -m bench

fuzz: $(MAIN) $(ORACLE) ## the IAM evaluator against an independent one; FUZZ=100000 random cases
	$(PY) -m tests.iam.oracle $(FUZZ)

freshness: $(MAIN) ## the newest release of everything; reports SageMaker operations nobody mapped
	scripts/freshness

build: $(MAIN) ## wheel and sdist into dist/
	rm -rf dist secure_ml_ext/labextension
	@$(MAKE) --no-print-directory $(LABEXTENSION)
	$(PY) -m build --no-isolation

format: $(MAIN) ## write what the formatters would write
	ruff check --fix-only .
	ruff format .
	jlpm lint:fix

lock: bootstrap ## write the locks anew; UPGRADE=1 takes newer releases
	scripts/lock $(if $(UPGRADE),--upgrade)

clean: ## remove all that make made
	rm -rf .bootstrap .venv .venv-* node_modules tests/oracle/node_modules lib dist build coverage test-results
	rm -rf secure_ml_ext/labextension .eslintcache .stylelintcache

# ---------------------------------------------------------------- what the above need

bootstrap: .bootstrap/uv
environments: $(MAIN) .venv-sdk2/.project .venv-sdk3/.project .venv-lab44/.locked

.bootstrap/uv: locks/bootstrap.txt
	@echo "installing uv"
	@$(PYTHON) scripts/environment bootstrap
	@touch $@

.venv/.locked: locks/main.txt | .bootstrap/uv
	@echo "installing locks/main.txt"
	@$(PYTHON) scripts/environment main locks/main.txt
	@touch $@

.venv-%/.locked: locks/%.txt | .bootstrap/uv
	@echo "installing locks/$*.txt"
	@$(PYTHON) scripts/environment $* locks/$*.txt
	@touch $@

.bootstrap/node.path: scripts/node-env | .bootstrap/uv
	@scripts/node-env > $@.part
	@mv $@.part $@

node_modules/.locked: package.json yarn.lock .yarnrc.yml .bootstrap/node.path | .venv/.locked
	@echo "installing yarn.lock"
	@jlpm install --immutable > .bootstrap/yarn.log || { cat .bootstrap/yarn.log; exit 1; }
	@touch $@

# A project of its own: development only, under the AGPL, and never part of what is shipped.
$(ORACLE): tests/oracle/package.json tests/oracle/yarn.lock .yarnrc.yml .bootstrap/node.path | .venv/.locked
	@echo "installing tests/oracle/yarn.lock"
	@cd tests/oracle && jlpm install --immutable > $(CURDIR)/.bootstrap/oracle.log \
	  || { cat $(CURDIR)/.bootstrap/oracle.log; exit 1; }
	@touch $@

$(LABEXTENSION): node_modules/.locked tsconfig.json $(FRONT_END)
	@echo "building the front end"
	@jlpm build:prod > .bootstrap/build.log || { cat .bootstrap/build.log; exit 1; }
	@touch $@

# An editable install uses the source in place; only these files change what is installed.
INSTALLED := pyproject.toml package.json README.md LICENSE $(wildcard jupyter-config/*/*)

$(MAIN): .venv/.locked $(INSTALLED) | $(LABEXTENSION)
	@$(PYTHON) scripts/environment project main
	@touch $@

.venv-%/.project: .venv-%/.locked $(INSTALLED) | $(MAIN)
	@$(PYTHON) scripts/environment project $*
	@touch $@

.bootstrap/chromium: scripts/chromium | .bootstrap/uv
	@scripts/chromium > $@.part
	@mv $@.part $@
