#!/usr/bin/env bats
# The main job end to end: scan, ask a real docker-registry, remember, tell.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup_file() {
  peers_begin
  registry_start reg
}
teardown_file() { peers_end; }
setup() {
  it_begin
  REG=$(host_of reg)
  REPO=t$BATS_TEST_NUMBER # a repository of its own for each test
  requests_forget reg
}
teardown() { it_end; }

push() { image push "$REG/$REPO/$1" --seed "$2" "${@:3}" | jq -r .digest; }

@test "the first sight of a base is a baseline: fresh, and said so" {
  digest=$(push app:1 A)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw check "$IT/src"
  expect_status 0
  expect_out "^fresh +$REG/$REPO/app:1"
  expect_text "first sight of 1 base, nothing to compare with"
  bw report "$IT/src" --format json
  expect_status 0
  expect_json '.bases[0].digest' "$digest"
  expect_json '.bases[0].verdict' fresh
  expect_json '.bases[0].class' null
}

@test "-v says how many bases were asked for, and one is no more than one" {
  push app:1 A
  push app:2 A
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw check -v "$IT/src"
  expect_err 'asked for 1 base: '
  echo "COPY --from=$REG/$REPO/app:2 /x /x" >>"$IT/src/Dockerfile"
  bw check -v "$IT/src"
  expect_err 'asked for 2 bases: '
}

@test "an unchanged base costs one HEAD and nothing else" {
  push app:1 A
  push app:2 A
  file src/a/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/b/Dockerfile <<<"FROM $REG/$REPO/app:1
COPY --from=$REG/$REPO/app:2 /x /x"
  bw check "$IT/src"
  expect_status 0
  requests_forget reg
  bw check "$IT/src"
  expect_status 0
  expect_requests 2 reg HEAD
  expect_requests 2 reg
}

@test "a moved base makes its builds stale until they are rebuilt" {
  old=$(push app:1 A)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw check "$IT/src"
  new=$(push app:1 B)
  bw check "$IT/src" --format json
  expect_status 1
  expect_json '.bases[0].verdict' stale
  expect_json '.bases[0].previous' "$old"
  expect_json '.bases[0].digest' "$new"
  expect_json '.bases[0].class' content
  expect_json '.summary' '{"stale":1,"behind":0,"unknown":0,"fresh":0,"unfollowable":0,"ignored":0}'
  since=$(json '.bases[0].stale_since')
  bw check "$IT/src" --format json
  expect_status 1
  expect_json '.bases[0].stale_since' "$since"
  bw "done" "$IT/src"
  expect_status 0
  bw check "$IT/src"
  expect_status 0
  expect_out '^fresh'
}

@test "two moves are one outstanding since the first, and a return closes it" {
  push app:1 A
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw check "$IT/src"
  push app:1 B
  bw check "$IT/src" --format json
  since=$(json '.bases[0].stale_since')
  push app:1 C
  bw check "$IT/src" --format json
  expect_json '.bases[0].stale_since' "$since"
  push app:1 A
  bw check "$IT/src" --format json
  expect_status 0
  expect_json '.bases[0].verdict' fresh
  bw history "$REG/$REPO/app:1" --format json
  expect_json '.bases[0].sightings | map(.number)' '[1,2,3,4]'
}

@test "done acknowledges what was shown: a tag that moved on since leaves the build stale" {
  a=$(push app:1 A)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw check "$IT/src"
  b=$(push app:1 B)
  bw check "$IT/src"
  push app:1 C
  bw check "$IT/src"
  bw "done" "$IT/src" --digest "$b"
  expect_status 0
  bw report "$IT/src"
  expect_status 1
  bw "done" "$IT/src/Dockerfile"
  bw report "$IT/src"
  expect_status 0
}

