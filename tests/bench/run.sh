#!/usr/bin/env bash
# run.sh PROGRAM FLOOR USAGE POLL SEED - what `make bench` runs: basewatch against floors written next to it, all on loopback, in the
# same run. One JSON line per row, then a table. The goals are those of contrib/HACKING.md; a missed goal is shown,
# it does not fail the run, because a shared machine is no judge. BENCH_PARTS="scan changes" measures only these.
set -euo pipefail

PROGRAM=$(realpath "$1")
FLOOR=$(realpath "$2")
USAGE=$(realpath "$3")
POLL=$(realpath "$4")
SEED=$(realpath "$5")
RUNS=${BENCH_RUNS:-5}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/peers/registry.sh
source "$HERE/../peers/registry.sh"
# shellcheck source=tests/peers/broker.sh
source "$HERE/../peers/broker.sh"

peers_begin
trap peers_end EXIT
WORK=$PEERS_DIR/bench
mkdir -p "$WORK"
export HOME=$WORK XDG_STATE_HOME=$WORK/state

measure() { python3 -B "$HERE/measure.py" --usage "$USAGE" "$@" | tee -a "$WORK/rows"; }
row() { printf '%s\n' "$1" | tee -a "$WORK/rows"; }
check() { "$PROGRAM" check --cacert "$PEERS_CA" --fail-on none "$@"; }

# nginx_start: HTTP/2 over TLS on a free port; every manifest has the same digest. The fastest peer there is, so that
# the client's own work is what is measured.
nginx_start() {
  local dir=$PEERS_DIR/nginx port
  cert_make good
  peer_dir nginx
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >"$dir/nginx.conf" <<CONF
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
  keepalive_requests 10000000;
  server {
    listen 127.0.0.1:$port ssl http2;
    ssl_certificate $PEERS_DIR/certs/good.pem;
    ssl_certificate_key $PEERS_DIR/certs/good.key;
    location /v2/ {
      default_type application/vnd.oci.image.index.v1+json;
      add_header Docker-Content-Digest sha256:$(printf bench | sha256sum | cut -d' ' -f1);
      return 200 "";
    }
  }
}
CONF
  peer_launch nginx nginx -e "$dir/error.log" -c "$dir/nginx.conf"
  peer_is_at nginx https 127.0.0.1 "$port"
  wait_until 10 curl -sf -o /dev/null --cacert "$PEERS_CA" "$(url_of nginx)/v2/"
}

# build_files HOST COUNT FILES DIR: COUNT different bases in FILES build files; DIR.urls has their manifests.
build_files() {
  python3 - "$@" <<'PY'
import os, sys
host, count, files, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
each = count // files
with open(folder + ".urls", "w") as urls:
    for f in range(files):
        os.makedirs(f"{folder}/service-{f}")
        with open(f"{folder}/service-{f}/Dockerfile", "w") as out:
            for i in range(each):
                repo, tag = f"team-{f % 100}/image-{i % 10}", f"v{f}.{i}"
                out.write(f"FROM {host}/{repo}:{tag}\n" if i == 0 else f"COPY --from={host}/{repo}:{tag} /x /x\n")
                urls.write(f"https://{host}/v2/{repo}/manifests/{tag}\n")
PY
}

bench_sweep() {
  local dir=$WORK/sweep db=$WORK/sweep.db before after
  build_files "$(host_of nginx)" 10000 100 "$dir"
  measure --name "sweep of 10,000 bases, first sight" --runs "$RUNS" --goal cpu=1.5 --goal wall=1.5 --goal rss=2 \
    --before "rm -f '$db'*" --stdin-vs "$dir.urls" -- \
    "$PROGRAM" check --cacert "$PEERS_CA" --format json --db "$db" "$dir" --vs "$FLOOR" "$PEERS_CA" 32 3
  before=$(stat -c %s "$db")
  measure --name "sweep of 10,000 bases, unchanged" --runs "$RUNS" --goal cpu=1.5 --goal wall=1.5 --goal rss=2 \
    --stdin-vs "$dir.urls" -- \
    "$PROGRAM" check --cacert "$PEERS_CA" --format json --db "$db" "$dir" --vs "$FLOOR" "$PEERS_CA" 32 3
  after=$(stat -c %s "$db")
  check --verbose --db "$db" "$dir" 2>"$WORK/talk" >/dev/null
  row "{\"name\": \"unchanged sweep of 10,000 bases\", \"growth_bytes\": $((after - before)), \"said\": $(
    sed -n 's/^basewatch: info: //p' "$WORK/talk" | jq -Rs .
  )}"
}

