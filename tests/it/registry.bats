#!/usr/bin/env bats
# What registries do: faults that a real one will not produce on demand, each from the programmable fake; log-in and
# TLS against the real docker-registry.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup() {
  it_begin
  peers_begin
}
teardown() {
  it_end
  peers_end
}

# from PEER REF: a build file that stands on it.
from() { file src/Dockerfile <<<"FROM $(host_of "$1")/$2"; }

# --- answers ------------------------------------------------------------------------------------------------------

@test "without a digest header the body is fetched and hashed, and the host is remembered for it" {
  fake_start f <<<'* * manifest=A digest=none'
  from f app:1
  echo "COPY --from=$(host_of f)/app:2 /x /x" >>"$IT/src/Dockerfile"
  check
  expect_status 0
  expect_json '.bases[0].digest' "$(digest_of A)"
  expect_requests 1 f HEAD
  expect_requests 2 f GET
}

@test "a digest header that is no digest counts as none" {
  fake_start f <<<'* * manifest=A digest=sha256:xyz'
  from f app:1
  check
  expect_status 0
  expect_json '.bases[0].digest' "$(digest_of A)"
}

@test "HEAD refused with 405 or 501 is asked by GET" {
  for code in 405 501; do
    fake_start f <<SCRIPT
HEAD * $code
GET * manifest=A
SCRIPT
    from f app:1
    check
    expect_status 0
    expect_json '.bases[0].digest' "$(digest_of A)"
    peer_stop f
    rm -rf "$PEERS_DIR/f" "$IT/state"
  done
}

@test "a digest header that does not match the body is an error of the registry, never a digest" {
  fake_start f <<'SCRIPT'
HEAD * 405
GET * manifest=A digest=wrong
SCRIPT
  from f app:1
  check
  expect_unknown 'its header says sha256:.*and its body is sha256:'
  expect_json '.bases[0].digest' null
}

