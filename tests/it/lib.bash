# shellcheck shell=bash
# lib.bash - what the end-to-end tests share. To be loaded by every .bats file: `load lib`.
#
#   setup() { it_begin; }  teardown() { it_end; }      a private folder in $IT; peers in $PEERS_DIR
#   setup_file() { peers_begin; registry_start reg; }  teardown_file() { peers_end; }   peers that all tests of a file share
#
#   bw check "$IT/src" --format json      runs the program; then $status, $out, $err and the files $OUT, $ERR
#   expect_status 1                       all expectations print both outputs when they fail
#   expect_out 'stale +127'  expect_err   an extended regular expression that some line matches
#   expect_no_out REGEX  expect_no_err REGEX
#   expect_text 'plain text' in $out or $err together
#   expect_json '.summary.stale' 1        a jq expression and the compact JSON it must give; strings may go unquoted
#   expect_same WANTED GOT                two texts
#   file src/web/Dockerfile <<'EOF'       writes a file below $IT, folders included
#   log_in HOST USER:PASSWORD             as docker does; check: the build files in $IT/src, in JSON
#   as_user COMMAND...                    as an unprivileged user when we are root; bw_as_user is bw as that user
#   requests, requests_where, image, ...  see tests/peers/registry.sh

IT_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/peers/registry.sh
source "$IT_HOME/../peers/registry.sh"

BASEWATCH=${BASEWATCH:-$IT_HOME/../../build/basewatch}
# How long one run of the program may take before the test fails instead of hanging.
BW_DEADLINE_S=${BW_DEADLINE_S:-60}
IT_USER=65534

it_begin() {
  IT=$(mktemp -d "${TMPDIR:-/tmp}/basewatch-it.XXXXXX") || return 1
  chmod 755 "$IT"
  OUT=$IT/.out
  ERR=$IT/.err
  mkdir -p "$IT/home"
  : >"$IT/.begin"
  BW_ENV=()
  export IT OUT ERR
}

# Logs are shown when a test has failed: bats leaves BATS_TEST_COMPLETED empty then.
it_end() {
  if [[ -z ${BATS_TEST_COMPLETED:-} && -n ${PEERS_DIR:-} ]]; then peers_show_logs "$IT/.begin"; fi
  if [[ -n ${IT:-} ]]; then
    chmod -R u+rwX "$IT" 2>/dev/null || :
    rm -rf "$IT"
  fi
}

file() {
  mkdir -p "$(dirname "$IT/$1")"
  cat >"$IT/$1"
}

# The program's environment: nothing of the developer's own folders, settings, credentials or proxies. BW_ENV, an
# array of NAME=VALUE, adds to it.
bw_env() {
  local keep=(PATH="$PATH" HOME="$IT/home" XDG_STATE_HOME="$IT/state" XDG_CONFIG_HOME="$IT/config" XDG_RUNTIME_DIR="$IT/run"
    LC_ALL=C.UTF-8 TZ=UTC) name
  for name in ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS GCOV_PREFIX GCOV_PREFIX_STRIP LLVM_PROFILE_FILE; do
    if [[ -n ${!name:-} ]]; then keep+=("$name=${!name}"); fi
  done
  env -i "${keep[@]}" "${BW_ENV[@]}" "$@"
}

# bw_capture COMMAND...: $status, $out and $err of it. 124 means that the deadline is over.
bw_capture() {
  status=0
  "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
  out=$(tr -d '\000' <"$OUT")
  err=$(tr -d '\000' <"$ERR")
}

# bw VERB [ARG...]: the database is $BW_DB when that is set, else the default one in the private state folder.
bw() {
  local args=("$@")
  if [[ -n ${BW_DB:-} && ${1:-} =~ ^(check|report|history|events|done|forget)$ ]]; then args=("$1" --db "$BW_DB" "${@:2}"); fi
  bw_capture bw_env timeout "$BW_DEADLINE_S" "$BASEWATCH" "${args[@]}"
}

# bw_stdin TEXT VERB [ARG...]: the same with this text as standard input.
bw_stdin() {
  local text=$1
  shift
  status=0
  printf '%s' "$text" | bw_env timeout "$BW_DEADLINE_S" "$BASEWATCH" "$@" >"$OUT" 2>"$ERR" 3>&- || status=$?
  out=$(<"$OUT")
  err=$(<"$ERR")
}