@test "a pin is fresh when it equals the tag, behind when it does not, on the first run" {
  a=$(push app:1 A)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$a"
  BW_DB=$IT/one.db
  bw check "$IT/src"
  expect_status 0
  b=$(push app:1 B)
  BW_DB=$IT/two.db
  bw check "$IT/src" --format json
  expect_status 1
  expect_json '.bases[0].verdict' behind
  expect_json '.bases[0].uses[0].pinned' "$a"
  bw "done" "$IT/src"
  expect_status 0
  bw report "$IT/src"
  expect_status 1 # only a new pin makes it fresh
}

@test "a pin of a child of the tag's index is fresh, and one GET decides it once" {
  image push "$REG/$REPO/multi:1" --seed A --kind index --platform linux/amd64,linux/arm64 >"$IT/pushed"
  child=$(jq -r '.children[1].digest' "$IT/pushed")
  file src/Dockerfile <<<"FROM $REG/$REPO/multi:1@$child"
  requests_forget reg
  bw check "$IT/src"
  expect_status 0
  expect_requests 1 reg HEAD
  expect_requests 1 reg GET
  bw check "$IT/src"
  expect_status 0
  expect_requests 1 reg GET
}

@test "a child pin for another platform than the build's is behind" {
  image push "$REG/$REPO/multi:1" --seed A --kind index --platform linux/amd64,linux/arm64 >"$IT/pushed"
  arm=$(jq -r '.children[1].digest' "$IT/pushed")
  file src/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/multi:1@$arm"
  bw check "$IT/src"
  expect_status 1
  expect_out '^behind'
  file src/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/multi:1@$arm"
  bw check "$IT/src"
  expect_status 0
}

@test "a tag that is gone and a repository that never was are unknown, told apart" {
  push app:1 A
  file src/Dockerfile <<<"FROM $REG/$REPO/app:9"
  file src/other/Dockerfile <<<"FROM $REG/$REPO/never:1"
  bw check "$IT/src" --format json
  expect_status 2
  expect_json '.summary.unknown' 2
  expect_json '.bases[] | select(.base | endswith("app:9")) | .reason | test("the tag is gone|no such tag")' true
  expect_json '.bases[] | select(.base | endswith("never:1")) | .reason | test("repository")' true
}

@test "what was stale stays stale while the registry is away; what was fresh becomes unknown" {
  push app:1 A
  push lib:1 A
  registry_start away
  image push "$(host_of away)/x:1" --seed A
  image push "$(host_of away)/y:1" --seed A
  file src/Dockerfile <<<"FROM $(host_of away)/x:1
COPY --from=$(host_of away)/y:1 /x /x"
  bw check "$IT/src"
  image push "$(host_of away)/x:1" --seed B
  bw check "$IT/src"
  expect_status 1
  peer_stop away
  bw check "$IT/src" --format json
  expect_status 1
  expect_json '.bases[] | select(.base | endswith("x:1")) | .verdict' stale
  expect_json '.bases[] | select(.base | endswith("y:1")) | .verdict' unknown
  expect_json '.bases[] | select(.base | endswith("y:1")) | .reason | test("connect|refused"; "i")' true
  expect_json '.bases[] | select(.base | endswith("y:1")) | .since | type' string
}

@test "an ignored use and an unreachable stage cause no request" {
  push app:1 A
  push lib:1 A
  push old:1 A
  file src/Dockerfile <<<"FROM $REG/$REPO/old:1 AS unused
# basewatch: ignore until=2999-01-01 reason=frozen
FROM $REG/$REPO/lib:1 AS lib
FROM $REG/$REPO/app:1
COPY --from=lib /x /x"
  requests_forget reg
  bw check "$IT/src" --format json
  expect_status 0
  expect_requests 1 reg
  expect_json '.summary' '{"stale":0,"behind":0,"unknown":0,"fresh":1,"unfollowable":0,"ignored":2}'
}

@test "an annotation whose day has come no longer holds" {
  push app:1 A
  file src/Dockerfile <<<"# basewatch: ignore until=2020-01-01 reason=over
FROM $REG/$REPO/app:1"
  bw check "$IT/src" --format json
  expect_json '.bases[0].verdict' fresh
}

