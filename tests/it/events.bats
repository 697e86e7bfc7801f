#!/usr/bin/env bats
# What a check publishes: events with one id each, in the transaction that records what they tell of, on a real
# docker-registry. Every event is what config/basewatch-event.schema.json promises.

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
  REPO=e$BATS_TEST_NUMBER # a repository of its own for each test
  CONFIG=$BATS_TEST_DIRNAME/../../config
}
teardown() { it_end; }

# push TAG SEED [OPTION...]: prints its digest.
push() { image push "$REG/$REPO/$1" --kind oci --seed "$2" "${@:3}" | jq -r .digest; }

validate() { python3 "$BATS_TEST_DIRNAME/../validate_json.py" "$@"; }

# types: those of all events, oldest first; the list and each event keep to their schemas.
types() {
  bw events --format json
  [[ $status == 0 ]] || it_fail "events: $status" || return 1
  validate "$CONFIG/basewatch-events.schema.json" "$OUT" >&2 || return 1
  local id list=$out
  for id in $(jq -r '.events[].id' <<<"$list"); do
    bw events show "$id"
    validate "$CONFIG/basewatch-event.schema.json" "$OUT" >&2 || it_fail "event $id" || return 1
    jq -e --arg id "$id" '.id == $id' <"$OUT" >/dev/null || it_fail "event $id has another id" || return 1
  done
  jq -r '.events | map(.type | ltrimstr("io.basewatch.")) | join(" ")' <<<"$list"
}

# show N: the Nth event, from 0, as $out.
show() {
  bw events --format json
  bw events show "$(json ".events[$1].id")"
}

@test "a first sight is no event, a change is one, with one request for the build" {
  local a b
  file src/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1 AS x
FROM scratch
COPY --from=x / /"
  a=$(push app:1 A)
  bw events
  expect_status 66
  bw check "$IT/src"
  expect_same "" "$(types)"
  bw events
  expect_out '^No events\.$'
  b=$(push app:1 B)
  bw check "$IT/src"
  expect_status 1
  expect_same "base.changed rebuild.requested" "$(types)"
  show 0
  expect_json '[.data.base, .data.from, .data.to, .data.class, .data.number]' \
    "[\"$REG/$REPO/app:1\",\"$a\",\"$b\",\"content\",2]"
  expect_json '.source' "/basewatch/$(hostname)"
  expect_json '.data.platforms | map(.platform)' '["linux/amd64"]'
  show 1
  expect_json '.subject' "$IT/src/Dockerfile"
  expect_json '[.data.file, .data.source, .data.repository, .data.platforms]' \
    "[\"$IT/src/Dockerfile\",null,null,[\"linux/amd64\"]]"
  expect_json '.data.bases | map([.from, .to, .class, (.uses | map([.line, .role, .stage, .pinned]))])' \
    "[[\"$a\",\"$b\",\"content\",[[1,\"stage\",\"x\",null]]]]"
  [[ $(wc -l <"$OUT") == 1 ]]
  bw events
  expect_out '^[0-9a-f]{12}  [0-9-]+ [0-9:]+  base\.changed  '
  bw check "$IT/src"
  expect_same "base.changed rebuild.requested" "$(types)"
}

@test "there and back again is four changes with four ids, and a request for each time it leaves" {
  local seed
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  push app:1 0
  bw check "$IT/src"
  for seed in A B A B; do
    push app:1 "$seed"
    bw check "$IT/src"
    bw check "$IT/src"
  done
  expect_same "$(printf 'base.changed rebuild.requested %.0s' 1 2 3 4)" "$(types) "
  bw events --format json
  expect_json '[.events[] | select(.type | endswith("changed")) | .id] | unique | length' 4
  expect_json '[.events[].id] | unique | length' 8
}

@test "what went back to where the build stands is asked for again when it leaves again" {
  local seed
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  for seed in A B A B; do
    push app:1 "$seed"
    bw check "$IT/src"
  done
  expect_same "base.changed rebuild.requested base.changed base.changed rebuild.requested" "$(types)"
  bw events --format json
  expect_json '[.events[].id] | unique | length' 5
}