bench_memory() {
  local dir=$WORK/large db=$WORK/large.db
  build_files "$(host_of nginx)" 100000 1000 "$dir"
  measure --name "memory at 100,000 bases (KiB; goal 102400)" --runs 1 --stdin-vs "$dir.urls" -- \
    "$PROGRAM" check --cacert "$PEERS_CA" --format json --db "$db" "$dir" --vs "$FLOOR" "$PEERS_CA" 32 3
}

bench_one() {
  local dir=$WORK/one db=$WORK/one.db url
  registry_start plain --no-access-log
  image push "$(host_of plain)/app:1" --seed A >/dev/null
  mkdir -p "$dir"
  printf 'FROM %s/app:1\n' "$(host_of plain)" >"$dir/Dockerfile"
  url=$(url_of plain)/v2/app/manifests/1
  check --db "$db" "$dir" >/dev/null
  measure --name "one Dockerfile, plain HTTP" --runs $((RUNS * 4)) --goal cpu=2 --goal wall=2 -- \
    "$PROGRAM" check --db "$db" "$dir" --vs curl -sI "$url"
}

bench_scan() {
  local dir=$WORK/tree
  python3 - "$dir" <<'PY'
import os, sys
root, n = sys.argv[1], 0
for a in range(100):
    for b in range(10):
        folder = f"{root}/group-{a}/project-{b}"
        os.makedirs(folder)
        for f in range(98):
            open(f"{folder}/source-{f}.txt", "w").close()
        for name in ("Dockerfile", "Dockerfile.test"):
            with open(f"{folder}/{name}", "w") as out:
                out.write(f"FROM golang:1.{n % 20} AS build\nRUN make\nFROM debian:12\nCOPY --from=build /x /x\n")
            n += 1
PY
  measure --name "scan of 100,000 files, 2,000 Dockerfiles" --runs "$RUNS" --goal cpu=1.5 --goal wall=1.5 -- \
    "$PROGRAM" scan --format json "$dir" --vs find "$dir" '(' -name Dockerfile -o -name 'Dockerfile.*' \
    -o -name '*.[Dd]ockerfile' -o -name 'Containerfile*' ')' -type f -exec cat '{}' +
}

bench_registry() {
  local dir=$WORK/real db=$WORK/real.db
  registry_start real --tls --no-access-log
  image many "$(host_of real)/bench" --count 1000 --repos 100 --list "$dir.list" --cacert "$PEERS_CA" \
    --builds "$dir" --files 10 >/dev/null
  sed -E 's|^([^/]*)/(.*):([^:]*)$|https://\1/v2/\2/manifests/\3|' "$dir.list" >"$dir.urls"
  measure --name "1,000 bases on docker-registry" --runs 5 --goal wall=1.2 \
    --stdin-vs "$dir.urls" -- \
    "$PROGRAM" check --cacert "$PEERS_CA" --format json --db "$db" "$dir" --vs "$FLOOR" "$PEERS_CA" 32 3
  mkdir -p "$WORK/certs" && cp "$PEERS_CA" "$WORK/certs/ca.crt"
  head -n 50 "$dir.list" >"$dir.some"
  measure --name "1,000 bases on docker-registry, against 50 skopeo inspect x 20" --runs 1 --scale-vs 20 \
    --goal wall=0.1 --stdin-vs "$dir.some" -- \
    "$PROGRAM" check --cacert "$PEERS_CA" --format json --db "$db" "$dir" --vs \
    sh -c "while read -r ref; do skopeo inspect --cert-dir '$WORK/certs' --format '{{.Digest}}' docker://\$ref; done"
}