@test "a frontend is asked for and shown, and counts only when wanted" {
  push frontend:1 A
  push app:1 A
  file src/Dockerfile <<<"# syntax=$REG/$REPO/frontend:1
FROM $REG/$REPO/app:1"
  bw check "$IT/src"
  push frontend:1 B
  bw check "$IT/src" --format json
  expect_status 0
  expect_json '.bases[] | select(.base | endswith("frontend:1")) | .verdict' stale
  bw report "$IT/src" --count frontend
  expect_status 1
}

@test "--fail-on chooses the verdicts that matter" {
  push app:1 A
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1
COPY --from=$REG/$REPO/gone:1 /x /x"
  bw check "$IT/src"
  expect_status 2
  bw report "$IT/src" --fail-on stale,behind
  expect_status 0
  bw report "$IT/src" --fail-on none
  expect_status 0
  push app:1 B
  bw check "$IT/src" --fail-on unknown
  expect_status 2
  bw report "$IT/src" --fail-on stale
  expect_status 1
}

@test "one file is one build, whatever folder it was found through" {
  push app:1 A
  file src/web/Dockerfile <<<"FROM $REG/$REPO/app:1"
  cd "$IT/src"
  bw check .
  push app:1 B
  bw check web
  expect_status 1
  ln -s "$IT/src" "$IT/link"
  bw check "$IT/link/web/Dockerfile" --format json
  expect_status 1
  expect_json '.bases[0].uses | length' 1
  expect_json '.bases[0].uses[0].path' web/Dockerfile
}

@test "only what was named on the command line counts" {
  push app:1 A
  push lib:1 A
  file src/a/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/b/Dockerfile <<<"FROM $REG/$REPO/lib:1"
  bw check "$IT/src"
  push app:1 B
  bw check "$IT/src"
  expect_status 1
  bw check "$IT/src/b"
  expect_status 0
  bw report "$IT/src/b"
  expect_status 0
  bw report "$IT/src/a"
  expect_status 1
}

@test "a named source is the same build in every checkout" {
  push app:1 A
  file one/web/Dockerfile <<<"FROM $REG/$REPO/app:1"
  mkdir "$IT/two"
  cp -r "$IT/one/web" "$IT/two/web"
  bw check --source shop "$IT/one"
  push app:1 B
  bw check --source shop "$IT/two" --format json
  expect_status 1
  expect_json '.bases[0].uses | length' 1
  expect_json '.bases[0].uses[0].source' shop
  expect_json '.bases[0].uses[0].path' web/Dockerfile
  bw report shop
  expect_status 1
  bw "done" shop:web/Dockerfile
  expect_status 0
  bw report shop
  expect_status 0
}

@test "a build file that disappears ends its builds, and its history stays" {
  push app:1 A
  push lib:1 A
  file src/a/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/b/Dockerfile <<<"FROM $REG/$REPO/lib:1"
  bw check "$IT/src"
  rm "$IT/src/a/Dockerfile"
  bw check "$IT/src" --format json
  expect_json '.bases | length' 1
  bw report "$IT/src" --format json
  expect_json '.bases | length' 1
  bw history "$REG/$REPO/app:1"
  expect_status 0
  expect_out "$REPO/app:1"
}

@test "forget stops tracking" {
  push app:1 A
  file src/a/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/b/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw check "$IT/src"
  bw forget "$IT/src/a"
  expect_status 0
  bw report "$IT/src" --format json
  expect_json '.bases[0].uses | length' 1
  bw forget "$IT/nowhere"
  expect_status 66
  expect_err 'nothing is tracked at'
}