@test "two bases that move in one sweep are one request of their build" {
  file one/Dockerfile <<<"FROM $REG/$REPO/a:1 AS a
FROM $REG/$REPO/b:1
COPY --from=a /x /x"
  file two/Dockerfile <<<"FROM $REG/$REPO/b:1"
  push a:1 A
  push b:1 A
  bw check "$IT"
  push a:1 B
  push b:1 C
  bw check "$IT"
  expect_same "base.changed base.changed rebuild.requested rebuild.requested" "$(types)"
  show 2
  expect_json '.data.bases | map([.tag, (.repository | split("/")[-1]), .uses[0].line])' '[["1","a",1],["1","b",2]]'
  show 3
  expect_json '.data.bases | length' 1
  # the next change of one of them asks for both again: the newer request contains the older
  push a:1 D
  bw check "$IT"
  expect_same "base.changed base.changed rebuild.requested rebuild.requested base.changed rebuild.requested" "$(types)"
  show 5
  expect_json '.data.bases | length' 2
}

@test "another index around the same images is a change, and asks nobody to rebuild" {
  local two=(--kind index --platform "linux/amd64,linux/arm64")
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  image push "$REG/$REPO/app:1" "${two[@]}" --attest x >/dev/null
  bw check "$IT/src"
  image push "$REG/$REPO/app:1" "${two[@]}" --attest y >/dev/null
  bw check "$IT/src"
  expect_status 0
  expect_same "base.changed" "$(types)"
  show 0
  expect_json '[.data.class, .data.moved]' '["index","attestations only"]'
}

@test "a pin that is left behind asks too, and one that the tag has does not" {
  local a b
  a=$(push app:1 A)
  b=$(push app:2 B)
  file old/Dockerfile <<<"FROM $REG/$REPO/app:1@$a"
  file new/Dockerfile <<<"FROM $REG/$REPO/app:1@$b"
  bw check "$IT"
  push app:1 B
  bw check "$IT"
  expect_same "base.changed rebuild.requested" "$(types)"
  show 1
  expect_json '[.subject, .data.bases[0].from, .data.bases[0].uses[0].pinned]' "[\"$IT/old/Dockerfile\",\"$a\",\"$a\"]"
}

@test "a base out of reach is told once after three sweeps, and its return once" {
  local i
  file src/Dockerfile <<<"FROM $REG/$REPO/gone:1"
  push app:1 A # the repository is there
  for i in 1 2; do bw check "$IT/src"; done
  expect_same "" "$(types)"
  for i in 3 4 5; do bw check "$IT/src"; done
  expect_same "base.unreachable" "$(types)"
  show 0
  expect_json '[.data.failures, .data.digest, .data.number]' '[3,null,null]'
  push gone:1 A
  for i in 1 2; do bw check "$IT/src"; done
  expect_same "base.unreachable base.recovered" "$(types)"
}

@test "done --event acknowledges what was asked for, and nothing that came later" {
  local first second
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  push app:1 A
  bw check "$IT/src"
  push app:1 B
  bw check "$IT/src"
  bw events --format json
  first=$(json '.events[1].id')
  push app:1 C
  bw check "$IT/src"
  bw events --format json
  second=$(json '.events[3].id')
  bw "done" --event "${first:0:8}"
  expect_status 0
  expect_out '1 moved on since and still stale'
  bw report "$IT/src"
  expect_status 1
  bw "done" --event "$second"
  expect_out '^1 build rebuilt: 1 base up to date$'
  bw report "$IT/src"
  expect_status 0
  bw "done" --event "$first" # it ends late: the build stands on something newer
  expect_status 0
  bw report "$IT/src"
  expect_status 0
  bw "done" --event "$first" "$IT/src"
  expect_status 64
  bw "done" --event 000000
  expect_status 66
  bw events --format json
  bw "done" --event "$(json '.events[0].id')"
  expect_status 64
  expect_err 'asks to rebuild nothing'
}

