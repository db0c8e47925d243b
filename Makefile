# Needed beforehand: Python 3.11 and make. Every verb sets up what it uses.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
ATHERIS_VERSION := 3.0.0
BIN := .venv/bin
SET_UP := .venv/set-up
SAY := printf '\033[1m%s\033[0m\n'

# The quickest Python 3.11 of the machine: one built without profile-guided optimization takes a third longer. Each is tried
# four times in turn, for a machine may be busy just when one of them has its turn.
TRIAL := import sys, sqlite3, ssl, ctypes, timeit; assert sys.version_info[:2] == (3, 11) \
  and sys.version_info.releaselevel == 'final'; print(round(1e6 * min(timeit.repeat( \
  '{i: str(i) for i in range(500)}; sorted(map(hash, range(500)), key=lambda n: -n)', number=50, repeat=7))), sys.executable)
QUICKEST = for _ in 1 2 3 4; do for each in "$$python" $$(type -ap python3.11) /usr/bin/python3.11; do \
  "$$each" -c "$(TRIAL)" 2>/dev/null || true; done; done | sort -n | { read -r _ first; echo "$$first"; cat >/dev/null; }

# What buf is told, here because pyproject.toml has no room for it.
BUF := {"version":"v2","modules":[{"path":"proto"}],"lint":{"use":["STANDARD","COMMENTS"]},"breaking":{"use":["FILE"]}}
PROTOS = $(sort $(patsubst proto/%,%,$(wildcard proto/tongban/v1/*.proto)))
SERVICES = $(filter %_service.proto,$(PROTOS))

.PHONY: help
help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)$$/\1|\2/' \
	  | while IFS='|' read -r verb words; do printf '  make %-14s %s\n' "$$verb" "$$words"; done

# ---- set-up: runs once, and again when the lock changes -----------------------------------------------------------

$(SET_UP): requirements-dev.lock pyproject.toml
	@mkdir -p var
	@python=$$(command -v python3.11 || command -v python3 || true); \
	if [ -z "$$python" ] || ! "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then \
	  echo 'Tongban needs Python 3.11: put python3.11 on the PATH and say it again.' >&2; exit 1; fi; \
	uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then uv=$$PWD/var/uv/bin/uv; \
	  if [ ! -x "$$uv" ]; then $(SAY) 'Fetching uv'; \
	    for each in "$$python" $$(type -ap python3.11 python3) /usr/bin/python3.11; do \
	      if "$$each" -m pip --version >/dev/null 2>&1; then python=$$each; break; fi; done; \
	    "$$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target var/uv uv==$(UV_VERSION); fi; fi; \
	$(SAY) 'Setting up .venv from requirements-dev.lock'; \
	[ -x $(BIN)/python ] || "$$uv" venv --quiet --python "$$($(QUICKEST))" .venv; \
	"$$uv" pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes -r requirements-dev.lock; \
	"$$uv" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .; \
	touch $@

# ---- the verbs ----------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(SET_UP)  ## the main job on the shipped input: four nodes, one embedded bus, every outcome checked
	@$(BIN)/tongban demo $(ARGS)

.PHONY: up
up: $(SET_UP)  ## four nodes on this machine, kept running; prints what to type next
	@$(BIN)/python -m tools.up up

.PHONY: down
down: $(SET_UP)  ## stop them; their data stay in var/up
	@$(BIN)/python -m tools.up down

.PHONY: test
test: $(SET_UP)  ## every test and every fault, on a real Kafka and PostgreSQL (needs a JDK 17+ and Maven: installs them if it may)
	@$(BIN)/python -m tests.servers.need
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)
	@$(if $(ARGS),,$(BIN)/python -m tests.fault.run --untimed)

.PHONY: test-fast
test-fast: $(SET_UP)  ## the tests that need no server
	@$(BIN)/pytest -n 2 --dist loadgroup -m 'not servers' $(ARGS)

.PHONY: fault
fault: $(SET_UP)  ## every fault by name under traffic, then the checker's word on it (LONG=1, SEED=7, ARGS='--only disk_full')
	@$(BIN)/python -m tests.fault.run $(if $(LONG),--long) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: soak
soak: $(SET_UP)  ## steady traffic, a fault each minute; what grows, and the checker's word (MINUTES=30, SERVERS=1, SEED=)
	@$(if $(SERVERS),$(BIN)/python -m tests.servers.need)
	@$(BIN)/python -m tests.soak.run --minutes $(or $(MINUTES),30) $(if $(SERVERS),--servers) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: fuzz
fuzz: $(SET_UP)  ## a million mutated messages, then a coverage-guided fuzzer on each decoder (COUNT=, SECONDS=30, SEED=7)
	@[ -d var/fuzz/lib/atheris ] || { uv=$$(command -v uv || echo var/uv/bin/uv); "$$uv" pip install --quiet --python $(BIN)/python \
	  --target var/fuzz/lib atheris==$(ATHERIS_VERSION); }
	@$(BIN)/python -m tests.hostile.fuzz --count $(or $(COUNT),1000000) --seconds $(or $(SECONDS),30) --seed $(or $(SEED),1) $(ARGS)

.PHONY: bench
bench: $(SET_UP)  ## verified lifecycles a second, embedded and on servers, beside the floor (some 40 minutes; ARGS=)
	@$(BIN)/python -m tests.servers.need
	@mkdir -p var/bench && $(BIN)/python -m benchmarks.load --json var/bench/bench.json $(ARGS)

.PHONY: bench-short
bench-short: $(SET_UP)  ## the same in three minutes, rougher
	@$(BIN)/python -m tests.servers.need
	@mkdir -p var/bench && $(BIN)/python -m benchmarks.load --short --json var/bench/bench-short.json $(ARGS)

.PHONY: services-up
services-up: $(SET_UP)  ## a Kafka and a PostgreSQL for hand work; prints their URLs
	@$(BIN)/python -m tests.servers.need
	@$(BIN)/python -m tests.servers.up up

.PHONY: services-down
services-down: $(SET_UP)  ## stop them; their data stay (ARGS=--forget removes them)
	@$(BIN)/python -m tests.servers.up down $(ARGS)

.PHONY: lint
lint: $(SET_UP)  ## style, types, who imports whom, the messages, the lock
	@$(SAY) 'ruff' && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(SAY) 'mypy' && $(BIN)/mypy .
	@$(SAY) 'import-linter' && $(BIN)/lint-imports --no-logo
	@$(SAY) 'buf' && $(BIN)/buf lint --config '$(BUF)'
	@against=$$(git describe --tags --abbrev=0 2>/dev/null || git rev-parse --verify --quiet HEAD || true); \
	if [ -n "$$against" ] && git cat-file -e "$$against:proto/tongban" 2>/dev/null; then \
	  $(BIN)/buf breaking --config '$(BUF)' --against-config '$(BUF)' --against ".git#ref=$$against"; fi
	@$(SAY) 'generated code, locks' && $(BIN)/pytest -q -p no:cacheprovider tests/house/test_generated.py tests/house/test_locks.py

.PHONY: proto
proto: var/generated  ## regenerate the Python of proto/tongban/v1
	@rm -f proto/tongban/v1/*_pb2*.py* && cp var/generated/tongban/v1/*.py* proto/tongban/v1/

.PHONY: var/generated
var/generated: $(SET_UP)
	@rm -rf $@ && mkdir -p $@
	@cd proto && export PATH="$$PWD/../$(BIN):$$PATH" && { \
	  python -m grpc_tools.protoc -I. --python_out=../$@ --mypy_out=quiet:../$@ $(PROTOS); \
	  python -m grpc_tools.protoc -I. --grpc_python_out=../$@ --mypy_grpc_out=quiet:../$@ $(SERVICES); }
