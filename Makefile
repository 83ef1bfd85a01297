# Everything this repository does. A target sets up what it needs and no more: `make report` in a fresh clone
# installs the library and its reports, `make test` adds the rest. Requirements are in settings.ini, exact
# versions in constraints.txt. ARGS goes through, as in: make report ARGS="--as-of 2020-03-16"

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The extras of settings.ini that a target wants.
extras-report := reports
extras-dashboard := dashboard,reports
extras-docs := docs
extras-bench := bench
extras-lab := dev,reports
extras-test := dev,reports,dashboard,deep

# uv reads UV_FIND_LINKS, comma separated, where pip reads PIP_FIND_LINKS, space separated.
comma := ,
space := $() $()
ifneq ($(strip $(PIP_FIND_LINKS)),)
export UV_FIND_LINKS ?= $(subst $(space),$(comma),$(strip $(PIP_FIND_LINKS)))
endif
# One process a core, each test module whole in one of them: notebooks share a process, and so do the pages of the site.
PYTEST := $(BIN)/pytest -n auto --dist loadfile
# With this variable set every start would compile the library and its requirements anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup report dashboard test test-slow docs bench lab picture sync clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.ready-test ## the whole environment in .venv, all that the tests need

report: $(VENV)/.ready-report ## a risk report of the sample book from real prices: one HTML file
	@mkdir -p out
	$(BIN)/risk report --out out/risk_report.html $(ARGS)

dashboard: $(VENV)/.ready-dashboard ## the dashboard, on this machine only
	$(BIN)/risk dashboard $(ARGS)

test: $(VENV)/.ready-test ## notebooks, gates and suites, in minutes
	$(PYTEST) $(ARGS)

test-slow: $(VENV)/.ready-test ## the long suites, as every night
	$(PYTEST) -m slow $(ARGS)

docs: $(VENV)/.ready-docs ## the documentation site, in _docs/
	$(BIN)/python -m docs.build $(ARGS)

bench: $(VENV)/.ready-bench ## tables of ratios against other libraries
	@for table in benchmarks/[a-z]*.py; do test $$table = benchmarks/timing.py || $(BIN)/python $$table || exit 1; done

lab: $(VENV)/.ready-lab ## JupyterLab on the notebooks
	PYTHONPATH=. $(BIN)/jupyter lab nbs

picture: $(VENV)/.ready-test report ## the picture of README.md, from that report
	$(BIN)/python -m docs.picture out/risk_report.html

sync: $(VENV)/.ready-test ## after editing notebooks: clean them, export the package, write README.md
	PATH="$(BIN):$$PATH" nbdev-clean
	PATH="$(BIN):$$PATH" nbdev-clean --fname reports
	PATH="$(BIN):$$PATH" nbdev-export
	$(BIN)/python -m docs.readme

clean: ## remove what was built, keep the environment
	rm -rf _docs _proc out build dist .pytest_cache .import_linter_cache

# --compile-bytecode: uv writes none by itself, and each first import would pay for it. Numba's kernels are compiled here too,
# half a minute that somebody's first fit would pay for.
$(VENV)/.ready-%: pyproject.toml settings.ini setup.py constraints.txt | $(BIN)/uv
	$(BIN)/uv pip install --python $(BIN)/python -c constraints.txt --compile-bytecode -e '.[$(extras-$*)]'
	$(BIN)/python scripts/compile_kernels.py
	@touch $@

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt uv
