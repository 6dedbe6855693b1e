# Everything a user needs: `make run`, `make test`. Everything a contributor needs: `make quick`, `make check`, `make slow`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
EXTRAS := dev

# One thread of linear algebra in each of the two processes: more would only wait for each other.
PYTEST := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n 2
# The floor of coverage holds for the fast half alone; the slow one is never traced (tests/conftest.py).
COVERED := --cov --cov-report= --cov-fail-under=0
# What a change breaks first: the rules of the house, and the problem, its costs and its paths on small instances.
QUICK := tests/test_import_rules.py tests/test_words.py tests/models tests/fin_graph/paths \
	tests/fin_graph/test_fin.py --ignore=tests/models/milp --ignore=tests/models/cp_sat --ignore=tests/models/verify \
	--ignore=tests/models/programs

.PHONY: help install run quick test slow coverage check smoke bench docs figures clean

help:
	@echo "make run       install into .venv if needed, run the published campaign, print the tables (results/)"
	@echo "make test      install if needed, run every test that is not slow"
	@echo "make quick     a selection of them in well under a minute, for daily work"
	@echo "make slow      the slow rest: clusters, killed processes, browser, long solves, installation"
	@echo "make coverage  test and slow together, with the floor of coverage"
	@echo "make smoke     the main job and a wheel, as users have them, after the checks"
	@echo "make check     ruff, mypy --strict, and oxlint over the report's scripts"
	@echo "make bench     measure every performance target, write results/bench.json"
	@echo "make docs      build the documentation into build/docs, with every warning an error"
	@echo "make figures   draw the pictures of the README again, from real runs"
	@echo "make clean     remove .venv, caches and what a build leaves (results/ stays)"

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the pinned dependencies into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

run: install
	$(BIN)/finbench run published -o results

quick: install
	$(PYTEST) -m "not slow" $(QUICK)

test: install
	$(PYTEST) -m "not slow" $(COVERED)

slow: install
	$(PYTEST) -m slow

# One session: tests are collected once, and no process waits for the other's last test twice.
coverage: install
	$(PYTEST) $(COVERED)
	$(BIN)/coverage report

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy .ci/lint_page.py
	$(BIN)/python .ci/lint_page.py

smoke: check
	bash .ci/smoke

bench: install
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/finbench bench -o results/bench.json

# Executed pages run the commands of .venv; -E: what pages show is generated from code, whose changes Sphinx does not see.
docs: install
	@$(BIN)/python -c "import onnxruntime, sphinx" 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs,onnxruntime]'
	$(BIN)/mypy docs/conf.py docs/finbench_docs
	$(BIN)/sphinx-build -q -E -W --keep-going -b html -d build/doctrees docs build/docs

figures: install
	$(BIN)/finbench figures -o docs/figures

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .coverage* build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
