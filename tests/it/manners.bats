#!/usr/bin/env bats
# How registries are treated that want fewer requests: budgets that they tell, 429 and 503, requests per second, and one
# in trouble beside one that is not.

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

# bases PEER COUNT: build files that stand on so many bases of it.
bases() {
  mkdir -p "$IT/src/$1"
  seq "$2" | sed "s|.*|FROM $(host_of "$1")/app&:1|" | split -l 1 -a 3 -d - "$IT/src/$1/Dockerfile."
}
# configured PEER KEY-LINES...: what `registries:` says of it.
configured() {
  local host
  host=$(host_of "$1")
  shift
  {
    printf 'sources:\n  - path: %s/src\nregistries:\n  "%s":\n' "$IT" "$host"
    printf '    %s\n' "$@"
  } >"$IT/basewatch.yaml"
}
# known PEER; throttled PEER REGEX: how many of its bases have a digest, or are unknown for that reason.
known() { json "[.bases[] | select(.base | startswith(\"$(host_of "$1")/\")) | select(.digest != null)] | length"; }
throttled() { json "[.bases[] | select(.base | startswith(\"$(host_of "$1")/\")) | select((.reason // \"\") | test(\"$2\"))] | length"; }

# --- budgets ------------------------------------------------------------------------------------------------------

@test "a sweep stops at the reserve of what a registry grants, and says so; in every form that registries have" {
  for form in hub draft03 draft07 draft08 x; do
    fake_start "$form" <<<"HEAD * manifest=A quota=20/3600 quota-form=$form"
    bases "$form" 60
  done
  check
  for form in hub draft03 draft07 draft08 x; do
    expect_same 16 "$(known "$form")"
    expect_same 44 "$(throttled "$form" 'never asked: 4 of 20 requests.* are left, and 4 are kept for others; may be asked again at 20')"
    expect_same 0 "$(requests_where "$form" '.status == 429')"
    expect_same 16 "$(requests_where "$form" '.method == "HEAD" and .status == 200')"
  done
}

@test "where HEAD is free nothing is held back, however little is left" {
  fake_start f <<'SCRIPT'
GET * manifest=A quota=20/3600
HEAD * manifest=A quota=20/3600 quota-head=free
SCRIPT
  for ((i = 0; i < 18; i++)); do curl -s -o /dev/null "$(url_of f)/v2/colleague/manifests/1"; done
  bases f 60
  check
  expect_same 60 "$(known f)"
  expect_same 0 "$(requests_where f '.status == 429')"
}

@test "the reserve is a setting" {
  fake_start f <<<'HEAD * manifest=A quota=20/3600'
  bases f 30
  configured f 'reserve: 50%'
  check --config "$IT/basewatch.yaml"
  expect_same 10 "$(known f)"
  expect_same 20 "$(throttled f '10 of 20 requests in 60 min are left, and 10 are kept for others')"
}

@test "a run at the reserve asks nothing, leaves every verdict as it was, and says so once" {
  local text
  fake_start f <<<'HEAD * manifest=A quota=20/3600'
  bases f 16
  check
  expect_status 0
  expect_requests 16 f HEAD
  bases f 60
  check
  expect_status 2
  expect_same 16 "$(json '[.bases[] | select(.verdict == "fresh")] | length')"
  expect_same 44 "$(throttled f '^never asked: 4 of 20 requests in 60 min are left, and 4 are kept for others; may be asked again at')"
  expect_json '.registries | map([.registry, .bases, .limit, .remaining, .reserved, .pause])' "[[\"$(host_of f)\",60,20,4,4,\"budget\"]]"
  expect_requests 16 f
  configured f 'connections: 2'
  bw run --once --config "$IT/basewatch.yaml"
  expect_status 2
  expect_out "unknown  44 bases of $(host_of f)  never asked: 4 of 20"
  expect_requests 16 f
  bw check "$IT/src"
  expect_status 2
  text='4 of 20 requests in 60 min are left, and 4 are kept for others; may be asked again at'
  expect_same 2 "$(grep -c "$text" <<<"$out")"
  expect_out "unknown  44 bases of $(host_of f)  never asked: $text"
  expect_out "$(host_of f): 60 bases were not asked: $text"
  rm "$IT/src/f"/Dockerfile.0[2-9]? "$IT/src/f"/Dockerfile.01[6-9]
  bw check "$IT/src"
  expect_status 0 # what was fresh has not become unknown
  expect_requests 16 f
  bw resolve "$(host_of f)/app1:1"
  expect_status 2
  expect_text "$text"
  expect_requests 16 f
}

