PY := .venv/bin/python
.PHONY: install run test proof check bench sbom audit words
install: .venv/test.stamp
run: .venv/run.stamp
	@exec .venv/bin/backstop run
test: .venv/test.stamp
	@$(PY) -m pytest -m "not browser" -n 2 --dist loadscope
	@$(PY) -m pytest -m browser
proof: .venv/test.stamp
	@$(PY) tests/proof.py $(PROOF)
check: .venv/test.stamp
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
bench: .venv/test.stamp
	@$(PY) tests/bench/run.py
sbom: .venv/run.stamp
	@.venv/bin/backstop sbom
audit: .venv/run.stamp
	@.venv/bin/backstop audit $(if $(LIST),--list $(LIST))
words: .venv/test.stamp
	@$(PY) -m tests.words.catalogues $(PART)
.venv/made.stamp:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Backstop needs Python 3.11 or newer as python3: apt-get install python3" >&2; exit 1; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "Backstop needs Python's venv module: apt-get install python3-venv" >&2; exit 1; }
	@python3 -m venv .venv && touch $@
.venv/run.stamp: .venv/made.stamp pyproject.toml
	@echo "Installing Backstop into .venv (about a minute, once) …" && .venv/bin/pip install --quiet --disable-pip-version-check -e . && touch $@
.venv/test.stamp: .venv/run.stamp
	@echo "Installing what the tests need …" && .venv/bin/pip install --quiet --disable-pip-version-check -e '.[dev]' && touch $@
