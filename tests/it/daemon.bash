# shellcheck shell=bash
# daemon.bash - `basewatch run` for the end-to-end tests, with a broker and a webhook receiver that watch what it tells.
# To be loaded behind lib.bash.
#
#   setup_file() { daemon_peers_begin; }  teardown_file() { peers_end; }
#   setup() { it_begin; daemon_begin; }   teardown() { daemon_kill; it_end; }
#
#   REG, PLAIN            a registry with a password, which `conf` names, and one without, which it does not
#   push REG/NAME:TAG SEED
#   conf [SINK...] <<YAML   $IT/c.yaml: a database in $IT/var, registries, the sinks (default: broker hook), and the YAML
#   daemon_start [OPTION...]; daemon_end   in the background until SIGTERM; then $status and $out; its words are in $LOG
#   wait_said REGEX       until a line of the log matches
#   has_state REGEX       the last retained state that was heard and is not cleared, of any base or build
#   wait_told N           until both receivers have N different events
#   expect_told N         both have N events, each once, signed, as they are in the database and as the schema has them
#   kinds                 of the events in the database, in the order of their publishing
#   expect_no_secrets     none of them is in the database, the log, or any file that the daemon made

# shellcheck disable=SC2154,SC2034 # lib.bash sets status, out, err; the tests read what is set here
# shellcheck source=tests/peers/broker.sh
source "$IT_HOME/../peers/broker.sh"
# shellcheck source=tests/peers/git.sh
source "$IT_HOME/../peers/git.sh"
# shellcheck source=tests/peers/webhook.sh
source "$IT_HOME/../peers/webhook.sh"

DAEMON_SCHEMAS=$IT_HOME/../../config
# The longest wait for something that takes a second or two; sanitizers and a busy machine need more.
DAEMON_WAIT_S=${DAEMON_WAIT_S:-30}

# Each of them is looked for afterwards.
SECRET_REGISTRY=opensaysme
SECRET_BROKER=hunter2hunter2
SECRET_HEADER=knockthrice
SECRET_HOOK=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw

daemon_peers_begin() {
  peers_begin
  registry_start reg --user "bot:$SECRET_REGISTRY"
  registry_start plain
  broker_start broker --user "bw:$SECRET_BROKER"
  webhook_start hook --secret "$SECRET_HOOK"
  mkdir "$PEERS_DIR/repositories"
  PEERS_GIT=$PEERS_DIR/repositories
  git_http_start http
}

# Each test has images, repositories, topics and paths of its own: N tells them apart.
daemon_begin() {
  N=n$BATS_TEST_NUMBER
  REG=$(host_of reg)/$N
  PLAIN=$(host_of plain)/$N
  PEERS_GIT=$PEERS_DIR/repositories
  GIT_URL=$(url_of http)/$N.git
  BW_DB=$IT/var/basewatch.db
  HOME=$IT/home
  GIT_CONFIG_GLOBAL=/dev/null
  export PEERS_GIT HOME GIT_CONFIG_GLOBAL
  webhook_control hook '{}'
  mkdir -m 700 "$IT/secrets" "$IT/var"
  printf '%s\n' "$SECRET_REGISTRY" >"$IT/secrets/registry"
  printf '%s\n' "$SECRET_BROKER" >"$IT/secrets/broker"
  printf 'Bearer %s\n' "$SECRET_HEADER" >"$IT/secrets/header"
  printf '%s\n' "$SECRET_HOOK" >"$IT/secrets/hook"
  chmod 600 "$IT"/secrets/*
}

push() {
  local user=()
  if [[ $1 == "$REG"/* ]]; then user=(--user "bot:$SECRET_REGISTRY"); fi
  image push "$1" --seed "$2" "${user[@]}" | jq -r .digest
}

# The same registry at the same port. It ends with the test that has called it.
registry_again() {
  local dir=$PEERS_DIR/$1 port
  port=$(port_of "$1")
  sed -i "s/^\\( *addr: \\).*/\\1\"127.0.0.1:$port\"/" "$dir/config.yml"
  peer_launch "$1" env -i "PATH=$PATH" "HOME=$dir" docker-registry serve "$dir/config.yml"
  peer_port "$1" "$dir/stderr" '.*listening on .*:([0-9]+)[",].*' >/dev/null
}

