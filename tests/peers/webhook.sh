# shellcheck shell=bash
# webhook.sh - starts receivers of webhooks. To be sourced behind registry.sh.
#
#   webhook_start NAME [--tls] [OPTION of webhook_receiver.py...]
#   webhook_control NAME '{"statuses": [503, 200]}'
#   webhook_log NAME                              what it got, one JSON object per line

webhook_start() {
  local name=$1 scheme=http dir port tls=()
  shift
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  if [[ ${1:-} == --tls ]]; then
    shift
    cert_make good || return 1
    scheme=https
    tls=(--tls-cert "$PEERS_DIR/certs/good.pem" --tls-key "$PEERS_DIR/certs/good.key")
  fi
  rm -f "$dir/control"
  peer_launch "$name" python3 -B "$PEERS_HOME/webhook_receiver.py" --control "$dir/control" --log "$dir/requests" \
    "${tls[@]}" "$@"
  port=$(peer_port "$name" "$dir/stdout" '.*"port": ([0-9]+).*') || return 1
  peer_is_at "$name" "$scheme" 127.0.0.1 "$port"
}

webhook_control() {
  printf '%s\n' "$2" >"$PEERS_DIR/$1/control.new"
  mv "$PEERS_DIR/$1/control.new" "$PEERS_DIR/$1/control"
}

webhook_log() { cat "$PEERS_DIR/$1/requests"; }
