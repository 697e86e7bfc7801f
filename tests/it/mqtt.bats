#!/usr/bin/env bats
# The MQTT session and the MQTT sink, through mqtt_driver.c, against the real mosquitto and one that misbehaves.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
# shellcheck source=tests/peers/broker.sh
source "$IT_HOME/../peers/broker.sh"

setup_file() { peers_begin; }
teardown_file() { peers_end; }
setup() {
  it_begin
  B=broker$BATS_TEST_NUMBER
  DRIVER=$(dirname "$BASEWATCH")/tests/it/mqtt_driver
  if [[ ! -x $DRIVER ]]; then DRIVER=$(dirname "$BASEWATCH")/release/tests/it/mqtt_driver; fi
}
teardown() {
  background_kill
  ears_stop
  rm -rf "$PEERS_DIR/ears"
  peer_stop "$B"
  it_end
}

# drive publish|sink URL [OPTION...]: as bw of lib.bash.
drive() { bw_capture bw_env timeout "$BW_DEADLINE_S" "$DRIVER" "$@"; }

# drive_on ...: the same in the background; its output is in $LOG. drive_end waits for it.
drive_on() {
  background "$DRIVER" "$@"
  DRIVER_PID=$BACKGROUND_PID
}
drive_end() { background_end; }

# The loop is ours: nothing may keep it. The limit is far above what a loaded machine needs, far below a time-out.
expect_no_stall() {
  local ms
  ms=$(sed -nE 's/^longest turn ([0-9]+) ms/\1/p' <<<"$out")
  ((ms < 1000)) || it_fail "the loop stood still for $ms ms"
}

@test "a thousand messages are acknowledged with each quality of service" {
  local qos
  broker_start "$B"
  listen "$B" 'q/#'
  for qos in 0 1 2; do
    drive publish "$(mqtt_of "$B")" -q "$qos" -n 1000 -t "q/$qos"
    expect_status 0
    expect_out '^up version 5$'
    expect_out '^acked 1000 of 1000, repeated none$'
    expect_no_out 'published while down'
    expect_no_stall
    wait_until 10 has_heard "^q/$qos\\|" 1000
    expect_same 1000 "$(heard_count "^q/$qos\\|")"
  done
  # In the order in which they were given.
  expect_same "$(seq 0 999)" "$(heard | grep '^q/1|' | sed 's/.*|//')"
}

@test "a message carries its content type and those user properties that are text" {
  broker_start "$B"
  listen "$B" t
  drive publish "$(mqtt_of "$B")"
  expect_status 0
  wait_until 10 has_heard '^t\|'
  expect_same 't|0|text/plain|colour:green size:grün|0' "$(heard)"
}

@test "TLS: a certificate of the given authority is accepted, by name and by address" {
  broker_start "$B" --cert good
  drive publish "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA" -n 1000
  expect_status 0
  expect_out '^acked 1000 of 1000'
  drive publish "mqtts://127.0.0.1:$(port_of "$B")" -a "$PEERS_CA" -n 10
  expect_status 0
}

@test "TLS: a certificate of an unknown authority is not accepted" {
  broker_start "$B" --cert good
  drive publish "mqtts://localhost:$(port_of "$B")" -1
  expect_status 1
  expect_out '^down mqtts://localhost:[0-9]+: the certificate is not accepted: .*(issuer|self.signed)'
  expect_out '^acked 0 of 1'
}

@test "TLS: a certificate for another name is not accepted, neither for a name nor for an address" {
  broker_start "$B" --cert wrongname
  drive publish "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA" -1
  expect_status 1
  expect_out '^down .*the certificate is not accepted: hostname mismatch'
  drive publish "mqtts://127.0.0.1:$(port_of "$B")" -a "$PEERS_CA" -1
  expect_status 1
  expect_out '^down .*the certificate is not accepted: IP address mismatch'
  expect_out '^acked 0 of 1'
}

@test "TLS: a certificate that is over is not accepted" {
  broker_start "$B" --cert expired
  drive publish "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA" -1
  expect_status 1
  expect_out '^down .*the certificate is not accepted: certificate has expired'
}

@test "TLS: the server is asked for by its name, and by none when there is only an address" {
  fake_broker_start "$B" --cert good
  drive publish "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA"
  expect_status 0
  drive publish "$(mqtt_of "$B")" -a "$PEERS_CA"
  expect_status 0
  expect_same $'sni localhost\nsni None' "$(grep ^sni "$PEERS_DIR/$B/stdout")"
}

