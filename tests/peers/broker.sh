# shellcheck shell=bash
# broker.sh - MQTT brokers for the tests: the real mosquitto, and one that says what a test wants. To be sourced after
# registry.sh, whose peers_begin, peers_end, peer_stop, peer_pause and cert_make it uses.
#
#   broker_start NAME [--cert KIND] [--client-ca] [--user NAME:PASSWORD] [LINE...]   LINE: of mosquitto.conf
#   broker_kill NAME; broker_again NAME       kill -9; the same broker at the same port, which remembers nothing
#   fake_broker_start NAME [OPTION...]        fake_broker.py
#   mqtt_of NAME                              mqtt://127.0.0.1:PORT, or mqtts://
#   listen NAME TOPIC...                      mosquitto_sub in the background; `heard` prints what it got, one per line
#   say NAME TOPIC TEXT [OPTION...]           mosquitto_pub

mqtt_of() { cat "$PEERS_DIR/$1/url"; }
port_of() { sed 's/.*://' "$PEERS_DIR/$1/host"; }

# mosquitto cannot ask the kernel for a port; one that was free a moment ago is nearly always free still.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

broker_config() {
  local dir=$1 port=$2 line
  shift 2
  printf 'user %s\nlistener %s 127.0.0.1\nlog_dest stderr\nlog_type all\nconnection_messages true\n' "$(id -un)" "$port"
  # By default it drops messages for a slow subscriber.
  printf 'max_queued_messages 0\nmax_inflight_messages 0\n'
  for line in "$@"; do printf '%s\n' "$line"; done
}

# broker_start NAME [--cert KIND] [--client-ca] [--user NAME:PASSWORD] [LINE...]
broker_start() {
  local name=$1 scheme=mqtt user='' dir port attempt lines=()
  shift
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  while [[ ${1:-} == --* ]]; do
    case $1 in
      --cert)
        cert_make "$2" || return 1
        scheme=mqtts
        lines+=("certfile $PEERS_DIR/certs/$2.pem" "keyfile $PEERS_DIR/certs/$2.key")
        shift
        ;;
      --client-ca) lines+=("cafile $PEERS_CA" 'require_certificate true') ;;
      --user) user=$2 && shift ;;
      *) peers_fail "broker_start: $1?" || return 1 ;;
    esac
    shift
  done
  if [[ -n $user ]]; then
    mosquitto_passwd -c -b "$dir/passwords" "${user%%:*}" "${user#*:}" 2>"$dir/stderr" || return 1
    lines+=("password_file $dir/passwords" 'allow_anonymous false')
  else
    lines+=('allow_anonymous true')
  fi
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    broker_config "$dir" "$port" "${lines[@]}" "$@" >"$dir/mosquitto.conf"
    peer_is_at "$name" "$scheme" 127.0.0.1 "$port"
    if broker_again "$name"; then return 0; fi
  done
  cat "$dir/stderr" >&2
  peers_fail "$name did not start in $attempt attempts"
}

broker_again() {
  peer_launch "$1" mosquitto -c "$PEERS_DIR/$1/mosquitto.conf"
  peer_port "$1" "$PEERS_DIR/$1/stderr" '.*mosquitto version ([0-9])[0-9.]* running' >/dev/null
}

broker_kill() {
  local pid
  pid=$(<"$PEERS_DIR/$1/pid")
  rm -f "$PEERS_DIR/$1/pid"
  kill -KILL "$pid"
  wait_until 5 peer_is_gone "$pid"
}

# fake_broker_start NAME [--cert KIND] [OPTION of fake_broker.py...]
fake_broker_start() {
  local name=$1 scheme=mqtt port tls=()
  shift
  peer_dir "$name" || return 1
  if [[ ${1:-} == --cert ]]; then
    cert_make "$2" || return 1
    scheme=mqtts
    tls=(--cert "$PEERS_DIR/certs/$2.pem" --key "$PEERS_DIR/certs/$2.key")
    shift 2
  fi
  peer_launch "$name" python3 -u -B "$PEERS_HOME/fake_broker.py" "${tls[@]}" "$@"
  port=$(peer_port "$name" "$PEERS_DIR/$name/stdout" 'port ([0-9]+)') || return 1
  peer_is_at "$name" "$scheme" 127.0.0.1 "$port"
}

# listen NAME TOPIC...: topic, retained, content type, user properties, payload. Returns when it is subscribed.
listen() {
  local name=$1 topic args=()
  shift
  for topic in "$@"; do args+=(-t "$topic"); done
  peer_dir ears || return 1
  peer_launch ears stdbuf -oL mosquitto_sub -d -V 5 -q 1 -p "$(port_of "$name")" "${args[@]}" -F '%t|%r|%C|%P|%p'
  wait_until 10 grep -qs '^Subscribed' "$PEERS_DIR/ears/stdout" || peers_fail "mosquitto_sub did not subscribe"
}

# With -d it talks about itself, too.
heard() { grep -aE '^[^ ]*\|[01]\|' "$PEERS_DIR/ears/stdout" || :; }
heard_count() { heard | grep -caE -- "$1" || :; }
has_heard() { (($(heard_count "$1") >= ${2:-1})); }
ears_stop() { peer_stop ears; }

say() { mosquitto_pub -p "$(port_of "$1")" -q 1 -t "$2" -m "$3" "${@:4}"; }
