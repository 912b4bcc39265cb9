# Helpers of a check's script: start servers, wait for them, say what came of them.
# bash 3.2 and later. They use programs of the system's own folders only, never the project's, and
# start nothing else in the background: `$!` belongs to the document.
__prp_dir=$(command -p mktemp -d)
printf 'no-progress-meter\nwrite-out = "%%{stderr}\\n%s http %%{http_code}\\n"\n' "$__prp_token" >"$__prp_dir/.curlrc"
export CURL_HOME=$__prp_dir
__prp_state=up __prp_open=" " __prp_status=1
__prp_pids=() __prp_ports=() __prp_seen=() __prp_gone=()

__prp_look() { # finds every port that something listens on, without connecting to it
  local file place state _
  __prp_open=" "
  for file in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$file" ] || continue
    while read -r _ place _ state _; do
      if [ "$state" = 0A ]; then __prp_open="$__prp_open$((16#${place##*:})) "; fi
    done <"$file"
  done
  return 0
}

__prp_listens() { # port, ports that were open before: those belong to somebody else
  if [ -r /proc/net/tcp ]; then
    case "$2" in *" $1 "*) return 1 ;; esac
    case "$__prp_open" in *" $1 "*) return 0 ;; esac
    return 1
  fi
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

__prp_start() { # number, port or nothing, command
  __prp_look
  __prp_seen[$1]=$__prp_open __prp_ports[$1]=$2 __prp_gone[$1]=
  { eval "$3"; } >"$__prp_dir/$1" 2>&1 </dev/null &
  __prp_pids[$1]=$!
}

__prp_has_ended() { # number
  if kill -0 "${__prp_pids[$1]}" 2>/dev/null; then return 1; fi
  if [ -z "${__prp_gone[$1]}" ]; then
    wait "${__prp_pids[$1]}" 2>/dev/null
    __prp_gone[$1]=$?
  fi
  __prp_state="ended $1 ${__prp_gone[$1]}"
}

__prp_ready='listening (on|at)|running (on|at) |ready (in|on)|server (is )?(started|running|ready)|'
__prp_ready+='startup complete|started server|serving (http|on|at) |local: +http'

__prp_is_ready() { # number
  local port
  if [ -n "${__prp_ports[$1]}" ]; then
    __prp_listens "${__prp_ports[$1]}" "${__prp_seen[$1]}"
    return
  fi
  for port in $__prp_open; do
    case "${__prp_seen[$1]}" in *" $port "*) ;; *) return 0 ;; esac
  done
  kill -0 "${__prp_pids[$1]}" 2>/dev/null || return 1
  command -p grep -qiE "$__prp_ready" "$__prp_dir/$1"
}

__prp_settled() { # number: what comes next may need it, and finds out itself where it is not there
  local end=$((SECONDS + (__prp_patience < 10 ? __prp_patience : 10))) kept=$__prp_state
  while [ $SECONDS -lt $end ]; do
    __prp_look
    if __prp_is_ready "$1" || __prp_has_ended "$1"; then break; fi
    command -p sleep 0.1
  done
  __prp_state=$kept
  return 0
}

__prp_stays() { # number, seconds
  local tenths=$(($2 * 10))
  while [ $tenths -gt 0 ]; do
    if __prp_has_ended "$1"; then return 1; fi
    command -p sleep 0.1
    tenths=$((tenths - 1))
  done
  return 0
}

__prp_comes_up() { # number, seconds to stay up: some open their port before they load the program
  local end=$((SECONDS + __prp_patience))
  while :; do
    __prp_look
    if __prp_is_ready "$1"; then
      __prp_stays "$1" "$2"
      return
    fi
    if __prp_has_ended "$1"; then return 1; fi
    if [ $SECONDS -ge $end ]; then
      __prp_state="late $__prp_patience ${__prp_ports[$1]:-0}$__prp_open"
      return 1
    fi
    command -p sleep 0.1
  done
}

__prp_missing() { # ports that must be open; without any, every server must be ready
  local port number
  for port in $1; do
    if ! __prp_listens "$port" "${__prp_seen[1]}"; then printf %s "$port"; return; fi
  done
  if [ -n "$1" ]; then return; fi
  for number in "${!__prp_pids[@]}"; do
    if ! __prp_is_ready "$number"; then printf 0; return; fi
  done
}

__prp_can_come() { # port: whether a server still runs that may open it
  local number living=
  for number in "${!__prp_pids[@]}"; do
    if ! __prp_has_ended "$number"; then living=1
    elif [ "${__prp_ports[$number]}" = "$1" ]; then return 1
    fi
  done
  [ -n "$living" ]
}

__prp_reached() { # ports, as for __prp_missing
  local end=$((SECONDS + __prp_patience)) missing
  while :; do
    __prp_look
    missing=$(__prp_missing "$1")
    if [ -z "$missing" ]; then
      __prp_state=up
      return 0
    fi
    __prp_can_come "$missing" || return 1
    if [ $SECONDS -ge $end ]; then
      __prp_state="late $__prp_patience $missing$__prp_open"
      return 1
    fi
    command -p sleep 0.1
  done
}

__prp_report() { # most bytes of a log, numbers of the servers
  local most=$1 number
  shift
  for number in "$@"; do
    printf '\n%s log %s\n' "$__prp_token" "$number"
    command -p tail -n 60 "$__prp_dir/$number" | command -p tail -c "$most"
  done
  printf '\n%s %s\n' "$__prp_token" "$__prp_state"
  command -p rm -rf "$__prp_dir"
}