@test "deliveries are listed, come back and are replayed; hostile text is escaped" {
  local id db=$IT/x.db
  BW_DB=$db
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  push app:1 A
  bw check "$IT/src"
  sqlite3 "$db" "INSERT INTO sink(name, confirms, first_seen) VALUES('ci', 0, 1)"
  push app:1 B
  bw check "$IT/src"
  bw events --format json
  id=$(json '.events[1].id')
  expect_json '[.events[].deliveries[] | [.sink, .state, .attempts]]' '[["ci","due",0],["ci","due",0]]'
  sqlite3 "$db" "UPDATE delivery SET state = 'dead', is_first = 0, ended_at = 1, attempts = 2,
    error = 'no' || char(27) || '[31m' WHERE id = 2"
  bw events --dead
  expect_out '^ {14}ci  dead  .*  2 attempts  no\\x1b\[31m$'
  expect_no_out 'base.changed'
  bw events --sink other
  expect_out '^No events\.$'
  bw events --since 2999-01-01
  expect_out '^No events\.$'
  bw events retry "$id"
  expect_out "^${id:0:12}: 1 delivery due$"
  bw events replay "$id" --sink ci
  expect_out "^${id:0:12}: 0 deliveries due$"
  sqlite3 "$db" "UPDATE delivery SET state = 'sent', is_first = 0, ended_at = 1"
  bw events replay "${id:0:6}"
  expect_out "^${id:0:12}: 1 delivery due$"
  types >/dev/null
}

@test "wrong use of events is told" {
  file src/Dockerfile <<<"FROM scratch"
  bw check "$IT/src"
  bw events show
  expect_status 64
  bw events list 123456
  expect_status 64
  bw events drop
  expect_status 64
  expect_err "can list, show, retry or replay, not 'drop'"
  bw events show 12345
  expect_status 64
  bw events show 123456
  expect_status 66
  bw events --since yesterday
  expect_status 64
  bw events retry 123456 --dead
  expect_status 64
}

# --- patches ---------------------------------------------------------------------------------------------------------

git_env() { env -i PATH="$PATH" HOME="$IT/home" GIT_CONFIG_NOSYSTEM=1 git -c init.defaultBranch=main "$@"; }

# patches: those of the event in $OUT, one file each: $IT/patch.0, $IT/patch.1, ...; how many in $PATCHES.
patches() {
  local i
  PATCHES=$(jq '[.data.bases[].uses[].patch | select(.)] | length' "$OUT")
  for ((i = 0; i < PATCHES; i++)); do
    jq -j --argjson i "$i" '[.data.bases[].uses[].patch | select(.)][$i]' "$OUT" >"$IT/patch.$i"
  done
}

# apply FOLDER PATCH...: in this order, by git.
apply() {
  local folder=$1 patch
  shift
  for patch in "$@"; do
    git_env -C "$folder" apply "$patch" 2>"$IT/git" || it_fail "git apply: $(<"$IT/git"), of: $(<"$patch")" || return 1
  done
}

@test "the patch of an event moves the pin in a git work tree, and the next check finds it fresh" {
  local a b
  a=$(push app:1 A)
  git_env init -q "$IT/src"
  file src/web/Dockerfile <<<"# the web
FROM $REG/$REPO/app:1@$a
RUN true"
  bw check "$IT/src"
  expect_status 0
  b=$(push app:1 B)
  bw check "$IT/src"
  expect_status 1
  show 1
  expect_json '[.data.image, .data.labels]' '[null,{}]'
  patches
  expect_same 1 "$PATCHES"
  expect_same "--- a/web/Dockerfile" "$(head -1 "$IT/patch.0")"
  apply "$IT/src" "$IT/patch.0"
  expect_same "FROM $REG/$REPO/app:1@$b" "$(sed -n 2p "$IT/src/web/Dockerfile")"
  bw check "$IT/src"
  expect_status 0
  types >/dev/null
}

@test "a source with a name and a folder without git have patches of their own paths" {
  local a b
  a=$(push app:1 A)
  file one/web/Dockerfile <<<"FROM $REG/$REPO/app:1@$a"
  file two/web/Dockerfile <<<"FROM $REG/$REPO/app:1@$a"
  bw check --source shop "$IT/one"
  bw check "$IT/two"
  b=$(push app:1 B)
  bw check --source shop "$IT/one"
  bw check "$IT/two"
  bw events --format json
  show "$(json '[.events[].subject == "shop:web/Dockerfile"] | index(true)')"
  patches
  expect_same "--- a/web/Dockerfile" "$(head -1 "$IT/patch.0")"
  apply "$IT/one" "$IT/patch.0"
  expect_same "FROM $REG/$REPO/app:1@$b" "$(<"$IT/one/web/Dockerfile")"
  bw events --format json
  show "$(json "[.events[].subject == \"$IT/two/web/Dockerfile\"] | index(true)")"
  patches
  expect_same "--- a/Dockerfile" "$(head -1 "$IT/patch.0")"
  apply "$IT/two/web" "$IT/patch.0"
  expect_same "FROM $REG/$REPO/app:1@$b" "$(<"$IT/two/web/Dockerfile")"
}