# --- the configuration --------------------------------------------------------------------------------------------

sink_broker() {
  printf '  broker: {type: mqtt, url: "%s", username: bw, password: {file: secrets/broker}, prefix: %s}\n' \
    "$(mqtt_of broker)" "$N"
}
# hook_at NAME PATH: a webhook whose events are told apart by their path.
hook_at() {
  printf '  %s: {type: webhook, url: "%s/%s", secrets: [{file: secrets/hook}], headers: {Authorization: {file: secrets/header}}}\n' \
    "$1" "$(url_of hook)" "$2"
}
sink_hook() { hook_at hook "$N"; }
sink_other() { hook_at other "$N-other"; }
sink_dead() { printf '  dead: {type: mqtt, url: "mqtt://127.0.0.1:%s"}\n' "$DEAD_PORT"; }

# In the place of the old one at once, as an editor does it.
conf() {
  local sink
  if (($# == 0)); then set -- broker hook; fi
  {
    printf 'instance: farm\nstate: %s/var\nsinks:\n' "$IT"
    for sink in "$@"; do "sink_$sink"; done
    cat
  } >"$IT/c.new"
  # What a test says of them comes first.
  grep -q '^poll:' "$IT/c.new" || echo 'poll: {every: 1s, jitter: 0%, unreachable-after: 2}' >>"$IT/c.new"
  grep -q '^registries:' "$IT/c.new" ||
    echo "registries: {\"$(host_of reg)\": {username: bot, password: {file: secrets/registry}}}" >>"$IT/c.new"
  mv "$IT/c.new" "$IT/c.yaml"
}

# --- the daemon ---------------------------------------------------------------------------------------------------

daemon_start() {
  background "$BASEWATCH" run --config "$IT/c.yaml" --allow-root "$@"
  wait_said 'watching [0-9]+ base'
}

daemon_end() {
  kill -TERM "$BACKGROUND_PID"
  background_end
  expect_status 0
}

daemon_kill() {
  if [[ -n ${BACKGROUND_PID:-} ]]; then kill -CONT "$BACKGROUND_PID" 2>/dev/null || :; fi
  if [[ -z ${BATS_TEST_COMPLETED:-} && -s ${LOG:-} ]]; then tail -n 40 "$LOG" >&2; fi
  background_kill
  ears_stop
  rm -rf "${PEERS_DIR:?}/ears"
}

reload() {
  local before
  before=$(said_count "${1:-the configuration was read again}")
  kill -HUP "$BACKGROUND_PID"
  wait_until "$DAEMON_WAIT_S" said_more "$before" "${1:-the configuration was read again}" ||
    it_fail "it does not say: ${1:-}"$'\n'"$(tail -n 20 "$LOG")"
}

said_count() { grep -cE -- "$1" "$LOG" || :; }
said_more() { (($(said_count "$2") > $1)); }
wait_said() { wait_until "$DAEMON_WAIT_S" grep -qE -- "$1" "$LOG" || it_fail "it does not say: $1"$'\n'"$(tail -n 40 "$LOG")"; }
expect_said() { expect_same "$1 times: $2" "$(said_count "$2") times: $2"; }

# --- what the receivers have --------------------------------------------------------------------------------------

# Subscribes to all of this test's topics, as `listen` of broker.sh; `heard` prints what came.
ears() {
  peer_dir ears
  peer_launch ears stdbuf -oL mosquitto_sub -d -V 5 -q 1 -p "$(port_of broker)" -u bw -P "$SECRET_BROKER" -t "$N/#" \
    -F '%t|%r|%C|%P|%p'
  wait_until 10 grep -qs '^Subscribed' "$PEERS_DIR/ears/stdout"
}
say_done() { say broker "$N/done" "$1" -u bw -P "$SECRET_BROKER"; }

heard_events() { heard | grep -a "^$N/events/" | sed 's/^[^{]*//' || :; }
# hooked [PATH]: the requests that came to it.
hooked() { webhook_log hook | jq -c --arg p "/${1:-$N}" 'select(.path == $p)'; }
hooked_ids() { hooked "${1:-$N}" | jq -r .id | sort; }

# The last payload of each topic below state/.
states() { heard | grep -a "^$N/state/" | awk -F'|' '{ x = $0; sub(/^[^{]*/, "", x); last[$1] = x } END { for (t in last) print last[t] }'; }
has_state() { states | grep -qE -- "$1"; }
wait_state() { wait_until "$DAEMON_WAIT_S" has_state "$1" || it_fail "no state matches: $1"$'\n'"$(states)"; }
# has_states N REGEX: exactly N match.
has_states() { (($(states | grep -cE -- "$2") == $1)); }
wait_states() { wait_until "$DAEMON_WAIT_S" has_states "$@" || it_fail "not $1 states match: $2"$'\n'"$(states)"; }
# The word at the broker, as somebody hears it who comes now.
availability() { mosquitto_sub -p "$(port_of broker)" -u bw -P "$SECRET_BROKER" -t "$N/availability" -C 1 -W 5; }
is_availability() { [[ $(availability) == "$1" ]]; }
wait_availability() { wait_until "$DAEMON_WAIT_S" is_availability "$1" || it_fail "availability is not $1"; }

has_told() {
  (($(heard_events | jq -r .id | sort -u | wc -l) >= $1 && $(hooked_ids "$N" | sort -u | wc -l) >= $1))
}
wait_told() { wait_until "$DAEMON_WAIT_S" has_told "$1" || it_fail "not $1 events: $(heard_events)"$'\n'"$(hooked)"; }

kinds() {
  bw events --format json
  jq -r '.events | map(.type | ltrimstr("io.basewatch.") | sub("rebuild.requested"; "request") | sub("base."; "")) | join(" ")' <<<"$out"
}

# The Nth last event as JSON in $out.
event() {
  bw events --format json
  bw events show "$(json ".events[-$1].id")"
}

expect_told() {
  local ids
  wait_told "$1" || return 1
  bw events --format json
  expect_json '.events | length' "$1" || return 1
  expect_json '[.events[].deliveries[] | select(.state != "sent")]' '[]' || return 1
  ids=$(jq -r '.events[].id' <<<"$out" | sort)
  expect_same "$ids" "$(heard_events | jq -r .id | sort)" || return 1
  expect_same "$ids" "$(hooked_ids "$N")" || return 1
  expect_same "[[[1],[],\"Bearer $SECRET_HEADER\"]]" \
    "$(hooked | jq -sc 'map([.verified, .problems, .headers.Authorization]) | unique')" || return 1
  expect_bytes
}

# What a subscriber gets is, byte for byte, what `events show` has, and what the schema describes.
expect_bytes() {
  local id
  rm -rf "$IT/told" && mkdir "$IT/told"
  heard_events | split -a 4 -l 1 - "$IT/told/"
  python3 "$IT_HOME/../validate_json.py" "$DAEMON_SCHEMAS/basewatch-event.schema.json" "$IT"/told/* >&2 ||
    it_fail "not as the schema has it" || return 1
  id=$(jq -r .id "$IT/told/aaaa")
  bw events show "$id"
  cmp "$OUT" "$IT/told/aaaa" >&2 || it_fail "not the bytes that were stored"
}

expect_valid_states() {
  rm -rf "$IT/kept" && mkdir "$IT/kept"
  states | grep . | split -a 4 -l 1 - "$IT/kept/"
  python3 "$IT_HOME/../validate_json.py" "$DAEMON_SCHEMAS/basewatch-state.schema.json" "$IT"/kept/* >&2 ||
    it_fail "not as the schema has it"
}

expect_no_secrets() {
  local found
  found=$(grep -rlaE "$SECRET_REGISTRY|$SECRET_BROKER|$SECRET_HEADER|${SECRET_HOOK#whsec_}" "$IT" --exclude-dir=secrets --exclude-dir=told) || :
  expect_same "" "$found"
  bw events --format json
  expect_no_text "$SECRET_HEADER"
}
