# shellcheck shell=bash
# registry.sh - starts and stops the registries that the tests and the demo talk to. To be sourced.
#
#   peers_begin                                   a private folder for all that follows, in $PEERS_DIR
#   registry_start plain                          a real docker-registry on 127.0.0.1, plain HTTP
#   registry_start safe --tls                     the same over TLS with HTTP/2; the CA is "$PEERS_CA"
#   registry_start shut --user bot:sesame         asks for a password (Basic)
#   token_server_start tokens --user bot:sesame --anonymous 'public/*'
#   registry_start guarded --token tokens         asks for a token of that server
#   fake_start bad [--tls] [OPTION...] <<'SCRIPT' a fake that answers as the script says (fake_script.py)
#   fake_script bad <<'SCRIPT'                    another script for it, from its next request on
#   host_of NAME; url_of NAME                     127.0.0.1:PORT; http(s)://127.0.0.1:PORT
#   image push "$(host_of plain)/app:1" --seed A  image.py; with --cacert "$PEERS_CA" for TLS
#   requests NAME [METHOD [PATH]]                 how many requests it got; PATH is an extended regular expression
#   peer_stop NAME; peers_end                     peers_end stops all and removes the folder
#
# Call the *_start functions directly, not in $(...): a peer dies with the shell that started it, whatever happens.
# Ports come from the kernel. Logs are in $PEERS_DIR/NAME/; peers_show_logs shows the
# ends of them.

PEERS_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PEERS_DEADLINE_S=${PEERS_DEADLINE_S:-20}

peers_fail() {
  printf 'peers: %s\n' "$*" >&2
  return 1
}

# wait_until SECONDS COMMAND...: runs the command again and again until it succeeds; fails when the time is over.
wait_until() {
  local end=$((SECONDS + $1 + 1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.01
  done
}

peers_begin() {
  PEERS_DIR=$(mktemp -d "${TMPDIR:-/tmp}/basewatch-peers.XXXXXX") || return 1
  chmod 755 "$PEERS_DIR" # the commands that run as another user read the CA in it
  PEERS_CA=$PEERS_DIR/certs/ca.pem
  export PEERS_DIR PEERS_CA
}

peers_end() {
  local dir
  [[ -n ${PEERS_DIR:-} && -d $PEERS_DIR ]] || return 0
  for dir in "$PEERS_DIR"/*/; do
    peer_stop "$(basename "$dir")"
  done
  rm -rf "$PEERS_DIR"
  unset PEERS_DIR PEERS_CA
}

# peers_show_logs [FILE]: the last requests of each peer, and what it complained about; with a FILE only of the peers
# that were busy since that was written. The registry's complaints about blobs are part of every push.
peers_show_logs() {
  local dir name
  for dir in "$PEERS_DIR"/*/; do
    name=$(basename "$dir")
    if [[ $name == certs ]] || [[ -n ${1:-} && -z $(find "$dir" -maxdepth 1 -type f -newer "$1") ]]; then continue; fi
    printf -- '--- the last requests to %s, and its complaints\n' "$name" >&2
    request_lines "$name" | tail -n 8 >&2
    grep -hvE '"level":"info"|blob unknown' "$dir/stderr" | tail -n 4 | cut -c 1-400 >&2
  done
}

host_of() { cat "$PEERS_DIR/$1/host"; }
url_of() { cat "$PEERS_DIR/$1/url"; }

image() { python3 -B "$PEERS_HOME/image.py" "$@"; }

# peer_launch NAME COMMAND...: runs it in the background with its output in files; it dies with this shell.
# File descriptor 3 belongs to bats, which would wait for whoever holds it.
peer_launch() {
  local dir=$PEERS_DIR/$1
  shift
  rm -f "$dir/requests"
  # They are there before the peer is: its first lines are looked for at once.
  : >"$dir/stdout"
  : >"$dir/stderr"
  setpriv --pdeathsig KILL -- "$@" >>"$dir/stdout" 2>>"$dir/stderr" </dev/null 3>&- &
  echo $! >"$dir/pid"
  disown $!
}

# A process that has ended and that nobody has waited for yet is gone, too.
peer_is_gone() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) || :
  [[ -z $state || $state == Z* ]]
}

