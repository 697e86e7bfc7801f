#!/usr/bin/env bats
# `sink test NAME`: one event to a real receiver, and what is said of it; secrets are never said.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
# shellcheck source=tests/peers/broker.sh
source "$IT_HOME/../peers/broker.sh"
# shellcheck source=tests/peers/webhook.sh
source "$IT_HOME/../peers/webhook.sh"

TOP=$BATS_TEST_DIRNAME/../..
SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
OTHER=whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA

setup_file() {
  peers_begin
  webhook_start hook --secret "$SECRET" --secret "$OTHER"
}
teardown_file() { peers_end; }
setup() {
  it_begin
  B=broker$BATS_TEST_NUMBER
  webhook_control hook '{}'
}
teardown() {
  background_kill
  ears_stop
  rm -rf "$PEERS_DIR/ears"
  peer_stop "$B"
  it_end
}

# sinks LINE...: the configuration has these sinks.
sinks() {
  {
    printf 'instance: build-farm\nsinks:\n'
    printf '  %s\n' "$@"
  } | file c.yaml
}

try() { bw sink "test" "$@" --config "$IT/c.yaml"; }
# place NAME: the URL of a receiver as it is shown when it has a path.
place() { printf '%s/...' "$(url_of "$1")"; }
last() { webhook_log "${2:-hook}" | tail -n 1 | jq -c "$1"; }

@test "webhook: a signed event arrives that says that it is a test, and keeps to the schema" {
  file second <<<"$OTHER"
  chmod 600 "$IT/second"
  sinks "ci: {type: webhook, url: \"$(url_of hook)/in/hunter2?key=hunter2\", secrets: [{env: HOOK}, {file: second}]," \
    "     events: [base.changed], headers: {X-Team: web, Authorization: {env: TOKEN}}}"
  BW_ENV=(HOOK="$SECRET" TOKEN="Bearer sesame-open")
  webhook_control hook '{"statuses": [204]}'
  try ci
  expect_status 0
  expect_same "ci (webhook $(place hook)): accepted: HTTP 204" "$out"
  expect_same "" "$err"
  expect_same '[1,2]' "$(last .verified)"
  expect_same '[]' "$(last .problems)"
  expect_same '"/in/hunter2?key=hunter2"' "$(last .path)"
  expect_same '["web","Bearer sesame-open"]' "$(last '[.headers["X-Team"], .headers.Authorization]')"
  expect_same '["io.basewatch.sink.test","sink:ci","/basewatch/build-farm",{"test":true,"sink":"ci"}]' \
    "$(last '[.event.type, .event.subject, .event.source, .event.data]')"
  last .event >"$IT/event"
  python3 "$TOP/tests/validate_json.py" "$TOP/config/basewatch-event.schema.json" "$IT/event"
  try ci -v
  expect_err "info: event $(last .id | tr -d '"')"
  expect_same 2 "$(webhook_log hook | jq -r .id | sort -u | wc -l)"
}

@test "webhook: what a receiver answers is shown, escaped, and without what it was sent" {
  sinks "ci: {type: webhook, url: \"$(url_of hook)/\", secrets: [{env: HOOK}], headers: {Authorization: {env: TOKEN}}}"
  BW_ENV=(HOOK="$SECRET" TOKEN="Bearer sesame-open")
  webhook_control hook '{"statuses": [400], "body": "no \u001b[31msuch job: sesame-open"}'
  try ci
  expect_status 2
  expect_same "ci (webhook $(url_of hook)): refused: HTTP 400: no \\x1b[31msuch job: [hidden]" "$out"
  webhook_control hook '{"statuses": [401], "body": "bad token"}'
  try ci
  expect_status 2
  expect_out ': not accepted: HTTP 401: bad token$'
  webhook_control hook '{"statuses": [410], "body": "moved out"}'
  try ci
  expect_status 2
  expect_out ': wants no events any more: HTTP 410: moved out$'
  for code in 400 413 422; do
    webhook_control hook '{"statuses": ['$code'], "body": "\n{\n  \"error\": \"too large\",\n  \"more\": 1\n}\n"}'
    try ci
    expect_status 2
    expect_out ": refused: HTTP $code: \"error\": \"too large\",$"
  done
  webhook_control hook '{"statuses": [503], "retry_after": "7", "body": "busy"}'
  try ci
  expect_status 2
  expect_out ': not accepted: HTTP 503: busy; it asks to wait 7 s$'
  webhook_control hook '{"statuses": [302], "location": "https://other.example/x"}'
  try ci
  expect_status 2
  expect_out ': not accepted: HTTP 302: redirected to other.example; redirects are not followed$'
  webhook_control hook '{"statuses": [500], "echo": true}'
  try ci
  expect_status 2
  expect_no_text sesame-open
  expect_no_text "$SECRET"
}

