# What the demos are played on: an installation of their own, which is gone in the end; the typing,
# and the watching. Sourced, with the demo's own arguments.
# shellcheck shell=bash

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/../build/bin" && pwd)
PATH=$bin:$PATH
keep=
[[ ${1:-} == --keep ]] && keep=yes

state=$(mktemp -d "${TMPDIR:-/tmp}/emucache-demo-XXXXXX")
export EC_DIR=$state NO_COLOR=1
step=0
out=
writer=

finish() {
  local status=$?
  trap - EXIT INT TERM
  if ((status == 0)) && [[ -n $keep ]]; then
    cat <<EOF

The installation is left running. To use it:

  export PATH=$bin:\$PATH
  eval "\$(ecctl --dir $state env)"
  ecctl status

To end it and remove everything:

  ecctl --dir $state down --discard
EOF
    exit 0
  fi
  if ((status != 0)); then
    printf '\nThe demo ended in step %d. The control plane said last:\n' "$step" >&2
    tail -n 15 "$state/controlplane/controlplane.log" >&2 2>/dev/null || true
  fi
  [[ -z $writer ]] || kill "$writer" 2>/dev/null || true
  ecctl down --discard >/dev/null 2>&1 || true
  rm -rf "$state"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

tell() {
  step=$((step + 1))
  printf '\n\033[1m%d. %s\033[0m\n' "$step" "$*"
}

# Shows the last output, and of a long one the beginning.
indent() {
  local line shown=0 lines
  [[ -n $out ]] || return 0
  lines=$(wc -l <<<"$out")
  while IFS= read -r line; do
    if ((shown == 20 && lines > 24)); then
      printf '    ... and %d more lines\n' $((lines - shown))
      break
    fi
    printf '    %s\n' "$line"
    shown=$((shown + 1))
  done <<<"$out"
}

# A command as a person types it.
typed() {
  local word special='[][{}[:space:]]'
  printf '\n  $'
  for word in "$@"; do
    # shellcheck disable=SC2053 # it is a pattern
    if [[ $word == *$special* ]]; then printf ' "%s"' "$word"; else printf ' %s' "$word"; fi
  done
  printf '\n'
}

# Shows the command, runs it, shows its output, and keeps that for `expect`.
run() {
  typed "$@"
  local status=0
  out=$("$@" 2>&1) || status=$?
  indent
  return "$status"
}

# redis-cli, answering as it does to a person at a terminal.
run_redis() { # ARGUMENTS...
  typed redis-cli "$@"
  out=$(redis-cli --no-raw "$@" 2>&1)
  indent
}

# The same for one that has to be refused.
refused() { ! run "$@" || wrong "this was accepted, and should not have been"; }

# The same for lines of text to a Memcached node: what a person types into telnet. The lines of TEXT
# are parted by \n.
say_to() { # HOST TEXT
  printf '\n  $ telnet %s 11211\n' "$1"
  printf '    > %b\n' "${2//'\n'/'\n    > '}"
  out=$(printf '%b\r\nquit\r\n' "${2//'\n'/'\r\n'}" | nc -w 5 "$1" 11211 | tr -d '\r')
  indent
}

wrong() {
  printf '\n  WRONG: %s\n' "$*" >&2
  exit 1
}

expect() { # TEXT...: each must stand in the last output
  local text
  for text in "$@"; do
    grep -qF -- "$text" <<<"$out" || wrong "'$text' was expected"
  done
}

# What `ecctl cluster show` says of a node, or of the whole: describe CLUSTER JQ-FILTER
describe() { ecctl cluster show "$1" --output json | jq -r ".cache_clusters[0] | $2"; }
node_address() { describe "$1" ".cache_nodes[] | select(.cache_node_id == \"$2\") | .endpoint.address"; }
node_pid() { describe "$1" ".cache_nodes[] | select(.cache_node_id == \"$2\") | .engine_pid"; }

await() { # SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || wrong "this did not come true in time: $*"
    sleep 0.05
  done
}

event_is_there() { ecctl event list --cluster "$1" | grep -qF -- "$2"; }

# What `ecctl group show` says: group_of GROUP JQ-FILTER
group_of() { ecctl group show "$1" --output json | jq -r ".replication_groups[0] | $2"; }
members_with_role() {
  group_of "$1" ".node_groups[0].node_group_members[] | select(.current_role == \"$2\") | .cache_cluster_id"
}
leader_of() { members_with_role "$1" primary; }
replica_of() { members_with_role "$1" replica | tail -n 1; }
leader_is_not() { [[ $(leader_of carts) != "$1" ]]; }
group_is_whole() {
  [[ $(group_of "$1" '.status') == available ]] &&
    [[ $(group_of "$1" '[.node_groups[0].node_group_members[] | select(.current_role == "replica") | .in_sync] | all') == true ]]
}

# Whether the endpoint at this address has handed a connection to its engine that is still there.
client_is_there() { # HOST
  ss -Htn state established "src $1:6379" | grep -q .
}

# How far the group's slowest replica is behind its primary, in bytes.
lag_of() { group_of "$1" '[.node_groups[0].node_group_members[] | .lag_bytes // 0 | tonumber] | max'; }
lags() { (($(lag_of "$1") > 0)); }

# Writes one key after the other until it is told to stop, and connects again whenever it has to.
write_on() { # HOST
  set +e
  local connection='' key=0 acknowledged=0 pause=0 longest=0 last=${EPOCHREALTIME/./} now line
  while [[ ! -e $state/stop-writing ]]; do
    if [[ -z $connection ]]; then
      { exec {connection}<>"/dev/tcp/$1/6379"; } 2>/dev/null || connection=''
      [[ -n $connection ]] || continue
    fi
    key=$((key + 1)) line=''
    { printf 'SET key:%d v\r\n' "$key" >&"$connection"; } 2>/dev/null
    if { read -r -t 2 line <&"$connection"; } 2>/dev/null && [[ $line == +OK* ]]; then
      now=${EPOCHREALTIME/./}
      pause=$((now - last)) last=$now acknowledged=$((acknowledged + 1))
      ((pause > longest)) && longest=$pause
    else
      exec {connection}>&-
      connection=''
    fi
  done
  printf '%d %d\n' "$acknowledged" "$longest" >"$state/written"
}
start_writer() { # HOST
  rm -f "$state/stop-writing"
  printf '\n  (a writer has begun to write through %s)\n' "$1"
  write_on "$1" &
  writer=$! writes_to=$1
}
stop_writer() {
  touch "$state/stop-writing"
  wait "$writer"
  writer=
  read -r acknowledged longest <"$state/written"
  kept=$(redis-cli -h "$writes_to" dbsize)
  printf '\n  (the writer: %d writes acknowledged, longest pause %d ms; %d keys are there)\n' \
    "$acknowledged" $((longest / 1000)) "$kept"
}