peer_stop() {
  local file=$PEERS_DIR/$1/pid pid
  [[ -f $file ]] || return 0
  pid=$(<"$file")
  rm -f "$file"
  kill "$pid" 2>/dev/null || return 0
  kill -CONT "$pid" 2>/dev/null || :
  wait_until 5 peer_is_gone "$pid" || kill -KILL "$pid" 2>/dev/null || :
}

# peer_pause NAME and peer_resume NAME: it keeps its port and its connections, and says nothing meanwhile.
peer_pause() { kill -STOP "$(<"$PEERS_DIR/$1/pid")"; }
peer_resume() { kill -CONT "$(<"$PEERS_DIR/$1/pid")"; }

# peer_port NAME FILE PATTERN: the port, as soon as the file names it; an error when the peer ended before.
peer_port() {
  local dir=$PEERS_DIR/$1 pid port end=$((SECONDS + PEERS_DEADLINE_S))
  pid=$(<"$dir/pid")
  while ((SECONDS < end)); do
    port=$(sed -nE "s/$3/\\1/p" "$2" | head -n 1)
    if [[ -n $port ]]; then
      echo "$port"
      return 0
    fi
    if peer_is_gone "$pid"; then break; fi
    sleep 0.01
  done
  cat "$dir/stderr" >&2
  peers_fail "$1 did not start"
}

# peer_is_at NAME SCHEME HOST PORT: remembers where it listens.
peer_is_at() {
  echo "$3:$4" >"$PEERS_DIR/$1/host"
  echo "$2://$3:$4" >"$PEERS_DIR/$1/url"
}

peer_dir() {
  [[ -n ${PEERS_DIR:-} ]] || peers_fail "peers_begin first" || return 1
  if [[ -f $PEERS_DIR/$1/pid ]]; then
    peers_fail "there is a peer $1 already"
    return 1
  fi
  mkdir -p "$PEERS_DIR/$1"
}

# --- certificates -------------------------------------------------------------------------------------------------

cert_openssl() {
  openssl "$@" 2>"$PEERS_DIR/certs/openssl.log" || {
    cat "$PEERS_DIR/certs/openssl.log" >&2
    peers_fail "openssl $1 failed"
  }
}

ca_make() {
  [[ ! -f $PEERS_CA ]] || return 0
  mkdir -p "$PEERS_DIR/certs"
  cert_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=test authority" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$PEERS_DIR/certs/ca.key" -out "$PEERS_CA"
}

# cert_sign NAME NOT_BEFORE NOT_AFTER: `openssl ca`, because only it can make a certificate that is over already.
cert_sign() {
  local dir=$PEERS_DIR/certs name=$1
  : >"$dir/$name.index"
  cat >"$dir/$name.cnf" <<CONF
[ca]
default_ca = here
[here]
database = $dir/$name.index
new_certs_dir = $dir
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CONF
  cert_openssl ca -batch -notext -config "$dir/$name.cnf" -cert "$PEERS_CA" -keyfile "$dir/ca.key" \
    -in "$dir/$name.csr" -out "$dir/$name.pem" -extfile "$dir/$name.ext" -startdate "$2" -enddate "$3"
}

# cert_client NAME: $PEERS_DIR/certs/NAME.pem and .key, which the test authority says are a client's.
cert_client() {
  local dir=$PEERS_DIR/certs name=$1
  ca_make || return 1
  printf 'extendedKeyUsage=clientAuth\n' >"$dir/$name.ext"
  cert_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$dir/$name.key" \
    -out "$dir/$name.csr" || return 1
  cert_sign "$name" "$(date -u -d '1 hour ago' +%Y%m%d%H%M%SZ)" "$(date -u -d '1 day' +%Y%m%d%H%M%SZ)"
}

