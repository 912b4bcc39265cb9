#!/bin/bash
# Runs a program for `go test` and `go run`: a test program tells what came of each test, and its
# words go into a file of the folder that PRP_REPORTS names. What is printed stays as it is.
program=$1
case $program in *.test) ;; *) exec "$@" ;; esac
[ -d "$PRP_REPORTS" ] || exec "$@"
shift
report=$(command -p mktemp "$PRP_REPORTS/go-XXXXXXXX") || exec "$program" "$@"
{
  printf 'folder %s/\n' "$PWD"
  # What a test prints can look like a result; one of a test that is not there is none.
  command -p grep -hoE '^func (Test|Example|Fuzz)[A-Za-z0-9_]*' ./*_test.go | sed 's/^func /test /'
  printf 'output\n'
} >"$report" 2>/dev/null
set -o pipefail
case " $* " in
  *' -test.v'* | *' -test.list'* | *' -test.bench='*)
    "$program" "$@" 2>&1 | command -p tee -a "$report"
    exit
    ;;
esac
# Since Go 1.20 results are marked, so that they differ from what tests print.
verbose=-test.v=test2json
case $(go version "$program" 2>/dev/null) in *': go1.'[0-9] | *': go1.1'[0-9]*) verbose=-test.v ;; esac
mark=$'[\x16\x0e\x0f]*'
"$program" $verbose "$@" 2>&1 | command -p tee -a "$report" | LC_ALL=C command -p sed -E \
  -e "/^ *$mark=== (RUN|PAUSE|CONT|NAME) /d" \
  -e "/^ *$mark *--- (PASS|SKIP): /d" \
  -e $'s/[\x16\x0e\x0f]//g'
