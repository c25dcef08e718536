# Two commands do all the set-up on a fresh Debian or Ubuntu machine: `make demo` and `make test`.
VENV ?= .venv
# The system's own, whose venv setup-debian.sh installs and which is built to be fast, where it is new enough.
PYTHON ?= $$(/usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
BIN := $(VENV)/bin
WORKERS ?= 12
# Empty is unset: with bytecode left unwritten, each of the tests' processes would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

# What decides, and what holds the house together: no screen, no server, nothing that takes long.
FAST := $(addprefix tests/,domain simple architecture acceptance docs)
# All other folders of tests.
REST := $(filter-out $(FAST) %__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))

.PHONY: demo test check bench faults screenshots template audit clean

$(VENV)/.runtime: requirements.txt pyproject.toml
	@scripts/setup-debian.sh demo
	@echo "Setting up $(VENV): downloads some Python packages, once. It may take a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[web]'
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt pyproject.toml
	@scripts/setup-debian.sh test
	@echo "Setting up $(VENV): downloads some Python packages, once. It may take a minute."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# Three downloads that need nothing of each other. What is never imported need not be compiled.
	@scripts/trixie-tree.sh trixie & one=$$!; scripts/trixie-tree.sh sid rtorrent & other=$$!; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e . -r requirements-dev.txt; \
	ended=$$?; wait $$one && wait $$other && exit $$ended
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime ## the main job on a throw-away world
	@$(BIN)/torrent-mover demo

test: $(VENV)/.dev ## everything, real servers and each class of faults once included
	@# What is collected once is compiled for all workers.
	@$(BIN)/python -m pytest -q --collect-only $(REST) > /dev/null & \
	$(MAKE) --no-print-directory check; checked=$$?; wait; exit $$checked
	@# A shared machine may pause for seconds in the middle of a test: what fails beside others runs once more, alone.
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist=worksteal $(REST) || \
	$(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none $(REST)

check: $(VENV)/.dev ## format, lint, types, imports, fast tests; under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@# Types are checked beside the tests; either may fail it.
	@$(BIN)/mypy & types=$$!; $(BIN)/lint-imports && \
	$(BIN)/python -m pytest -q -n 3 --dist=worksteal -p no:cacheprovider $(FAST); \
	tested=$$?; wait $$types && exit $$tested

faults: $(VENV)/.dev ## the long form of the fault suite; writes docs/reliability.md
	WORKERS=$(WORKERS) $(BIN)/python -m tests.faults.report

bench: $(VENV)/.dev ## the benchmarks, with their peers
	$(BIN)/python -m bench

screenshots: $(VENV)/.dev ## draw docs/screenshots from the tests' scenes
	$(BIN)/python scripts/screenshots.py

template: $(VENV)/.dev ## write what is made from the code: template, pages of settings, errors and keys, completions, man page
	$(BIN)/python scripts/generate.py

audit: ## known vulnerabilities of the packages that it needs; asks the Python Package Index
	@$(PYTHON) -m venv --clear build/audit
	@build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	build/audit/bin/pip-audit --strict --progress-spinner off -r requirements.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
