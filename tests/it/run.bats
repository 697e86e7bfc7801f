#!/usr/bin/env bats
# `basewatch run`: what a registry changes reaches a real broker and a webhook receiver, whatever goes away in between.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
load daemon

setup_file() { daemon_peers_begin; }
teardown_file() { peers_end; }
setup() {
  it_begin
  daemon_begin
}
teardown() {
  daemon_kill
  it_end
}

shop='sources: [{path: shop, name: shop}]'
count() { bw events --format json; expect_json '.events | length' "$1"; }

@test "what moves reaches a broker and a webhook, once each, whatever another process does with the same database" {
  local web
  file shop/web/Dockerfile <<<"FROM $REG/a:1"$'\n'"COPY --from=$REG/b:1 / /"
  file shop/api/Dockerfile <<<"FROM $REG/b:1"
  push "$REG/a:1" A && push "$REG/b:1" A
  conf <<<"$shop"
  ears
  daemon_start
  wait_said 'watching 2 bases of 2 build files$'
  wait_states 4 '"verdict":"fresh"'
  wait_availability online

  # One that it sees itself.
  push "$REG/a:1" B
  wait_told 2
  expect_same "changed request" "$(kinds)"
  wait_said "base $REG/a:1: moved to sha256:[0-9a-f]{64} \(content: "

  # Two that a check finds while it is stopped: one request for the build that stands on both.
  kill -STOP "$BACKGROUND_PID"
  push "$REG/a:1" C && push "$REG/b:1" B
  bw check --config "$IT/c.yaml"
  expect_status 1
  kill -CONT "$BACKGROUND_PID"
  wait_told 6
  expect_same "changed request changed changed request request" "$(kinds)"
  web=$(hooked | jq -c 'select(.event.data.file == "web/Dockerfile") | .event.data.bases | map(.base)' | tail -n 1)
  expect_same "[\"$REG/a:1\",\"$REG/b:1\"]" "$web"

  # One that either may see first.
  push "$REG/b:1" C
  bw check --config "$IT/c.yaml"
  wait_told 9
  expect_same "changed request request" "$(kinds | cut -d' ' -f7-)"

  # One that is seen for another folder, whose check asks nobody to rebuild what it does not look at.
  file other/Dockerfile <<<"FROM $REG/a:1"
  kill -STOP "$BACKGROUND_PID"
  push "$REG/a:1" D
  bw check --config "$IT/c.yaml" "$IT/other"
  expect_status 0
  expect_same "changed" "$(kinds | cut -d' ' -f10-)"
  kill -CONT "$BACKGROUND_PID"
  wait_told 11
  expect_same "changed request" "$(kinds | cut -d' ' -f10-)"

  # There can be only one.
  bw run --config "$IT/c.yaml" --allow-root
  expect_status 75
  expect_err "another .basewatch run. \(process $BACKGROUND_PID\) works with $BW_DB"
  bw run --config "$IT/c.yaml" --once
  expect_status 75

  daemon_end
  expect_said 1 'ending: what is in flight may end'
  expect_same ended "$(sed -n '$s/.*: //p' "$LOG")"
  expect_same offline "$(availability)"
  expect_told 11
  expect_valid_states
  expect_no_secrets
}

