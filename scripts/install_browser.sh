#!/bin/sh
# Installs Chromium where we may: the tests of the HTML report look at it in a real browser.
set -eu
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends chromium >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null; }
    exit 0
fi
echo "The tests of the report need Chromium: install your system's package (chromium), or leave" >&2
echo "them out: pytest --ignore tests/browser" >&2
exit 1
