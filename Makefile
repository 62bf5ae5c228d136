# federa-bench: `make help` lists what there is. Each target first sets up what it needs in .venv.

PROFILE ?= quickstart
METHOD  ?= federa
METHODS ?= fedft fedbf fedap fedlr federa
CONNECT ?= tcp://127.0.0.1:5555

PYTHON  ?= $(shell command -v python3.11 || command -v python3)
VENV    := .venv
BIN     := $(VENV)/bin
TOOL    := $(BIN)/federa-bench
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Options of `run` and `compare`, each only where its variable is given.
OPTIONS  = $(if $(SEED),--seed $(SEED)) $(if $(DATA),--data "$(DATA)") $(if $(MODELS),--models "$(MODELS)")
OPTIONS += $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(OUT),--out "$(OUT)") $(if $(FLEET),--fleet $(FLEET))
OPTIONS += $(if $(RAY),--ray "$(RAY)")
OPTIONS += $(foreach pair,$(SET),--set "$(pair)")

# Which devices `deploy` and `undeploy` visit, and how.
DEPLOY  = $(HOST) $(if $(INVENTORY),--inventory "$(INVENTORY)") $(if $(NAME),--name "$(NAME)")
DEPLOY += $(if $(KEYS),--keys "$(KEYS)") $(if $(DRY_RUN),--dry-run)
WHERE   = name the device: make $@ HOST=user@orin-01, or all of them: INVENTORY=devices.yaml

.DEFAULT_GOAL := help
.PHONY: help setup bench compare sweep resume status report test faults perf scale check agent deploy undeploy embedded clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Variables: PROFILE=$(PROFILE) METHOD=$(METHOD)"
	@echo "             METHODS=\"$(METHODS)\""
	@echo "             DATA= MODELS= ROUNDS= SEED= SEEDS=0-4 LRS=grid FLEET=virtual RAY= OUT="
	@echo "             SET=\"a.b=c d.e=f\""
	@echo "             RUN= RUNS= FIGURES=yes CONNECT= NAME= KEYS="
	@echo "             HOST=user@orin-01 CONTROLLER=tcp://... INVENTORY= WHEELHOUSE= DRY_RUN=1 KEEP_CACHE=1"

setup: $(VENV)/.dev ## Set up .venv with everything, for work on the project

bench: $(VENV)/.controller ## Run one method, print its time to target (METHOD PROFILE)
	$(TOOL) run $(PROFILE) --method $(METHOD) $(OPTIONS)

compare: $(VENV)/.controller ## Run several methods and write one report (METHODS PROFILE)
	$(TOOL) compare $(PROFILE) --methods "$(METHODS)" $(OPTIONS)

sweep: $(VENV)/.controller ## Choose rates, then test over seeds (METHODS LRS SEEDS PROFILE)
	$(TOOL) sweep $(PROFILE) --methods "$(METHODS)" $(if $(LRS),--lrs "$(LRS)") $(if $(SEEDS),--seeds "$(SEEDS)") $(OPTIONS)

resume: $(VENV)/.controller ## Go on with a run that was interrupted (RUN)
	@test -n "$(RUN)" || { echo 'name the run: make resume RUN=runs/a; `make status` lists them' >&2; exit 2; }
	$(TOOL) resume "$(RUN)" $(if $(RAY),--ray "$(RAY)")

status: $(VENV)/.controller ## Show the runs, and how to go on with those that stopped
	@$(TOOL) status $(if $(OUT),--out "$(OUT)")

report: $(VENV)/.controller ## Write a report of runs (RUNS="runs/a runs/b" FIGURES)
	@test -n "$(RUNS)" || { echo 'name the runs: make report RUNS="runs/a runs/b"' >&2; exit 2; }
	$(TOOL) report $(RUNS) $(if $(OUT),--out "$(OUT)") $(if $(FIGURES),--figures)

agent: $(VENV)/.agent ## Run an agent that trains for a controller (CONNECT NAME KEYS)
	$(TOOL) agent --connect $(CONNECT) $(if $(NAME),--name $(NAME)) $(if $(KEYS),--keys "$(KEYS)")

test: $(VENV)/.dev ## Run all tests
	$(BIN)/pytest $(ARGS)

faults: $(VENV)/.dev ## Try every fault in full, write the table of docs/reliability.md (long)
	$(BIN)/pytest tests/faults --tries=full --write-table=docs/reliability.md $(ARGS)

perf: $(VENV)/.dev ## Measure the harness itself, write docs/performance.md (ONLY="a c" QUICK=1)
	$(BIN)/python tests/perf/main.py $(if $(ONLY),--only "$(ONLY)") $(if $(QUICK),--quick)

scale: $(VENV)/.dev ## Measure the round machine with simulated fleets, write docs/scale.md
	$(BIN)/python tests/perf/scale.py --write docs/scale.md

check: $(VENV)/.dev ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

deploy: $(VENV)/.controller ## Put an agent on devices over ssh, or renew it (HOST or INVENTORY, CONTROLLER)
	@test -n "$(HOST)$(INVENTORY)" || { echo '$(WHERE)' >&2; exit 2; }
	$(TOOL) deploy $(DEPLOY) $(if $(CONTROLLER),--controller "$(CONTROLLER)") $(if $(WHEELHOUSE),--wheelhouse "$(WHEELHOUSE)")

undeploy: $(VENV)/.controller ## Take the agent of devices away, without a trace (HOST or INVENTORY)
	@test -n "$(HOST)$(INVENTORY)" || { echo '$(WHERE)' >&2; exit 2; }
	$(TOOL) deploy --remove $(DEPLOY) $(if $(KEEP_CACHE),--keep-cache)

embedded: $(VENV)/.dev ## Rebuild the embedded corpora and encoder from seeds (minutes)
	OMP_WAIT_POLICY=passive $(BIN)/python -m harness.learning.data.embedded harness/embedded

clean: ## Remove caches and build leftovers; never runs/ or .venv
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

# One stamp for each set of packages; a larger set holds the smaller ones.
$(VENV)/.dev $(VENV)/.controller $(VENV)/.agent: $(VENV)/.%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "setting up $(VENV) ($*): a few minutes the first time"
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[$*]"
	@touch $@ $(if $(filter dev,$*),$(VENV)/.controller $(VENV)/.agent) $(if $(filter controller,$*),$(VENV)/.agent)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "there is no python3 here; install Python 3.10 or newer" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "$(PYTHON) is too old; give a newer one: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)
