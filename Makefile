# Every target works in a fresh clone on a machine with Python 3.11 or later; `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
# How many test processes; the tests of one file stay together, so that they share what the file computes once.
WORKERS ?= 2
# Arguments for pytest, e.g. make test ARGS="-k dbscan -x".
ARGS ?=
# Where plain PyPI brings PyTorch's CUDA build (several GB) and the CPU build is wanted: the URL of PyTorch's CPU wheel index.
TORCH_INDEX ?=
# Benchmarks have an environment of their own, because the peers are no requirement of ours.
BENCH_VENV ?= build/bench
CASES ?=

BIN := $(VENV)/bin
PIP_INSTALL := install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# Both names: pip before 25.3 builds under the first, later ones under the second.
PINNED := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
REQUIREMENTS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test thorough faults fast check format docs pictures readme bench constraints clean

help:  ## list the targets
	@awk -F ':.*##' '/^[a-z]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## cluster real data that scikit-learn ships, and say where the report is
	@$(BIN)/coterie demo

test: $(VENV)/.installed-test  ## run the tests and every example in the docstrings
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not faults and not thorough" $(ARGS)

thorough: $(VENV)/.installed-test  ## more cases of what `make test` shows with some
	$(BIN)/python -m pytest -n $(WORKERS) -m thorough $(ARGS)

faults: $(VENV)/.installed-test  ## kill workers, lose schedulers, press Ctrl-C: tests that go by the clock, one after another
	$(BIN)/python -m pytest -n 0 -m faults $(ARGS)

fast: $(VENV)/.installed-test  ## run the tests that are not marked slow or browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow and not browser and not faults and not thorough" $(ARGS)

check: $(VENV)/.installed-test  ## format, lint, types, layers, and the tests of the repository itself
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_repository.py -k "not tools"

format: $(VENV)/.installed-test  ## let ruff lay out the code and put right what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed  ## write the generated parts of docs/ (table of algorithms, public names) and check the links
	$(BIN)/python tools/docs.py

pictures: $(VENV)/.installed  ## draw the pictures of the pages of the algorithms
	$(BIN)/python tools/pictures.py

readme: $(VENV)/.installed  ## run the demo and paste what it prints into README.md
	$(BIN)/python tools/readme.py

bench: $(BENCH_VENV)/.installed  ## time the algorithms beside their peers; CASES="kmeans dbscan" picks
	$(BENCH_VENV)/bin/python -m benchmarks $(CASES)

constraints: $(VENV)/.made  ## resolve everything anew and write constraints.txt
	$(BIN)/python tools/constraints.py $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

clean:  ## remove the environments and everything that tools left behind
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "coterie needs Python 3.11 or later, this is " + sys.version.split()[0] + "; call make with PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made $(REQUIREMENTS)
	$(PINNED) $(BIN)/python -m pip $(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.made $(REQUIREMENTS)
	$(PINNED) $(BIN)/python -m pip $(PIP_INSTALL) --editable ".[test]"
	@touch $@ $(VENV)/.installed

$(BENCH_VENV)/.installed: benchmarks/requirements.txt $(REQUIREMENTS)
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip $(PIP_INSTALL) --constraint constraints.txt --requirement benchmarks/requirements.txt --editable .
	@touch $@
