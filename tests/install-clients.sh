#!/bin/sh
# Installs what tests put in front of the gate, at exact versions with their dependencies locked, into
# $MCPWATCH_TEST_CLIENTS (target/test-clients where it is not set). Quick when it is there already.
#
# - agents:  the clients that tests/it/clients.rs runs against a scripted model
# - earlier: an earlier release of a server, which is upgraded in the middle of a session
# - npm:     the client libraries that tests/clients/*.mjs are written with
#
# PyPI's client library comes with the servers (`tests/install-servers.sh`): it is the same package.
# A test that does not find its part prints `skipped: NAME` to stderr and passes; `.ci/run` runs this
# first and takes such a line for a failure.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
into=${MCPWATCH_TEST_CLIENTS:-$here/../target/test-clients}

for name in agents earlier npm; do
    from=$here/clients/$name
    # The last file written, so that an interrupted installation is repeated.
    if ! cat "$from/package.json" "$from/package-lock.json" | cmp -s - "$into/$name/.installed-from"; then
        rm -rf "${into:?}/$name"
        mkdir -p "$into/$name"
        cp "$from/package.json" "$from/package-lock.json" "$into/$name/"
        (cd "$into/$name" && npm ci --no-audit --no-fund --loglevel=error)
        cat "$from/package.json" "$from/package-lock.json" >"$into/$name/.installed-from"
    fi
done

# Node looks for packages beside the script that asks for them.
for script in "$here"/clients/*.mjs; do
    cp "$script" "$into/npm/"
done
