#!/bin/sh
# Installs bubblewrap where we may, otherwise says which command does.
set -eu
if [ "$(uname -s)" != Linux ]; then
    echo "prp's sandbox needs Linux; on macOS sandbox-exec is used, which was never tried" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y bubblewrap >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -qq -y bubblewrap >/dev/null; }
    exit 0
fi
echo "prp runs commands in bubblewrap, which is not installed. Install it with one of:" >&2
echo "  sudo apt-get install bubblewrap" >&2
echo "  sudo dnf install bubblewrap" >&2
echo "  sudo pacman -S bubblewrap" >&2
exit 1