@test "build arguments, targets, platforms and contexts decide what is asked for" {
  push app:1 A
  push dev:1 A
  push arm64:1 A
  push assets:1 A
  file src/Dockerfile <<<"ARG REGISTRY=registry.invalid
ARG TARGETARCH
FROM \$REGISTRY/$REPO/app:1 AS app
COPY --from=assets /x /x
FROM \$REGISTRY/$REPO/dev:1 AS dev
FROM \$REGISTRY/$REPO/\$TARGETARCH:1"
  bw check "$IT/src" --build-arg "REGISTRY=$REG" --target app \
    --build-context "assets=docker-image://$REG/$REPO/assets:1" --format json
  expect_status 0
  expect_json '[.bases[] | select(.verdict == "fresh") | .base | sub(".*/"; "")]' '["app:1","assets:1"]'
  expect_json '[.bases[].uses[] | select(.verdict == "fresh") | .role]' '["final","context"]'
  bw check "$IT/src" --build-arg "REGISTRY=$REG" --platform linux/arm64/v8 --format json
  expect_status 0
  expect_json '[.bases[] | select(.verdict == "fresh") | .base | sub(".*/"; "")]' '["arm64:1"]'
}

@test "a Dockerfile on standard input is checked" {
  push app:1 A
  bw_stdin "FROM $REG/$REPO/app:1" check --format json -
  expect_status 0
  expect_json '.bases[0].uses[0].path' -
}

@test "uses without a base are listed, and those that cannot be resolved are unknown" {
  push app:1 A
  file src/Dockerfile <<<"FROM scratch AS none
FROM $REG/$REPO/app@sha256:$(printf x | sha256sum | cut -d' ' -f1) AS bare
FROM debian:\${UNSET_VERSION} AS unset
FROM $REG/$REPO/app:1
COPY --from=none /x /x
COPY --from=bare /x /x
COPY --from=unset /x /x"
  bw check "$IT/src" --format json
  expect_status 2
  expect_json '.other | map(.verdict)' '["unfollowable","unfollowable","unknown"]'
  expect_json '.other[2].reason | test("UNSET_VERSION")' true
  expect_json '.summary' '{"stale":0,"behind":0,"unknown":1,"fresh":1,"unfollowable":2,"ignored":0}'
}

@test "a broken file counts as one unknown and keeps what was found; a template never does" {
  push app:1 A
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1
RUM make"
  bw check "$IT/src" --format json
  expect_status 2
  expect_json '.bases[0].verdict' fresh
  expect_json '.other[0].reason | test("RUM")' true
  expect_json '.other[0].line' 2
  rm "$IT/src/Dockerfile"
  file src/Dockerfile.j2 <<<"FROM $REG/$REPO/app:{{ version }}
{% if x %}
RUM make"
  bw check "$IT/src"
  expect_status 0
}

@test "all JSON fits the schemas that are promised" {
  valid() { python3 -B "$IT_HOME/../validate_json.py" "$IT_HOME/../../config/basewatch-$1.schema.json" "$OUT"; }
  push app:1 A
  push lib:1 A
  pin=$(push pinned:1 A)
  file src/Dockerfile <<<"# syntax=$REG/$REPO/gone:1
FROM scratch AS none
FROM $REG/$REPO/app:1 AS \${UNSET
FROM $REG/$REPO/lib:\${UNSET} AS unset
# basewatch: ignore until=2999-01-01
FROM $REG/$REPO/pinned:1@$pin AS ignored
FROM $REG/$REPO/app:1
COPY --from=$REG/$REPO/pinned:1@$pin /x /x"
  for seed in A B; do
    push app:1 "$seed"
    push pinned:1 "$seed"
    bw check "$IT/src" --source shop --format json
    valid report
    bw report shop --format json
    valid report
  done
  bw history --format json
  valid history
  bw scan "$IT/src" --format json
  valid scan
  bw resolve --format json "$REG/$REPO/app:1" "$REG/$REPO/app:9" Bad
  valid resolve
}

@test "--connections bounds the connections to a registry" {
  fake_start slow <<<'* * manifest=A delay=0.05'
  for i in 1 2 3 4 5 6 7 8; do echo "FROM $(host_of slow)/app:$i" | file "src/$i/Dockerfile"; done
  bw check --connections 2 "$IT/src"
  expect_status 0
  expect_requests 8 slow HEAD
  most=$(jq -s '[.[] | select(.event == "open") | .open] | max' "$PEERS_DIR/slow/requests")
  expect_same 2 "$most"
}