@test "each patch of an event applies alone, and all of them in any order" {
  local a b c order before chosen
  a=$(push a:1 A)
  b=$(push b:1 b)
  c=$(push c:1 c)
  file src/Dockerfile <<EOF
FROM $REG/$REPO/a:1@$a AS one
FROM $REG/$REPO/b:1@$b AS two
RUN 1
RUN 2
RUN 3
RUN 4
RUN --mount=from=$REG/$REPO/a:1@$a,target=/a --mount=from=$REG/$REPO/c:1@$c,target=/c true
RUN 5
RUN 6
RUN 7
RUN 8
FROM $REG/$REPO/b:1@$b
COPY --from=one / /
COPY --from=two / /
EOF
  printf 'COPY --from=%s /x /x' "$REG/$REPO/b:1@$b" >>"$IT/src/Dockerfile"
  bw check "$IT/src"
  expect_status 0
  push a:1 B
  push b:1 C
  push c:1 D
  bw check "$IT/src"
  bw events --format json
  show "$(json '.events | length - 1')"
  expect_json '.type' io.basewatch.rebuild.requested
  validate "$CONFIG/basewatch-event.schema.json" "$OUT"
  patches
  expect_same 3 "$PATCHES"
  before=$(<"$IT/src/Dockerfile")
  for order in "0" "1" "2" "0 1 2" "2 1 0" "1 2 0"; do
    printf '%s' "$before" >"$IT/src/Dockerfile"
    read -ra chosen <<<"$order"
    apply "$IT/src" "${chosen[@]/#/$IT/patch.}"
    bw check "$IT/src"
    expect_status "$((${#order} == 1))"
  done
}

@test "a pin to one platform's image moves to that platform's image" {
  local a b
  image push "$REG/$REPO/app:1" --kind index --platform "linux/amd64,linux/arm64" --seed A >"$IT/pushed"
  a=$(jq -r '.children[1].digest' "$IT/pushed")
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$a"
  file all/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1@$(jq -r .digest "$IT/pushed")"
  bw check "$IT"
  expect_status 0
  image push "$REG/$REPO/app:1" --kind index --platform "linux/amd64,linux/arm64" --seed B >"$IT/pushed"
  b=$(jq -r '.children[1].digest' "$IT/pushed")
  bw check "$IT"
  expect_status 1
  bw events --format json
  show "$(json "[.events[].subject == \"$IT/src/Dockerfile\"] | index(true)")"
  patches
  expect_same 1 "$PATCHES"
  apply "$IT/src" "$IT/patch.0"
  expect_same "FROM $REG/$REPO/app:1@$b" "$(<"$IT/src/Dockerfile")"
  bw events --format json
  show "$(json "[.events[].subject == \"$IT/all/Dockerfile\"] | index(true)")"
  patches
  apply "$IT/all" "$IT/patch.0"
  expect_same "FROM --platform=linux/arm64 $REG/$REPO/app:1@$(jq -r .digest "$IT/pushed")" "$(<"$IT/all/Dockerfile")"
  bw check "$IT"
  expect_status 0
}

@test "what the configuration says of a build is in its request" {
  local a
  a=$(push app:1 A)
  file src/web/Dockerfile <<<"FROM $REG/$REPO/app:1@$a"
  file basewatch.yaml <<EOF
sources:
  - path: $IT/src
    name: shop
builds:
  - source: shop
    file: web/Dockerfile
    image: ghcr.io/acme/web:latest
    labels: {team: web, a: '"b"'}
    platforms: [linux/amd64, linux/arm64]
EOF
  bw check --config "$IT/basewatch.yaml"
  expect_status 0
  push app:1 B
  bw check --config "$IT/basewatch.yaml"
  expect_status 1
  types >/dev/null
  show 1
  expect_json '[.data.image, .data.labels, .data.platforms]' \
    '["ghcr.io/acme/web:latest",{"a":"\"b\"","team":"web"},["linux/amd64","linux/arm64"]]'
  expect_json '[.data.bases[].uses[] | [.platform, (.patch != null)]]' '[["linux/amd64",true],["linux/arm64",false]]'
  patches
  apply "$IT/src" "$IT/patch.0"
  bw check --config "$IT/basewatch.yaml"
  expect_status 0
}
