# make setup, make check, make test: each complete on a fresh clone. make lock: see below.
.PHONY: setup check test lock
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

# Needs uv, which requirements-dev.txt brings. Versions that stand in the file already stay;
# `make lock UPGRADE=--upgrade` takes the newest.
lock:
	PATH="$(VENV)/bin:$$PATH" uv pip compile requirements-dev.txt --universal --python-version 3.11 \
		--generate-hashes --custom-compile-command "make lock" $(UPGRADE) \
		--quiet --output-file requirements-lock.txt
