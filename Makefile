# Two commands do everything on a fresh machine: `make repro` and `make test`.
PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: help env repro test drill lab site bench lock clean

help:
	@echo "make repro   rebuild the quick run from scratch: data, training, evaluation, notebooks"
	@echo "make test    format, lint, types, every test, every notebook"
	@echo "make drill   commands killed at 50 random moments, in a quarter of an hour"
	@echo "make lab     JupyterLab on the notebooks, trusted where they are as in git"
	@echo "make site    the site, from what is tracked, into site/"
	@echo "make bench   the benchmarks, into benchmarks/results.csv and a figure"
	@echo "make lock    the newest versions, for every system, into uv.lock and requirements.lock"

env: $(VENV)/.stamp

# torch is built once for each kind of device: uv.lock says which version, pip's indexes which build.
TORCH = $(shell sed -n '/^name = "torch"$$/{n;s/version = "\(.*\)"/torch==\1/p;}' uv.lock)

$(VENV)/.stamp: pyproject.toml requirements.lock uv.lock
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 15) or \
		sys.exit("The lock is for Python 3.11 to 3.14, not %d.%d; name one: make env PYTHON=python3.13" \
		% sys.version_info[:2])'
	$(PYTHON) -m venv --upgrade-deps $(VENV)
	$(VENV)/bin/pip install -q --require-hashes -r requirements.lock
	$(VENV)/bin/pip install -q $(TORCH)
	$(VENV)/bin/pip install -q --no-deps -e .
	@touch $@

repro: env
	@trap 'echo "Not finished: type make repro again to go on; git checkout results notebooks brings the published files back."' EXIT; \
		dvc repro --force && trap - EXIT
	papers report

test: env
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	dvc repro --quiet
	pytest -n 2 --dist loadfile
	pytest -n 2 --dist loadfile --nbval --nbval-current-env \
		--nbval-sanitize-with notebooks/nbval.cfg notebooks

drill: env
	pytest -m drill tests/project/test_drill.py

lab: env
	papers trust
	jupyter lab notebooks/00_start_here.ipynb

site: env
	papers site

bench: site
	for each in browser cluster folder imresize inference memory metrics patches precision step; do \
		python benchmarks/$$each.py --keep || exit 1; \
	done
	python benchmarks/figure.py

EXPORT = $(VENV)/.lock/bin/uv export -q --locked --extra dev --no-emit-project --no-annotate --no-header

lock:
	$(PYTHON) -m venv $(VENV)/.lock && $(VENV)/.lock/bin/pip install -q uv
	$(VENV)/.lock/bin/uv lock --upgrade
	{ echo "# uv.lock for pip, but for torch and the libraries of CUDA that it brings. Made by make lock."; \
		$(EXPORT) $$($(EXPORT) --no-hashes | sed -nE 's/^(torch|triton|(cuda|nvidia)-[^=]*)==.*/--no-emit-package \1/p'); \
	} > requirements.lock.new
	mv requirements.lock.new requirements.lock && rm -rf $(VENV)/.lock

clean:
	rm -rf $(VENV) .cache datasets
