# Two commands matter: `make demo` and `make test`. Everything else is for people who change the code.
PYTHON ?= python3
PORT ?= 8501
VENV := .venv
PY := $(VENV)/bin/python
export PYTHONUNBUFFERED := 1

.PHONY: demo test proof check lint format types lock clean soak bench bench-reconcile

demo: $(VENV)/run.stamp
	$(PY) -m sync_core demo --port $(PORT)

# Everything that has to hold before a change goes in: also most scenarios killed at a point, a slice of the random
# simulation, the state machine, and most of the planted bugs.
test: check
	$(PY) -m pytest -q -n auto --dist worksteal

# The longer proofs: each scenario killed at every point that writes, every fault on both ways, the rest of the planted bugs.
proof: $(VENV)/dev.stamp
	$(PY) -m pytest -q -n auto --dist worksteal --every-point -m soak

check: $(VENV)/dev.stamp
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

format: $(VENV)/dev.stamp
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

$(VENV)/run.stamp: requirements.lock
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

# It holds everything of requirements.lock too.
$(VENV)/dev.stamp: requirements-dev.lock requirements.lock
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $(VENV)/run.stamp $@

# N random schedules of 60 operations in two processes, 100 real kills, and more examples of the state machine.
N ?= 2000
KILLS ?= 100
soak: $(VENV)/dev.stamp
	$(PY) -m tests.soak.soak --schedules $(N) --kills $(KILLS)
	TIEOUT_EXAMPLES=100 $(PY) -m pytest -q tests/simulation/test_machine.py

# Calls, engine time and memory at 1,000 and 10,000 invoices; BIG=1 adds 100,000.
bench: $(VENV)/dev.stamp
	$(PY) -m tests.bench.bench $(if $(BIG),--big)

# The reconciliation beside polars, pandas, datacompy, plain DuckDB and the floor, at 100,000 pairs; BIG=1 adds 1,000,000.
bench-reconcile: $(VENV)/dev.stamp
	$(PY) -m tests.bench.reconcile_bench $(if $(BIG),--big)

lock:
	$(PYTHON) -m venv $(VENV)/locker
	$(VENV)/locker/bin/pip install --quiet uv
	$(VENV)/locker/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements.txt -o requirements.lock
	$(VENV)/locker/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock requirements-dev.txt -o requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .tieout
