# shellcheck shell=bash
# mirror.sh - caches in front of a registry. To be sourced behind registry.sh; a cache stops with peer_stop.
#
#   pull_through_start NAME REGISTRY     docker-registry as a pull-through cache: it asks for each tag, and keeps bodies
#   cache_start NAME REGISTRY            nginx with proxy_cache: keeps what it was told for an hour
#   cache_forget NAME                    what it keeps
#   ours NAME [METHOD]                   requests that a docker-registry got of the program itself, and not of a cache

# pull_through_start NAME REGISTRY
pull_through_start() {
  local name=$1 dir port
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  {
    registry_config "$dir" 127.0.0.1 false
    printf 'proxy: {remoteurl: "%s"}\n' "$(url_of "$2")"
  } >"$dir/config.yml"
  peer_launch "$name" env -i "PATH=$PATH" "HOME=$dir" docker-registry serve "$dir/config.yml"
  port=$(peer_port "$name" "$dir/stderr" '.*listening on .*:([0-9]+)[",].*') || return 1
  peer_is_at "$name" http 127.0.0.1 "$port"
}

cache_config() {
  local dir=$1 origin=$2 kind
  cat <<CONF
daemon off;
master_process off;
pid $dir/nginx.pid;
events { worker_connections 256; }
http {
  log_format asked escape=json '{"event":"request","method":"\$request_method","path":"\$uri","query":"\$args"}';
  access_log $dir/requests asked;
  proxy_cache_path $dir/cache keys_zone=kept:1m;
CONF
  for kind in client_body proxy fastcgi uwsgi scgi; do echo "  ${kind}_temp_path $dir/$kind;"; done
  cat <<CONF
  server {
    listen 127.0.0.1:@PORT@ reuseport;
    location / {
      proxy_pass $origin;
      proxy_cache kept;
      proxy_cache_key \$uri;
      proxy_cache_valid 200 1h;
      proxy_ignore_headers Cache-Control Expires Vary;
    }
  }
}
CONF
}

# cache_start NAME REGISTRY
cache_start() {
  local name=$1 dir port
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  cache_config "$dir" "$(url_of "$2")" >"$dir/nginx.conf"
  peer_launch "$name" python3 -B "$PEERS_HOME/nginx_listen.py" "$dir/nginx.conf"
  port=$(peer_port "$name" "$dir/stdout" '.*"port": ([0-9]+).*') || return 1
  peer_is_at "$name" http 127.0.0.1 "$port"
}

# A file that is gone is a miss.
cache_forget() { find "$PEERS_DIR/$1/cache" -type f -delete; }

ours() { grep -cE "\"${2:-[A-Z]+} /v2/.*basewatch/" "$PEERS_DIR/$1/stdout" || :; }
