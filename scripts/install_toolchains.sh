#!/bin/sh
# Installs what the tests of verdicts on JavaScript and Go projects need, where we may, and a
# database that checks must not reach.
set -eu
missing=
for wanted in node:nodejs npm:npm go:golang-go; do
    command -v "${wanted%%:*}" >/dev/null 2>&1 || missing="$missing ${wanted##*:}"
done
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # several packages
    apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >/dev/null; }
    exit 0
fi
echo "Tests of projects in other languages are left out. Install with your system's packages:$missing" >&2
