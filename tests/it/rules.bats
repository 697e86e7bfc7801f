#!/usr/bin/env bats
# `rules` of the configuration as `check --config` goes by them: which changes ask for a rebuild, from which sinks, and what
# is suppressed and can be listed. On a real docker-registry.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
# shellcheck disable=SC2030,SC2031 # each test has its own REPO
load lib

setup_file() {
  peers_begin
  registry_start reg
}
teardown_file() { peers_end; }
setup() {
  it_begin
  REG=$(host_of reg)
  REPO=r$BATS_TEST_NUMBER # a repository of its own for each test
  CONFIG=$BATS_TEST_DIRNAME/../../config
  BW_DB=$IT/x.db
}
teardown() { it_end; }

push() { image push "$REG/$REPO/$1" --kind oci --seed "$2" "${@:3}" | jq -r .digest; }

validate() { python3 "$BATS_TEST_DIRNAME/../validate_json.py" "$@"; }

# rules LINE...: the configuration has these, and the sinks ci and chat.
rules() {
  {
    printf 'instance: farm\nsources: [{path: %s/src, name: shop}, {path: %s/lib, name: lib}]\n' "$IT" "$IT"
    printf 'sinks:\n  ci: {type: webhook, url: "http://127.0.0.1:1/"}\n  chat: {type: webhook, url: "http://127.0.0.1:2/"}\n'
    printf 'rules:\n'
    printf '  %s\n' "$@"
  } | file c.yaml
}

# A check with the configuration, as source NAME; what it prints is of no interest.
look() { bw check "$IT/$1" --source "$2" --config "$IT/c.yaml" --fail-on none; expect_status 0; }

# Sinks are rows that the daemon writes.
own_sinks() {
  sqlite3 "$BW_DB" "INSERT INTO sink(name, confirms, first_seen) VALUES('ci', 0, 1), ('chat', 0, 1)"
}

