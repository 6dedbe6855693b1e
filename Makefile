# Everything a user needs: `make run`, `make test`. Everything a contributor needs: `make check`, `make bench`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help install run test check bench figures clean

help:
	@echo "make run       install into .venv if needed, run the published campaign, print the tables (results/)"
	@echo "make test      install if needed, run the test suite with its coverage floor (under 5 minutes)"
	@echo "make check     ruff and mypy --strict"
	@echo "make bench     measure every performance target, write results/bench.json"
	@echo "make figures   draw the pictures of the README again, from real runs"
	@echo "make clean     remove .venv and caches (results/ stays)"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the pinned dependencies into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: install
	$(BIN)/finbench run published -o results

# One thread of linear algebra in each of the two processes: more would only wait for each other.
test: install
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --cov --cov-report=term

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/finbench bench -o results/bench.json

figures: install
	$(BIN)/finbench figures -o docs/figures

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .coverage *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
