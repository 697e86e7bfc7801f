#!/usr/bin/env bats
# Mirrors: a real docker-registry as a pull-through cache of another, nginx as a cache that is behind, and such as are wrong,
# down, or silent. Who was asked is counted on both sides.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
# shellcheck source=tests/peers/mirror.sh
source "$IT_HOME/../peers/mirror.sh"

setup_file() {
  peers_begin
  registry_start origin
  pull_through_start through origin
  cache_start cache origin
}
teardown_file() { peers_end; }

# Each test has a repository of its own, so caches know nothing of it.
setup() {
  it_begin
  BASE=t$BATS_TEST_NUMBER/base
  push A
  file src/Dockerfile <<<"FROM $(host_of origin)/$BASE:1"
  forget
}
teardown() {
  background_kill
  it_end
}

push() { image push "$(host_of origin)/$BASE:1" --seed "$1" >/dev/null; }
forget() {
  local name
  for name in "$PEERS_DIR"/*/; do
    name=$(basename "$name")
    if [[ $name != certs ]]; then requests_forget "$name"; fi
  done
}
# mirrors URL... [KEY]: those of the registry.
mirrors() {
  local url list=''
  for url in "$@"; do list+="${list:+, }\"$url\""; done
  file config/basewatch/basewatch.yaml <<<"registries: {\"$(host_of origin)\": {mirrors: [$list]${MORE:-}}}"
}
# check STATUS DIGEST_SEED [OPTION...]
check() {
  forget
  bw check "$IT/src" --format json --verbose "${@:3}"
  expect_status "$1"
  expect_json '.bases[0].digest' "$(digest_of "$2")"
}
# heads MIRROR COUNT COUNT: HEADs of the program, at the mirror and at the registry itself.
heads() {
  expect_requests "$2" "$1" HEAD
  expect_same "$3" "$(ours origin HEAD)"
}

@test "an unchanged sweep asks a pull-through cache alone" {
  mirrors "$(url_of through)"
  check 0 A
  heads through 0 1 # at first sight the registry itself says what is so
  check 0 A
  heads through 1 0
  expect_same 0 "$(ours origin)"
  expect_requests 1 through
  expect_err '1 of the answers came from mirrors'
  expect_err "mirror $(host_of through) of $(host_of origin): 1 answer, 0 not usable\$"
}

@test "a change is seen when the registry itself says so, and its bodies come from the cache" {
  mirrors "$(url_of through)"
  check 0 A
  push B
  check 1 B
  heads through 1 1
  expect_same 1 "$(ours origin)"
  expect_requests 4 through GET
  expect_json '.bases[0].class' content
  check 1 B
  heads through 1 0
}

@test "a cache that is behind hides a change, and never brings an old one back" {
  mirrors "$(url_of cache)"
  check 0 A
  check 0 A
  push B
  check 0 A
  heads cache 1 0
  expect_requests 0 origin # and that is what builds get, too
  MORE=', mirrors: []' && rm "$IT/config/basewatch/basewatch.yaml" # now for whoever asks without it
  check 1 B
  MORE='' && mirrors "$(url_of cache)"
  check 1 B
  heads cache 1 1
  expect_json '.bases[0].class' content
  cache_forget cache
  check 1 B
  heads cache 1 0
}

@test "what the registry itself has no more is not brought back by a cache that still has it" {
  mirrors "$(url_of cache)"
  check 0 A
  check 0 A
  rm -r "$PEERS_DIR/origin/storage/docker/registry/v2/repositories/$BASE/_manifests/tags"
  cache_forget cache
  check 2 A
  heads cache 1 1
  push A
  curl -fsI -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$(url_of cache)/v2/$BASE/manifests/1" >/dev/null
  rm -r "$PEERS_DIR/origin/storage/docker/registry/v2/repositories/$BASE/_manifests/tags"
  check 2 A
  heads cache 0 1 # it has it again, and the registry has not
  push A
  check 0 A
  heads cache 0 1
  check 0 A
  heads cache 1 0
}

@test "a mirror that is wrong is asked and not believed" {
  fake_start wrong <<<'* * manifest=EVIL'
  mirrors "$(url_of wrong)"
  check 0 A
  check 0 A
  heads wrong 1 1
  push B
  check 1 B
  heads wrong 1 1
  expect_json '.bases[0].class' content
  expect_same 5 "$(ours origin)" # its bytes are other ones
  expect_requests 4 wrong GET
  peer_stop wrong
}

@test "a mirror that is down is passed by, and the next one asked" {
  fake_start down <<<'* * 500'
  mirrors "$(url_of down)" "$(url_of through)"
  check 0 A
  check 0 A
  expect_requests 1 down HEAD
  heads through 1 0
  peer_stop down
  check 0 A
  heads through 1 0
  mirrors "$(url_of down)"
  check 0 A
  expect_same 1 "$(ours origin HEAD)"
}

@test "a mirror that hangs takes its own time, and not that of the registry" {
  fake_start hangs --tls <<<'* * manifest=A'
  mirrors "$(url_of hangs)"
  check 0 A
  for ((i = 2; i < 6; i++)); do
    image push "$(host_of origin)/$BASE:$i" --seed A >/dev/null
    echo "COPY --from=$(host_of origin)/$BASE:$i / /" >>"$IT/src/Dockerfile"
  done
  check 0 A
  peer_pause hangs
  check 0 A --connect-timeout 1
  expect_same 5 "$(ours origin HEAD)"
  peer_stop hangs
}

@test "where there are only mirrors the registry is not asked, and they are believed" {
  fake_start only <<'SCRIPT'
* /v2/hub/*/base/manifests/1 query=ns=docker.io manifest=B
* /v2/hub/*/base/* query=ns=docker.io by-digest=A,B
SCRIPT
  MORE=', mirrors-only: true' mirrors "$(url_of only)/hub?ns=docker.io"
  check 0 B
  expect_requests 1 only HEAD
  fake_script only <<<'* * 404 code=NAME_UNKNOWN'
  check 2 B
  expect_json '.summary.unknown' 1
  expect_text "no such repository: mirror $(host_of only)/hub lacks it: answered 404"
  expect_text "; $(host_of origin) itself is not asked (mirrors-only)"
  peer_stop only
  check 2 B
  expect_text "mirror $(host_of only)/hub: Failed to connect"
  expect_text "; $(host_of origin) itself is not asked (mirrors-only)"
  expect_requests 0 origin
}

@test "what was wrong with a mirror is told with --verbose, and logged by run once, and once when it is gone" {
  useless() {
    check 0 A
    expect_err "mirror $(host_of odd) of $(host_of origin): 0 answers, 1 not usable \($1"
  }
  fake_start odd <<<'* * 404 code=MANIFEST_UNKNOWN'
  mirrors "$(url_of odd)"
  check 0 A
  useless 'answered 404'
  fake_script odd <<<'* * 401 basic'
  useless 'wants a log-in, and there are no credentials'
  fake_script odd <<<'* * manifest=B'
  useless 'names sha256:[0-9a-f]+, and the registry itself sha256:'
  fake_script odd <<<'* * 404 code=MANIFEST_UNKNOWN'
  for tag in 2 3; do
    image push "$(host_of origin)/$BASE:$tag" --seed A >/dev/null
    echo "COPY --from=$(host_of origin)/$BASE:$tag / /" >>"$IT/src/Dockerfile"
  done
  file c.yaml <<END
state: $IT/var
sources: [{path: $IT/src}]
poll: {every: 1s, jitter: 0%}
registries: {"$(host_of origin)": {mirrors: ["$(url_of odd)"]}}
END
  background "$BASEWATCH" run --config "$IT/c.yaml" --allow-root
  wait_for_line 20 "$LOG" 'is not usable: answered 404'
  fake_script odd <<<'* * manifest=A'
  wait_for_line 20 "$LOG" 'is usable again'
  kill -TERM "$BACKGROUND_PID"
  background_end
  expect_same "1 1" "$(grep -c 'is not usable' "$LOG") $(grep -c 'is usable again' "$LOG")"
  peer_stop odd
}

@test "a mirror's log-in is its own, and the registry's is not shown to it" {
  registry_start shut --user 'bot:sesame'
  image push "$(host_of shut)/$BASE:1" --seed A --user bot:sesame >/dev/null
  fake_start nosy <<<'* * 401 basic'
  log_in "$(host_of shut)" bot:sesame
  file src/Dockerfile <<<"FROM $(host_of shut)/$BASE:1"
  file config/basewatch/basewatch.yaml <<<"registries: {\"$(host_of shut)\": {mirrors: [\"$(url_of nosy)\"]}}"
  check 0 A
  check 0 A
  expect_requests 1 nosy
  expect_same 0 "$(requests_where nosy '.headers.authorization or .headers.Authorization')"
  expect_same 2 "$(ours shut HEAD)" # one finds out what is wanted
  peer_stop nosy
  peer_stop shut
}

@test "what no mirror can be is said before anything is asked" {
  mirrors "$(url_of through)/v2/"
  bw check "$IT/src"
  expect_status 78
  expect_text "leave out /v2"
  mirrors "https://bot:sesame@mirror.lan"
  bw check "$IT/src"
  expect_status 78
  expect_err 'mirrors\[0\]: .* user'
  expect_no_text sesame
  mirrors "$(url_of origin)"
  bw check "$IT/src"
  expect_status 78
  expect_err "registries: $(host_of origin): mirrors: number 1: this is the registry itself"
  expect_requests 0 origin
}
