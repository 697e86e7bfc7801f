#!/usr/bin/env bats
# Registries whose replicas disagree, or that do not give what they name: what is believed, and what is not.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup_file() { peers_begin; }
teardown_file() { peers_end; }
setup() {
  it_begin
  PEER=fake$BATS_TEST_NUMBER # a registry of its own for each test: what one has disagreed about is remembered
  A=$(image digest --seed A --kind index | jq -r .digest)
  B=$(image digest --seed B --kind index | jq -r .digest)
}
teardown() {
  peer_stop "$PEER"
  it_end
}

# begin: a build that stands on app:1, which has A, seen for the first time.
begin() {
  fake_start "$PEER" <<<'HEAD /v2/app/manifests/1 manifest=A kind=index'
  file src/Dockerfile <<<"FROM $(host_of "$PEER")/app:1"
  bw check "$IT/src"
  expect_status 0
}

# look: a check; its requests are counted.
look() {
  requests_forget "$PEER"
  bw check "$IT/src" --format json
}

expect_sightings() {
  bw history "$(host_of "$PEER")/app:1" --format json
  expect_json '[.bases[0].sightings[] | [.digest, .class]]' "$1"
}

@test "a change whose images can be had is believed at once" {
  begin
  fake_script "$PEER" <<'SCRIPT'
HEAD /v2/app/manifests/1    manifest=B kind=index
GET  /v2/app/*/sha256:*     by-digest=A,B kind=index
SCRIPT
  look
  expect_status 1
  expect_json '.bases[0] | [.verdict, .class]' '["stale","content"]'
  expect_requests 1 "$PEER" HEAD
  expect_requests 4 "$PEER" GET
  expect_sightings "[[\"$A\",null],[\"$B\",\"content\"]]"
}

@test "answers that flap from sweep to sweep are changes, and those back are rollbacks that close" {
  begin
  fake_script "$PEER" <<'SCRIPT'
HEAD /v2/app/manifests/1    manifest=B kind=index
HEAD /v2/app/manifests/1    manifest=A kind=index loop
GET  /v2/app/*/sha256:*     by-digest=A,B kind=index
SCRIPT
  look
  expect_status 1
  look
  expect_status 0
  expect_json '.bases[0] | [.verdict, .class]' '["fresh","rollback"]'
  expect_requests 0 "$PEER" GET
  look
  expect_status 1
  expect_sightings "[[\"$A\",null],[\"$B\",\"content\"],[\"$A\",\"rollback\"],[\"$B\",\"rollback\"]]"
}

@test "a digest that is not there, and of which the next answer knows nothing, is not believed" {
  begin
  fake_script "$PEER" <<'SCRIPT'
HEAD /v2/app/manifests/1    manifest=B kind=index
HEAD /v2/app/manifests/1    manifest=A kind=index
GET  /v2/app/*/sha256:*     by-digest=A kind=index
SCRIPT
  requests_forget "$PEER"
  # shellcheck disable=SC2016 # for the shell that becomes the program
  bw_env sh -c 'echo $$ >"$0"; exec "$@"' "$IT/pid" "$BASEWATCH" check "$IT/src" >"$OUT" 2>"$ERR" </dev/null 3>&- &
  # After the second answer it waits for another one that agrees with it; the test does not wait with it.
  wait_until 10 has_requests 2 HEAD
  kill -TERM "$(<"$IT/pid")"
  wait $! || :
  expect_requests 2 "$PEER" HEAD
  bw report "$IT/src" --format json
  expect_status 0
  expect_json '.bases[0] | [.verdict, .digest]' "[\"fresh\",\"$A\"]"
  expect_sightings "[[\"$A\",null]]"
  look
  expect_status 0
  expect_requests 1 "$PEER"
}

has_requests() { (($(requests "$PEER" "$2") >= $1)); }

@test "a digest that is not there although it is named again is a change that nobody can compare" {
  begin
  fake_script "$PEER" <<'SCRIPT'
HEAD /v2/app/manifests/1    manifest=B kind=index
GET  /v2/app/*/sha256:*     by-digest=A kind=index
SCRIPT
  look
  expect_status 1
  expect_json '.bases[0] | [.verdict, .class]' '["stale","unclassified"]'
  expect_requests 2 "$PEER" HEAD
  look
  expect_status 1
  expect_requests 1 "$PEER"
}

