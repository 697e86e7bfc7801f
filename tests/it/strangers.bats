#!/usr/bin/env bats
# How registries are asked as the configuration says (`registries:`), and the rule that a build file of a git repository is
# no way into this machine: against the real docker-registry, which here is on loopback.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
# shellcheck source=tests/peers/git.sh
source "$IT_HOME/../peers/git.sh"

setup_file() {
  peers_begin
  registry_start plain
  registry_start shut --user 'bot:sesame'
  token_server_start tokens --user 'bot:sesame'
  registry_start guarded --token tokens
  registry_start safe --tls
  image push "$(host_of plain)/base:1" --seed A >/dev/null
  image push "$(host_of shut)/base:1" --seed B --user bot:sesame >/dev/null
  image push "$(host_of safe)/base:1" --seed C --cacert "$PEERS_CA" >/dev/null
  image push "$(host_of guarded)/base:1" --seed D --user bot:sesame >/dev/null
  mkdir "$PEERS_DIR/repositories"
  export PEERS_GIT=$PEERS_DIR/repositories
  git_http_start http
}
teardown_file() { peers_end; }

setup() {
  it_begin
  PEERS_GIT=$PEERS_DIR/repositories
  HOME=$IT/home
  GIT_CONFIG_GLOBAL=/dev/null
  export HOME GIT_CONFIG_GLOBAL
  requests_forget plain
}
teardown() { it_end; }

configure() { file config/basewatch/basewatch.yaml; }
# from NAME: a build file in a folder that stands on that registry.
from() { file src/Dockerfile <<<"FROM $(host_of "$1")/base:1"; }
# repository REF: a git repository whose build file stands on it.
repository() {
  R=s$BATS_TEST_NUMBER
  git_repository "$R"
  git_put "$R" main Dockerfile <<<"FROM $1"
}
url() { echo "$(url_of http)/$R.git"; }
check() { bw check --format json --verbose "$@"; }
named() { configure <<<"registries: {\"$1\": {connections: 2}}"; }
port_of() { local host; host=$(host_of "$1"); echo "${host##*:}"; }

# --- registries: ------------------------------------------------------------------------------------------------------

@test "the configuration logs in, and its password comes before that of docker's file" {
  from shut
  check "$IT/src"
  expect_status 2
  expect_json '.bases[0].reason | test("there are no credentials for it")' true
  file home/.docker/config.json <<<"{\"auths\": {\"$(host_of shut)\": {\"auth\": \"$(printf 'bot:wrong' | base64)\"}}}"
  file secret <<<sesame
  chmod 600 "$IT/secret"
  configure <<YAML
registries:
  "$(host_of shut)": {username: bot, password: {file: $IT/secret}}
YAML
  check "$IT/src"
  expect_status 0
  expect_json '.bases[0].verdict' fresh
  expect_no_text sesame
  bw resolve "$(host_of shut)/base:1"
  expect_status 0
  bw pin "$IT/src"
  expect_status 0
  expect_out "^\+FROM $(host_of shut)/base:1@sha256:"
  mv "$IT/config/basewatch/basewatch.yaml" "$IT/other.yaml"
  bw resolve --config "$IT/other.yaml" "$(host_of shut)/base:1"
  expect_status 0
  bw resolve "$(host_of shut)/base:1"
  expect_status 2
  expect_text 'refuses the credentials of bot'
}

@test "the log-in of the configuration gets tokens, and no other registry sees it" {
  from guarded
  configure <<YAML
registries:
  "$(host_of guarded)": {username: bot, password: {env: REGISTRY_PASSWORD}}
YAML
  BW_ENV=(REGISTRY_PASSWORD=sesame)
  check "$IT/src"
  expect_status 0
  expect_json '.bases[0].verdict' fresh
  from shut
  check "$IT/src"
  expect_status 2
  expect_json '.bases[0].reason | test("there are no credentials for it")' true
}