# cert_make KIND: $PEERS_DIR/certs/KIND.pem and .key. Kinds: good, expired, future, wrongname, selfsigned.
cert_make() {
  local dir=$PEERS_DIR/certs kind=$1 san=DNS:localhost,IP:127.0.0.1,IP:::1 now
  ca_make || return 1
  [[ ! -f $dir/$kind.pem ]] || return 0
  if [[ $kind == wrongname ]]; then san=DNS:registry.example.org; fi
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$san" >"$dir/$kind.ext"
  if [[ $kind == selfsigned ]]; then
    cert_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
      -addext "subjectAltName=$san" -keyout "$dir/$kind.key" -out "$dir/$kind.pem"
    return
  fi
  cert_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=test $kind" \
    -keyout "$dir/$kind.key" -out "$dir/$kind.csr" || return 1
  now=$(date -u -d '1 hour ago' +%Y%m%d%H%M%SZ)
  case $kind in
    expired) cert_sign "$kind" 20200101000000Z 20200201000000Z ;;
    future) cert_sign "$kind" "$(date -u -d '10 days' +%Y%m%d%H%M%SZ)" "$(date -u -d '20 days' +%Y%m%d%H%M%SZ)" ;;
    *) cert_sign "$kind" "$now" "$(date -u -d '30 days' +%Y%m%d%H%M%SZ)" ;;
  esac
}

# --- docker-registry ----------------------------------------------------------------------------------------------

# htpasswd_line NAME:PASSWORD. docker-registry knows bcrypt only; perl is part of every Debian and has crypt().
htpasswd_line() {
  perl -e '($n, $p) = split /:/, shift, 2; print "$n:", crypt($p, q($2y$05$basewatchbasewatchbas.)), "\n"' "$1"
}

registry_config() {
  local dir=$1 listen=$2 access_log=$3
  cat <<CONF
version: 0.1
log:
  level: info
  formatter: json
  accesslog: {disabled: $access_log}
storage:
  filesystem: {rootdirectory: "$dir/storage"}
  delete: {enabled: true}
  maintenance: {uploadpurging: {enabled: false}}
http:
  addr: "$listen:0"
  secret: of-no-importance
CONF
}

registry_config_token() {
  local tokens=$1
  cat <<CONF
auth:
  token:
    realm: "$(url_of "$tokens")/token"
    service: test registry
    issuer: test issuer
    rootcertbundle: "$PEERS_DIR/certs/token.pem"
CONF
}

# registry_start NAME [--tls | --cert KIND] [--no-http2] [--user NAME:PASSWORD] [--token TOKEN_SERVER]
#                     [--client-ca FILE] [--listen ADDRESS] [--no-access-log]
registry_start() {
  local name=$1 scheme=http cert='' http2=false clients='' user='' tokens='' listen=127.0.0.1 quiet=false dir port
  shift
  while (($#)); do
    case $1 in
      --tls) cert=good ;;
      --cert) cert=$2 && shift ;;
      --no-http2) http2=true ;;
      --client-ca) clients=", clientcas: [\"$2\"]" && shift ;;
      --user) user=$2 && shift ;;
      --token) tokens=$2 && shift ;;
      --listen) listen=$2 && shift ;;
      --no-access-log) quiet=true ;;
      *) peers_fail "registry_start: $1?" || return 1 ;;
    esac
    shift
  done
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  {
    registry_config "$dir" "$listen" "$quiet"
    if [[ -n $cert ]]; then
      cert_make "$cert" || return 1
      scheme=https
      printf '  tls: {certificate: "%s", key: "%s"%s}\n' "$PEERS_DIR/certs/$cert.pem" "$PEERS_DIR/certs/$cert.key" "$clients"
      printf '  http2: {disabled: %s}\n' "$http2"
    fi
    if [[ -n $user ]]; then
      htpasswd_line "$user" >"$dir/htpasswd"
      printf 'auth:\n  htpasswd: {realm: test, path: "%s"}\n' "$dir/htpasswd"
    fi
    if [[ -n $tokens ]]; then registry_config_token "$tokens"; fi
  } >"$dir/config.yml"
  # A clean environment, because docker-registry takes every REGISTRY_* variable for a part of its configuration.
  peer_launch "$name" env -i "PATH=$PATH" "HOME=$dir" docker-registry serve "$dir/config.yml"
  port=$(peer_port "$name" "$dir/stderr" '.*listening on .*:([0-9]+)[",].*') || return 1
  peer_is_at "$name" "$scheme" "$listen" "$port"
}

