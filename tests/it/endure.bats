#!/usr/bin/env bats
# `basewatch run` in bad company: a full disk, a broker that is away for a thousand events, a hostile repository, and peers
# that accept and never answer. Nothing is lost, and nobody else has to wait. kill -9 is in crash.bats.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
load daemon

setup_file() {
  daemon_peers_begin
  fake_start silent <<<'* * hang'
}
teardown_file() { peers_end; }
setup() {
  it_begin
  daemon_begin
}
teardown() {
  daemon_kill
  peer_stop lasting
  it_end
}

shop='sources: [{path: shop, name: shop}]'
# What waits for the loop waits for less than a second.
expect_no_stall() { expect_said 0 'a turn of the loop took [0-9]{4,} ms'; }
has_come() { (($(hooked_ids | sort -u | wc -l) >= $1)); }
wait_come() { wait_until "$DAEMON_WAIT_S" has_come "$1" || it_fail "the receiver has not $1 events"$'\n'"$(tail -n 40 "$LOG")"; }
# What came for this test at the receiver is what the database FILE has sent there.
expect_arrived() {
  hooked >"$IT/hooked"
  python3 -B "$PEERS_HOME/arrivals.py" "$1" hook "$IT/hooked" >&2 || it_fail "see above"
}

# --- a full disk ----------------------------------------------------------------------------------------------------

# A small file system of its own, in a mount namespace, which needs no root where users may make one.
own_disk() {
  if is_root; then UNSHARE=(unshare -m) ENTER=(nsenter -m); else UNSHARE=(unshare -rm) ENTER=(nsenter --preserve-credentials -U -m); fi
  "${UNSHARE[@]}" mount -t tmpfs -o size=1m none "$IT/var" 2>"$IT/why" || skip "no file system can be mounted here: $(<"$IT/why")"
}
inside() { "${ENTER[@]}" -t "$BACKGROUND_PID" -- "$@"; }
disk_start() {
  # shellcheck disable=SC2016 # for the shell that becomes the program
  background "${UNSHARE[@]}" sh -c 'mount -t tmpfs -o size=4m none "$0" && exec "$@"' "$IT/var" \
    "$BASEWATCH" run --config "$IT/c.yaml" --allow-root -v
}
# shellcheck disable=SC2016 # for the shell in there
disk_fill() { inside sh -c 'cat /dev/zero >"$0" 2>/dev/null || :' "$IT/var/fill"; }
disk_empty() { inside rm "$IT/var/fill"; }
disk_save() { inside sqlite3 "$IT/var/basewatch.db" ".backup $IT/saved.db"; }

# No file may grow beyond what the longest one has now.
limit_start() { background "$BASEWATCH" run --config "$IT/c.yaml" --allow-root -v; }
limit_fill() { prlimit --pid "$BACKGROUND_PID" --fsize="$(stat -c %s "$IT/var/basewatch.db-wal"):unlimited"; }
limit_empty() { prlimit --pid "$BACKGROUND_PID" --fsize=unlimited; }
limit_save() { sqlite3 "$IT/var/basewatch.db" ".backup $IT/saved.db"; }

passed() { ((SECONDS >= $1)); }

# run_out_of_room KIND SECONDS: while an event is on its way, and again while a base has moved.
run_out_of_room() {
  local begin
  file shop/a/Dockerfile <<<"FROM $PLAIN/a:1"
  file shop/b/Dockerfile <<<"FROM $PLAIN/b:1"
  push "$PLAIN/a:1" A && push "$PLAIN/b:1" A
  conf hook <<<"$shop"
  "$1_start"
  wait_said "$PLAIN/a:1: first seen" && wait_said "$PLAIN/b:1: first seen"
  webhook_control hook '{"delay": 0.5}'
  push "$PLAIN/a:1" B
  wait_come 1
  "$1_fill"
  wait_said 'deliveries wait, and nothing is lost'
  push "$PLAIN/b:1" B
  wait_said 'nothing is asked until that works again'
  # It is tried again every five seconds, and that is not said again.
  begin=$SECONDS
  wait_until "$2" passed $((begin + $2))
  kill -0 "$BACKGROUND_PID"
  expect_said 1 'deliveries wait, and nothing is lost'
  expect_said 1 'nothing is asked until that works again'
  expect_said 0 "delivered io.basewatch.* of $PLAIN/b:1"
  "$1_empty"
  wait_said 'the database can be written again'
  wait_come 4
  wait_until "$DAEMON_WAIT_S" said_more 3 ' delivered io.basewatch'
  expect_said 1 'the database can be written again'
  "$1_save"
  expect_same 4 "$(sqlite3 "$IT/saved.db" "SELECT count(*) FROM delivery WHERE state = 'sent'")"
  expect_same ok "$(sqlite3 "$IT/saved.db" 'PRAGMA integrity_check')"
  expect_arrived "$IT/saved.db"
}

@test "a full disk: it runs on, says so once, and catches up when there is room again" {
  own_disk
  run_out_of_room disk 7
  expect_said 2 'the disk is full: make room in'
}