# background COMMAND...: in the program's environment; then $BACKGROUND_PID, and both outputs in $LOG. background_end waits
# for it: $status and $out. background_kill, for teardown, ends what is left.
background() {
  LOG=$IT/background.log
  : >"$LOG"
  rm -f "$IT/pid"
  # shellcheck disable=SC2016 # for the shell that becomes the program
  bw_env sh -c 'echo $$ >"$0.new"; mv "$0.new" "$0"; exec "$@"' "$IT/pid" "$@" >"$LOG" 2>&1 </dev/null 3>&- &
  BACKGROUND_JOB=$!
  wait_until 10 test -e "$IT/pid"
  BACKGROUND_PID=$(<"$IT/pid")
}
background_end() {
  status=0
  wait "$BACKGROUND_JOB" || status=$?
  BACKGROUND_PID=
  out=$(<"$LOG")
  err=
}
background_kill() {
  if [[ -n ${BACKGROUND_PID:-} ]]; then kill -KILL "$BACKGROUND_PID" 2>/dev/null || :; fi
}

is_root() { [[ $(id -u) == 0 ]]; }

# as_user COMMAND...: the tests of permissions mean nothing as root.
as_user() {
  if is_root; then
    setpriv --reuid="$IT_USER" --regid="$IT_USER" --clear-groups -- "$@"
  else
    "$@"
  fi
}

# give_user PATH...: what as_user shall own.
give_user() {
  if is_root; then chown -R "$IT_USER:$IT_USER" "$@"; fi
}

# bw_as_user VERB [ARG...]: from a copy of the program, as the user may not enter the folder that we were built in.
# Let give_user hand over what it shall write; $IT/home and $IT/state are its own.
bw_as_user() {
  local program=$IT/bin/basewatch
  mkdir -p "$IT/bin" "$IT/state"
  if [[ ! -x $program ]]; then install -m 755 "$BASEWATCH" "$program"; fi
  give_user "$IT/home" "$IT/state"
  bw_capture bw_env_as_user timeout "$BW_DEADLINE_S" "$program" "$@"
}

bw_env_as_user() {
  if is_root; then
    bw_env setpriv --reuid="$IT_USER" --regid="$IT_USER" --clear-groups -- "$@"
  else
    bw_env "$@"
  fi
}

# --- log-ins, and one look ----------------------------------------------------------------------------------------

base64_of() { printf %s "$1" | base64 -w 0; }
# auths HOST USER:PASSWORD: the text of a file with one log-in; log_in makes it that of docker.
auths() { printf '{"auths": {"%s": {"auth": "%s"}}}' "$1" "$(base64_of "$2")"; }
log_in() { auths "$1" "$2" | file home/.docker/config.json; }
# digest_of SEED: of the crafted image.
digest_of() { image digest --seed "$1" | jq -r .digest; }
# check [OPTION...]: of the build files in $IT/src.
check() { bw check "$IT/src" --format json --verbose "$@"; }
# expect_unknown REGEX: the only base is unknown for that reason.
expect_unknown() {
  expect_status 2
  expect_json '.bases[0].verdict' unknown
  [[ $(json '.bases[0].reason') =~ $1 ]] || it_fail "the reason does not match: $1"
}

# --- expectations -------------------------------------------------------------------------------------------------

it_fail() {
  {
    printf '%s\n' "$*"
    printf -- '--- status %s\n--- stdout\n%s\n--- stderr\n%s\n' "${status-}" "${out-}" "${err-}"
  } >&2
  return 1
}

expect_status() { [[ $status == "$1" ]] || it_fail "status is $status, not $1"; }

expect_out() { grep -qE -- "$1" <<<"$out" || it_fail "no line of stdout matches: $1"; }
expect_err() { grep -qE -- "$1" <<<"$err" || it_fail "no line of stderr matches: $1"; }
expect_no_out() { ! grep -qE -- "$1" <<<"$out" || it_fail "a line of stdout matches: $1"; }
expect_no_err() { ! grep -qE -- "$1" <<<"$err" || it_fail "a line of stderr matches: $1"; }
expect_text() { [[ $out$'\n'$err == *"$1"* ]] || it_fail "nowhere in the output: $1"; }
expect_no_text() { [[ $out$'\n'$err != *"$1"* ]] || it_fail "in the output, but should not be: $1"; }

expect_json() {
  local got
  got=$(jq -c "$1" <<<"$out") || it_fail "jq cannot evaluate $1" || return 1
  [[ $got == "$2" || $got == "\"$2\"" ]] || it_fail "$1 is $got, not $2"
}

# json FILTER: a raw value out of the last output.
json() { jq -r "$1" <<<"$out"; }

expect_same() { [[ $2 == "$1" ]] || it_fail "got $2, not $1"; }

# expect_requests COUNT NAME [METHOD [PATH]]
expect_requests() {
  local got
  got=$(requests "${@:2}")
  [[ $got == "$1" ]] || it_fail "$2 was asked $got times (${*:3}), not $1:"$'\n'"$(request_lines "$2")"
}

# wait_for_line SECONDS FILE REGEX
wait_for_line() { wait_until "$1" grep -qsE -- "$3" "$2" || it_fail "$2 has no line that matches: $3"; }