# bench_change NAME OPTION: 500 of 1,000 bases move from image to image, each base to images of its own with two
# platforms that differ in OPTION. How many requests that takes, and the time against the same requests alone.
bench_change() {
  local name=$1 option=$2 prefix=${2#--} dir db step=0 image heads gets
  dir=$WORK/$prefix
  db=$dir.db
  local many=(image many "$(host_of moving)/$prefix" --repos 100 --distinct --kind index --platform "linux/amd64,linux/arm64"
    --storage "$PEERS_DIR/moving/storage")
  "${many[@]}" --count 1000 "$option" A --builds "$dir" --files 10 >/dev/null
  check --db "$db" "$dir" >/dev/null
  for image in B C; do
    step=$((step + 1))
    "${many[@]}" --count 500 "$option" "$image" >/dev/null
    cp "$db" "$db.before"
    requests_forget moving
    check --db "$db" "$dir" >/dev/null
    heads=$(requests moving HEAD)
    gets=$(requests moving GET)
    request_lines moving | sed -E "s|^HEAD |$(url_of moving)|; s|^GET |GET $(url_of moving)|" >"$dir.urls"
    measure --name "500 of 1,000 bases: $name, change $step" --runs 3 --stdin-vs "$dir.urls" \
      --before "rm -f '$db-wal' '$db-shm'; cp '$db.before' '$db'" -- \
      "$PROGRAM" check --cacert "$PEERS_CA" --format json --db "$db" "$dir" --vs "$FLOOR" "$PEERS_CA" 32 3
    row "{\"name\": \"500 of 1,000 bases: $name, change $step\", \"heads\": $heads, \"gets\": $gets, \"gets_per_change\": $(
      jq -n "$gets / 500"
    )}"
  done
}

# The poller of the daemon, sweep after sweep; BENCH_SWEEPS=100 is a glance.
bench_poll() {
  "$POLL" "$(host_of nginx)" "$PEERS_CA" 1000 "${BENCH_SWEEPS:-1000}" "$WORK/poll.db" | tee -a "$WORK/rows"
}

# receiver_start: takes every POST, as fast as there is anything that does.
receiver_start() {
  local dir=$PEERS_DIR/receiver port
  peer_dir receiver
  port=$(free_port)
  cat >"$dir/nginx.conf" <<CONF
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
  keepalive_requests 10000000;
  server { listen 127.0.0.1:$port; location / { return 204; } }
}
CONF
  peer_launch receiver nginx -e "$dir/error.log" -c "$dir/nginx.conf"
  peer_is_at receiver http 127.0.0.1 "$port"
  wait_until 10 curl -sf -o /dev/null "$(url_of receiver)/"
}

# deliver NAME SINK EVENTS FLOOR...: `run --once` with 20,000 events that are owed to the sink, against a floor that gets
# the file on its standard input.
deliver() {
  local name=$1 sink=$2 input=$3 dir=$WORK/deliver
  shift 3
  mkdir -p "$dir/src"
  printf 'state: %s\nsources: [{path: %s, name: src}]\nsinks: {it: %s}\n' "$dir" "$dir/src" "$sink" >"$dir/c.yaml"
  measure --name "$name" --runs "$RUNS" --goal wall=2 --stdin-vs "$input" \
    --before "rm -f '$dir'/basewatch.db*; cp '$dir/seeded.db' '$dir/basewatch.db'" -- \
    "$PROGRAM" run --once --config "$dir/c.yaml" --vs "$@"
}