@test "webhook: a dead port, a receiver that does not answer, and a forbidden address fail in time" {
  sinks "dead: {type: webhook, url: \"http://127.0.0.1:$(free_port)/x\"}" \
    "slow: {type: webhook, url: \"$(url_of hook)/\", timeout: 1s}" \
    "cloud: {type: webhook, url: \"http://169.254.169.254/latest\"}"
  try dead
  expect_status 2
  expect_out '^dead \(webhook http://127.0.0.1:[0-9]+/\.\.\.\): not accepted: .*(refused|connect)'
  webhook_control hook '{"delay": 3}'
  try slow
  expect_status 2
  expect_out '^slow .*: not accepted: .*(time|answer)'
  try cloud
  expect_status 2
  expect_out '^cloud .*: not accepted: .*link-local'
}

@test "webhook: TLS is verified, against the file that the configuration names, and the client shows its certificate" {
  cert_client caller
  webhook_start tls --tls --client-ca "$PEERS_CA"
  cert_make selfsigned
  local end="cert-file: $PEERS_DIR/certs/caller.pem, key-file: $PEERS_DIR/certs/caller.key}"
  sinks "good: {type: webhook, url: \"$(url_of tls)/\", ca-file: $PEERS_CA, $end" \
    "other: {type: webhook, url: \"$(url_of tls)/\", ca-file: $PEERS_DIR/certs/selfsigned.pem, $end" \
    "gone: {type: webhook, url: \"$(url_of tls)/\", ca-file: gone.pem, $end"
  try good
  expect_status 0
  expect_out ': accepted: HTTP 200$'
  expect_same '"caller"' "$(last .client tls)"
  try other
  expect_status 2
  expect_out ': not accepted: .*certificate'
  try gone
  expect_status 78
  expect_err "error: sinks.gone: $IT/gone.pem: cannot be read"
}

@test "mqtt: the event is acknowledged, and a watcher beside it keeps its session and its availability" {
  broker_start "$B" --user bw:sesame
  local qos
  mosquitto_pub -p "$(port_of "$B")" -u bw -P sesame -q 1 -r -t base/availability -m online
  peer_dir ears
  peer_launch ears stdbuf -oL mosquitto_sub -d -V 5 -q 1 -p "$(port_of "$B")" -u bw -P sesame -i watcher -t 'base/#' -F '%t|%r|%C|%P|%p'
  wait_until 10 has_heard '^base/availability'
  BW_ENV=(PASSWORD=sesame)
  for qos in 0 1 2; do
    sinks "broker: {type: mqtt, url: \"$(mqtt_of "$B")\", username: bw, password: {env: PASSWORD}, client-id: watcher, prefix: base, qos: $qos}"
    try broker
    expect_status 0
    if ((qos)); then
      expect_same "broker (mqtt $(mqtt_of "$B")): accepted: the broker acknowledged it (QoS $qos)" "$out"
    else
      expect_out ': accepted: it was sent with QoS 0, which no broker acknowledges$'
    fi
    expect_same "" "$err"
    wait_until 10 has_heard '^base/events/io.basewatch.sink.test\|0\|application/cloudevents\+json\|' "$((qos + 1))"
  done
  expect_same 1 "$(heard_count '^base/availability')"
  heard | tail -n 1 | sed 's/.*|{/{/' >"$IT/event"
  python3 "$TOP/tests/validate_json.py" "$TOP/config/basewatch-event.schema.json" "$IT/event"
  expect_same 3 "$(grep -c 'as watcher-test ' "$PEERS_DIR/$B/stderr")"
  expect_same 0 "$(grep -c 'already connected' "$PEERS_DIR/$B/stderr")"
}

