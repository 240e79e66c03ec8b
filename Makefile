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
	@echo "make bench   the benchmarks, as ratios"
	@echo "make lock    pin the versions of a fresh environment in requirements.lock"

env: $(VENV)/.stamp

# torch comes first and alone: asked for together with the rest, pip may prefer a CUDA build.
$(VENV)/.stamp: pyproject.toml requirements.lock
	$(PYTHON) -m venv --upgrade-deps $(VENV)
	$(VENV)/bin/pip install -q "$$(grep '^torch==' requirements.lock)"
	$(VENV)/bin/pip install -q -c requirements.lock -e ".[dev]"
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

bench: env
	python benchmarks/imresize.py
	python benchmarks/inference.py
	python benchmarks/patches.py
	python benchmarks/step.py

lock:
	rm -rf $(VENV)/.lock && $(PYTHON) -m venv --upgrade-deps $(VENV)/.lock
	$(VENV)/.lock/bin/pip install -q "$$(grep '^torch==' requirements.lock)"
	$(VENV)/.lock/bin/pip install -q -e ".[dev]"
	{ head -n 1 requirements.lock; $(VENV)/.lock/bin/pip freeze --exclude-editable \
		| sed 's/+cpu$$//' | grep -v -E '^(pip|setuptools)=='; } > requirements.lock.new
	mv requirements.lock.new requirements.lock && rm -rf $(VENV)/.lock

clean:
	rm -rf $(VENV) .cache datasets
