#!/usr/bin/env bash
# Runs a systemd user manager of its own for an account that has no session, in the folder given: its
# files are in FOLDER/home, its sockets in FOLDER/run. Wants root; changes nothing outside the folder
# but for a control group, which goes with the manager. Says why on stderr where it cannot be had.
set -euo pipefail
folder=$1 account=${2:-nobody}
[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 1; }
manager=/lib/systemd/systemd
[ -x $manager ] || { echo "systemd is missing" >&2; exit 1; }
uid=$(id -u "$account") gid=$(id -g "$account")
install -d -m 700 -o "$uid" -g "$gid" "$folder/home" "$folder/run"

# A namespace, so that only this manager believes that systemd started the machine.
if [ "${3:-}" != inside ]; then
    exec unshare --mount -- "$0" "$folder" "$account" inside
fi
mkdir -p /run/systemd
mount -t tmpfs none /run/systemd
mkdir -p /run/systemd/system

# It must own a control group; where there are several hierarchies, in systemd's and the unified one.
groups=()
for root in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    [ -w $root/cgroup.procs ] || continue
    group=$root/mcpwatch-test-$$
    mkdir "$group"
    groups+=("$group")
    chown "$uid:$gid" "$group" "$group"/cgroup.*
done
leave() {
    kill "$pid" 2>/dev/null || true
    wait "$pid" || true
    for group in "${groups[@]}"; do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}
(
    for group in "${groups[@]}"; do echo $BASHPID >"$group/cgroup.procs"; done
    exec setpriv --reuid "$uid" --regid "$gid" --clear-groups \
        env -i HOME="$folder/home" XDG_RUNTIME_DIR="$folder/run" PATH=/usr/bin:/bin $manager --user
) &
pid=$!
trap leave EXIT
trap exit TERM INT
wait "$pid"
