#!/usr/bin/env bats
# A registry that grants only so many requests, and `basewatch run` that would like to ask far more often: it is never
# refused, everything gets its turn, and `report` says when and why.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
load daemon

setup_file() {
  peers_begin
  # 20 in 2 seconds, HEAD counts; 40 bases every second want four times as many.
  fake_start hub <<'SCRIPT'
GET /v2/*/blobs/* by-digest=A quota=20/2
HEAD|GET /v2/* manifest=A quota=20/2
SCRIPT
  fake_start free <<'SCRIPT'
GET /v2/*/blobs/* by-digest=A quota=20/2 quota-head=free
HEAD|GET /v2/* manifest=A quota=20/2 quota-head=free
SCRIPT
}
teardown_file() { peers_end; }
setup() {
  it_begin
  BW_DB=$IT/var/basewatch.db
  mkdir -m 700 "$IT/var"
  requests_forget hub
  requests_forget free
}
teardown() {
  if [[ -z ${BATS_TEST_COMPLETED:-} && -s ${LOG:-} ]]; then tail -n 40 "$LOG" >&2; fi
  background_kill
  it_end
}

# bases NAME COUNT: a folder with so many bases of that registry, and the configuration.
bases() {
  local i
  mkdir -p "$IT/src"
  {
    echo 'FROM scratch'
    for ((i = 0; i < $2; i++)); do echo "COPY --from=$(host_of "$1")/app$i:1 / /"; done
  } >"$IT/src/Dockerfile"
  file c.yaml <<<"{state: $IT/var, sources: [{path: $IT/src}], poll: {every: 1s, jitter: 0%}}"
}
heads() { requests "$1" HEAD; }
has_heads() { (($(heads "$1") >= $2)); }
wait_heads() { wait_until "$DAEMON_WAIT_S" has_heads "$@" || it_fail "only $(heads "$1") HEADs"; }
report() { bw report --config "$IT/c.yaml" --fail-on none "$@"; }
is_stretched() { report --format json && expect_json '.registries[0].interval_seconds' 5 2>/dev/null; }

@test "what a registry grants is kept to, and the next check of each base is told with the reason" {
  local text
  bases hub 40
  report # nobody has watched anything yet
  daemon_start
  wait_heads hub 8
  wait_until "$DAEMON_WAIT_S" is_stretched || it_fail "it is not stretched: $(json .registries)"
  text="$(host_of hub) grants 20 requests in 2 s and 4 are kept for others: 40 bases are asked every 5 s"
  expect_json '.registries | length' 1
  expect_json '.registries[0] | [.registry, .bases, .limit, .reserved, .window_seconds, .questions_are_free, .text]' \
    "[\"$(host_of hub)\",40,20,4,2,false,\"$text\"]"
  expect_json '[.bases[] | select(.next_check == null)] | length' 0
  expect_json "[.bases[] | select(.next_check.reason | endswith(\"$text\") | not)] | length" 0
  expect_json '[.bases[].next_check.at | fromdate] | max - min | . >= 3 and . <= 7' true
  python3 "$IT_HOME/../validate_json.py" "$DAEMON_SCHEMAS/basewatch-report.schema.json" "$OUT"
  report
  expect_text "$text." in "$out"

  # More than one window, and hardly more than 16 in each.
  wait_heads hub 24
  expect_same 0 "$(requests_where hub '.status == 429')"

  # It goes on where it was.
  daemon_end
  report
  expect_no_out 'are asked every'
  report --format json
  expect_json '[.registries, ([.bases[].next_check] | unique)]' '[[],[null]]'
  daemon_start
  wait_heads hub 30
  expect_same 0 "$(requests_where hub '.status == 429')"
}

@test "where asking is free nothing is stretched" {
  bases free 10
  daemon_start
  wait_heads free 30
  expect_same 0 "$(requests_where free '.status == 429')"
  report
  expect_no_out 'are asked every'
  report --format json
  expect_json '.registries | map([.questions_are_free, .interval_seconds, .text])' '[[true,null,null]]'
  expect_json '[.bases[].next_check.reason] | unique' '["as scheduled"]'
}