@test "each run goes on with what was never asked, and then with what was not asked for longest" {
  fake_start f <<<'HEAD * manifest=A quota=20/2'
  bases f 40
  for known in 16 32 40; do
    check
    expect_same "$known" "$(known f)"
    sleep 2.5
  done
  check
  expect_status 0
  expect_same 40 "$(jq -rs '[.[] | select(.event == "request" and .status == 200) | .path] | unique | length' "$PEERS_DIR/f/requests")"
  expect_same 0 "$(requests_where f '.status == 429')"
}

@test "a pause that one run was asked for holds for the next ones" {
  fake_start f <<<'* * 429 retry-after=7200'
  bases f 8
  check
  expect_status 2
  expect_same 8 "$(throttled f '[(]429[)]')"
  bases f 30
  check
  expect_requests 1 f
  expect_same 8 "$(throttled f '[(]429[)]')"
  expect_same 22 "$(throttled f '^never asked: it asked to be left alone until 20')"
  expect_json '.registries[0].pause' '"throttled"'
  bw resolve "$(host_of f)/app1:1"
  expect_status 2
  expect_text 'it asked to be left alone until 20'
  expect_requests 1 f
}

# --- 429 and 503 --------------------------------------------------------------------------------------------------

@test "in a storm of 429 one request goes alone after the pause that was asked for, in seconds or by a date" {
  local after
  declare -A after=([seconds]=1 [date]=date+1)
  for name in seconds date; do
    fake_start "$name" <<SCRIPT
HEAD /v2/app1/* manifest=A
HEAD * 429 times=4 retry-after=${after[$name]}
HEAD * manifest=A
SCRIPT
    bases "$name" 30
  done
  check
  for name in seconds date; do
    expect_same 30 "$(known "$name")"
    [[ $(requests_where "$name" '.status == 429') == 4 ]] || it_fail "$(request_lines "$name")"
  done
}

@test "a registry that wants to be left alone for long is, with 429 and with 503" {
  for status in 429 503; do
    for after in 7200 date+7200; do
      fake_start "f$status$after" <<<"* * $status retry-after=$after"
      bases "f$status$after" 30
    done
  done
  check
  for status in 429 503; do
    for after in 7200 date+7200; do
      expect_same 0 "$(known "f$status$after")"
      expect_same 30 "$(throttled "f$status$after" "[(]${status}[)]")"
      expect_same 1 "$(requests_where "f$status$after" ".status == $status")"
    done
  done
}

@test "Retry-After: 0 is no invitation to ask at once" {
  fake_start f <<'SCRIPT'
HEAD * 429 retry-after=0 times=1
HEAD * manifest=A
SCRIPT
  bases f 5
  check
  expect_same 5 "$(known f)"
  expect_same 6 "$(requests_where f '.status != 400')"
}

@test "503 without Retry-After is an error of the server, and it is not asked for ever" {
  fake_start f <<<'* * 503'
  bases f 60
  check
  expect_same 60 "$(throttled f 'answered 503')"
  [[ $(requests f) -le 30 ]] || it_fail "$(requests f) requests"
}

@test "a registry that wants quiet delays no other" {
  fake_start slow <<<'* * 429 retry-after=7200'
  fake_start good <<<'HEAD * manifest=A'
  bases slow 20
  bases good 40
  check
  expect_same 40 "$(known good)"
  expect_same 20 "$(throttled slow '[(]429[)]')"
  expect_requests 40 good HEAD
}

# --- requests per second ------------------------------------------------------------------------------------------

@test "requests are spaced as the configuration says, after one second's worth" {
  fake_start f <<<'HEAD * manifest=A'
  bases f 30
  configured f 'requests-per-second: 20'
  check --config "$IT/basewatch.yaml"
  expect_same 30 "$(known f)"
  # The first 20 may go at once; the 30th is half a second behind them.
  [[ $(jq -s '[.[] | select(.event == "request" and .status == 200) | .time] | sort | (.[29] - .[0]) > 0.4' "$PEERS_DIR/f/requests") == true ]]
}

@test "no more are on their way than the configuration says" {
  fake_start f <<<'HEAD * manifest=A delay=0.02'
  bases f 20
  configured f 'connections: 5' 'in-flight: 2'
  check --config "$IT/basewatch.yaml"
  expect_same 20 "$(known f)"
  [[ $(jq -s '[.[] | select(.event == "request") | .in_flight] | max' "$PEERS_DIR/f/requests") -le 2 ]]
}
