#!/bin/sh
# Installs the real servers that tests read, at exact versions with their dependencies locked, into
# $MCPWATCH_TEST_SERVERS (target/test-servers where it is not set). Quick when they are there already.
#
# - npm, python: the current releases
# - npm-before, python-before: the releases before them
# - python-sdk-before: the release before the current one of PyPI's `mcp` 2.x
#
# npm's are what `package-lock.json` locks; Python's what `requirements.txt` pins, hashes included, in a
# virtual environment for each set, since servers that name no exact `mcp` start with few releases of it.
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

for name in python python-before python-sdk-before; do
    pins=$here/servers/$name/requirements.txt
    if ! present "$name" "$pins"; then
        rm -rf "${into:?}/$name"
        python3 -m venv "$into/$name"
        "$into/$name/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
            --require-hashes -r "$pins"
        done_with "$name" "$pins"
    fi
done

# Our own servers on both SDKs, in other words before. Node looks for packages beside the script.
cp "$here/servers/modern.mjs" "$into/npm/modern.mjs"
cp "$here/servers/modern.py" "$into/python/modern.py"
sed 's/Adds two numbers/Adds 2 numbers/' "$here/servers/modern.mjs" >"$into/npm-before/modern.mjs"
sed 's/Adds two numbers/Adds 2 numbers/' "$here/servers/modern.py" >"$into/python-sdk-before/modern.py"