@test "mqtt: a wrong password, a dead port and another authority are said, the password never" {
  broker_start "$B" --user bw:sesame
  sinks "broker: {type: mqtt, url: \"$(mqtt_of "$B")\", username: bw, password: {env: PASSWORD}}" \
    "dead: {type: mqtt, url: \"mqtt://127.0.0.1:$(free_port)\"}"
  BW_ENV=(PASSWORD=hunter2)
  try broker
  expect_status 2
  expect_out '^broker .*: not accepted: mqtt://127.0.0.1:[0-9]+: the broker says: Not authorized$'
  expect_no_text hunter2
  try dead
  expect_status 2
  expect_out '^dead .*: not accepted: mqtt://127.0.0.1:[0-9]+: Connection refused$'
  peer_stop "$B"
  rm -rf "${PEERS_DIR:?}/$B"
  broker_start "$B" --cert good --client-ca
  cert_client caller
  local url end="cert-file: $PEERS_DIR/certs/caller.pem, key-file: $PEERS_DIR/certs/caller.key}"
  url=mqtts://localhost:$(port_of "$B")
  sinks "good: {type: mqtt, url: \"$url\", ca-file: $PEERS_CA, $end" "other: {type: mqtt, url: \"$url\", $end" \
    "gone: {type: mqtt, url: \"$url\", ca-file: gone.pem, $end" "nobody: {type: mqtt, url: \"$url\", ca-file: $PEERS_CA}"
  try nobody
  expect_status 2
  expect_out ': not accepted: .*: TLS: the broker wants a certificate of the client, and there is none'
  try good
  expect_status 0
  try other
  expect_status 2
  expect_out ': not accepted: .*the certificate is not accepted: '
  try gone
  expect_status 78
  expect_err "error: sinks.gone: $IT/gone.pem: cannot be read"
}

@test "mqtt: what a broker says is shown escaped, and without the password" {
  # CONNACK, "not authorized", with a reason string.
  local words='it is hunter2' hex
  hex=$(printf '%s' "$words" | od -An -tx1 | tr -d ' \n')
  fake_broker_start "$B" --answer-5 "$(printf '20%02x0087%02x1f%04x%s' $((${#words} + 6)) $((${#words} + 3)) ${#words} "$hex")"
  sinks "broker: {type: mqtt, url: \"$(mqtt_of "$B")\", username: bw, password: {env: PASSWORD}}"
  BW_ENV=(PASSWORD=hunter2)
  try broker
  expect_status 2
  expect_out ': the broker says: .*: it is \[hidden\]$'
  expect_no_text hunter2
}

@test "mqtt: a broker that acknowledges nothing is waited for 15 seconds" {
  fake_broker_start "$B" --no-ack
  sinks "broker: {type: mqtt, url: \"$(mqtt_of "$B")\"}"
  BW_DEADLINE_S=40 try broker
  expect_status 2
  expect_out '^broker .*: not accepted: no answer within 15 s$'
}

@test "a signal ends it with 130" {
  local signal
  webhook_control hook '{"delay": 20}'
  sinks "ci: {type: webhook, url: \"$(url_of hook)/signal\"}"
  for signal in INT TERM; do
    : >"$PEERS_DIR/hook/requests"
    background "$BASEWATCH" sink "test" ci --config "$IT/c.yaml"
    wait_until 10 grep -q /signal "$PEERS_DIR/hook/requests"
    kill "-$signal" "$BACKGROUND_PID"
    background_end
    expect_status 130
    expect_same "" "$out"
  done
}

@test "no such sink is 66 and names those that there are; a bad configuration is 78; wrong use is 64" {
  sinks "ci: {type: webhook, url: \"https://h/\", secrets: [{env: HOOK}]}" "broker: {type: mqtt, url: \"mqtt://h\", password: {file: gone}, username: u}"
  try cii
  expect_status 66
  expect_err "error: there is no sink 'cii'; there are: ci, broker$"
  try ci
  expect_status 78
  expect_err 'error: sinks.ci.secrets\[0\]: the environment variable HOOK is not set'
  BW_ENV=(HOOK=hunter2)
  try ci
  expect_status 78
  expect_err 'error: sinks.ci: '
  expect_no_text hunter2
  try broker
  expect_status 78
  expect_err "error: sinks.broker.password: there is no file $IT/gone"
  file c.yaml <<<'sinks: {ci: {type: fax}}'
  try ci
  expect_status 78
  expect_err "c.yaml:1:20: sinks.ci.type: expected"
  bw sink "test" ci --config "$IT/none.yaml"
  expect_status 66
  bw sink "test" ci
  expect_status 66
  expect_err "there is no sink 'ci': none is configured"
  for words in "" test "test a b" "try ci"; do
    # shellcheck disable=SC2086 # words
    bw sink $words
    expect_status 64
    expect_err 'error: expected .sink test NAME.'
  done
}