bench_deliver() {
  local dir=$WORK/deliver
  mkdir -p "$dir"
  "$SEED" "$dir/seeded.db" it 2000 10 >"$dir/events"
  broker_start bench
  deliver "20,000 events to MQTT, QoS 1" "{type: mqtt, url: \"$(mqtt_of bench)\", events: [base.changed]}" "$dir/events" \
    mosquitto_pub -p "$(port_of bench)" -q 1 -l -t basewatch/events/base.changed
  peer_stop bench
  receiver_start
  sed "s|^|POST $(url_of receiver)/ |" "$dir/events" >"$dir/posts"
  deliver "20,000 events to a webhook" "{type: webhook, url: \"$(url_of receiver)/\", events: [base.changed]}" "$dir/posts" \
    "$FLOOR" - 4 4
}

# front_start NAME: before that registry, to know to the millisecond when it answered what.
front_start() {
  local dir=$PEERS_DIR/front port
  peer_dir front
  port=$(free_port)
  cat >"$dir/nginx.conf" <<CONF
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/error.log;
events { worker_connections 256; }
http {
  log_format answers '\$msec \$request_method \$upstream_http_docker_content_digest';
  access_log $dir/answers answers;
  client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
  server { listen 127.0.0.1:$port; location / { proxy_pass $(url_of "$1"); } }
}
CONF
  peer_launch front nginx -e "$dir/error.log" -c "$dir/nginx.conf"
  peer_is_at front http 127.0.0.1 "$port"
  wait_until 10 curl -sf -o /dev/null "$(url_of front)/v2/"
}

has_arrived() { (($(wc -l <"$PEERS_DIR/subscriber/stdout") >= $1)); }

# From the HEAD that has the new digest to the event at a subscriber: 20 moves of a tag, one after the other.
bench_latency() {
  local dir=$WORK/latency move
  registry_start slow
  front_start slow
  broker_start near
  mkdir -p "$dir/src"
  printf 'FROM %s/app:1\n' "$(host_of front)" >"$dir/src/Dockerfile"
  printf 'state: %s\nsources: [{path: %s, name: src}]\nsinks: {it: {type: mqtt, url: "%s"}}\npoll: {every: 1s}\n' \
    "$dir" "$dir/src" "$(mqtt_of near)" >"$dir/c.yaml"
  peer_dir subscriber
  peer_launch subscriber mosquitto_sub -p "$(port_of near)" -q 1 -t 'basewatch/events/+' -F '%U %p'
  local push=(image push "$(host_of slow)/app:1" --kind index --platform "linux/amd64,linux/arm64" --seed)
  "${push[@]}" 0 >/dev/null
  peer_dir daemon
  peer_launch daemon "$PROGRAM" run --config "$dir/c.yaml" --allow-root
  wait_until 10 grep -qs ' HEAD sha256' "$PEERS_DIR/front/answers"
  for move in $(seq 20); do
    "${push[@]}" "$move" >/dev/null
    wait_until 10 has_arrived $((2 * move)) # the change, and the request to rebuild
  done
  peer_stop daemon
  python3 -B "$HERE/latency.py" "$PEERS_DIR/front/answers" "$PEERS_DIR/subscriber/stdout" | tee -a "$WORK/rows"
}

# connections_of NAME: different addresses that a docker-registry was spoken to from.
connections_of() { sed -nE 's/.*"http.request.remoteaddr":"([^"]*)".*/\1/p' "$PEERS_DIR/$1/stderr" | sort -u | wc -l; }

# tokens_sweep WHAT: one sweep, and what it asked for.
tokens_sweep() {
  requests_forget tokens
  : >"$PEERS_DIR/guarded/stderr"
  : >"$PEERS_DIR/guarded/stdout"
  check --db "$WORK/tokens.db" "$WORK/tokens" >/dev/null
  row "{\"name\": \"1,000 bases in 100 repositories with tokens, $1\", \"tokens\": $(requests tokens),
    \"connections\": $(connections_of guarded), \"heads\": $(requests guarded HEAD),
    \"challenged\": $(grep -cE '" 401 ' "$PEERS_DIR/guarded/stdout")}"
}

