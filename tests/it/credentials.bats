#!/usr/bin/env bats
# Who we are at a registry: every source of credentials in its order, and helper programs, against a real docker-registry
# that wants a password.

# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # lib.bash sets and reads them; each test has its own
load lib

setup_file() {
  peers_begin
  registry_start shut --user bot:sesame
  for tag in 1 2 3 4 5; do
    image push "$(host_of shut)/team/app:$tag" --seed "A$tag" --user bot:sesame >/dev/null
  done
}
teardown_file() { peers_end; }

setup() {
  it_begin
  HOST=$(host_of shut)
  mkdir -p "$IT/bin"
  BW_ENV=("PATH=$IT/bin:$PATH" "XDG_RUNTIME_DIR=$IT/run")
}
teardown() { it_end; }

resolve() { bw resolve "$HOST/team/app:1" "$@"; }
# helper NAME <SCRIPT: docker-credential-NAME, which notes each run.
helper() {
  {
    # shellcheck disable=SC2016 # for the helper
    printf '#!/bin/sh\necho "$1 $(cat)" >>"%s/runs"\n' "$IT"
    cat
  } >"$IT/bin/docker-credential-$1"
  chmod +x "$IT/bin/docker-credential-$1"
}
says() { printf "echo '{\"ServerURL\":\"x\",\"Username\":\"%s\",\"Secret\":\"%s\"}'\n" "$1" "$2"; }
expect_runs() { expect_same "$1" "$(wc -l 2>/dev/null <"$IT/runs" || echo 0)"; }

expect_open() {
  expect_status 0
  expect_no_text sesame
}
expect_refused() {
  [[ $status != 0 ]] || it_fail "it was let in"
  expect_text 'refuses the credentials'
  expect_no_text 'wrong'
}

@test "every source opens the registry, and an earlier one goes before all later ones, right or wrong" {
  resolve
  expect_status 2
  expect_text 'there are no credentials for it'
  log_in "$HOST" bot:sesame
  resolve
  expect_open
  auths "$HOST" bot:wrong | file config/containers/auth.json
  resolve
  expect_refused
  auths "$HOST" bot:sesame | file config/containers/auth.json
  log_in "$HOST" bot:wrong
  resolve
  expect_open
  auths "$HOST" bot:wrong | file run/containers/auth.json
  resolve
  expect_refused
  auths "$HOST" bot:sesame | file run/containers/auth.json
  auths "$HOST" bot:wrong | file config/containers/auth.json
  resolve
  expect_open
  BW_ENV+=("DOCKER_AUTH_CONFIG=$(auths "$HOST" bot:wrong)")
  resolve
  expect_refused
  file c.yaml <<<"registries: {\"$HOST\": {username: bot, password: {env: P}}}"
  BW_ENV+=(P=sesame)
  resolve --config "$IT/c.yaml"
  expect_open
}

@test "with REGISTRY_AUTH_FILE no other file counts; DOCKER_CONFIG is a folder" {
  log_in "$HOST" bot:sesame
  BW_ENV+=("REGISTRY_AUTH_FILE=$IT/own.json")
  resolve
  expect_text 'there are no credentials for it'
  expect_same 1 "$(grep -c "warning: credentials: $IT/own.json: there is no such file, and REGISTRY_AUTH_FILE names it" <<<"$err")"
  auths "$HOST" bot:sesame | file own.json
  resolve
  expect_open
  BW_ENV=("PATH=$PATH" "DOCKER_CONFIG=$IT/other")
  auths "$HOST" bot:wrong | file other/config.json
  resolve
  expect_refused
}

@test "the longest key counts: of a namespace before that of the registry" {
  printf '{"auths": {"%s": {"auth": "%s"}, "%s/team": {"auth": "%s"}}}' "$HOST" "$(base64_of bot:wrong)" "$HOST" \
    "$(base64_of bot:sesame)" | file run/containers/auth.json
  resolve
  expect_open
  printf '{"auths": {"%s": {"auth": "%s"}, "%s/team/ap": {"auth": "%s"}}}' "$HOST" "$(base64_of bot:sesame)" "$HOST" \
    "$(base64_of bot:wrong)" | file run/containers/auth.json
  resolve
  expect_open
}

@test "what is refused is not followed by another source, nor by nobody" {
  auths "$HOST" bot:wrong | file run/containers/auth.json
  log_in "$HOST" bot:sesame
  requests_forget shut
  resolve
  expect_refused
  expect_requests 2 shut # the challenge, and the answer to the log-in
}

