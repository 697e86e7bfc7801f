#!/usr/bin/env bats
# Tokens: a real docker-registry that takes the tokens of a real token server, which counts how often it is asked. 1,000 bases
# in 100 repositories share a few requests; what is not understood falls back to one each; identity tokens; what expires.

# shellcheck disable=SC2154,SC2034,SC2030,SC2031 # lib.bash sets and reads them; each test has its own
load lib

setup_file() {
  peers_begin
  token_server_start tokens --user bot:sesame --identity robot:identity-token --anonymous 'public/*'
  registry_start guarded --token tokens
  registry_start shut --tls --user bot:sesame
  local storage=$PEERS_DIR/guarded/storage
  image many "$(host_of guarded)/public/many" --count 1000 --repos 100 --storage "$storage" \
    --list "$PEERS_DIR/public.txt" >/dev/null
  image many "$(host_of guarded)/private/few" --count 60 --repos 20 --storage "$storage" \
    --list "$PEERS_DIR/private.txt" >/dev/null
}
teardown_file() { peers_end; }

setup() {
  it_begin
  HOST=$(host_of guarded)
  token_server_control tokens '{}'
  requests_forget tokens
  requests_forget guarded
  requests_forget shut
  mkdir -p "$IT/bin"
  BW_ENV=("PATH=$IT/bin:$PATH" "XDG_RUNTIME_DIR=$IT/run")
}
teardown() { it_end; }

# from FILE: a build that stands on all references in it.
from() { awk 'BEGIN { print "FROM scratch" } { print "COPY --from=" $0 " /crafted /" NR }' "$1" | file src/Dockerfile; }
identity() {
  printf '{"auths": {"%s": {"auth": "%s", "identitytoken": "%s"}}}' "$HOST" "$(base64_of "$1:")" "$2" |
    file home/.docker/config.json
}
# answers NAME STATUS: how often a docker-registry answered so.
answers() { grep -cE "\" $2 [0-9]+ " "$PEERS_DIR/$1/stdout" || :; }
# at_most COUNT NAME [FILTER]: requests to the token server; the count is shown.
at_most() {
  local got
  got=$(requests_where "$2" "${3:-true}")
  echo "# $BATS_TEST_DESCRIPTION: $got token requests" >&3
  ((got <= $1)) || it_fail "$2 was asked $got times, more than $1"
}
expect_found() {
  expect_status 0
  expect_json '.summary.fresh' "$1"
  expect_no_text sesame
}

@test "1,000 bases in 100 repositories" {
  from "$PEERS_DIR/public.txt"
  check
  expect_found 1000
  at_most 10 tokens
  expect_same 1 "$(answers guarded 401)"
  expect_same 0 "$(requests_where tokens '(.scope | length) > 16')"
}

@test "private repositories, with a password" {
  from "$PEERS_DIR/private.txt"
  log_in "$HOST" bot:sesame
  check
  expect_found 60
  at_most 2 tokens
  expect_same 1 "$(answers guarded 401)"
}

@test "public and private ones, as nobody: each private one is denied, the others stay together" {
  { grep ':1$\|:t0$\|0:' "$PEERS_DIR/public.txt" | head -n 40; head -n 10 "$PEERS_DIR/private.txt"; } >"$IT/refs"
  from "$IT/refs"
  check
  expect_status 2
  expect_json '[.bases[] | select(.verdict == "fresh")] | length' 40
  at_most 20 tokens
}

@test "a server that reads only the first scope gets one request for each, and nobody notices" {
  token_server_control tokens '{"scopes": "first"}'
  from "$PEERS_DIR/private.txt"
  log_in "$HOST" bot:sesame
  check
  expect_found 60
  at_most 22 tokens
  expect_same 1 "$(answers guarded 401)"
}

@test "a server that refuses several scopes gets one request for each, and nobody notices" {
  token_server_control tokens '{"scopes": "one"}'
  from "$PEERS_DIR/private.txt"
  log_in "$HOST" bot:sesame
  check
  expect_found 60
  at_most 21 tokens
  expect_same 1 "$(requests_where tokens '(.scope | length) > 1')"
}

@test "an identity token is posted, and shown to nobody else" {
  from "$PEERS_DIR/private.txt"
  identity bot identity-token
  check
  expect_found 60
  at_most 2 tokens
  expect_same 2 "$(requests_where tokens '.method == "POST" and .user == "robot" and .authorization == null')"
  expect_no_text identity-token
}

@test "an identity token where nothing can be posted is asked for with GET, and that is remembered" {
  token_server_control tokens '{"post": 405}'
  from "$PEERS_DIR/private.txt"
  identity bot identity-token
  check
  expect_found 60
  expect_same 1 "$(requests_where tokens '.method == "POST"')"
  expect_same 2 "$(requests_where tokens '.method == "GET" and .user == "bot"')"
}

@test "a helper program may have an identity token" {
  from "$PEERS_DIR/private.txt"
  file bin/docker-credential-x <<'EOF'
#!/bin/sh
printf '{"ServerURL":"%s","Username":"<token>","Secret":"identity-token"}' "$(cat)"
EOF
  chmod +x "$IT/bin/docker-credential-x"
  file home/.docker/config.json <<<'{"credsStore": "x"}'
  check
  expect_found 60
  expect_same 2 "$(requests_where tokens '.method == "POST" and .user == "robot"')"
  expect_no_text identity-token
}

@test "a refused log-in is shown once, to the realm or to the registry, however many bases wait" {
  from "$PEERS_DIR/private.txt"
  log_in "$HOST" bot:wrong
  check
  expect_status 2
  expect_json '[.bases[].reason | select(test("refuses the credentials of bot"))] | length' 60
  expect_same 1 "$(requests_where tokens true)"
  expect_same 1 "$(answers guarded 401)"
  identity bot wrong
  rm -rf "$IT/state"
  check
  expect_json '[.bases[].reason | select(test("refuses the"))] | length' 60
  expect_same 1 "$(requests_where tokens '.method == "POST"')"
}

@test "a refused password over HTTP/2: two answers with 401 for 100 bases" {
  for i in {1..100}; do echo "$(host_of shut)/a/r$i:1"; done >"$IT/refs"
  from "$IT/refs"
  HOST=$(host_of shut)
  log_in "$HOST" bot:wrong
  check --cacert "$PEERS_CA"
  expect_status 2
  expect_json '[.bases[].reason | select(test("refuses the credentials of bot"))] | length' 100
  expect_same 2 "$(answers shut 401)"
}

@test "tokens that the registry does not take are asked for once more, and then said to be no good" {
  token_server_control tokens '{"key": "other"}'
  head -n 30 "$PEERS_DIR/private.txt" >"$IT/refs"
  from "$IT/refs"
  log_in "$HOST" bot:sesame
  check
  expect_status 2
  expect_json '[.bases[].reason | select(test("does not take the token"))] | length' 30
  token_server_control tokens '{}'
  rm -rf "$IT/state"
  check
  expect_found 30
}