@test "TLS: a broker that speaks plain, and a plain session with one that speaks TLS, fail and say so" {
  broker_start "$B"
  drive publish "mqtts://localhost:$(port_of "$B")" -1 -C 3000
  expect_status 1
  expect_out '^down mqtts://localhost:[0-9]+: '
  peer_stop "$B"
  rm -rf "${PEERS_DIR:?}/$B"
  broker_start "$B" --cert good
  drive publish "mqtt://127.0.0.1:$(port_of "$B")" -1 -C 3000
  expect_status 1
  expect_out '^down mqtt://127.0.0.1:[0-9]+: '
}

@test "TLS: a broker that wants a certificate of the client gets it" {
  broker_start "$B" --cert good --client-ca
  cert_client client
  drive publish "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA" \
    -c "$PEERS_DIR/certs/client.pem" -k "$PEERS_DIR/certs/client.key"
  expect_status 0
  drive publish "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA" -1
  expect_status 1
  expect_out '^down mqtts://localhost:[0-9]+: TLS: the broker wants a certificate of the client, and there is none'
  drive publish "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA" -c "$PEERS_CA" -k "$PEERS_DIR/certs/client.key" -1
  expect_status 2
  expect_out 'client.key: cannot be read as a private key that fits the certificate'
}

@test "a password opens the session; without it, or with another, a person has to act" {
  broker_start "$B" --user bw:sesame
  drive publish "$(mqtt_of "$B")" -u bw -p sesame
  expect_status 0
  drive publish "$(mqtt_of "$B")" -u bw -p wrong -1
  expect_status 1
  expect_out '^down auth mqtt://127.0.0.1:[0-9]+: the broker says: Not authorized$'
  expect_no_text wrong
  drive publish "$(mqtt_of "$B")" -1
  expect_status 1
  expect_out '^down auth .*Not authorized$'
}

@test "options that make no sense are said at once" {
  drive publish mqtt://bw:sesame@127.0.0.1
  expect_status 2
  expect_out '^options user name and password do not belong into the URL'
  expect_no_text sesame
  drive publish mqtt://127.0.0.1 -e 60
  expect_out '^options a session that the broker keeps needs a client id'
  drive sink mqtt://127.0.0.1 -x 'a/+/b'
  expect_out '^options a prefix has'
  drive publish mqtts://127.0.0.1 -a "$IT/none.pem"
  expect_out "^options $IT/none.pem: cannot be read"
}

@test "a broker that refuses MQTT 5 is spoken to in 3.1.1" {
  local refusal
  for refusal in 20020001 2003008400; do
    fake_broker_start "$B" --answer-5 "$refusal"
    drive publish "$(mqtt_of "$B")" -n 100
    expect_status 0
    expect_out '^up version 4$'
    expect_no_out '^down'
    expect_out '^acked 100 of 100'
    expect_same $'connect 5\nconnect 4' "$(grep ^connect "$PEERS_DIR/$B/stdout")"
    peer_stop "$B"
    rm -rf "${PEERS_DIR:?}/$B"
  done
}

kill_in_flight() {
  local url=$1 round
  shift
  # It takes nothing out of its socket while it is stopped, so everything is under way when it is killed.
  drive_on publish "$url" -n 1000 -W 100 "$@"
  wait_until 10 grep -qs '^up' "$LOG" || it_fail "no session: $(<"$LOG")"
  drive_end
  expect_status 0
  for round in 1 2; do
    peer_pause "$B"
    drive_on publish "$url" -n 1000 -W 100 -C 60000 "$@"
    # A stopped broker has a listening socket; the CONNECT waits there. Let it answer, then stop it again.
    peer_resume "$B"
    wait_until 10 grep -qs '^published 1000' "$LOG" || it_fail "nothing was published: $(<"$LOG")"
    broker_kill "$B"
    wait_until 10 drive_says_down_or_done || it_fail "it did not notice: $(<"$LOG")"
    broker_again "$B"
    drive_end
    expect_status 0
    expect_out '^acked 1000 of 1000'
    expect_no_stall
  done
}
drive_says_down_or_done() { grep -qsE '^(down|acked)' "$LOG"; }

@test "a broker that is killed with a thousand messages in flight: each is acknowledged in the end" {
  broker_start "$B"
  kill_in_flight "$(mqtt_of "$B")"
}

@test "the same over TLS" {
  broker_start "$B" --cert good
  kill_in_flight "mqtts://localhost:$(port_of "$B")" -a "$PEERS_CA"
}

