#!/usr/bin/env bats
# The way to a registry: folders of certificates, certificates of our own, proxies, and who does not get to see them. nginx
# stands in front of a real docker-registry, tinyproxy between it and us.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup_file() {
  peers_begin
  ca_make
  cert_any_address
  cert_client me
  registry_start origin
  image push "$(host_of origin)/app:1" --seed A >/dev/null
  front_start front
  front_start picky 'ssl_verify_client on;'
  front_start nosy 'ssl_verify_client optional_no_ca;'
  front_start sender 'ssl_verify_client on;' "if (\$http_authorization = '') { add_header WWW-Authenticate 'Basic realm=test' always; return 401; }
    return 307 https://localhost:$(port_of nosy)\$request_uri;"
  proxy_start proxy
}
teardown_file() { peers_end; }
setup() {
  it_begin
  local peer
  for peer in front picky nosy sender; do requests_forget "$peer"; done
  : >"$PEERS_DIR/proxy/stdout"
}
teardown() { it_end; }

# For 0.0.0.0 as well: that is here, and yet no address that is always gone to without a proxy.
cert_any_address() {
  local dir=$PEERS_DIR/certs
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:0.0.0.0\nextendedKeyUsage=serverAuth\n' >"$dir/any.ext"
  cert_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=test any" -keyout "$dir/any.key" -out "$dir/any.csr"
  cert_sign any "$(date -u -d '1 hour ago' +%Y%m%d%H%M%SZ)" "$(date -u -d '1 day' +%Y%m%d%H%M%SZ)"
}

# front_start NAME [LINES OF SERVER [LINES OF LOCATION]]: nginx with TLS in front of "origin".
front_start() {
  local name=$1 dir port kind
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  {
    cat <<CONF
daemon off;
master_process off;
pid $dir/nginx.pid;
events { worker_connections 256; }
http {
  log_format asked escape=json '{"event":"request","method":"\$request_method","path":"\$uri","status":\$status,"cert":"\$ssl_client_s_dn","auth":"\$http_authorization"}';
  access_log $dir/requests asked;
CONF
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "  ${kind}_temp_path $dir/$kind;"; done
    cat <<CONF
  server {
    listen 0.0.0.0:@PORT@ reuseport ssl;
    ssl_certificate $PEERS_DIR/certs/any.pem;
    ssl_certificate_key $PEERS_DIR/certs/any.key;
    ssl_client_certificate $PEERS_CA;
    ${2:-}
    location / {
      ${3:-}
      proxy_pass $(url_of origin);
      proxy_set_header Host \$http_host;
      proxy_set_header Authorization "";
    }
  }
}
CONF
  } >"$dir/nginx.conf"
  peer_launch "$name" python3 -B "$PEERS_HOME/nginx_listen.py" "$dir/nginx.conf"
  port=$(peer_port "$name" "$dir/stdout" '.*"port": ([0-9]+).*') || return 1
  peer_is_at "$name" https 127.0.0.1 "$port"
}

port_of() { host_of "$1" | sed 's/.*://'; }

# tinyproxy cannot ask for a port of the kernel's choice: it is given one that was free a moment ago.
proxy_start() {
  local dir port
  for _ in 1 2 3; do
    peer_dir "$1" || return 1
    dir=$PEERS_DIR/$1
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf '%s\n' "Port $port" "Listen 127.0.0.1" "Timeout 60" "MaxClients 50" "LogLevel Connect" "DisableViaHeader Yes" \
      "Filter \"$dir/filter\"" "FilterExtended On" >"$dir/tinyproxy.conf"
    echo '^refused\.example' >"$dir/filter"
    peer_launch "$1" tinyproxy -d -c "$dir/tinyproxy.conf"
    peer_is_at "$1" http 127.0.0.1 "$port"
    if wait_until 10 proxy_is_there "$1" "$port" && ! peer_is_gone "$(<"$dir/pid")"; then return 0; fi
    peer_stop "$1"
  done
  return 1
}
proxy_is_there() { peer_is_gone "$(<"$PEERS_DIR/$1/pid")" || (: <"/dev/tcp/127.0.0.1/$2") 2>/dev/null; }

