#!/usr/bin/env bats
# contrib/recipes: what people copy does what it says, with stand-ins for docker and for the CI.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
# shellcheck source=tests/peers/broker.sh
source "$BATS_TEST_DIRNAME/../peers/broker.sh"

RECIPES=$BATS_TEST_DIRNAME/../../contrib/recipes

setup_file() {
  peers_begin
  registry_start reg
}
teardown_file() { peers_end; }

setup() {
  it_begin
  JOB=
  IMAGE=$(host_of reg)/lib/base:$BATS_TEST_NUMBER
  image push "$IMAGE" --seed A >/dev/null
  file src/web/Dockerfile <<<"FROM $IMAGE"
  file conf.yaml <<CONF
state: $IT/var
sources: [{path: src, name: shop}]
builds: [{source: shop, file: web/Dockerfile, image: "registry.example.org/web:1", labels: {team: web}}]
poll: {every: 1s}
CONF
}

teardown() {
  background_kill
  if [[ -n $JOB ]]; then kill -- "-$JOB" 2>/dev/null || :; fi
  it_end
}

# start COMMAND...: in a group of its own, as it may be more than one process; it says things in $IT/job.
start() {
  set -m
  "$@" >"$IT/job" 2>&1 </dev/null 3>&- &
  JOB=$!
  set +m
}

@test "a rebuild that is asked for over MQTT is built, pushed and answered" {
  broker_start "broker$BATS_TEST_NUMBER"
  local broker=broker$BATS_TEST_NUMBER
  echo "sinks: {broker: {type: mqtt, url: \"$(mqtt_of "$broker")\"}}" >>"$IT/conf.yaml"
  mkdir "$IT/folders"
  ln -s "$IT/src" "$IT/folders/shop"
  # shellcheck disable=SC2016 # for the stand-in
  file bin/docker <<<'#!/bin/sh
echo "docker $* in $PWD"; cat'
  chmod 755 "$IT/bin/docker"
  mkdir "$IT/tmp"
  start env TMPDIR="$IT/tmp" PATH="$IT/bin:$PATH" "$RECIPES/rebuild-on-mqtt.sh" "$IT/folders" -p "$(port_of "$broker")"
  wait_for_line 20 "$PEERS_DIR/$broker/stderr" 'events/io.basewatch.rebuild.requested \(QoS 1\)'

  background "$BASEWATCH" run --allow-root --config "$IT/conf.yaml"
  wait_for_line 30 "$LOG" 'watching 1 base of 1 build file'
  image push "$IMAGE" --seed B >/dev/null
  wait_for_line 30 "$LOG" 'rebuilt: 1 of its bases closed'
  bw report --config "$IT/conf.yaml"
  expect_status 0
  expect_out '^1 base: 1 fresh\.'
  expect_same "rebuilding shop:web/Dockerfile
docker build --pull --tag registry.example.org/web:1 --file web/Dockerfile -- web in $IT/folders/shop
docker push registry.example.org/web:1 in $IT/folders/shop" "$(<"$IT/job")"
  wait_until 10 rmdir "$IT/tmp" || it_fail "it leaves something behind"
}

# ci NAME: takes any POST on a port of its own and writes the path, what proves who asks, and the body down.
ci() {
  peer_dir "$1"
  peer_launch "$1" python3 -u -c '
import http.server, urllib.parse
class Ci(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(self.path, self.headers["Authorization"], urllib.parse.unquote_plus(body))
        self.send_response(204)
        self.end_headers()
s = http.server.HTTPServer(("127.0.0.1", 0), Ci)
print("port", s.server_port)
s.serve_forever()'
  peer_is_at "$1" http 127.0.0.1 "$(peer_port "$1" "$PEERS_DIR/$1/stdout" 'port ([0-9]+)')"
}

# receive PROJECT [NAME=VALUE...]
receive() {
  RECEIVER_PORT=$(free_port)
  echo "whsec_$(openssl rand -base64 32)" >"$IT/hook"
  echo "glptt-sesame" >"$IT/token"
  chmod 600 "$IT/hook" "$IT/token"
  cat >>"$IT/conf.yaml" <<CONF
sinks:
  ci:
    type: webhook
    url: "http://127.0.0.1:$RECEIVER_PORT/"
    events: [rebuild.requested]
    secrets: [{file: hook}]
CONF
  start env PORT="$RECEIVER_PORT" SECRET_FILE="$IT/hook" TOKEN_FILE="$IT/token" "${@:2}" "$RECIPES/webhook-to-ci.py" "$1"
  wait_until 20 curl -s -o "$IT/answer" "http://127.0.0.1:$RECEIVER_PORT/"
}

move_and_run() {
  bw run --once --config "$IT/conf.yaml"
  expect_status 0
  DIGEST=$(image push "$IMAGE" --seed B | jq -r .digest)
  bw run --once --config "$IT/conf.yaml"
  expect_status 1
  bw events --config "$IT/conf.yaml" --format json
  ID=$(json '.events[] | select(.type | endswith("requested")) | .id')
}

@test "a webhook starts a pipeline of GitLab with what has to be rebuilt" {
  ci gitlab
  receive 1234 GITLAB="$(url_of gitlab)"
  bw sink test ci --config "$IT/conf.yaml"
  expect_status 0
  move_and_run
  expect_same "/api/v4/projects/1234/trigger/pipeline None variables[BASEWATCH_EVENT]=$ID&variables[BASEWATCH_FILE]=web/Dockerfile&variables[BASEWATCH_IMAGE]=registry.example.org/web:1&variables[BASEWATCH_TARGET]=&variables[BASEWATCH_BASES]=$IMAGE@$DIGEST&token=glptt-sesame&ref=main" \
    "$(grep -v ^port "$PEERS_DIR/gitlab/stdout")"
  # Nobody else starts one.
  expect_same "not signed with our secret 401" "$(curl -s -w ' %{http_code}' -d '{}' "http://127.0.0.1:$RECEIVER_PORT/")"
}

@test "a webhook starts a workflow of GitHub" {
  ci github
  receive acme/shop GITHUB="$(url_of github)"
  move_and_run
  expect_same "/repos/acme/shop/dispatches Bearer glptt-sesame" "$(grep -v ^port "$PEERS_DIR/github/stdout" | cut -d' ' -f1-3)"
  out=$(grep -v ^port "$PEERS_DIR/github/stdout" | cut -d' ' -f4-)
  expect_json . "{\"event_type\":\"rebuild\",\"client_payload\":{\"event\":\"$ID\",\"file\":\"web/Dockerfile\",\"image\":\"registry.example.org/web:1\",\"target\":\"\",\"bases\":\"$IMAGE@$DIGEST\",\"branch\":\"main\"}}"

  # The pipeline cannot be started: then the event is kept and tried again.
  peer_stop github
  bw events replay "$ID" --config "$IT/conf.yaml"
  bw run --once --config "$IT/conf.yaml"
  expect_err 'sink ci: .*the pipeline was not started'
  bw events --config "$IT/conf.yaml"
  expect_out 'ci  due .* the pipeline was not started'
}