# A real registry that wants tokens, against the same requests to one with the same images that wants none.
bench_tokens() {
  local dir=$WORK/tokens
  token_server_start tokens --tls --anonymous '*'
  registry_start guarded --tls --token tokens
  image many "$(host_of guarded)/bench" --count 1000 --repos 100 --storage "$PEERS_DIR/guarded/storage" \
    --list "$dir.list" --builds "$dir" --files 10 >/dev/null
  mkdir -p "$PEERS_DIR/open" && ln -s "$PEERS_DIR/guarded/storage" "$PEERS_DIR/open/storage"
  registry_start open --tls
  sed -E "s|^[^/]*/(.*):([^:]*)$|$(url_of open)/v2/\\1/manifests/\\2|" "$dir.list" >"$dir.urls"
  tokens_sweep "first sight"
  tokens_sweep "unchanged"
  measure --name "1,000 bases with tokens, against none" --runs "$RUNS" --stdin-vs "$dir.urls" -- \
    "$PROGRAM" check --cacert "$PEERS_CA" --format json --db "$dir.db" "$dir" --vs "$FLOOR" "$PEERS_CA" 32 3
}

bench_hanging() {
  mkdir -p "$WORK/hanging"
  python3 -B "$HERE/hanging.py" --runs "$RUNS" --work "$WORK/hanging" "$PROGRAM" | tee -a "$WORK/rows"
}

bench_changes() {
  registry_start moving --tls
  bench_change "other content" --seed
  bench_change "other attestations" --attest
}

nginx_start
for part in ${BENCH_PARTS:-sweep memory one scan registry changes poll deliver latency tokens hanging}; do "bench_$part"; done

echo
jq -r 'select(.ratio) | [.name, .ratio.cpu, .ratio.wall, .ratio.rss, (.goal | join(" ")),
  (if .goal == [] then "" elif .held then "held" else "MISSED" end)] | @tsv' "$WORK/rows" |
  awk -F '\t' 'BEGIN { printf "%-64s %6s %6s %6s  %s\n", "ours / floor", "cpu", "wall", "memory", "goal" }
    { printf "%-64s %6s %6s %6s  %s %s\n", $1, $2, $3, $4, $5, $6 }'
echo
jq -r 'select(.gets_per_change) | [.name, .heads, .gets, .gets_per_change] | @tsv' "$WORK/rows" |
  awk -F '\t' 'BEGIN { printf "%-64s %6s %6s  %s\n", "requests", "HEAD", "GET", "GET per change" }
    { printf "%-64s %6s %6s  %s\n", $1, $2, $3, $4 }'
echo
jq -r 'select(.longest_turn_ms) | [.name, .sweeps, .rss_kib, .descriptors, .longest_turn_ms] | @tsv' "$WORK/rows" |
  awk -F '\t' 'BEGIN { printf "%-64s %7s %9s %12s  %s\n", "the poller", "sweeps", "KiB", "descriptors", "longest turn, ms" }
    { printf "%-64s %7s %9s %12s  %s\n", $1, $2, $3, $4, $5 }'
echo
jq -r 'select(.latency_ms) | [.name, .moves, .latency_ms.median, .latency_ms.longest] | @tsv' "$WORK/rows" |
  awk -F '\t' 'BEGIN { printf "%-64s %6s %9s  %s\n", "milliseconds", "moves", "median", "longest" }
    { printf "%-64s %6s %9s  %s\n", $1, $2, $3, $4 }'
echo
jq -r 'select(.challenged) | [.name, .heads, .tokens, .challenged, .connections] | @tsv' "$WORK/rows" |
  awk -F '\t' 'BEGIN { printf "%-64s %6s %6s %6s  %s\n", "requests", "HEAD", "tokens", "401", "connections" }
    { printf "%-64s %6s %6s %6s  %s\n", $1, $2, $3, $4, $5 }'
echo
jq -r 'select(.last_answer_s) | [.name, .last_answer_s.beside, .last_answer_s.alone, .last_answer_s.ratio] | @tsv' "$WORK/rows" |
  awk -F '\t' 'BEGIN { printf "%-64s %7s %7s  %s\n", "seconds to the last good answer", "beside", "alone", "ratio" }
    { printf "%-64s %7s %7s  %s\n", $1, $2, $3, $4 }'