@test "a DOCKER_AUTH_CONFIG with anything else in it is warned about once and left out" {
  log_in "$HOST" bot:sesame
  BW_ENV+=("DOCKER_AUTH_CONFIG={\"auths\":{\"$HOST\":{\"auth\":\"$(base64_of bot:wrong)\"}},\"credsStore\":\"x\"}")
  resolve
  expect_open
  expect_same 1 "$(grep -c 'DOCKER_AUTH_CONFIG: "credsStore": only "auths" may stand there' <<<"$err")"
}

@test "a helper of credHelpers, of credsStore and of the configuration opens it, with a clean environment" {
  { says bot sesame && echo "env >'$IT/env'"; } | helper right
  says bot wrong | helper wrong
  file home/.docker/config.json <<<"{\"credHelpers\": {\"$HOST\": \"right\"}, \"credsStore\": \"wrong\", \"auths\": {\"$HOST\": {}}}"
  BW_ENV+=(LD_SHOWN=no NOTIFY_SOCKET=/nowhere BASEWATCH_SECRET=hunter2 AWS_PROFILE=mine)
  resolve
  expect_open
  expect_same "get $HOST" "$(<"$IT/runs")"
  grep -q '^AWS_PROFILE=mine$' "$IT/env"
  expect_same "" "$(grep -E '^(LD_|NOTIFY|BASEWATCH)' "$IT/env" || :)"
  file home/.docker/config.json <<<'{"credsStore": "right"}'
  resolve
  expect_open
  file home/.docker/config.json <<<'{"credsStore": "wrong"}'
  resolve
  expect_refused
  file c.yaml <<<"registries: {\"$HOST\": {helper: right}}"
  resolve --config "$IT/c.yaml"
  expect_open
}

@test "one run of a helper is for all bases of a registry" {
  says bot sesame | helper x
  file home/.docker/config.json <<<'{"credsStore": "x"}'
  printf "FROM $HOST/team/app:%s\n" 1 2 3 4 5 | file src/Dockerfile
  bw check "$IT/src" --format json
  expect_status 0
  expect_json '.bases | length' 5
  expect_runs 1
}

@test "a helper that has nothing leaves it to the next source; one that fails does not" {
  helper x <<<'echo credentials not found in native keychain; exit 1'
  file run/containers/auth.json <<<"{\"credHelpers\": {\"$HOST\": \"x\"}}"
  log_in "$HOST" bot:sesame
  resolve
  expect_open
  expect_runs 1
  helper x <<<'echo the keyring is locked; exit 1'
  requests_forget shut
  resolve
  expect_status 2
  expect_text "$HOST: docker-credential-x: it failed with status 1 (mend it, or set \`username\` or \`anonymous\` under \`registries:\`)"
  expect_same 1 "$(grep -c "warning: docker-credential-x for $HOST: the keyring is locked$" <<<"$err")"
  expect_requests 1 shut # the one that was refused; nobody in particular is no substitute
  file c.yaml <<<"registries: {\"$HOST\": {anonymous: true}}"
  resolve --config "$IT/c.yaml"
  expect_text 'there are no credentials for it'
  expect_runs 2
}

@test "a secret that a failing helper prints is neither shown, nor logged, nor stored" {
  local script
  file home/.docker/config.json <<<'{"credsStore": "x"}'
  file src/Dockerfile <<<"FROM $HOST/team/app:1"
  for script in "echo '{\"Username\":\"bot\",\"Secret\":\"sesame\"}'" "echo 'it fails for: {\"Secret\":\"sesame\"}' >&2" 'echo sesame'; do
    helper x <<<"$script; exit 1"
    bw check "$IT/src" --format json
    expect_status 2
    expect_text 'docker-credential-x: it failed with status 1'
    expect_no_text sesame
    ! grep -r sesame "$IT" --include='*.db*' || it_fail "it is in the database"
  done
}

@test "a question that is given up while a helper is silent says whom it waits for" {
  file home/.docker/config.json <<<'{"credsStore": "x"}'
  helper x <<<'exec sleep 20'
  file src/Dockerfile <<<"FROM $HOST/team/app:1"
  bw check "$IT/src" --give-up 1 --format json
  expect_status 2
  expect_text "$HOST: no answer in time from docker-credential-x (credsStore in $IT/home/.docker/config.json)"
}

@test "a helper that is not installed is warned about once and skipped" {
  printf '{"credsStore": "gone", "auths": {"%s": {"auth": "%s"}}}' "$HOST" "$(base64_of bot:sesame)" |
    file home/.docker/config.json
  bw resolve "$HOST/team/app:1" "$HOST/team/app:2"
  expect_open
  expect_same 1 "$(grep -c 'docker-credential-gone is not installed' <<<"$err")"
}
