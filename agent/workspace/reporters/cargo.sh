#!/bin/bash
# Runs a program for `cargo test` and `cargo run`: a test program writes what came of each test into
# a file of the folder that PRP_REPORTS names. What is printed stays as it is.
program=$1
case $program in */deps/*) ;; *) exec "$@" ;; esac
[ -d "$PRP_REPORTS" ] || exec "$@"
# A target with a main function of its own knows no options of ours.
command -p grep -qE '^ *harness *= *false' "$CARGO_MANIFEST_DIR/Cargo.toml" 2>/dev/null && exec "$@"
case " $* " in *' --bench '* | *' --list '* | *' --logfile'*) exec "$@" ;; esac
name=${program##*/}
report=$(command -p mktemp "$PRP_REPORTS/cargo-XXXXXXXX") || exec "$@"
log=$(mktemp) || exec "$@"
shift
"$program" --logfile "$log" "$@"
status=$?
{ printf 'program %s\n' "${name%-*}"; command -p cat "$log"; } >"$report"
command -p rm -f "$log"
exit $status
