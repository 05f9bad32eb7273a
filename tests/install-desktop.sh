#!/usr/bin/env bash
# Installs what the desktop tests talk to: a session bus, a notification service, a display without a
# screen, and the tool that takes the picture in docs/. Debian and its relatives.
#
# The picture: MCPWATCH_TEST_SCREENSHOT=shot.png cargo test --test it desktop::
#              convert shot.png -trim -bordercolor black -border 10 +repage -strip docs/notification.png
set -euo pipefail
missing=()
for program in dbus-daemon dbus-send dunst dunstctl Xvfb import; do
    command -v "$program" > /dev/null || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends \
    dbus dbus-bin dbus-daemon dunst xvfb imagemagick fonts-dejavu-core > /dev/null
