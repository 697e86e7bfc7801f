#!/usr/bin/env bats
# 200 registries, 50 of which never answer: the other 150 are asked as if they were alone. That is a question of order, and
# not of time: those that hang are held by their peer until the test has seen that everybody else was served.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

BASES=5
WAIT_S=${DAEMON_WAIT_S:-30}

setup() {
  it_begin
  peers_begin
  LOG_OF_ALL=$PEERS_DIR/all/requests
}
teardown() {
  background_kill
  peers_end
  it_end
}

# hosts_start GOOD BAD: so many that are well, and so many of each other kind.
hosts_start() {
  peer_dir all
  peer_launch all python3 -B "$PEERS_HOME/many.py" --log "$LOG_OF_ALL" --good "$1" --silent "$2" --stuck "$2" --mute "$2" \
    --drip "$2" --refuse "$2"
  peer_port all "$PEERS_DIR/all/stdout" '.*"port": ([0-9]+).*' >/dev/null
  hosts() { jq -r "$1 | .[]" "$PEERS_DIR/all/stdout"; }
}
# A build file per registry, those that hang in between, and in the beginning.
hosts_builds() {
  local host i n=0
  hosts '[.silent, .stuck, .mute, .drip, .refuse, .good] | [.[] | to_entries] | add | sort_by(.key) | map(.value)' >"$IT/hosts"
  while read -r host; do
    n=$((n + 1))
    mkdir -p "$IT/src/$n"
    for ((i = 1; i <= BASES; i++)); do
      if ((i == 1)); then echo "FROM $host/team/app:1"; else echo "COPY --from=$host/team/app:$i / /"; fi
    done >"$IT/src/$n/Dockerfile"
  done <"$IT/hosts"
}

# Of the peer's log: different bases of good hosts that were served; connections that hang, and those that were given up.
served() { jq -r 'select(.event == "request" and .kind == "good" and .method == "HEAD" and .status == 200) | "\(.host)\(.path)"' "$LOG_OF_ALL" | sort -u | wc -l; }
hosts_where() { jq -r "select($1) | .host" "$LOG_OF_ALL" | sort -u | wc -l; }
are_served() { (($(served) >= $1)); }
# Nobody that hangs was given up before, and all of them that listen were asked.
expect_all_held() {
  expect_same 0 "$(hosts_where '.event == "given-up"')"
  expect_same 40 "$(hosts_where '.event == "hold"')"
}
peer_signal() { kill "-$1" "$(<"$PEERS_DIR/all/pid")"; }

moved() { grep -cE ': moved' "$LOG" || :; }
have_moved() { (($(moved) >= $1)); }

@test "check: 750 bases of 150 registries are answered while 50 registries hang" {
  hosts_start 150 10
  hosts_builds
  background "$BASEWATCH" check --format json --connect-timeout 600 --answer-timeout 600 --give-up 600 "$IT/src"
  wait_until "$WAIT_S" are_served 750 || it_fail "only $(served) were served"
  expect_all_held
  # Then what hangs breaks, and the whole ends with all that is known.
  peer_signal USR2
  background_end
  expect_status 2
  expect_json '[.summary.fresh, .summary.unknown]' '[750,250]'
  expect_json '[.bases[] | select(.verdict == "fresh" and .digest)] | length' 750
}

@test "run: sweep after sweep sees 750 bases move while 50 registries hang" {
  hosts_start 150 10
  hosts_builds
  file c.yaml <<END
state: $IT/var
sources: [{path: src, name: src}]
poll: {every: 1s, minimum-distance: 0s, jitter: 0%}
END
  background "$BASEWATCH" run --config "$IT/c.yaml" --allow-root -v
  wait_until "$WAIT_S" are_served 750 || it_fail "only $(served) were served"
  expect_all_held
  peer_signal USR1
  wait_until "$WAIT_S" have_moved 750 || it_fail "only $(moved) are known to have moved"
  expect_same 0 "$(grep -cE 'a turn of the loop took [0-9]{4,} ms' "$LOG")"
  # What is in flight may end, and does not wait for its time to be over.
  peer_signal USR2
  kill -TERM "$BACKGROUND_PID"
  background_end
  expect_status 0
}

@test "check: what never answers is given up when its time is over, and is told by what it did" {
  hosts_start 0 2
  hosts_builds
  bw check --format json --connect-timeout 1 --answer-timeout 1 --give-up 1 "$IT/src"
  expect_status 2
  expect_json '.summary.unknown' 50
  expect_json '[.bases[] | select(.base | startswith("127.0.6.")) | .reason] | unique | length' 2
  json '.bases[] | .base + " " + .reason' >"$IT/reasons"
  expect_same 40 "$(grep -c 'did not answer in time' "$IT/reasons")"
  expect_same 10 "$(grep -c "^127.0.6.*: Failed to connect" "$IT/reasons")"
}