# --- token server and fake ----------------------------------------------------------------------------------------

token_cert_make() {
  ca_make || return 1
  [[ ! -f $PEERS_DIR/certs/token.pem ]] || return 0
  cert_openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=test issuer" \
    -keyout "$PEERS_DIR/certs/token.key" -out "$PEERS_DIR/certs/token.pem"
}

# token_server_start NAME [--tls] [OPTION of token_server.py...]
token_server_start() {
  local name=$1 scheme=http dir port tls=()
  shift
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  token_cert_make || return 1
  if [[ ${1:-} == --tls ]]; then
    shift
    cert_make good || return 1
    scheme=https
    tls=(--tls-cert "$PEERS_DIR/certs/good.pem" --tls-key "$PEERS_DIR/certs/good.key")
  fi
  peer_launch "$name" python3 -B "$PEERS_HOME/token_server.py" --key "$PEERS_DIR/certs/token.key" \
    --cert "$PEERS_DIR/certs/token.pem" --control "$dir/control" --log "$dir/requests" "${tls[@]}" "$@"
  port=$(peer_port "$name" "$dir/stdout" '.*"port": ([0-9]+).*') || return 1
  peer_is_at "$name" "$scheme" 127.0.0.1 "$port"
}

# token_server_control NAME JSON: how it misbehaves from now on; '{}' for not at all.
token_server_control() {
  printf '%s\n' "$2" >"$PEERS_DIR/$1/control.new"
  mv "$PEERS_DIR/$1/control.new" "$PEERS_DIR/$1/control"
}

# fake_start NAME [--tls | --cert KIND] [OPTION of fake_registry.py...] <SCRIPT
fake_start() {
  local name=$1 scheme=http dir port tls=() cert=''
  shift
  case ${1:-} in
    --tls) cert=good && shift ;;
    --cert) cert=$2 && shift 2 ;;
  esac
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  if [[ -n $cert ]]; then
    cert_make "$cert" || return 1
    scheme=https
    tls=(--cert "$PEERS_DIR/certs/$cert.pem" --key "$PEERS_DIR/certs/$cert.key")
  fi
  fake_script "$name" || return 1
  peer_launch "$name" python3 -B "$PEERS_HOME/fake_registry.py" --script "$dir/script" --log "$dir/requests" \
    "${tls[@]}" "$@"
  port=$(peer_port "$name" "$dir/stdout" '.*"port": ([0-9]+).*') || return 1
  peer_is_at "$name" "$scheme" 127.0.0.1 "$port"
}

# fake_script NAME <SCRIPT: takes effect at its next request; its sequences start again.
fake_script() {
  cat >"$PEERS_DIR/$1/script.new" || return 1
  PYTHONPATH=$PEERS_HOME python3 -B -c 'import sys, fake_script; fake_script.parse(sys.stdin.read())' \
    <"$PEERS_DIR/$1/script.new" || peers_fail "$1: the script is wrong" || return 1
  mv "$PEERS_DIR/$1/script.new" "$PEERS_DIR/$1/script"
}

# --- what they were asked -----------------------------------------------------------------------------------------

# request_lines NAME: "METHOD PATH" of each request so far, without the query.
request_lines() {
  local dir=$PEERS_DIR/$1
  if [[ -f $dir/config.yml ]]; then
    sed -nE 's/^[^"]*"([A-Z]+) ([^ "?]*)[^"]*" .*/\1 \2/p' "$dir/stdout"
  elif [[ -f $dir/requests ]]; then
    jq -r 'select(.event == "request") | "\(.method) \(.path)"' "$dir/requests"
  fi
}

requests() {
  request_lines "$1" | grep -cE "^${2:-[A-Z]+} ${3:-.*}\$" || :
}

# requests_where NAME FILTER: how many requests of a fake or a token server fit a jq filter on the log's object.
requests_where() {
  jq -s "[.[] | select(.event == \"request\") | select($2)] | length" "$PEERS_DIR/$1/requests"
}

# requests_forget NAME: counts from zero again.
requests_forget() {
  local dir=$PEERS_DIR/$1
  if [[ -f $dir/config.yml ]]; then : >"$dir/stdout"; else : >"$dir/requests"; fi
}
