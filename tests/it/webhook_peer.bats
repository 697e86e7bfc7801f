#!/usr/bin/env bats
# The receiver of webhooks proves itself here, with curl and openssl, before the program is tested against it.

load lib
# shellcheck source=tests/peers/webhook.sh
source "$IT_HOME/../peers/webhook.sh"

SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
OTHER=whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
EVENT='{"specversion":"1.0","id":"e1","source":"/basewatch/test","type":"io.basewatch.base.changed"}'

setup_file() {
  peers_begin
  webhook_start hook --secret "$SECRET" --secret "$OTHER"
  webhook_start old --secret "$SECRET" --tolerance 9999999999
}

teardown_file() { peers_end; }

setup() {
  it_begin
  webhook_control hook '{}'
}
teardown() { it_end; }

# sign SECRET ID TIMESTAMP BODY: by another program than the receiver's.
sign() {
  local hex
  hex=$(base64 -d <<<"${1#whsec_}" | od -An -tx1 | tr -d ' \n')
  printf '%s.%s.%s' "$2" "$3" "$4" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$hex" -binary | base64
}

# send NAME BODY SIGNATURE [ID [TIMESTAMP]]
send() {
  code=$(curl -sS -m 10 -o "$IT/body" -D "$IT/head" -w '%{http_code}' -H 'Content-Type: application/cloudevents+json; charset=utf-8' \
    -H "webhook-id: ${4:-e1}" -H "webhook-timestamp: ${5:-$(date +%s)}" -H "webhook-signature: $3" -d "$2" "$(url_of "$1")/in")
}

last() { webhook_log "$1" | tail -n 1 | jq -c "$2"; }

@test "the vector of the specification is verified" {
  send old '{"test": 2432232314}' 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' msg_p5jXN8AQM9LWM0D4loKWxJek 1614265330
  expect_same 200 "$code"
  expect_same '[1]' "$(last old .verified)"
}

@test "a signature of another program is verified, of each secret on its own" {
  local now
  now=$(date +%s)
  send hook "$EVENT" "v1,$(sign "$OTHER" e1 "$now" "$EVENT")" e1 "$now"
  expect_same '[2]' "$(last hook .verified)"
  expect_same '[]' "$(last hook .problems)"
  expect_same '"e1"' "$(last hook .event.id)"
  send hook "$EVENT" "v1,$(sign "$SECRET" e1 "$now" "$EVENT") v1,$(sign "$OTHER" e1 "$now" "$EVENT")" e1 "$now"
  expect_same '[1,2]' "$(last hook .verified)"
}

@test "anything that was changed is not verified" {
  local now signature
  now=$(date +%s)
  signature="v1,$(sign "$SECRET" e1 "$now" "$EVENT")"
  send hook "$EVENT " "$signature" e1 "$now"
  expect_same '[]' "$(last hook .verified)"
  send hook "$EVENT" "$signature" e2 "$now"
  expect_same '[]' "$(last hook .verified)"
  expect_same '["webhook-id is not the id of the event"]' "$(last hook .problems)"
  send hook "$EVENT" "$signature" e1 "$((now - 1))"
  expect_same '[]' "$(last hook .verified)"
}

@test "what is no event, or too old, is a problem" {
  send hook '[]' v1,x
  expect_same '["not a JSON object"]' "$(last hook .problems)"
  send hook "$EVENT" v1,x e1 1614265330
  expect_same '["timestamp too far away"]' "$(last hook .problems)"
}

@test "it answers as its script says" {
  webhook_control hook '{"statuses": [503, 302, 204], "retry_after": "7", "location": "/there", "body": "words"}'
  send hook "$EVENT" v1,x
  expect_same 503 "$code"
  expect_same words "$(<"$IT/body")"
  grep -qi '^retry-after: 7' "$IT/head"
  send hook "$EVENT" v1,x
  expect_same 302 "$code"
  grep -qi '^location: /there' "$IT/head"
  send hook "$EVENT" v1,x
  expect_same 204 "$code"
  send hook "$EVENT" v1,x
  expect_same 204 "$code"
}

@test "it wants a certificate of the client when it is told so" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=a client' \
    -keyout "$IT/client.key" -out "$IT/client.pem" 2>/dev/null
  webhook_start mutual --tls --client-ca "$IT/client.pem"
  run curl -sS -m 10 --cacert "$PEERS_CA" -d x "$(url_of mutual)/"
  [[ $status != 0 ]]
  expect_same 200 "$(curl -sS -m 10 -o /dev/null -w '%{http_code}' --cacert "$PEERS_CA" \
    --cert "$IT/client.pem" --key "$IT/client.key" -d x "$(url_of mutual)/")"
  expect_same 1 "$(webhook_log mutual | wc -l)"
  expect_same '"a client"' "$(last mutual .client)"
}