# told [OPTION...]: "type subject sinks (why nobody)" of each event, one per line; list and events keep to their schemas.
told() {
  local id list
  bw events --format json "$@"
  [[ $status == 0 ]] || it_fail "events: $status" || return 1
  validate "$CONFIG/basewatch-events.schema.json" "$OUT" >&2 || return 1
  list=$out
  for id in $(jq -r '.events[].id' <<<"$list"); do
    bw events show "$id"
    validate "$CONFIG/basewatch-event.schema.json" "$OUT" >&2 || it_fail "event $id" || return 1
  done
  jq -r --arg repo "$REG/$REPO/" '.events[] | [(.type | ltrimstr("io.basewatch.")), (.subject | ltrimstr($repo)),
    (.deliveries[].sink), (.suppressed // empty | "(\(.))")] | join(" ")' <<<"$list"
}

@test "the first rule that matches says who is asked; what it silences is kept and listed" {
  file src/Dockerfile <<<"FROM $REG/$REPO/a:1
COPY --from=$REG/$REPO/b:1 / /"
  file lib/Dockerfile <<<"FROM $REG/$REPO/a:1"
  rules "- {match: {sources: [lib]}, sinks: []}" \
    "- {match: {roles: [copy]}, sinks: [chat]}" \
    "- {match: {bases: [\"$REG/$REPO/*:1\"]}, sinks: [ci]}"
  push a:1 A && push b:1 A
  look src shop && look lib lib
  own_sinks
  push a:1 B
  look src shop
  push b:1 B
  look src shop
  look lib lib
  expect_same "base.changed a:1 ci chat
rebuild.requested shop:Dockerfile ci
base.changed b:1 ci chat
rebuild.requested shop:Dockerfile ci chat
rebuild.requested lib:Dockerfile (rule 1 names no sinks)" "$(told)"
  expect_same "rebuild.requested lib:Dockerfile (rule 1 names no sinks)" "$(told --suppressed)"
  bw events --suppressed
  expect_out '^ {14}suppressed  rule 1 names no sinks$'
  expect_no_out 'base.changed'
  # it is not asked for again, the build is stale all the same, and people may send it after all
  look lib lib
  expect_same "rebuild.requested lib:Dockerfile (rule 1 names no sinks)" "$(told --suppressed)"
  bw report lib
  expect_status 1
  bw events --format json --suppressed
  bw events replay "$(json '.events[0].id')" --sink ci
  expect_out ': 1 delivery due$'
  expect_same "rebuild.requested lib:Dockerfile ci (rule 1 names no sinks)" "$(told --suppressed)"
}

@test "of a build with two bases the silenced one is left out of the request" {
  file src/Dockerfile <<<"FROM $REG/$REPO/a:1
COPY --from=$REG/$REPO/b:1 / /"
  rules "- {match: {bases: [\"**/b:*\"]}, sinks: []}"
  push a:1 A && push b:1 A
  look src shop
  own_sinks
  push a:1 B && push b:1 B
  look src shop
  # a rule for the base as such silences its own events too
  expect_same "base.changed a:1 ci chat
base.changed b:1 (rule 1 names no sinks)
rebuild.requested shop:Dockerfile (rule 1 names no sinks)
rebuild.requested shop:Dockerfile ci chat" "$(told | sort)"
  bw events --format json
  bw events show "$(json '.events[2].id')"
  expect_json '.data.bases | map(.repository | split("/")[-1])' '["a"]'
  expect_json '[.source, .data.reminder]' '["/basewatch/farm",0]'
  # acknowledging the request leaves the other base as it is
  bw "done" --event "$(json .id)"
  expect_status 0
  bw report shop
  expect_status 1
}

@test "a rule that counts the class index asks for a rebuild, and the build stays fresh" {
  local two=(--kind index --platform "linux/amd64,linux/arm64")
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file lib/Dockerfile <<<"FROM $REG/$REPO/app:1"
  rules "- {match: {sources: [shop], classes: [index]}, sinks: [ci]}"
  image push "$REG/$REPO/app:1" "${two[@]}" --attest x >/dev/null
  look src shop && look lib lib
  own_sinks
  image push "$REG/$REPO/app:1" "${two[@]}" --attest y >/dev/null
  bw check "$IT/src" --source shop --config "$IT/c.yaml"
  expect_status 0
  look lib lib
  expect_same "base.changed app:1 ci chat
rebuild.requested shop:Dockerfile ci
rebuild.requested lib:Dockerfile (no rule counts it)" "$(told | sort -k 1,1 -s)"
  bw events --format json
  bw events show "$(json '[.events[] | select(.deliveries | length == 1)][0].id')"
  expect_json '.data.bases[0].class' index
}

@test "without a configuration everything that counts goes to everybody, and a broken one stops the check" {
  file src/Dockerfile <<<"FROM $REG/$REPO/a:1"
  push a:1 A
  bw check "$IT/src"
  own_sinks
  push a:1 B
  bw check "$IT/src"
  expect_status 1
  expect_same "base.changed a:1 ci chat
rebuild.requested $IT/src/Dockerfile ci chat" "$(told)"
  expect_same "" "$(told --suppressed)"
  rules "- {match: {sources: [nobody]}, sinks: []}"
  bw check "$IT/src" --config "$IT/c.yaml"
  expect_status 78
  expect_err "there is no source with the name 'nobody'"
  bw events show 123456 --suppressed
  expect_status 64
}

@test "a request that waits is withdrawn when the tag returns" {
  file src/Dockerfile <<<"FROM $REG/$REPO/a:1"
  rules "- {}"
  push a:1 A
  look src shop
  own_sinks
  push a:1 B
  look src shop
  sqlite3 "$BW_DB" "UPDATE delivery SET attempts = 1 WHERE sink_id = 2 AND event = 2"
  push a:1 A
  look src shop
  bw events --format json
  expect_json '[.events[1].deliveries[] | [.sink, .state]]' '[["ci","superseded"],["chat","due"]]'
  expect_json '[.events[0,2].deliveries[].state] | unique' '["due"]'
  expect_same "base.changed a:1 ci chat
rebuild.requested shop:Dockerfile ci chat
base.changed a:1 ci chat" "$(told)"
}