@test "tag gone, repository gone, denied: told apart" {
  fake_start f <<'SCRIPT'
* /v2/tag/* 404 code=MANIFEST_UNKNOWN
* /v2/repo/* 404 code=NAME_UNKNOWN
* /v2/denied/* 403 code=DENIED
* /v2/html/* 404 html
SCRIPT
  file src/Dockerfile <<<"FROM $(host_of f)/tag:1
COPY --from=$(host_of f)/repo:1 /x /x
COPY --from=$(host_of f)/denied:1 /x /x
COPY --from=$(host_of f)/html:1 /x /x"
  check
  expect_status 2
  expect_json '[.bases[] | .reason | test("tag"; "i")]' '[false,true,false,true]'
  expect_json '.bases[0].reason | test("denies")' true
  expect_json '.bases[2].reason | test("repository"; "i")' true
}

@test "500 once is tried again; 500 for ever is unknown" {
  fake_start f <<'SCRIPT'
* /v2/once/* 500
* /v2/once/* manifest=A
* /v2/ever/* 500
SCRIPT
  from f once:1
  check
  expect_status 0
  from f ever:1
  check
  expect_unknown '500'
}

@test "429 with a short Retry-After is waited for; a long one is unknown with the time" {
  fake_start f <<'SCRIPT'
* /v2/short/* 429 retry-after=1
* /v2/short/* manifest=A
* /v2/long/* 429 retry-after=3600 code=TOOMANYREQUESTS
SCRIPT
  from f short:1
  check
  expect_status 0
  expect_requests 2 f
  from f long:1
  check
  expect_unknown 'again|after|until'
}

@test "a registry that hangs is a timeout, and delays nobody else" {
  registry_start real
  image push "$(host_of real)/app:1" --seed A
  fake_start f <<<'* * hang'
  file src/Dockerfile <<<"FROM $(host_of real)/app:1"
  for i in 1 2 3 4 5 6 7 8; do echo "COPY --from=$(host_of f)/app:$i /x /x" >>"$IT/src/Dockerfile"; done
  check --answer-timeout 1 --give-up 3
  expect_status 2
  expect_json '.summary.fresh' 1
  expect_json '.summary.unknown' 8
  expect_json '.bases[] | select(.verdict == "unknown") | .reason | test("time|answer")' "$(yes true | head -8)"
}

@test "an interrupted sweep keeps what was answered, says so, and ends at once with 130" {
  registry_start real
  image push "$(host_of real)/app:1" --seed A
  fake_start f <<<'* * hang'
  file src/Dockerfile <<<"FROM $(host_of real)/app:1
COPY --from=$(host_of f)/app:1 /x /x"
  bw_capture bw_env timeout --foreground --preserve-status -s INT 5 "$BASEWATCH" check "$IT/src" --format json
  expect_status 130
  expect_err 'interrupted'
  expect_json '.summary.fresh' 1
  expect_json '.summary.unknown' 1

  # What was known before is not shown as fresh either.
  fake_start g <<<'* * manifest=A'
  file third/Dockerfile <<<"FROM $(host_of g)/app:1"
  bw check "$IT/third"
  expect_status 0
  fake_script g <<<'* * hang'
  bw_capture bw_env timeout --foreground --preserve-status -s INT 3 "$BASEWATCH" check "$IT/third" --format json
  expect_status 130
  expect_json '.summary.fresh' 0
  expect_json '.bases[0].verdict' unknown
  expect_json '.bases[0].reason' 'interrupted before it was answered'
}

@test "an answer that is cut off, broken or closed is unknown" {
  fake_start f <<'SCRIPT'
HEAD * 405
GET /v2/cut/* manifest=A cut=20
GET /v2/closed/* close
GET /v2/json/* body='{"schemaVersion": 2, "manifests": [' type=application/vnd.oci.image.index.v1+json
GET /v2/html/* html
SCRIPT
  for name in cut closed json html; do
    from f "$name:1"
    check --give-up 5
    expect_unknown .
    expect_json '.bases[0].digest' null
  done
}

@test "a body of 100 MiB is refused at the limit, not read" {
  fake_start f <<'SCRIPT'
HEAD * 405
GET * size=104857600 type=application/vnd.oci.image.index.v1+json
SCRIPT
  from f app:1
  check
  expect_unknown 'limit|larger|4 MiB|too'
}

@test "nobody listening and no such host are told apart" {
  fake_start f <<<'* * 200'
  from f app:1
  peer_stop f
  check --give-up 2
  expect_unknown 'connect|refused'
  file src/Dockerfile <<<'FROM no-such-host.invalid/app:1'
  check --give-up 2
  expect_unknown 'name|resolve'
}

@test "a loopback registry that does not even answer a TLS handshake is asked in plain HTTP" {
  fake_start f --patient <<<'* * manifest=A'
  from f app:1
  check --connect-timeout 1
  expect_status 0
  expect_requests 1 f
}

# --- redirects ----------------------------------------------------------------------------------------------------

@test "a redirect to another host is followed without our credentials" {
  fake_start other <<<'* * manifest=A'
  fake_start f <<SCRIPT
* * auth=none 401 basic
* * auth=any 307 location=$(url_of other)/v2/moved/manifests/1
SCRIPT
  log_in "$(host_of f)" bot:sesame
  from f app:1
  check
  expect_status 0
  expect_requests 1 other HEAD
  expect_same 0 "$(requests_where other '.headers.authorization != null')"
}

@test "a redirect loop ends" {
  fake_start f <<<'* * 302 location={base}/v2/app/manifests/1'
  from f app:1
  check --give-up 5
  expect_unknown 'redirect'
}

# --- log-in -------------------------------------------------------------------------------------------------------

@test "an anonymous token: one for the repositories that wait, and one 401 for the whole host" {
  token_server_start tokens --user bot:sesame --anonymous 'public/*'
  registry_start guarded --token tokens
  echo 'FROM scratch' | file src/Dockerfile
  for tag in 1 2 3 4; do
    for repo in a b; do
      image push "$(host_of guarded)/public/$repo:$tag" --seed A --user bot:sesame
      echo "COPY --from=$(host_of guarded)/public/$repo:$tag /x /x" >>"$IT/src/Dockerfile"
    done
  done
  requests_forget guarded
  requests_forget tokens
  check
  expect_status 0
  expect_json '.summary.fresh' 8
  expect_requests 9 guarded HEAD
  expect_requests 1 tokens
}

@test "a private repository needs the account, and the password goes to the realm alone" {
  token_server_start tokens --user bot:sesame
  registry_start guarded --token tokens
  image push "$(host_of guarded)/private/a:1" --seed A --user bot:sesame
  from guarded private/a:1
  check
  expect_unknown 'denied|log|no such'
  log_in "$(host_of guarded)" bot:sesame
  check
  expect_status 0
  expect_no_text sesame
}

@test "access_token is a token, too; a token server that talks nonsense is unknown" {
  token_server_start tokens --user bot:sesame --anonymous 'public/*'
  registry_start guarded --token tokens
  image push "$(host_of guarded)/public/a:1" --seed A --user bot:sesame
  from guarded public/a:1
  token_server_control tokens '{"field": "access_token"}'
  check
  expect_status 0
  token_server_control tokens '{"garbage": true}'
  rm -rf "$IT/state"
  check --give-up 3
  expect_unknown 'token'
}

@test "a password of config.json opens a registry that asks for one; a wrong one is said once" {
  registry_start shut --user bot:sesame
  image push "$(host_of shut)/app:1" --seed A --user bot:sesame
  from shut app:1
  check
  expect_unknown 'denied|log|credential|authoriz'
  log_in "$(host_of shut)" bot:sesame
  check
  expect_status 0
  auths "$(host_of shut)" bot:wrong | file auth.json
  BW_ENV=("REGISTRY_AUTH_FILE=$IT/auth.json")
  check
  expect_unknown 'credential|refused'
  expect_no_text sesame
  expect_no_text wrong
}

@test "a credentials file that cannot be read is warned about once and skipped" {
  registry_start reg
  image push "$(host_of reg)/app:1" --seed A
  from reg app:1
  file home/.docker/config.json <<<'{"auths": nonsense'
  check
  expect_status 0
  expect_same 1 "$(grep -c 'config.json' <<<"$err")"
}

# --- TLS ----------------------------------------------------------------------------------------------------------

@test "TLS with HTTP/2 is verified against --cacert" {
  registry_start safe --tls
  image push "$(host_of safe)/app:1" --seed A --cacert "$PEERS_CA"
  from safe app:1
  check --cacert "$PEERS_CA"
  expect_status 0
  rm -rf "$IT/state"
  check
  expect_unknown 'certificate|TLS'
}

@test "a bad certificate is never answered by plain HTTP, not even on loopback" {
  for kind in expired wrongname selfsigned; do
    fake_start f --cert "$kind" <<<'* * manifest=A'
    from f app:1
    check --cacert "$PEERS_CA" --insecure-registry "$(host_of f)"
    expect_unknown 'certificate|TLS'
    expect_requests 0 f
    peer_stop f
    rm -rf "$PEERS_DIR/f" "$IT/state"
  done
}

@test "a host that is not loopback and not named is never spoken to without TLS" {
  local address
  address=$(hostname -I | cut -d' ' -f1)
  [[ -n $address && $address != 127.* ]] || skip "no address but loopback"
  registry_start reg --listen 0.0.0.0
  image push "$(host_of reg | sed "s/0.0.0.0/127.0.0.1/")/app:1" --seed A
  file src/Dockerfile <<<"FROM $(host_of reg | sed "s/0.0.0.0/$address/")/app:1"
  check --give-up 3
  expect_unknown 'TLS'
  check --insecure-registry "$(host_of reg | sed "s/0.0.0.0/$address/")"
  expect_status 0
}

# --- resolve ------------------------------------------------------------------------------------------------------

@test "resolve asks the registry" {
  registry_start reg
  digest=$(image push "$(host_of reg)/app:1" --seed A --kind index | jq -r .digest)
  bw resolve --format json "$(host_of reg)/app:1" "$(host_of reg)/app@$digest" "$(host_of reg)/app:2"
  expect_status 2
  expect_json '.images[0].digest' "$digest"
  expect_json '.images[0].media_type' application/vnd.oci.image.index.v1+json
  expect_json '.images[1].digest' "$digest"
  expect_json '.images[2].digest' null
  expect_json '.images[2].error | test("tag")' true
}