@test "what is under way when a broker dies that never acknowledged it fails, and is acknowledged by the next one" {
  fake_broker_start "$B" --no-ack
  local port url
  url=$(mqtt_of "$B")
  port=$(port_of "$B")
  drive_on publish "$url" -n 1000 -W 100
  wait_until 10 has_lines 1000 '^publish$' "$PEERS_DIR/$B/stdout"
  broker_kill "$B"
  wait_until 10 grep -qs '^down' "$LOG"
  rm -rf "${PEERS_DIR:?}/$B"
  peer_dir "$B"
  broker_config "$PEERS_DIR/$B" "$port" 'allow_anonymous true' >"$PEERS_DIR/$B/mosquitto.conf"
  peer_is_at "$B" mqtt 127.0.0.1 "$port"
  broker_again "$B"
  drive_end
  expect_status 0
  expect_out '^acked 1000 of 1000, repeated some$'
}
has_lines() { (($(grep -cE "$2" "$3") >= $1)); }

@test "a broker that acknowledges nothing loses the session within the time limit" {
  fake_broker_start "$B" --no-ack
  drive publish "$(mqtt_of "$B")" -A 300 -1
  expect_status 1
  expect_out '^up'
  expect_out '^down .*the broker did not acknowledge a message in time$'
  expect_out '^acked 0 of 1'
  expect_no_stall
}

@test "a broker that is not there, one that never answers, and a name that nobody knows fail in time" {
  local port
  port=$(free_port)
  drive publish "mqtt://127.0.0.1:$port" -1
  expect_status 1
  expect_out '^down mqtt://127.0.0.1:[0-9]+: Connection refused$'
  drive publish "mqtts://127.0.0.1:$port" -1
  expect_status 1
  expect_out '^down mqtts://127.0.0.1:[0-9]+: Connection refused$'
  fake_broker_start "$B" --mute
  drive publish "$(mqtt_of "$B")" -1 -C 300
  expect_status 1
  expect_out '^down .*no answer within the time limit$'
  expect_no_stall
  drive publish "mqtts://127.0.0.1:$(port_of "$B")" -1 -C 300
  expect_status 1
  expect_out '^down .*no answer within the time limit$'
  drive publish mqtt://broker.invalid -1 -C 2000
  expect_status 1
  expect_out '^down mqtt://broker.invalid:1883: (the name of the broker is not known: |the resolver does not answer)'
  expect_no_stall
}

@test "a broker that keeps the session says so, also for MQTT 5" {
  broker_start "$B"
  drive publish "$(mqtt_of "$B")" -i me -e 600
  expect_status 0
  expect_out '^up version 5$'
  drive publish "$(mqtt_of "$B")" -i me -e 600
  expect_out '^up version 5 with session$'
  drive publish "$(mqtt_of "$B")" -i me -e 600 -q 2
  expect_out '^not published QoS 2 needs sessions that the broker does not keep$'
  drive publish "$(mqtt_of "$B")" -i me
  expect_out '^up version 5$'
}

@test "sink: events arrive once, as they are, with their attributes" {
  local event='{"specversion":"1.0","id":"e1","source":"/basewatch/test","type":"io.basewatch.base.changed","subject":"docker.io/library/debian:12","data":{"n":1}}'
  broker_start "$B"
  listen "$B" 'bw/events/#'
  drive_on sink "$(mqtt_of "$B")" -n 3 -x bw
  wait_until 10 has_heard . 3
  wait_until 10 has_lines 3 '^sent' "$LOG"
  kill -TERM "$DRIVER_PID"
  drive_end
  expect_status 0
  expect_out '^sent e0 after 0: $'
  expect_same 3 "$(heard_count .)"
  expect_same "bw/events/io.basewatch.base.changed|0|application/cloudevents+json|specversion:1.0 id:e1 source:/basewatch/test type:io.basewatch.base.changed subject:docker.io/library/debian:12|$event" \
    "$(heard | sed -n 2p)"
}

@test "sink: the will says that it is gone, and so does its leave" {
  broker_start "$B"
  listen "$B" 'basewatch/availability'
  drive_on sink "$(mqtt_of "$B")" -n 0
  wait_until 10 has_heard '\|online$'
  kill -KILL "$DRIVER_PID"
  wait_until 10 has_heard '\|offline$'
  drive_end
  drive_on sink "$(mqtt_of "$B")" -n 0
  wait_until 10 has_heard '\|online$' 2
  kill -TERM "$DRIVER_PID"
  drive_end
  expect_status 0
  wait_until 10 has_heard '\|offline$' 2
  ears_stop
  rm -rf "$PEERS_DIR/ears"
  listen "$B" 'basewatch/availability'
  wait_until 10 has_heard .
  expect_same 'basewatch/availability|1|||offline' "$(heard)"
}

