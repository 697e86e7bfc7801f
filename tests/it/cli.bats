#!/usr/bin/env bats
# The command line: help, versions, wrong words, and where results and talk go.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup() { it_begin; }
teardown() { it_end; }

@test "--version names the program and its libraries" {
  bw --version
  expect_status 0
  expect_out '^basewatch [0-9]+\.[0-9]+\.[0-9]+$'
  expect_out 'libcurl/'
  expect_out 'SQLite 3'
  expect_out 'jansson 2'
  expect_out 'libuv 1'
  expect_out 'libmosquitto 2'
  expect_out 'libyaml 0'
}

@test "--help of the program and of every verb has an example" {
  bw --help
  expect_status 0
  expect_out '^Example:'
  for verb in scan check report history pin resolve "done" forget config sink doctor; do
    expect_out "^  $verb "
    bw "$verb" --help
    expect_status 0
    expect_out "^Usage: basewatch $verb "
    expect_out '^Example:'
    expect_out '  -h, --help'
    expect_no_out '.{96}'
    bw --help
  done
}

@test "no command, a wrong command and a wrong option are usage errors with a suggestion" {
  bw
  expect_status 64
  expect_err 'no command given'
  bw chekc
  expect_status 64
  expect_err "unknown command 'chekc'; did you mean 'check'\?"
  bw check --build-ags A=1
  expect_status 64
  expect_err "unknown option '--build-ags'; did you mean '--build-arg'\?"
  bw scan --db x
  expect_status 64
  expect_err "option '--db' does not go with this command"
  bw check --build-arg NOVALUE
  expect_status 64
  expect_err '--build-arg: expected NAME=VALUE'
  bw check --platform linux/amd64/v1/x
  expect_status 64
  expect_err '--platform: '
  bw check --fail-on stael
  expect_status 64
  expect_err "--fail-on: expected .*'stael'"
  bw check --format xml
  expect_status 64
  bw pin --wriet
  expect_status 64
  expect_err "unknown option '--wriet'; did you mean '--write'\?"
  bw check --write
  expect_status 64
  expect_err "option '--write' does not go with this command"
  bw check --connections 0
  expect_status 64
  expect_err '--connections: expected a whole number from 1 to 64'
  bw check --db
  expect_status 64
  expect_err "option '--db' needs a value"
  for verb in "done" forget resolve; do
    bw "$verb"
    expect_status 64
  done
}

@test "a path that does not exist is 66" {
  bw check "$IT/nowhere"
  expect_status 66
  expect_err "nowhere"
  for verb in scan pin; do
    bw "$verb" "$IT/nowhere"
    expect_status 66
  done
}

@test "report, history, done and forget without a database say how to get one" {
  for verb in report history "done x" "forget x"; do
    # shellcheck disable=SC2086
    bw $verb
    expect_status 66
    expect_err 'no database at .*basewatch.db yet'
  done
}

@test "a folder without build files says so and is no failure" {
  mkdir "$IT/src"
  bw check "$IT/src"
  expect_status 0
  expect_err 'no build files found'
  bw pin "$IT/src"
  expect_status 0
  expect_err 'no build files found'
  bw scan "$IT/src" --format json
  expect_status 0
  expect_json '.' '{"version":1,"files":[]}'
}

@test "the current folder is meant when nothing is named" {
  file src/Dockerfile <<<'FROM scratch'
  cd "$IT/src"
  bw scan --format json
  expect_status 0
  expect_json '.files[0].path' Dockerfile
}

@test "text from files cannot steer the terminal" {
  file "src/Dockerfile.$(printf '\033[31mred')" <<<"FROM $(printf 'debian:\033]0;title\007')"
  bw scan "$IT/src"
  expect_status 0
  expect_no_out "$(printf '\033')"
  bw scan "$IT/src" --format json
  expect_json '.files | length' 1
}

@test "resolve --offline shows the normal form, and 64 for a bad reference" {
  bw resolve --offline --format json debian ghcr.io/acme/x:1
  expect_status 0
  expect_json '.images | map(.reference)' '["docker.io/library/debian:latest","ghcr.io/acme/x:1"]'
  expect_json '.images[0]' '{"written":"debian","reference":"docker.io/library/debian:latest","digest":null,"media_type":null,"size":null,"platform":null,"children":null,"error":null}'
  bw resolve --offline --format json debian Debian
  expect_status 64
  expect_json '.images[1].reference' null
  expect_json '.images[1].error | test("lowercase")' true
}

@test "a reader that goes away is no error" {
  for i in $(seq 200); do echo "FROM debian:$i" | file "src/$i/Dockerfile"; done
  run bash -o pipefail -c '"$1" scan "$2" | head -n 1' _ "$BASEWATCH" "$IT/src"
  expect_same 0 "$status"
  for i in $(seq 800); do echo "FROM 127.0.0.1:1/a/rather/long/name:$i"; done | file src/Dockerfile
  bw check --fail-on none "$IT/src"
  for form in "report --fail-on none $IT/src" "scan $IT/src"; do
    # shellcheck disable=SC2016,SC2086 # for the shell that it is for; words
    bw_capture bw_env bash -o pipefail -c '"$@" --format json | head -c 100' _ "$BASEWATCH" $form
    expect_status 0
    expect_same '' "$err"
  done
}

@test "a full standard output is an error" {
  [[ -e /dev/full ]] || skip "no /dev/full here"
  file src/Dockerfile <<<'FROM debian'
  status=0
  bw_env "$BASEWATCH" scan "$IT/src" >/dev/full 2>"$ERR" || status=$?
  out='' err=$(<"$ERR")
  expect_status 74
  expect_err 'standard output: No space left'
  for i in $(seq 800); do echo "FROM debian:$i"; done | file src/Dockerfile
  status=0
  bw_env "$BASEWATCH" scan --format json "$IT/src" >/dev/full 2>"$ERR" || status=$?
  err=$(<"$ERR")
  expect_status 74
  expect_no_err 'Success'
}
