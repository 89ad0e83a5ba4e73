#!/bin/sh
# Run the unit tests against the built wheel on each supported Python that is installed, in environments of their own
# below .venv-pythons/. Say which are missing. The arguments are the tests to run.
set -eu
cd "$(dirname "$0")/.."
supported="3.11 3.12 3.13 3.14"

# The interpreter of a version: on the PATH, or the newest that pyenv has.
interpreter() {
    if "python$1" -c "" >/dev/null 2>&1; then command -v "python$1"; return; fi
    ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python 2>/dev/null | sort -V | tail -n 1
}

dist=$(mktemp -d)
trap 'rm -rf "$dist"' EXIT
.venv/bin/python -m hatchling build -t wheel -d "$dist" >/dev/null
missing=""
for version in $supported; do
    python=$(interpreter "$version")
    if [ -z "$python" ]; then
        missing="$missing $version"
        continue
    fi
    environment=".venv-pythons/$version"
    [ -x "$environment/bin/python" ] || "$python" -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --force-reinstall "$dist"/*.whl
    echo "Python $version:"
    # From a folder without the packages' sources, so that the wheel is what is tested.
    tests=$(mktemp -d)
    tar --exclude-vcs --exclude='./.venv*' --exclude=./node_modules --exclude=./gateway --exclude=./connectors \
        --exclude=./normalizer --exclude=./workspace --exclude=./simulator -cf - . | tar -xf - -C "$tests"
    (cd "$tests" && "$OLDPWD/$environment/bin/python" -P -m pytest -q -p no:cacheprovider "$@")
    rm -rf "$tests"
done
[ -z "$missing" ] || echo "Not tested, because it is not installed: Python$missing"
