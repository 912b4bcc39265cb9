#!/bin/sh
# Installs other harnesses to be measured beside prp, each alone, into a folder outside of the tree.
#
#   sh bench/install_peers.sh FOLDER [NAME ...]      (mini aider codex gemini opencode)
#
# `make bench PEERS=FOLDER` then measures whatever is there.
set -eu
[ $# -ge 1 ] || { sed -n '2,6p' "$0" >&2; exit 2; }
folder=$1
shift
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
case "$folder/" in "$here"/*) echo "$folder lies in the repository; name one outside of it" >&2; exit 2 ;; esac
[ $# -ge 1 ] || set -- mini aider codex gemini opencode

python_peer() { # NAME PACKAGE...
  name=$1
  shift
  "${PYTHON:-python3}" -m venv "$folder/venvs/$name"
  "$folder/venvs/$name/bin/pip" install --quiet --disable-pip-version-check "$@"
  # Else the first run would compile, and be measured doing so.
  "$folder/venvs/$name/bin/python" -m compileall -q -j 0 "$folder/venvs/$name/lib" >/dev/null || true
}

node_peer() { # NAME PACKAGE
  command -v npm >/dev/null || { echo "$1 needs npm, which is not installed: left out" >&2; return; }
  mkdir -p "$folder/npm/$1"
  (cd "$folder/npm/$1" && npm init -y >/dev/null && npm install --no-audit --no-fund --loglevel=error "$2")
}

for peer in "$@"; do
  echo "installing $peer into $folder"
  case $peer in
    mini) python_peer mini mini-swe-agent mcp ;;
    aider) python_peer aider aider-chat ;;
    codex) node_peer codex @openai/codex ;;
    gemini) node_peer gemini @google/gemini-cli ;;
    opencode) node_peer opencode opencode-ai ;;
    *) echo "no peer is called $peer" >&2; exit 2 ;;
  esac || echo "$peer could not be installed: left out" >&2
done
