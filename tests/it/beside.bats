#!/usr/bin/env bats
# What other programs do beside a daemon that runs: `basewatch forget`, and whoever writes docker's credentials file.

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

is_live() { [[ $(sqlite3 "$BW_DB" 'SELECT count(*) FROM build WHERE ended_at IS NULL') == 1 ]]; }

@test "what is forgotten of a repository that is watched is found again at once" {
  push "$PLAIN/b:1" A
  git_repository "$N"
  git_put "$N" main Dockerfile <<<"FROM $PLAIN/b:1"
  conf <<<"sources: [{git: \"$GIT_URL\"}]
poll: {every: 1h, jitter: 0%}
registries: {\"$(host_of plain)\": {connections: 2}}"
  ears
  daemon_start
  wait_states 2 '"verdict":"fresh"'
  bw forget --config "$IT/c.yaml" "$GIT_URL#main"
  expect_status 0
  wait_until "$DAEMON_WAIT_S" is_live
  daemon_end
}

@test "who logs in with docker is let in after a reload" {
  push "$REG/a:1" A
  file shop/Dockerfile <<<"FROM $REG/a:1"
  conf <<<"sources: [{path: shop, name: shop}]
registries: {\"$(host_of plain)\": {connections: 2}}"
  ears
  daemon_start
  wait_said "cannot be asked: .*there are no credentials for it"
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$(host_of reg)" "$(printf %s "bot:$SECRET_REGISTRY" | base64)" |
    file home/.docker/config.json
  reload
  wait_states 2 '"verdict":"fresh"'
  daemon_end
}