@test "a secret that cannot be read is an error of the configuration, with its key" {
  from plain
  configure <<YAML
registries:
  "$(host_of plain)": {username: bot, password: {env: NO_SUCH_PASSWORD}}
YAML
  for verb in check pin; do
    bw "$verb" "$IT/src"
    expect_status 78
    expect_err "registries: $(host_of plain): password: the environment variable NO_SUCH_PASSWORD is not set"
  done
  bw resolve debian:12
  expect_status 78
  expect_requests 0 plain
}

@test "certificates are trusted for the registry that they were named for" {
  from safe
  check "$IT/src"
  expect_status 2
  configure <<<"registries: {\"$(host_of safe)\": {ca-file: $PEERS_CA}}"
  check "$IT/src"
  expect_status 0
  bw resolve "localhost:$(port_of safe)/base:1"
  expect_status 2
  expect_text 'certificate'
  bw resolve --cacert "$PEERS_CA" "localhost:$(port_of safe)/base:1"
  expect_status 0
  configure <<<"registries: {\"*\": {ca-file: $PEERS_CA}}"
  bw resolve "localhost:$(port_of safe)/base:1"
  expect_status 0
  configure <<<"registries: {\"$(host_of safe)\": {ca-file: /nonexistent.pem}}"
  bw resolve "$(host_of safe)/base:1"
  expect_status 78
  expect_err "registries: $(host_of safe): ca-file: /nonexistent.pem"
  bw resolve --cacert "$PEERS_CA" "$(host_of safe)/base:1"
  expect_status 0
}

@test "a wrong configuration ends every verb that asks registries" {
  from plain
  configure <<<'registries: {reg.lan: {conections: 3}}'
  bw resolve debian:12
  expect_status 78
  expect_err "did you mean"
  bw pin "$IT/src"
  expect_status 78
  bw check "$IT/src"
  expect_status 78
}

# --- strangers --------------------------------------------------------------------------------------------------------

@test "what a git repository names is not asked on this machine, and the reason is told" {
  for host in "$(host_of plain)" "localhost:$(port_of plain)" "127.1:$(port_of plain)"; do
    R=$(echo "s$host" | tr -c 'a-z0-9\n' _)
    git_repository "$R"
    git_put "$R" main Dockerfile <<<"FROM $host/base:1"
    check "$(url)"
    expect_status 2
    expect_json '.bases[0].verdict' unknown
    expect_json '.bases[0].reason | test("refused: .* leads to a loopback address .*, where a Dockerfile from a git repository may not lead; name it under .registries:. to allow it")' true
    expect_err ' 0 retries'
  done
  expect_requests 0 plain
  bw report "$(url)"
  expect_out 'unknown'
  expect_text 'leads to a loopback address'
}

@test "a registry that the configuration or the command line names is asked" {
  repository "$(host_of plain)/base:1"
  named "localhost:$(port_of plain)"
  check "$(url)"
  expect_status 2
  named "*"
  check "$(url)"
  expect_status 2
  expect_requests 0 plain
  check --insecure-registry "$(host_of plain)" "$(url)"
  expect_status 0
  named "$(host_of plain)"
  check "$(url)"
  expect_status 0
  expect_json '.bases[0].verdict' fresh
  expect_requests 2 plain HEAD
}

@test "what the user's own folder names is asked, also for the repository that names the same" {
  repository "$(host_of plain)/base:1"
  from plain
  check "$(url)" "$IT/src"
  expect_status 0
  expect_json '.bases | length' 1
  expect_requests 1 plain HEAD
  check "$IT/src"
  expect_status 0
  check "$(url)"
  expect_status 2
}

@test "metadata services are not asked" {
  repository "169.254.169.254/latest:meta-data"
  check "$(url)"
  expect_status 2
  expect_json '.bases[0].reason | test("leads to a link-local or metadata address")' true
}

@test "a token endpoint on this machine is asked for a registry that is named" {
  repository "$(host_of guarded)/base:1"
  configure <<YAML
registries:
  "$(host_of guarded)": {username: bot, password: {env: REGISTRY_PASSWORD}}
YAML
  BW_ENV=(REGISTRY_PASSWORD=sesame)
  check "$(url)"
  expect_status 0
  expect_json '.bases[0].verdict' fresh
}