# proxied HOST:PORT: how often the proxy was asked to connect to that.
proxied() { grep -cF "CONNECT $1 HTTP/1.1" "$PEERS_DIR/proxy/stdout" || :; }

# folder HOST: made, in the user's own certs.d; its path in $FOLDER.
folder() {
  FOLDER=$IT/home/.config/containers/certs.d/$1
  mkdir -p "$FOLDER"
}
# shellcheck disable=SC2016 # these are no commands
WANTED='it wants a client certificate, and there is none for it \(bring one: `cert-file` and `key-file` under `registries:`, or X.cert and X.key in its certs.d folder\)$'
# A pair in the folder that nobody knows.
stranger() {
  cert_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stranger -days 1 \
    -keyout "$FOLDER/client.key" -out "$FOLDER/client.cert"
}
from() { printf 'FROM %s\n' "$1" >"$IT/src/Dockerfile"; }
# look IMAGE [OPTION...]: checks one base.
look() {
  mkdir -p "$IT/src"
  from "$1"
  shift
  check "$@"
}
expect_found() {
  expect_status 0
  expect_json '.bases[0].digest' "$(digest_of A)"
}
# config TEXT: the configuration, with what follows `registries:`.
config() { { echo 'registries:'; cat; } >"$IT/basewatch.yaml"; }

# --- folders of certificates --------------------------------------------------------------------------------------

@test "a private authority is trusted for the host that has it in certs.d, and for no other" {
  local host
  host=$(host_of front)
  look "$host/app:1"
  expect_unknown certificate
  folder "$host"
  cp "$PEERS_CA" "$FOLDER/ca.crt"
  look "$host/app:1"
  expect_found
  look "localhost:$(port_of front)/app:1"
  expect_unknown certificate
}

@test "a registry that wants a certificate gets that of certs.d" {
  local host
  host=$(host_of picky)
  folder "$host"
  cp "$PEERS_CA" "$FOLDER/ca.crt"
  look "$host/app:1"
  expect_unknown "$WANTED"
  stranger
  look "$host/app:1"
  expect_unknown 'it does not take our client certificate \(400\)$'
  cp "$PEERS_DIR/certs/me.pem" "$FOLDER/client.cert"
  cp "$PEERS_DIR/certs/me.key" "$FOLDER/client.key"
  look "$host/app:1"
  expect_found
  expect_same 1 "$(requests_where picky '.cert == "CN=me" and .status == 200')"
}

@test "the same of one that breaks off the handshake" {
  local host
  registry_start strict --tls --client-ca "$PEERS_CA"
  host=$(host_of strict)
  folder "$host"
  cp "$PEERS_CA" "$FOLDER/ca.crt"
  look "$host/app:1"
  expect_unknown "$WANTED"
  stranger
  look "$host/app:1"
  expect_unknown "it (does not take|broke off, and may not take) our client certificate \\($FOLDER/client.cert\\)"
  cp "$PEERS_DIR/certs/me.pem" "$FOLDER/client.cert"
  cp "$PEERS_DIR/certs/me.key" "$FOLDER/client.key"
  look "$host/app:1"
  expect_unknown 'no such repository|answered 404|does not have'
  peer_stop strict
}

@test "the same by the configuration" {
  local host
  host=$(host_of picky)
  config <<YAML
  $host:
    ca-file: $PEERS_CA
    cert-file: $PEERS_DIR/certs/me.pem
    key-file: $PEERS_DIR/certs/me.key
YAML
  look "$host/app:1" --config "$IT/basewatch.yaml"
  expect_found
  expect_same 1 "$(requests_where picky '.cert == "CN=me" and .status == 200')"
}