@test "a body that has another digest than its name is an error of the registry, and never a change" {
  begin
  fake_script "$PEER" <<SCRIPT
HEAD /v2/app/manifests/1    manifest=B kind=index
GET  /v2/app/manifests/$B   manifest=C kind=index
GET  /v2/app/*/sha256:*     by-digest=A,B kind=index
SCRIPT
  for _ in 1 2 3 4; do
    look
    expect_status 2
    expect_json '.bases[0] | [.verdict, .digest, .class]' "[\"unknown\",\"$A\",null]"
    expect_json '.bases[0].reason | test("makes no sense.* asked for sha256:.* it sent sha256:")' true
  done
  expect_sightings "[[\"$A\",null]]"
}

@test "a digest header that does not match its own body is an error of the registry, and never a change" {
  begin
  fake_script "$PEER" <<'SCRIPT'
HEAD /v2/app/manifests/1    manifest=A kind=index digest=wrong
GET  /v2/app/manifests/*    manifest=A kind=index digest=wrong
SCRIPT
  for _ in 1 2 3; do
    look
    expect_status 2
    expect_json '.bases[0] | [.verdict, .digest]' "[\"unknown\",\"$A\"]"
  done
  expect_sightings "[[\"$A\",null]]"
}

@test "bodies that cannot be had just now hold a change back for two sweeps, and no longer" {
  begin
  fake_script "$PEER" <<SCRIPT
HEAD /v2/app/manifests/1    manifest=B kind=index
GET  /v2/app/manifests/$B   503
GET  /v2/app/*/sha256:*     by-digest=A,B kind=index
SCRIPT
  for _ in 1 2; do
    look
    expect_status 2
    expect_json '.bases[0] | [.verdict, .digest, .class]' "[\"unknown\",\"$A\",null]"
    expect_json '.bases[0].reason | test("503")' true
  done
  look
  expect_status 1
  expect_json '.bases[0] | [.verdict, .digest, .class]' "[\"stale\",\"$B\",\"unclassified\"]"
  expect_sightings "[[\"$A\",null],[\"$B\",\"unclassified\"]]"
}

@test "bodies that come in the next sweep make the change whole, and none is fetched twice" {
  begin
  fake_script "$PEER" <<SCRIPT
HEAD /v2/app/manifests/1    manifest=B kind=index
GET  /v2/app/manifests/$B   503
GET  /v2/app/*/sha256:*     by-digest=A,B kind=index
SCRIPT
  look
  expect_status 2
  expect_requests 1 "$PEER" GET "/v2/app/manifests/$A"
  fake_script "$PEER" <<'SCRIPT'
HEAD /v2/app/manifests/1    manifest=B kind=index
GET  /v2/app/*/sha256:*     by-digest=A,B kind=index
SCRIPT
  look
  expect_status 1
  expect_json '.bases[0] | [.verdict, .class]' '["stale","content"]'
  expect_requests 0 "$PEER" GET "/v2/app/manifests/$A"
  expect_requests 3 "$PEER" GET
}

@test "a body that is no manifest is a change that cannot be compared, and no crash" {
  local other
  begin
  printf '{"schemaVersion": 2, "mediaType": 7, "manifests": "none"' >"$IT/body"
  other=sha256:$(sha256sum "$IT/body" | cut -d' ' -f1)
  fake_script "$PEER" <<SCRIPT
HEAD /v2/app/manifests/1    digest=$other type=application/vnd.oci.image.index.v1+json
GET  /v2/app/manifests/$other  file=$IT/body digest=$other type=application/vnd.oci.image.index.v1+json
GET  /v2/app/*/sha256:*     by-digest=A kind=index
SCRIPT
  look
  expect_status 1
  expect_json '.bases[0] | [.verdict, .digest, .class]' "[\"stale\",\"$other\",\"unclassified\"]"
  look
  expect_status 1
}

@test "bodies take the token of the sweep, and a configuration that lies elsewhere is fetched there without it" {
  local seed config
  fake_start "$PEER" <<<'HEAD /v2/app/manifests/1 manifest=A'
  file src/Dockerfile <<<"FROM $(host_of "$PEER")/app:1"
  bw check "$IT/src"
  expect_status 0
  fake_start store <<<'GET /v2/app/blobs/*  by-digest=A,B'
  {
    cat <<'SCRIPT'
GET  /token                    token=t1 expires_in=300
HEAD /v2/app/*                 auth='Bearer t1' manifest=B
GET  /v2/app/manifests/*       auth='Bearer t1' by-digest=A,B
SCRIPT
    for seed in A B; do
      config=$(image digest --seed "$seed" | jq -r '.images[0].config')
      echo "GET  /v2/app/blobs/$config auth='Bearer t1' 307 location=$(url_of store)/v2/app/blobs/$config"
    done
    echo '*    /v2/app/*                 401 bearer'
  } | fake_script "$PEER"
  look
  expect_status 1
  expect_json '.bases[0] | [.verdict, .class, .moved]' '["stale","content","linux/amd64: 1 of 1 layers differ, 10.0 KiB in all"]'
  expect_requests 1 "$PEER" GET /token
  expect_requests 2 store GET
  expect_same 0 "$(requests_where store '.authorization != null')"
  peer_stop store
}

@test "a registry that is gone while its bodies are fetched holds the change back" {
  begin
  fake_script "$PEER" <<'SCRIPT'
HEAD /v2/app/manifests/1    manifest=B kind=index
GET  /v2/app/*/sha256:*     close
SCRIPT
  look
  expect_status 2
  expect_json '.bases[0] | [.verdict, .digest]' "[\"unknown\",\"$A\"]"
}
