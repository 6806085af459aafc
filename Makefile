# make setup, make check, make test: each complete on a fresh clone.
.PHONY: setup check test
VENV = .venv

setup: $(VENV)/installed

$(VENV)/installed: $(wildcard requirements*.txt)
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -r requirements-dev.txt
	touch $@

check: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/python -m ecgpipe params

test: setup
	$(VENV)/bin/python -m pytest