@test "a folder that cannot be used is the trouble of its host alone, and is named" {
  local host
  host=$(host_of front)
  folder "$host"
  cp "$PEERS_DIR/certs/me.pem" "$FOLDER/client.cert"
  look "$host/app:1"
  expect_unknown "$FOLDER/client.cert: the key beside it is missing"
  echo rubbish >"$FOLDER/client.key"
  look "$host/app:1"
  expect_unknown "$FOLDER/client.key: cannot be read as the key"
  look "$(host_of origin)/app:1"
  expect_found
  expect_same 0 "$(requests front)"
}

@test "whom a registry redirects to gets neither our certificate nor our credentials" {
  local host
  host=$(host_of sender)
  folder "$host"
  cp "$PEERS_CA" "$FOLDER/ca.crt"
  cp "$PEERS_DIR/certs/me.pem" "$FOLDER/client.cert"
  cp "$PEERS_DIR/certs/me.key" "$FOLDER/client.key"
  BW_ENV=("DOCKER_AUTH_CONFIG={\"auths\":{\"$host\":{\"auth\":\"$(printf me:sesame | base64)\"}}}")
  look "$host/app:1"
  expect_found
  expect_same 1 "$(requests_where sender '.cert == "CN=me" and .status == 307 and (.auth | startswith("Basic "))')"
  expect_same 1 "$(requests_where nosy '.status == 200 and .method == "HEAD"')"
  expect_same 0 "$(requests_where nosy '.cert != "" or .auth != ""')"
}

# --- proxies ------------------------------------------------------------------------------------------------------

@test "the proxy of the environment is used, except for whom NO_PROXY names" {
  local host
  host=0.0.0.0:$(port_of front)
  BW_ENV=("HTTPS_PROXY=$(url_of proxy)")
  look "$host/app:1" --cacert "$PEERS_CA"
  expect_found
  expect_same 1 "$(proxied "$host")"
  BW_ENV+=(NO_PROXY=0.0.0.0)
  look "$host/app:1" --cacert "$PEERS_CA"
  expect_found
  expect_same 1 "$(proxied "$host")"
}

@test "a registry has the proxy that the configuration says, or none, whatever the environment says" {
  local host other
  host=0.0.0.0:$(port_of front)
  other=0.0.0.0:$(port_of nosy)
  config <<YAML
  "*":
    ca-file: $PEERS_CA
  $host:
    proxy: $(url_of proxy)
  $other:
    proxy: none
YAML
  BW_ENV=(HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY='*')
  look "$host/app:1" --config "$IT/basewatch.yaml"
  expect_found
  expect_same 1 "$(proxied "$host")"
  BW_ENV=(HTTPS_PROXY=http://127.0.0.1:1)
  look "$other/app:1" --config "$IT/basewatch.yaml"
  expect_found
  expect_same 0 "$(proxied "$other")"
}

@test "a proxy that is no URL is told by its variable, and not by what is in it" {
  local proxy
  for proxy in htp://joe:sesame@127.0.0.1:48888 http://joe:sesame@127.0.0.1:99999 'http://joe:ses ame@127.0.0.1:1 2' joe:1/sesame@h; do
    BW_ENV=("HTTPS_PROXY=$proxy")
    look reg.example/app:1
    expect_unknown 'reg.example: HTTPS_PROXY is no URL of a proxy: '
    expect_no_text same
  done
}

@test "a proxy that refuses is named, without its password" {
  BW_ENV=("HTTPS_PROXY=http://bot:sesame@$(host_of proxy)")
  look refused.example/app:1
  expect_unknown "no way through the proxy $(host_of proxy): .*403"
  expect_no_text sesame
}

# --- addresses ----------------------------------------------------------------------------------------------------

@test "a registry at an IPv6 address" {
  if ! python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null; then
    skip "this machine has no IPv6 loopback"
  fi
  registry_start six --listen '[::1]'
  image push "$(host_of six)/app:1" --seed A >/dev/null
  look "$(host_of six)/app:1"
  expect_found
  peer_stop six
}