@test "sink: states are retained, in topics that nobody can break out of, and cleared when a build ends" {
  broker_start "$B"
  say "$B" basewatch/state/build/ended '{"old":1}' -r
  drive_on sink "$(mqtt_of "$B")" -n 1
  wait_until 10 grep -qs '^sent' "$LOG"
  listen "$B" 'basewatch/state/#'
  wait_until 10 has_heard . 3
  expect_same 'basewatch/state/base/%2B%23%2F%24%25%0A%FF:1|1|application/json||{"verdict":"stale"}
basewatch/state/base/docker.io%2Flibrary%2Fdebian:12|1|application/json||{"verdict":"stale"}
basewatch/state/build/shop%2Fweb|1|application/json||{"verdict":"stale"}' "$(heard | sort)"
  kill -USR1 "$DRIVER_PID"
  wait_until 10 has_heard 'shop%2Fweb\|0\|\|\|$'
  wait_until 10 has_heard 'debian:12\|0\|.*fresh'
  kill -TERM "$DRIVER_PID"
  drive_end
  expect_same $'rows 0\nrows 1\nrows 2' "$(grep ^rows <<<"$out")"
}

@test "sink: everything is published anew after a broker forgot it" {
  broker_start "$B"
  drive_on sink "$(mqtt_of "$B")" -n 1 -W 100 -i me -e 600
  wait_until 10 grep -qs '^sent' "$LOG"
  broker_kill "$B"
  wait_until 10 grep -qs '^down' "$LOG"
  broker_again "$B"
  wait_until 10 has_lines 2 '^rows 2$' "$LOG"
  listen "$B" 'basewatch/state/#'
  wait_until 10 has_heard . 3
  kill -TERM "$DRIVER_PID"
  drive_end
  expect_same 2 "$(grep -c '^rows 0' <<<"$out")"
}

@test "sink: events of a broker that is down go back with the time of the next attempt, and arrive when it is up" {
  broker_start "$B"
  local url
  url=$(mqtt_of "$B")
  broker_kill "$B"
  drive_on sink "$url" -n 20 -W 200
  wait_until 10 grep -qsE '^retry e19 after 1: .*Connection refused' "$LOG" || it_fail "no retry: $(<"$LOG")"
  broker_again "$B"
  wait_until 10 has_lines 20 '^sent' "$LOG"
  kill -TERM "$DRIVER_PID"
  drive_end
  expect_status 0
  expect_no_stall
}

@test "sink: who says that a build was rebuilt is heard, and who says nonsense is not" {
  broker_start "$B"
  local digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  local build=0123456789abcdef0123456789abcdef last=fedcba9876543210fedcba9876543210
  drive_on sink "$(mqtt_of "$B")" -n 0
  wait_until 10 grep -qs '^up' "$LOG"
  say "$B" basewatch/done '{"build": "'$build'", "digest": "'$digest'"}'
  wait_until 10 grep -qs '^digest' "$LOG"
  say "$B" basewatch/done 'not JSON'
  say "$B" basewatch/done '[]'
  say "$B" basewatch/done '{"build": "'$build'", "digest": "latest"}'
  say "$B" basewatch/done '{"build": "shop:web/Dockerfile", "digest": "'$digest'"}'
  say "$B" basewatch/done '{"build": 7, "digest": "'$digest'"}'
  head -c 5000 /dev/zero | tr '\0' x | mosquitto_pub -p "$(port_of "$B")" -q 1 -t basewatch/done -s
  say "$B" basewatch/done $'{"build": "\e[31m", "digest": "'$digest$'"}'
  say "$B" basewatch/done '{"build": "'$last'", "digest": "'$digest'"}'
  wait_until 10 grep -qs "^rebuilt $last" "$LOG"
  kill -TERM "$DRIVER_PID"
  drive_end
  expect_out "^rebuilt $build\$"
  expect_out "^digest $digest\$"
  expect_same 7 "$(grep -c '^complaint basewatch/done: ' <<<"$out")"
  expect_out '^complaint basewatch/done: 5000 bytes, at most 4096 are read$'
  expect_out '^complaint basewatch/done: its "build" is not the id of one: give data.build of an event \(32 hexadecimal digits\)$'
  expect_same 2 "$(grep -c '^rebuilt' <<<"$out")"
}