@test "a broker knows whether it runs, what is known and what was rebuilt, also after kill -9" {
  local id
  file shop/Dockerfile <<<"FROM $REG/a:1"
  push "$REG/a:1" A
  conf <<<"$shop"
  ears
  daemon_start
  wait_states 2 '"verdict":"fresh"'
  kill -KILL "$BACKGROUND_PID"
  wait_availability offline

  # It finds what moved meanwhile.
  push "$REG/a:1" B
  daemon_start
  wait_availability online
  wait_told 2
  wait_states 2 '"verdict":"stale"'

  # Who comes now gets all of it at once.
  ears_stop
  mv "$PEERS_DIR/ears" "$IT/first"
  ears
  wait_states 2 '"verdict":"stale"'
  expect_same 2 "$(heard | grep -c "^$N/state/[^|]*|1|")"
  expect_valid_states

  id=$(states | jq -r '.id // empty')
  say_done '{"build":"00000000000000000000000000000000","digest":"'"$(printf 'sha256:%064d' 0)"'"}'
  wait_said 'warning: build 0{32}: somebody says that it was rebuilt: '
  say_done '{"event":"ffffffffffff"}'
  wait_said "warning: event f{12}: somebody says that it was rebuilt: there is no event 'f{12}'"
  say_done '{"build":"shop:web/Dockerfile"}'
  wait_said 'warning: sink broker: .*: its "build" is not the id of one: give data.build of an event \(32 hex'
  say_done 'not json'
  wait_said "warning: sink broker: $N/done: "
  expect_same 1 "$(states | grep -c '"id".*"verdict":"stale"')"
  say_done "{\"build\":\"$id\",\"digest\":\"$(push "$REG/a:1" B)\"}"
  wait_said "info: build $id: rebuilt on sha256:[0-9a-f]{12}: 1 of its bases closed"
  wait_states 2 '"verdict":"fresh"'

  # What is said while it is down waits for it at the broker.
  push "$REG/a:1" D
  wait_states 2 '"verdict":"stale"'
  daemon_end
  say_done "{\"build\":\"$id\",\"digest\":\"$(push "$REG/a:1" D)\"}"
  daemon_start
  wait_said "info: build $id: rebuilt on sha256:[0-9a-f]{12}: 1 of its bases closed"
  wait_states 2 '"verdict":"fresh"'

  # What another process says is seen too.
  push "$REG/a:1" C
  wait_states 2 '"verdict":"stale"'
  bw "done" shop --config "$IT/c.yaml"
  expect_status 0
  wait_states 2 '"verdict":"fresh"'
  expect_valid_states
  daemon_end
  expect_same offline "$(availability)"
  cat "$IT/first/stdout" >>"$PEERS_DIR/ears/stdout"
  expect_told 6
  expect_no_secrets
}

@test "folders and repositories are followed: what comes, goes, moves, is away or is not allowed" {
  local away=$PEERS_GIT/away-$N.git
  push "$REG/a:1" A && push "$PLAIN/b:1" A
  file shop/Dockerfile <<<"FROM $REG/a:1"
  git_repository "$N"
  git_put "$N" main Dockerfile <<<"FROM $PLAIN/b:1"
  conf <<<"sources: [{path: shop, name: shop}, {git: \"$GIT_URL\"}]"
  ears
  daemon_start

  # A build file of a repository leads into this machine only where the configuration names the host.
  wait_state "\"base\":\"$PLAIN/b:1\",.*\"trouble\":\"refused\".*leads to a loopback address \(127.0.0.1\), .*name it under"
  wait_said "warning: base $PLAIN/b:1: cannot be asked: refused: "
  expect_requests 0 plain HEAD "/v2/$N/b/manifests/.*"
  conf <<<"sources: [{path: shop, name: shop}, {git: \"$GIT_URL\"}]
registries:
  \"$(host_of reg)\": {username: bot, password: {file: secrets/registry}}
  \"$(host_of plain)\": {connections: 2}"
  reload
  wait_states 4 '"verdict":"fresh"'

  # No rescan: that is 15 minutes away.
  mkdir "$IT/shop/new"
  echo "FROM $REG/a:1" >"$IT/shop/new/Dockerfile"
  wait_states 5 '"verdict":"fresh"'
  wait_state '"file":"new/Dockerfile"'
  rm "$IT/shop/new/Dockerfile"
  wait_states 4 '"verdict":"fresh"'
  expect_same "" "$(states | grep new/Dockerfile)"

  git_put "$N" main web/Dockerfile <<<"FROM $PLAIN/b:1"
  wait_state '"file":"web/Dockerfile"'
  echo 'D web/Dockerfile' | git_commit "$N" main
  wait_states 4 '"verdict":"fresh"'

  # Gone for a while: said once, and its builds stay.
  mv "$PEERS_GIT/$N.git" "$away"
  wait_state '"problem_since":"20.*"problem":"[^"]'
  requests_forget http
  wait_until "$DAEMON_WAIT_S" asked_thrice
  expect_said 1 "warning: source $GIT_URL: .*; what was known of it stays, since 20"
  bw report --config "$IT/c.yaml"
  expect_status 2
  expect_out "^unknown  $GIT_URL +since 20"
  push "$PLAIN/b:1" B
  wait_told 2
  mv "$away" "$PEERS_GIT/$N.git"
  wait_states 2 '"problem_since":null,|"problem_since":null}'
  daemon_end
  expect_same "changed request" "$(kinds)"
  expect_told 2
  event 1
  expect_json '[.data.repository, .data.branch, .data.commit, .data.file]' \
    "[\"$GIT_URL\",\"main\",\"$(git_in "$N" rev-parse main)\",\"Dockerfile\"]"
  expect_no_secrets
}
asked_thrice() { (($(requests http) >= 3)); }

