#!/usr/bin/env bash
# Measures the daemon at rest: resident memory, descriptors, and how often it woke.
#   cargo build --release --bin mcpwatch --example fixture_server
#   tests/measure-daemon.sh 20 600      # servers, seconds
set -euo pipefail
servers=${1:-20} seconds=${2:-600}
built=$(cd "$(dirname "$0")/../target/release" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder/home MCPWATCH_HOME=$folder/ours TERM=dumb
unset DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY XDG_RUNTIME_DIR
mkdir "$HOME"
cd "$HOME"
for i in $(seq "$servers"); do
    echo "\"s$i\": {\"command\": \"$built/examples/fixture_server\", \"args\": [\"--tools\", \"20\", \"--era\", \"session\"]}"
done | paste -sd, | sed 's/.*/{"mcpServers": {&}}/' >.claude.json

# A person pins all of it; what is typed before a question stands is thrown away.
(sleep $((3 + servers / 10)); for answer in a yes n n; do echo $answer; sleep 2; done) |
    script -qfec "$built/mcpwatch init" /dev/null >"$folder/screen" || true
grep -q 'Pinned' "$folder/screen" || { tail -5 "$folder/screen" >&2; exit 1; }

"$built/mcpwatch" daemon 2>/dev/null &
daemon=$!
trap 'kill $daemon; wait $daemon || true; rm -rf "$folder"' EXIT
look() {
    grep -E '^(VmRSS|RssAnon|RssFile|Threads)' /proc/$daemon/status | tr -s '\t\n ' ' '
    echo "Pss $(awk '/^Pss:/{print $2}' /proc/$daemon/smaps_rollup) kB," \
        "descriptors $(ls /proc/$daemon/fd | wc -l), servers $(pgrep -cP $daemon)," \
        "woken $(cat /proc/$daemon/task/*/status | awk '/^voluntary/{n += $2} END{print n}')"
}
sleep $((20 + servers / 4))
look
sleep "$seconds"
look