@test "a limit for the size of files is no reason to die" {
  run_out_of_room limit 0
  expect_said 2 'disk I/O error'
}

# --- a broker that is away --------------------------------------------------------------------------------------------

# moving_bases N: of which each question gets another answer; bases_stop ends that.
moving_bases() {
  local i
  for ((i = 0; i < $1; i++)); do
    printf 'HEAD /v2/%s/manifests/t%d manifest=A\nHEAD /v2/%s/manifests/t%d manifest=B loop\n' "$N" "$i" "$N" "$i"
  done
  bases_rest
}
bases_stop() { { printf 'HEAD /v2/%s/manifests/* manifest=A\n' "$N" && bases_rest; } | fake_script many; }
bases_rest() { printf 'GET /v2/*/manifests/sha256:* by-digest=A,B\nGET /v2/*/blobs/* by-digest=A,B\nGET /v2/ 200\n'; }

ask() { sqlite3 -cmd '.timeout 5000' "$BW_DB" "$1"; }
due() { ask "SELECT count(*) FROM delivery WHERE state = 'due'"; }
has_due() { (($(due) >= $1)); }
has_none_due() { [[ $(due) == 0 ]]; }
all_seen() { [[ $(ask "SELECT count(DISTINCT digest) FROM poll p JOIN sighting x ON x.id = p.sighting_id") == 1 ]]; }
# What the broker has acknowledged may still be on its way to the subscriber.
has_heard_all() { python3 -B "$PEERS_HOME/arrivals.py" "$BW_DB" lasting "$PEERS_DIR/ears/stdout" "$@" 2>"$IT/why"; }
expect_heard() { wait_until 10 has_heard_all "$@" || it_fail "$(<"$IT/why")"; }
sink_lasting() { printf '  lasting: {type: mqtt, url: "%s"}\n' "$(mqtt_of lasting)"; }

@test "a broker is away for a thousand events, then gets all in order, and is restarted with messages in flight" {
  local i n bases=490
  fake_start many < <(moving_bases "$bases")
  for ((i = 0; i < bases; i++)); do
    n=$((i / 7))
    if ((i % 7 == 0)); then file "shop/$n/Dockerfile" <<<'FROM scratch'; fi
    printf 'COPY --from=%s/%s:t%d / /\n' "$(host_of many)" "$N" "$i" >>"$IT/shop/$n/Dockerfile"
  done
  # It remembers what it has acknowledged, and sessions, when it is ended by a signal; and may keep as much as it likes.
  broker_start lasting 'persistence true' "persistence_location $PEERS_DIR/lasting/"
  peer_dir ears
  peer_launch ears stdbuf -oL mosquitto_sub -d -q 1 -c -i ears -p "$(port_of lasting)" -t 'basewatch/events/#' -F '%t|%r|%C|%P|%p'
  wait_until 10 grep -qs '^Subscribed' "$PEERS_DIR/ears/stdout"
  peer_stop lasting

  conf lasting <<<"$shop"$'\npoll: {every: 1s, minimum-distance: 0s}'
  daemon_start
  wait_until 60 has_due 1000
  bases_stop
  wait_until 10 all_seen
  broker_again lasting
  wait_until 60 has_none_due
  expect_heard --once

  moving_bases "$bases" | fake_script many
  wait_until 20 has_heard io.basewatch.base.changed $(($(heard_count io.basewatch.base.changed) + 100))
  peer_stop lasting
  wait_said 'sink lasting: not reached'
  broker_again lasting
  wait_until 20 said_more 1 'sink lasting: connected with MQTT'
  bases_stop
  wait_until 10 all_seen
  wait_until 60 has_none_due
  expect_heard
  expect_no_stall
  daemon_end
  expect_same 0 "$(ask 'SELECT count(*) FROM outstanding WHERE pending')"
  peer_stop many
}

# --- peers that never answer ----------------------------------------------------------------------------------------

sink_mute() { printf '  mute: {type: webhook, url: "%s/x"}\n' "$(url_of silent)"; }
sink_deaf() { printf '  deaf: {type: mqtt, url: "mqtt://%s"}\n' "$(host_of silent)"; }

@test "a receiver, a broker and a repository that accept and never answer hold up nobody else" {
  local seed
  file shop/Dockerfile <<<"FROM $PLAIN/a:1"
  push "$PLAIN/a:1" A
  conf mute deaf hook <<<"sources: [{git: \"$(url_of silent)/x.git\", name: lost}, {path: shop, name: shop}]"
  daemon_start
  wait_said 'source lost: takes its time'
  wait_until 10 has_base "$PLAIN"
  for seed in B C D; do
    push "$PLAIN/a:1" "$seed"
    wait_come $((2 * $(($(printf %d "'$seed") - 65))))
  done
  # The repository and both sinks have not given up yet.
  expect_said 0 'list branches'
  expect_said 0 'sink (mute|deaf): event'
  expect_same '3 3' "$(ask "SELECT count(*) FROM delivery d JOIN sink s ON s.id = sink_id WHERE d.state = 'due' AND d.event IN (SELECT number FROM event WHERE type LIKE '%changed') GROUP BY s.name" | xargs)"
  expect_arrived "$BW_DB"
  expect_no_stall
}
has_base() { [[ $(ask "SELECT count(*) FROM poll") == 1 ]]; }

