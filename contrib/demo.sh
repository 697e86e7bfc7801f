#!/bin/bash
# demo.sh - shows what basewatch does, on a registry of its own: what `make run` runs.
#
#   contrib/demo.sh PROGRAM [verdicts | daemon]     both without the second word
#
# It starts a docker-registry on a free port of 127.0.0.1, pushes small crafted images for the build files in
# config/examples/, checks them, moves some tags and checks again. Then it starts an MQTT broker and the daemon, moves
# one more tag, and shows the event arrive and a rebuild answer it. Nothing is pulled, no account is needed, and
# nothing is left behind. It runs from the source tree, with the peers of the tests; it is not installed.
# The exit status says whether the program did its work, whatever the verdicts.
set -euo pipefail

PART=${2-}
if (($# < 1 || $# > 2)) || [[ ! -x $1 || ! $PART =~ ^(verdicts|daemon)?$ ]]; then
  echo "usage: demo.sh PROGRAM [verdicts | daemon]" >&2
  exit 64
fi
SHOWN=$1
PROGRAM=$(realpath "$1")
PATH=$PATH:/usr/sbin # where mosquitto is
cd "$(dirname "$0")/.."
# shellcheck source=tests/peers/registry.sh
source tests/peers/registry.sh
# shellcheck source=tests/peers/broker.sh
source tests/peers/broker.sh

DEBIAN=debian:12-slim
NGINX=nginx:1.27-alpine
NODE=node:22-bookworm-slim
RUBY=ruby:3.1-slim-bullseye
IMAGES=("$NODE" "$NGINX" golang:1.23-bookworm "$DEBIAN" python:3.12-slim "$RUBY")

tell() {
  echo
  printf '%s\n' "$@"
}

# publish IMAGE NUMBER [OPTION...]: its publisher's first or second build, for two platforms, with an attestation for
# each, which says when and how it was built.
publish() {
  image push "$REGISTRY/library/$1" --kind index --platform linux/amd64,linux/arm64 \
    --seed "$1, first build" --attest "$1, $2 build" "${@:3}" >/dev/null
}

# Without the user's own credentials and proxies.
CLEAN=(env -u DOCKER_CONFIG -u REGISTRY_AUTH_FILE -u STATE_DIRECTORY -u http_proxy -u https_proxy -u HTTPS_PROXY
  -u all_proxy -u ALL_PROXY)

show() {
  printf '\n$ %s' "$SHOWN"
  printf ' %s' "$@"
  printf '\n'
}

# watch LIMIT VERB...: shows the command, then runs it. Fails when the exit status is above LIMIT, and so no verdict.
watch() {
  local limit=$1 status=0
  shift
  show "$@"
  "${CLEAN[@]}" HOME="$PEERS_DIR" "$PROGRAM" "$@" || status=$?
  if ((status > limit)); then
    echo "demo: this ended with status $status" >&2
    exit 1
  fi
  if ((status > 0)); then echo "(exit status $status)"; fi
}

# --- the main job -------------------------------------------------------------------------------------------------

show_verdicts() {
  local name
  for name in "${IMAGES[@]}"; do publish "$name" first; done
  publish "$NODE" first --layers 5

  tell "A registry now listens on $REGISTRY, with ${#IMAGES[@]} small images in it." \
    "In config/examples/ five build files stand on them. Which bases do they name?"
  watch 0 scan config/examples --build-arg "REGISTRY=$REGISTRY"

  tell "What does each base point to now? This is the first time that we ask, so there is nothing to compare with yet," \
    "except for the pin in api/Dockerfile. What we see is remembered in the database."
  watch 2 check config/examples --build-arg "REGISTRY=$REGISTRY" --db "$PEERS_DIR/basewatch.db"

  publish "$NODE" second --layers 5 --layer-seed "1=a security fix" --layer-seed "4=node 22.1"
  publish "$DEBIAN" second --seed "$DEBIAN, second build"
  publish "$NGINX" second
  image delete "$REGISTRY/library/$RUBY" >/dev/null

  tell "Meanwhile the publishers were busy. $NODE and $DEBIAN have new content under the same" \
    "tags, and $RUBY was deleted. The digest of $NGINX moved, too, but only because" \
    "its build left another attestation: nobody has to build again for that. Nobody told us. We ask again; the exit" \
    "status now makes a CI job notice."
  watch 2 check config/examples --build-arg "REGISTRY=$REGISTRY" --db "$PEERS_DIR/basewatch.db"

  tell "The api is pinned, so building it again would change nothing. This patch for \`git apply\` moves the pin. What" \
    "cannot be edited safely is left as it is, with the reason."
  watch 2 pin config/examples/api --build-arg "REGISTRY=$REGISTRY"

  tell "The web application has been built again and is deployed. We say so:"
  watch 0 "done" config/examples/web --db "$PEERS_DIR/basewatch.db"

  tell "The report comes from the database alone, without a question to any registry. The web application is fresh;" \
    "the pin of the api has to be moved by somebody, and the reports need another base."
  watch 2 report config/examples --db "$PEERS_DIR/basewatch.db"

  tell "How did these bases move?"
  watch 0 history "$REGISTRY/library/$NODE" --db "$PEERS_DIR/basewatch.db"
  watch 0 history "$REGISTRY/library/$NGINX" --db "$PEERS_DIR/basewatch.db"
}

# --- the daemon ---------------------------------------------------------------------------------------------------

# wait_for WHAT COMMAND...: until the command succeeds; a daemon that has ended makes that useless.
wait_for() {
  local what=$1
  shift
  if wait_until 20 is_there_or_over "$@" && "$@"; then return 0; fi
  sed 's/^/  /' "$PEERS_DIR/daemon/stderr" >&2
  if peer_is_gone "$DAEMON"; then what="$what, and the daemon has ended"; fi
  echo "demo: this did not come: $what" >&2
  exit 1
}
is_there_or_over() { "$@" || peer_is_gone "$DAEMON"; }

# What a listener heard on topics that begin so, each payload on a line.
payloads() { heard | grep -a "^$1" | cut -d'|' -f5- || :; }
has_payload() { [[ -n $(payloads "$1") ]]; }
states() { payloads basewatch/state/build/ | jq -r .state | grep -v unknown | uniq; }
state_is() { [[ $(states | tail -n 1) == "$1" ]]; }
is_rebuilt() { grep -q "$DONE" "$PEERS_DIR/daemon/stderr" && state_is ok; }

configure() {
  cat >"$CONF" <<YAML
state: $PEERS_DIR/state
sources:
  - {path: $PWD/config/examples, name: shop, include: [web/Dockerfile]}
builds:
  - source: shop
    file: web/Dockerfile
    args: {REGISTRY: "$REGISTRY"}
    image: registry.example.org/shop/web
poll: {every: 1s}
sinks:
  broker: {type: mqtt, url: "$(mqtt_of broker)"}
YAML
}

start_daemon() {
  local options=(run --config "$CONF")
  if [[ $(id -u) == 0 ]]; then options+=(--allow-root); fi
  show "${options[@]}"
  peer_dir daemon
  peer_launch daemon "${CLEAN[@]}" HOME="$PEERS_DIR" "$PROGRAM" "${options[@]}"
  DAEMON=$(<"$PEERS_DIR/daemon/pid")
  wait_for "the first state at the broker" state_is ok
}

# start_job TEXT: in a group of its own, because it is more than one process.
start_job() {
  set -m
  bash -c "$1" >"$PEERS_DIR/job" 2>&1 </dev/null 3>&- &
  JOB=$!
  set +m
  wait_until 10 grep -qF "$REQUESTED (QoS 1)" "$PEERS_DIR/broker/stderr"
}

end_all() {
  if [[ -n $JOB ]]; then kill -- "-$JOB" 2>/dev/null || :; fi
  peers_end
}

is_missing() {
  local command missing=()
  for command in mosquitto mosquitto_sub jq; do
    command -v "$command" >/dev/null || missing+=("$command")
  done
  if ((${#missing[@]} == 0)); then return 1; fi
  tell "The part with the daemon is left out, because this is missing: ${missing[*]}." \
    "'contrib/deps.sh install run' installs it."
}

show_daemon() {
  local job
  broker_start broker || exit 1
  configure
  publish "$NODE" first --layers 5
  publish "$NGINX" first

  tell "All of that was asked for by hand. The daemon keeps watching by itself, and tells others. It needs a" \
    "configuration: what to watch, and where events go. Here an MQTT broker listens on $(host_of broker)."
  printf '\n$ cat %s\n' "$CONF"
  cat "$CONF"
  watch 0 config check --config "$CONF"

  listen broker 'basewatch/#' || exit 1
  start_daemon

  job="mosquitto_sub -p $(port_of broker) -q 1 -C 1 -W 60 -t $REQUESTED |
  while read -r event; do
    jq -r '\"docker build --pull -t \\(.data.image) -f \\(.data.file) .\"' <<<\"\$event\"
    jq -c '{event: .id}' <<<\"\$event\" | mosquitto_pub -p $(port_of broker) -q 1 -t basewatch/done -s
  done"
  tell "A CI job may wait for requests to rebuild, and answer when it has done so. This one only says what it would run:"
  printf '\n$ %s\n' "$job"
  start_job "$job"

  publish "$NODE" second --layers 5 --layer-seed "1=a security fix" --layer-seed "4=node 22.1"
  tell "Now the publisher of $NODE pushes new content. The daemon sees it about a second later, and this" \
    "arrives at everybody who listens (in full it is a CloudEvent on one line):"
  wait_for "a request to rebuild" has_payload "$REQUESTED"
  echo
  payloads "$REQUESTED" | jq -r '
    "  topic    basewatch/events/\(.type)",
    "  subject  \(.subject)",
    "  file     \(.data.file)",
    (.data.bases[] |
      "  base     \(.base)",
      "           \(.from[:19]) -> \(.to[:19])",
      "           \(.class): \(.moved)")'

  wait_for "the end of the job" peer_is_gone "$JOB"
  wait_for "the state after the rebuild" is_rebuilt
  tell "The job said:"
  echo
  sed 's/^/  /' "$PEERS_DIR/job"
  tell "The daemon has taken its answer. The broker keeps the state of each build for whoever comes later. That of the" \
    "web application was $(states | paste -sd, | sed 's/,/, then /g'). The report agrees:"
  watch 0 report --config "$CONF"

  kill "$DAEMON"
  wait_until 10 peer_is_gone "$DAEMON" || :
  tell "This is what the daemon said, from its start until it was told to end:"
  echo
  sed -E 's/^/  /; s/(sha256:[0-9a-f]{12})[0-9a-f]{52}/\1/g' "$PEERS_DIR/daemon/stderr"
}

# --- the whole ----------------------------------------------------------------------------------------------------

JOB=
DONE='rebuilt: 1 of its bases closed'
REQUESTED=basewatch/events/io.basewatch.rebuild.requested
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
peers_begin
CONF=$PEERS_DIR/basewatch.yaml
registry_start registry || exit 1
REGISTRY=$(host_of registry)
if [[ $PART != daemon ]]; then show_verdicts; fi
if [[ $PART != verdicts ]] && ! is_missing; then show_daemon; fi

tell "That was all; everything that was started is gone again. For your own build files: make run DIR=path"
