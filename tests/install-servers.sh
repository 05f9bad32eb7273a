#!/bin/sh
# Installs the real servers that tests read, at exact versions with their dependencies locked, into
# $MCPWATCH_TEST_SERVERS (target/test-servers where it is not set). Quick when they are there already.
#
# - npm:        what `tests/servers/npm/package-lock.json` locks, the current releases
# - npm-before: the releases before them, of three of the servers
# - python:     what `tests/servers/python/requirements.txt` pins, in a virtual environment
#
# A test that does not find a server prints `skipped: NAME` to stderr and passes; `.ci/run` runs this
# first and takes such a line for a failure.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
into=${MCPWATCH_TEST_SERVERS:-$here/../target/test-servers}
mkdir -p "$into"

# `present NAME FILE…`: whether NAME was installed from exactly these files.
present() {
    name=$1
    shift
    cat "$@" | cmp -s - "$into/$name/.installed-from"
}

# `done_with NAME FILE…`: written last, so that an interrupted installation is repeated.
done_with() {
    name=$1
    shift
    cat "$@" >"$into/$name/.installed-from"
}

for name in npm npm-before; do
    files="$here/servers/$name/package.json $here/servers/$name/package-lock.json"
    # shellcheck disable=SC2086
    if ! present "$name" $files; then
        rm -rf "${into:?}/$name"
        mkdir -p "$into/$name"
        # shellcheck disable=SC2086
        cp $files "$into/$name/"
        (cd "$into/$name" && npm ci --no-audit --no-fund --loglevel=error)
        # shellcheck disable=SC2086
        done_with "$name" $files
    fi
done

pins=$here/servers/python/requirements.txt
if ! present python "$pins"; then
    rm -rf "${into:?}/python"
    python3 -m venv "$into/python"
    "$into/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$pins"
    done_with python "$pins"
fi

# Node looks for packages beside the script that asks for them.
cp "$here/servers/modern.mjs" "$into/npm/modern.mjs"
cp "$here/servers/modern.py" "$into/python/modern.py"
