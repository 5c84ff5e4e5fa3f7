# Abraço. `make run` serves the demo, `make test` runs everything, `make check` is the gate.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.PHONY: run test check install bench bench-turn bench-safety bench-moderation bench-memory samples clean

PORT ?= 8000
WORKERS ?= 1
PY := .venv/bin/python
SERVE = $(PY) -m uvicorn chatbot.asgi:application --host 127.0.0.1 --port $(PORT) --workers $(WORKERS) \
	--ws-max-size 1048576 --timeout-graceful-shutdown 10 --log-level warning
WORK = $(PY) -m celery --app chatbot.celery --quiet worker --beat --without-mingle --without-gossip --loglevel WARNING
STAMP := .venv/.installed-dev
CACHE := $(or $(ABRACO_CACHE),$(or $(ABRACO_VAR),var)/cache)

run: $(STAMP)
	@export DEBUG=1
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py master_key --make
	$(PY) manage.py seed_demo
	$(PY) manage.py catalogues
	$(PY) -m companion.engines.embedded $(CACHE)
	$(PY) manage.py parts
	echo "Serving on http://127.0.0.1:$(PORT)  (stop with Ctrl-C)"
	if [ -z "$${REDIS_URL:-}" ]; then exec $(SERVE); fi
	# Both end together: the worker finishes what it took, the server gives its turns back.
	$(WORK) & worker=$$!
	$(SERVE) & server=$$!
	trap 'trap "" INT TERM; kill $$server $$worker 2>/dev/null || true; wait' EXIT
	trap 'exit 0' INT TERM
	wait $$server

test: $(STAMP)
	@.ci/packages
	$(PY) -m pytest -n 2 --dist loadscope --no-loadscope-reorder

check: $(STAMP)
	@$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache | tail -n 20
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py catalogues --check
	.ci/audit .venv/bin/pip-audit

install: $(STAMP)
	@$(PY) -m companion.engines.embedded $(CACHE)

# Each number of the README again: a turn, finding the right place in the bank, choosing, memory. bench/results keeps them.
bench: bench-turn
	@$(PY) -m bench.retrieval
	$(PY) -m bench.choosing
	$(PY) -m bench.safety
	$(PY) -m bench.memory

bench-turn: $(STAMP)
	@$(PY) -m bench.turn

bench-safety: $(STAMP)
	@$(PY) -m bench.safety

# Beside simple peers, on the public sets of ../shared.
bench-moderation: $(STAMP)
	@$(PY) -m pip install -q -r requirements-bench.txt
	@$(PY) -m bench.moderation

# What the memory finds (LoCoMo, in ../shared), beside peers, and how fast.
bench-memory: $(STAMP)
	@$(PY) -m pip install -q -r requirements-bench.txt
	@$(PY) -m bench.memory

# Scripted talks of twenty turns a language, into docs/samples.
samples: $(STAMP)
	@$(PY) -m bench.samples

# The CPU build of torch is taken where it is on offer and there is no NVIDIA GPU; elsewhere pip chooses.
$(STAMP): requirements.txt requirements-dev.txt requirements-encoder.txt
	@test -x $(PY) || python3 -m venv .venv
	if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then
	  .venv/bin/pip install --quiet --disable-pip-version-check --timeout 10 --retries 0 --no-deps \
	    --index-url https://download.pytorch.org/whl/cpu torch==2.13.0 2>/dev/null || true
	fi
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements-encoder.txt
	touch $@

clean:
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find chatbot/locale -name '*.mo' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