# --- a hostile repository -------------------------------------------------------------------------------------------

# A commit for git_commit, with FILES files.
hostile() {
  python3 -B - "$1" "$2" <<'PY'
import sys

base, count = sys.argv[1], int(sys.argv[2])
out = sys.stdout.buffer
numbers = iter(range(1, 1000))


def put(path: bytes, data: bytes, mode: bytes = b"100644") -> None:
    out.write(b"M %s inline %s\ndata %d\n%s\n" % (mode, path, len(data), data))


for n in range(count):
    out.write(b"M 100644 inline f%d/x%d\ndata 2\n.\n\n" % (n % 997, n))
start = b"FROM " + base.encode() + b"\n"
put(b"good/Dockerfile", start)
put(b"huge/Dockerfile", b"#" * (64 << 20))
put(b"huge/blob", b"\0" * (128 << 20))
put(b"line/Dockerfile", b"FROM " + b"x" * 1000000)
put(b"uses/Dockerfile", start + (b"COPY --from=%s / /\n" % base.encode()) * 20000)
put(b"words/Dockerfile", b"ARG A=" + b"x" * 60000 + b"\nFROM a${A}" + b"${A}" * 200 + b"\n")
put(b"d/" * 500 + b"Dockerfile", start)
put(b'"nl\\nesc\\033[31mbel\\007/Dockerfile"', start)
put(b'"esc\\033]0;owned\\007/Dockerfile"', b"FROM \033[2Jevil\r\n")
put(b'"bad\\377\\376utf8/Dockerfile"', start)
for name in (b"--output=x", b"-x", b"--upload-pack=touch owned", b"$(touch owned)", b"`touch owned`", b"a;touch owned"):
    put(b'"' + name + b'/Dockerfile"', start)
for name, target in (
    (b"out", b"../../../../../../etc/passwd"), (b"abs", b"/etc/passwd"), (b"proc", b"/proc/self/environ"),
    (b"loop", b"Dockerfile"), (b"dots", b"../" * 2000 + b"etc/passwd"), (b"good2", b"../good/Dockerfile"),
):
    put(b"link/" + name + b"/Dockerfile", target, b"120000")
put(b"circle", b"circle/circle", b"120000")
out.write(b"M 160000 " + b"1" * 40 + b" module/Dockerfile\n")
put(b".gitmodules", b'[submodule "x"]\n\tpath = module\n\turl = ext::sh -c touch% owned\n')
put(b".gitattributes", b"* filter=x\n")
put(b"lan/Dockerfile", b"FROM 169.254.169.254/latest:1\nFROM localhost:1/x:1\nFROM 127.0.0.1:1/y:1\n")
PY
}

@test "a hostile repository is survived, hides nothing of another source, and gets no byte into the log unescaped" {
  local branch
  git_repository "$N"
  hostile "$PLAIN/good:1" "${HOSTILE_FILES:-100000}" | git_commit "$N" main
  for branch in -x '--upload-pack=touch owned' 'a;touch owned'; do
    git_put "$N" "${branch// /}" Dockerfile <<<"FROM $PLAIN/good:1"
  done
  file shop/Dockerfile <<<"FROM $PLAIN/a:1"
  push "$PLAIN/a:1" A && push "$PLAIN/good:1" A
  conf hook <<<"registries: {\"$(host_of plain)\": {connections: 3}}
sources: [{git: $PEERS_GIT/$N.git, name: evil, branches: [\"*\"]}, {path: shop, name: shop}]"
  daemon_start -v
  # The folder does not wait for the repository.
  wait_said "$PLAIN/a:1: first seen"
  push "$PLAIN/a:1" B
  wait_come 2
  wait_said "$PLAIN/good:1: first seen"
  push "$PLAIN/good:1" B
  wait_until "$DAEMON_WAIT_S" has_request good/Dockerfile
  # And again, in another form; the folder goes on.
  printf 'D good\nM 120000 inline good/Dockerfile\ndata 11\n/etc/passwd\n' | git_commit "$N" main
  wait_said 'main:good/Dockerfile: link leads out of the source; not followed'
  push "$PLAIN/a:1" C
  wait_until "$DAEMON_WAIT_S" has_request Dockerfile 2
  expect_no_stall
  expect_same "" "$(tr -d '\n\11\40-\176' <"$LOG")"
  expect_said 0 'root:x:|127.0.0.1:1/y:1: (first|moved)'
  [[ -z $(find "$IT" "$PEERS_GIT" . -maxdepth 3 -name 'owned*') ]]
  daemon_end
  expect_arrived "$BW_DB"
}
has_request() { (($(hooked | jq -r 'select(.event.data.file == "'"$1"'") | .id' | sort -u | wc -l) >= ${2:-1})); }