@test "a log-in that was refused stays so over a reload, until it is another one" {
  local before
  push "$REG/a:1" A && push "$PLAIN/b:1" A
  file shop/Dockerfile <<<"FROM $REG/a:1"$'\n'"COPY --from=$PLAIN/b:1 / /"
  echo wrong >"$IT/secrets/registry"
  conf <<<"$shop"
  ears
  daemon_start
  wait_said 'refuses the credentials of bot'
  before=$(grep -c '" 401 ' "$PEERS_DIR/reg/stdout")
  reload
  push "$PLAIN/b:1" B
  wait_said "base $PLAIN/b:1: moved"
  expect_same "$before" "$(grep -c '" 401 ' "$PEERS_DIR/reg/stdout")"
  echo "$SECRET_REGISTRY" >"$IT/secrets/registry"
  reload
  wait_said "$(host_of reg) answers again"
}

@test "rules, sinks and mistakes in the configuration: a reload changes what it says and nothing else" {
  push "$REG/a:1" A && push "$REG/b:1" A && push "$REG/quiet:1" A && push "$PLAIN/gone:1" A
  file shop/Dockerfile <<<"FROM $REG/a:1 AS x
FROM $REG/b:1
COPY --from=x / /"
  file shop/quiet/Dockerfile <<<"FROM $REG/quiet:1
COPY --from=$PLAIN/gone:1 / /"
  local rules="$shop
rules: [{match: {bases: [\"**/quiet:*\"]}, sinks: []}]"
  conf <<<"$rules"
  ears
  daemon_start
  wait_states 6 '"verdict":"fresh"'
  push "$REG/quiet:1" B
  wait_state "\"verdict\":\"stale\".*\"base\":\"$REG/quiet:1\""
  push "$REG/a:1" B
  wait_told 2
  bw events --suppressed --format json
  expect_json '.events | map([.type, .suppressed])' \
    '[["io.basewatch.base.changed","rule 1 names no sinks"],["io.basewatch.rebuild.requested","rule 1 names no sinks"]]'

  # Another sink gets what happens from now on.
  conf broker hook other <<<"$rules"
  reload
  push "$REG/a:1" C
  wait_told 4
  wait_until "$DAEMON_WAIT_S" has_lines 2 hooked_ids "$N-other"
  expect_same "$(hooked_ids "$N" | sort -u | wc -l)" 4

  # A mistake: all stays, and is told with its place.
  cp "$IT/c.yaml" "$IT/good.yaml"
  conf broker hook other <<<"$rules
pol: {every: 1s}"
  reload 'what was configured before stays in force'
  wait_said "error: .*c.yaml:[0-9]+:1: pol: .*did you mean .*poll"
  mv "$IT/good.yaml" "$IT/c.yaml"
  mv "$IT/secrets/header" "$IT/header"
  echo wrong >"$IT/secrets/registry" # is not tried either
  reload 'secrets/header.*what was configured before stays in force'
  push "$REG/a:1" D
  wait_told 6
  wait_until "$DAEMON_WAIT_S" has_lines 4 hooked_ids "$N-other"
  mv "$IT/header" "$IT/secrets/header"
  echo "$SECRET_REGISTRY" >"$IT/secrets/registry"

  # One that is not there any more is owed nothing.
  conf <<<"$rules"
  reload
  push "$REG/a:1" E
  wait_told 8
  expect_same 4 "$(hooked_ids "$N-other" | wc -l)"
  bw events --format json
  expect_json '[.events[].deliveries[] | select(.sink == "other")] | length' 4

  # A registry that is away is told once, and once that it is back.
  peer_stop plain
  wait_told 9
  wait_state "\"verdict\":\"unknown\".*\"base\":\"$PLAIN/gone:1\""
  registry_again plain
  wait_told 10
  wait_state "\"verdict\":\"fresh\".*\"base\":\"$PLAIN/gone:1\""
  expect_said 1 "warning: $(host_of plain) cannot be asked: "
  expect_said 1 "info: $(host_of plain) answers again"
  daemon_end
  expect_same "changed request changed request changed request changed request changed request unreachable recovered" "$(kinds)"
  expect_no_secrets
}
has_lines() { (($("${@:2}" | wc -l) >= $1)); }

@test "run --once is one cycle with delivery: what it exits with, and what is left for the next one" {
  local start
  push "$REG/a:1" A && push "$REG/b:1" A
  file shop/Dockerfile <<<"FROM $REG/a:1"$'\n'"COPY --from=$REG/b:1 / /"
  conf <<<"$shop
reminders: {every: 1d}"
  ears
  bw run --once --config "$IT/c.yaml"
  expect_status 0
  expect_out 'fresh'
  expect_same "" "$err"
  expect_same "" "$(heard | grep availability)"

  # Two bases of a build in one cycle: one request. It is delivered when it ends.
  push "$REG/a:1" B && push "$REG/b:1" B
  bw run --once --config "$IT/c.yaml"
  expect_status 1
  expect_out '^2 bases: 2 stale\.$'
  expect_same "changed changed request" "$(kinds)"
  expect_same 3 "$(hooked_ids "$N" | wc -l)"
  event 1
  expect_json '.data.bases | map(.base)' "[\"$REG/a:1\",\"$REG/b:1\"]"

  # Yesterday's request is made again, with its number.
  sqlite3 "$BW_DB" "UPDATE outstanding SET requested_at = requested_at - 90000000"
  bw run --once --config "$IT/c.yaml"
  expect_status 1
  expect_same "changed changed request request" "$(kinds)"
  event 1
  expect_json '.data.reminder' 1
  bw run --once --config "$IT/c.yaml"
  expect_told 4

  # A broker that is away, and a receiver that is: the others get it, nobody waits for a minute, and it stays due.
  DEAD_PORT=$(free_port)
  conf broker hook dead <<<"$shop"
  bw run --once --config "$IT/c.yaml"
  expect_err "warning: sink dead: not reached: mqtt://127.0.0.1:$DEAD_PORT: Connection refused"
  webhook_control hook '{"statuses": [503]}'
  push "$REG/a:1" C
  start=$SECONDS
  bw run --once --config "$IT/c.yaml"
  expect_status 1
  ((SECONDS - start < 15))
  bw events --format json
  expect_json '.events[-1].deliveries | map([.sink, .state])' '[["broker","sent"],["hook","due"],["dead","due"]]'
  webhook_control hook '{}'
  conf <<<"$shop"
  sqlite3 "$BW_DB" "UPDATE delivery SET next_at = 0 WHERE state = 'due'"
  bw run --once --config "$IT/c.yaml"
  wait_told 6
  bw events --format json
  expect_json '.events[-1].deliveries | map([.sink, .state])' '[["broker","sent"],["hook","sent"],["dead","due"]]'

  bw "done" shop --config "$IT/c.yaml"
  file shop/Dockerfile <<<"FROM 127.0.0.1:1/nobody/there:1"
  bw run --once --config "$IT/c.yaml"
  expect_status 2
  expect_out 'unknown'
  expect_no_secrets
}

@test "it does not start without sources, without a configuration, or as root" {
  push "$REG/a:1" A
  file shop/Dockerfile <<<"FROM $REG/a:1"
  bw run --allow-root
  expect_status 78
  expect_err 'there is no configuration: give --config FILE, or write /etc/basewatch/basewatch.yaml'
  conf <<<''
  bw run --allow-root --config "$IT/c.yaml"
  expect_status 78
  expect_err 'no .sources. are configured: there is nothing to watch'
  bw run --once --config "$IT/c.yaml"
  expect_status 78
  conf <<<"$shop"
  rm "$IT/secrets/broker"
  bw run --allow-root --config "$IT/c.yaml"
  expect_status 78
  expect_err "sinks.broker.password: there is no file $IT/secrets/broker"
  [[ ! -e $IT/var/git ]]
  conf hook <<<"$shop"
  if is_root; then
    bw run --config "$IT/c.yaml"
    expect_status 64
    expect_err 'run it as another user, or give --allow-root'
  fi
  bw run --once --config "$IT/c.yaml"
  expect_status 0
  bw check --config "$IT/c.yaml"
  expect_status 0
}

# manager FILE: what a service manager hears on $IT/notify, one message per line.
manager() {
  peer_dir manager
  peer_launch manager python3 -u -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("ready", flush=True)
while True:
    print(s.recv(65536).decode().replace("\n", " "), flush=True)' "$IT/notify"
  NOTIFIED=$PEERS_DIR/manager/stdout
  wait_until 10 grep -qs ready "$NOTIFIED"
}
wait_notified() { wait_until "$DAEMON_WAIT_S" grep -qE "$1" "$NOTIFIED" || it_fail "not notified: $1"$'\n'"$(<"$NOTIFIED")"; }

@test "a service manager is told how it is, the log is JSON or for the journal, and the end is orderly" {
  local dir=$'ev\nil\e[31m'
  push "$REG/a:1" A
  file "shop/$dir/Dockerfile" <<<"FROM $REG/a:1"
  conf hook <<<"$shop"
  manager
  BW_ENV=("NOTIFY_SOCKET=$IT/notify" WATCHDOG_USEC=200000)
  ears
  webhook_control hook '{"statuses": [400], "body": "no \u001b[31mthanks"}'
  daemon_start --log-format json
  wait_notified '^READY=1$'
  wait_notified '^STATUS=watching 1 base of 1 build file$'
  wait_notified '^WATCHDOG=1$'
  conf <<<"$shop"
  kill -HUP "$BACKGROUND_PID"
  wait_notified '^RELOADING=1 MONOTONIC_USEC=[0-9]+$'
  wait_until "$DAEMON_WAIT_S" has_lines 2 grep '^READY=1$' "$NOTIFIED"
  wait_states 2 '"verdict":"fresh"'
  push "$REG/a:1" B
  wait_said 'refused'
  wait_states 2 '"verdict":"stale"'

  # What is in flight may end: the receiver takes its time, and has the event when we end.
  webhook_control hook '{"delay": 2}'
  push "$REG/a:1" C
  wait_until "$DAEMON_WAIT_S" has_lines 3 hooked
  daemon_end
  wait_notified '^STOPPING=1$'
  peer_stop manager
  bw events --format json
  expect_json '[.events[2].deliveries[].state] | unique' '["sent"]'
  jq -es 'all(.[]; (.time | test("^20.*Z$")) and (.level | IN("info", "warning", "error")) and (.message | length > 0))' "$LOG" >/dev/null ||
    it_fail "no JSON: $(<"$LOG")"
  jq -es 'map(select(.sink == "hook" and .level == "warning")) | any(.message | contains("no \\x1b[31mthanks"))' "$LOG" >/dev/null ||
    it_fail "not escaped: $(<"$LOG")"
  jq -es 'map(.message) | any(contains("shop:ev\\x0ail\\x1b[31m/Dockerfile"))' "$LOG" >/dev/null || it_fail "no name: $(<"$LOG")"
  ! grep -qaP '\x1b' "$LOG" || it_fail "a control character: $(<"$LOG")"

  # A second signal does not wait.
  webhook_control hook '{"delay": 30}'
  BW_ENV=()
  daemon_start
  push "$REG/a:1" D
  wait_until "$DAEMON_WAIT_S" has_lines 5 hooked
  kill -TERM "$BACKGROUND_PID"
  wait_said 'ending'
  kill -TERM "$BACKGROUND_PID"
  background_end
  expect_status 0
  bw events --format json
  expect_json '[.events[-2:][].deliveries[] | select(.sink == "hook") | .state] | unique' '["due"]'

  # Where stderr is the journal, its priorities stand before the lines.
  : >"$ERR"
  BW_ENV=("JOURNAL_STREAM=$(stat -c %d:%i "$ERR")")
  webhook_control hook '{"statuses": [500]}'
  bw run --once --config "$IT/c.yaml"
  expect_status 1
  expect_err '^<4>sink hook: event [0-9a-f]{12}: |^<4>sink hook: not reached'
  expect_no_secrets
}
