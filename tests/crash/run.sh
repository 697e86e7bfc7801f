#!/usr/bin/env bash
# run.sh [check] [deliver] - kills basewatch at random moments, against a real registry whose tags move, and looks whether
# anything was lost: `check`, and the daemon beside brokers and a receiver of webhooks. Without a name both.
# CRASH_RUNS (20) and CRASH_SEED (random, printed) are yours; BASEWATCH is the program.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/peers/registry.sh
source "$HERE/../peers/registry.sh"
# shellcheck source=tests/peers/broker.sh
source "$HERE/../peers/broker.sh"
# shellcheck source=tests/peers/webhook.sh
source "$HERE/../peers/webhook.sh"

crash() {
  local name=$1 folder=$PEERS_DIR/work-$1
  shift
  mkdir "$folder"
  PYTHONPATH=$HERE/../peers python3 -B "$HERE/$name.py" --program "${BASEWATCH:-$HERE/../../build/basewatch}" \
    --folder "$folder" --runs "${CRASH_RUNS:-20}" --seed "${CRASH_SEED:-$RANDOM$RANDOM}" "$@" || {
    if [[ -e $folder/daemon.log ]]; then tail -n 40 "$folder/daemon.log" >&2; fi
    return 1
  }
}

crash_check() {
  registry_start checked --no-access-log
  crash crash --registry "$(host_of checked)"
}

# The subscriber has a session of its own, so that nothing passes it by.
crash_deliver() {
  registry_start watched --no-access-log
  broker_start steady
  broker_start mortal # the driver starts and kills it from here on
  broker_kill mortal
  webhook_start hook
  touch "$PEERS_DIR/hook/requests"
  peer_dir ears
  peer_launch ears stdbuf -oL mosquitto_sub -d -q 1 -c -i ears -p "$(port_of steady)" -t 'basewatch/events/#' -F '%t|%p'
  wait_until 10 grep -qs '^Subscribed' "$PEERS_DIR/ears/stdout"
  crash deliver --registry "$(host_of watched)" --steady "$(mqtt_of steady)" --mortal "$(mqtt_of mortal)" \
    --mortal-folder "$PEERS_DIR/mortal" --hook "$(url_of hook)/hook" --hook-log "$PEERS_DIR/hook/requests" \
    --heard "$PEERS_DIR/ears/stdout"
}

peers_begin
trap peers_end EXIT
if (($# == 0)); then set -- check deliver; fi
for name; do "crash_$name"; done
