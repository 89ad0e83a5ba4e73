# All commands for developers and CI. `make demo` and `make test` install what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# mkdocs-material's note about its end of life (May 2027), at every build.
export NO_MKDOCS_2_WARNING := 1

.PHONY: install install-dev demo test test-postgresql torture torture-cluster mutation check check-scripts docs format lock \
	dist sbom advisories screenshots clean

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	# The distribution's former name: both together would provide each connector twice.
	-$(BIN)/pip uninstall --quiet --disable-pip-version-check --yes airlock-gateway 2>/dev/null
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

# DEMO_SECONDS=n ends the demo after n seconds, with exit status 0 only if every photo and video arrived ready.
# JOURNAL=postgresql://… keeps its journal in that database, in a schema of its own.
demo: install $(if $(JOURNAL),install-dev)
	$(BIN)/airlock demo $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS)) $(if $(JOURNAL),--journal '$(JOURNAL)')

# Most tests wait for other processes. More workers on two cores make tests of browsers miss their time. A file's tests stay together: they share fixtures.
TEST_WORKERS ?= 3
test: install-dev
	sh scripts/system-packages.sh
	$(BIN)/python scripts/run_tests.py -n $(TEST_WORKERS) --dist loadfile

# The same tests with every journal in PostgreSQL, except those about the files of SQLite (`pytest.mark.sqlite`).
# TESTS="tests/system" runs a part.
test-postgresql: install-dev
	sh scripts/system-packages.sh
	TEST_JOURNAL=postgresql $(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile $(TESTS)

# Tests that start no processes: seconds.
UNIT_TESTS := tests/architecture tests/workspace/test_wording.py tests/normalizer/test_file_type.py \
	$(filter-out $(addprefix tests/,$(addsuffix .py,\
	connectors/test_mutation connectors/test_properties gateway/test_failures gateway/test_fetcher \
	gateway/test_bucket_errors gateway/test_fetching_deadlines gateway/test_gateway gateway/test_lanes \
	gateway/test_media_in_a_bucket gateway/test_quarantine gateway/test_recovery gateway/test_retention \
	gateway/test_send_worker gateway/test_stores)),\
	$(wildcard tests/connectors/test_*.py tests/gateway/test_*.py))
test-unit: install-dev
	$(BIN)/pytest -q $(UNIT_TESTS)

# The unit tests and the wheel, on every supported Python that is installed.
test-pythons: install-dev
	sh scripts/test_pythons.sh $(filter-out tests/architecture,$(UNIT_TESTS))

# The covered share of each package; the whole suite runs.
coverage: install-dev
	sh scripts/system-packages.sh
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet -o coverage.json
	$(BIN)/python scripts/coverage_by_package.py coverage.json --floor 85

# Random kills, kills at every step, power cuts, slow hosts: TORTURE_SECONDS for each of TORTURE_SEEDS.
TORTURE_SEEDS ?= 1,2,3,4,5
TORTURE_SECONDS ?= 180
torture: install-dev
	TORTURE_SEEDS=$(TORTURE_SEEDS) TORTURE_SECONDS=$(TORTURE_SECONDS) $(BIN)/pytest -o faulthandler_timeout=0 -v tests/torture tests/torture/on_postgresql.py

# Three nodes on one PostgreSQL, CLUSTER_SECONDS for each fault: kills, pauses, silent networks, crashes, rolling restarts.
# As root it runs in a network namespace of its own, in which packets between a node and PostgreSQL can be dropped.
CLUSTER_SECONDS ?= 60
torture-cluster: install-dev
	CLUSTER_SECONDS=$(CLUSTER_SECONDS) sh scripts/own_network.sh $(BIN)/pytest -o faulthandler_timeout=0 -v -s tests/cluster/every_fault.py

# Changes one thing in the connectors at a time and runs the conformance kit: a score, and what survived.
# MUTATION="--limit 300 --seed 1" runs a sample; every mutant takes about an hour on two cores.
# Then plants the mistakes that authors of connectors make, also with recordings that were made with the mistake.
mutation: install-dev
	$(BIN)/python scripts/mutate_connectors.py $(MUTATION)
	$(BIN)/python scripts/planted_bugs.py

check: install-dev check-scripts
	sh scripts/system-packages.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python scripts/check_language.py
	$(BIN)/mkdocs build --strict
	$(BIN)/python scripts/run_tests.py -n $(TEST_WORKERS) --dist loadfile

# Words that this project avoids, with what to write instead.
language: install-dev
	$(BIN)/python scripts/check_language.py

# Type-check and lint the browser scripts; compile the schemas in strict mode, and a client's types made from them.
check-scripts: node_modules/.installed
	node_modules/.bin/tsc --project .
	node_modules/.bin/biome lint .
	node scripts/check_schemas.mjs
	node_modules/.bin/openapi-typescript docs/schemas/openapi.json -o build/openapi.d.ts
	node_modules/.bin/tsc --project scripts/clients

node_modules/.installed: package-lock.json package.json .npmrc
	sh scripts/system-packages.sh
	npm ci --no-audit --no-fund --loglevel=warn
	touch $@

# Build the documentation's site into site/. Broken links and anchors fail the build.
docs: install-dev
	$(BIN)/mkdocs build --strict

format: install-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# This needs a recent release of uv on the PATH.
lock:
	uv pip compile pyproject.toml --group build --universal --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	uv pip compile pyproject.toml --group build --extra postgresql --extra s3 --extra traces -c requirements.lock --universal --generate-hashes --no-emit-index-url --no-header -o requirements-image.lock
	uv pip compile pyproject.toml --extra s3 --group build --group dev -c requirements.lock --universal --generate-hashes --no-emit-index-url --no-header -o requirements-dev.lock

# What an installation consists of, down to the codecs in the wheels: CycloneDX, in dist/sbom.cdx.json.
sbom: install
	$(BIN)/python scripts/sbom.py

# What belongs to a release, in dist/: wheel, source distribution, bill of materials, checksums. The wheel is then
# installed into a clean environment, and its demo runs from there.
dist: install
	$(BIN)/python scripts/dist.py --try 60

# Published advisories on the locked packages. Without network it says that it was not made, and fails only with
# ADVISORIES=required.
advisories: install
	$(BIN)/python scripts/advisories.py

screenshots: install-dev
	sh scripts/system-packages.sh
	$(BIN)/python scripts/screenshots.py
	$(BIN)/python scripts/chat_screenshots.py

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache dist site
