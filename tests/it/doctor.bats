#!/usr/bin/env bats
# `doctor`: what it finds of environment, configuration, database, registries, sources and sinks, and that it leaves no trace.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
# shellcheck disable=SC2016 # `basewatch ...` and $names of jq are meant as they stand
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
load lib
# shellcheck source=tests/peers/broker.sh
source "$IT_HOME/../peers/broker.sh"
# shellcheck source=tests/peers/git.sh
source "$IT_HOME/../peers/git.sh"

TOP=$BATS_TEST_DIRNAME/../..

setup_file() {
  peers_begin
  registry_start reg
  registry_start shut --user bot:sesame
  image push "$(host_of reg)/base:1" --seed A >/dev/null
  fake_start hook <<<'* * 405'
}
teardown_file() { peers_end; }
setup() {
  it_begin
  B=broker$BATS_TEST_NUMBER
  DB=$IT/state/basewatch/basewatch.db
  fake_script hook <<<'* * 405'
  requests_forget hook
}
teardown() {
  background_kill
  peer_stop "$B"
  it_end
}

# doctor [ARG...]: as JSON, which has to keep to its schema.
doctor() {
  bw doctor --format json "$@"
  python3 "$TOP/tests/validate_json.py" "$TOP/config/basewatch-doctor.schema.json" "$OUT" || it_fail "not as the schema says"
}

# found AREA SUBJECT: "LEVEL SEEN" of each finding; SUBJECT is the beginning of it.
found() {
  json --arg area "$1" --arg subject "$2" \
    '.findings[] | select(.area == $area and (.subject | startswith($subject))) | "\(.level) \(.seen)"'
}
json() { jq -r "$@" <<<"$out"; } # with options
# expect_found AREA SUBJECT REGEX, and advice AREA SUBJECT REGEX
expect_found() { found "$1" "$2" | grep -qE -- "$3" || it_fail "$1, $2: no finding matches: $3"; }
expect_advice() {
  json --arg area "$1" --arg subject "$2" '.findings[] | select(.area == $area and (.subject | startswith($subject))) | .advice' |
    grep -qE -- "$3" || it_fail "$1, $2: no advice matches: $3"
}
expect_none() { expect_same "" "$(found "$1" "$2")"; }

tracked() {
  printf 'FROM %s/base:1\n' "$(host_of reg)" | file src/Dockerfile
  bw check "$IT/src"
  expect_status 0
}

# What the folder of the database holds, byte for byte.
state_sum() { (cd "$IT/state/basewatch" && find . -type f | sort | xargs sha256sum); }

@test "without anything nothing is wrong, and nothing is made" {
  doctor
  expect_status 0
  expect_json '.summary.error' 0
  expect_found environment git '^ok git version [0-9]'
  expect_found environment HOME "^ok $IT/home$"
  expect_found environment files '^ok [0-9]+ may be open at once$'
  expect_found configuration file '^ok there is none: every key has its default$'
  expect_found database file "^note $DB: there is none yet$"
  expect_advice database file '`basewatch check` makes one'
  [[ ! -e $IT/state ]]
  bw doctor
  expect_status 0
  expect_out '^  ok +git +git version'
  expect_out '^  +-> `basewatch check` makes one$'
  expect_same "" "$err"
}

@test "it is sound: database, registry, folder, repository, broker and webhook, and no trace is left" {
  local before
  tracked
  broker_start "$B" --user bw:sesame
  export PEERS_GIT=$IT/git
  mkdir "$PEERS_GIT"
  HOME=$IT/home git_repository shop
  git_put shop main Dockerfile <<<'FROM debian:12'
  git_put shop release/1 Dockerfile <<<'FROM debian:12'
  file c.yaml <<END
instance: farm
sources:
  - {path: src, name: here}
  - {git: "file://$PEERS_GIT/shop.git", name: shop, branches: [main, "release/*"]}
sinks:
  broker: {type: mqtt, url: "$(mqtt_of "$B")", username: bw, password: {env: PASSWORD}}
  ci: {type: webhook, url: "$(url_of hook)/in/hunter2", secrets: [{env: HOOK}], headers: {Authorization: {env: TOKEN}}}
END
  BW_ENV=(PASSWORD=sesame HOOK=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw "TOKEN=Bearer open-up" "TMPDIR=$IT/tmp")
  mkdir "$IT/tmp"
  requests_forget reg
  before=$(state_sum)
  doctor --config "$IT/c.yaml"
  expect_status 0
  expect_json '.summary | [.warning, .error]' '[0,0]'
  expect_found configuration file "^ok $IT/c.yaml: sources: 2, registries: 0, sinks: 2, rules: 0$"
  expect_found database file "^ok $DB$"
  expect_found database integrity '^ok sound; schema [0-9]+$'
  expect_found database size '^ok [0-9]+ KiB'
  expect_found database disk ' free$'
  expect_found database daemon '^note none runs'
  expect_found registry "$(host_of reg)" "^ok answers for $(host_of reg)/base:1, over plain HTTP, asked anonymously$"
  expect_found environment clock "^ok agrees with $(host_of reg)$"
  expect_found environment inotify '^ok 1 folder to watch, [0-9]+ watches'
  expect_found source here '^ok .*/src can be read$'
  expect_found source shop '^ok reachable; branches main, release/1$'
  expect_found sink 'broker (mqtt' '^ok logged in with MQTT 5; `basewatch sink test broker` sends it an event$'
  expect_found sink 'ci (webhook' '^ok answers \(HTTP 405 to a HEAD request\); `basewatch sink test ci` sends it an event$'
  expect_requests 1 reg HEAD '/v2/base/manifests/1'
  expect_same "$before" "$(state_sum)"
  expect_same "" "$(ls -A "$IT/tmp")"
  # Nothing was published, and no secret went along or was shown.
  expect_same "HEAD /in/hunter2" "$(request_lines hook)"
  expect_same 0 "$(grep -c 'Received PUBLISH' "$PEERS_DIR/$B/stderr")"
  expect_same 1 "$(grep -c 'as basewatch-farm-test ' "$PEERS_DIR/$B/stderr")"
  expect_same 0 "$(grep -cE 'open-up|whsec' "$PEERS_DIR/hook/requests")"
  for secret in sesame whsec open-up hunter2; do expect_no_text "$secret"; done
}

@test "what is dead is said with what to do, all of it in one run" {
  local dead
  dead=$(free_port)
  printf 'FROM 127.0.0.1:%s/base:1\n' "$dead" | file src/Dockerfile
  bw check "$IT/src"
  expect_status 2
  file c.yaml <<END
sources:
  - {path: gone}
  - {git: "http://127.0.0.1:$dead/x.git"}
registries:
  "unused.lan:5000": {insecure: true}
sinks:
  broker: {type: mqtt, url: "mqtt://127.0.0.1:$dead"}
  ci: {type: webhook, url: "http://127.0.0.1:$dead/hunter2"}
  unready: {type: webhook, url: "http://127.0.0.1:$dead/", secrets: [{env: NOT_SET}]}
END
  doctor --config "$IT/c.yaml"
  expect_status 2
  expect_found registry "127.0.0.1:$dead" '^error .*(refused|connect)'
  expect_advice registry "127.0.0.1:$dead" 'whether it runs'
  expect_found registry unused.lan:5000 '^note no tracked build names an image of it'
  expect_found database "bases of 127.0.0.1:$dead" '^warning base:1 could not be had when last asked for, since '
  expect_found source "$IT/gone" '^error .*No such file'
  expect_found source "http://127.0.0.1:$dead/x.git" '^error .*list branches: '
  expect_advice source http 'git ls-remote'
  expect_found sink 'broker (' '^error .*Connection refused$'
  expect_found sink 'ci (' '^error .*(refused|connect)'
  expect_found sink 'unready (' '^error sinks.unready.secrets\[0\]: the environment variable NOT_SET is not set$'
  expect_none configuration "$IT/gone"
  expect_no_text hunter2
  expect_json '.summary.error' 6
}

@test "a branch that is not there, and a pattern that matches nothing" {
  export PEERS_GIT=$IT/git
  mkdir "$PEERS_GIT"
  HOME=$IT/home git_repository shop
  git_put shop main Dockerfile <<<'FROM debian:12'
  printf 'sources: [{git: "file://%s/shop.git", name: shop, branches: [main, next, "v*"]}]\n' "$PEERS_GIT" | file c.yaml
  doctor --config "$IT/c.yaml"
  expect_status 2
  expect_same $'ok reachable; branch main\nerror it has no branch \'next\'\nwarning no branch matches \'v*\'' "$(found source shop)"
  # The same subject stays together.
  expect_json '[.findings[] | select(.area == "source") | .subject] | unique' '["shop"]'
}

@test "a wrong password: of a registry, by its file and anonymously; of a broker" {
  printf 'FROM %s/base:1\n' "$(host_of shut)" | file src/Dockerfile
  bw check "$IT/src"
  doctor
  expect_status 2
  expect_found registry "$(host_of shut)" '^error .*; asked for .*/base:1 anonymously$'
  expect_advice registry "$(host_of shut)" "docker login $(host_of shut)"
  file home/.docker/config.json <<<"{\"auths\": {\"$(host_of shut)\": {\"auth\": \"$(printf 'bot:hunter2' | base64)\"}}}"
  doctor
  expect_status 2
  expect_found registry "$(host_of shut)" "^error .*with the account in $IT/home/.docker/config.json$"
  expect_no_text hunter2
  broker_start "$B" --user bw:sesame
  file c.yaml <<END
registries: {"$(host_of shut)": {username: bot, password: {env: RIGHT}}}
sinks: {broker: {type: mqtt, url: "$(mqtt_of "$B")", username: bw, password: {env: WRONG}}}
END
  BW_ENV=(RIGHT=sesame WRONG=hunter2)
  doctor --config "$IT/c.yaml"
  expect_status 2
  # The image is not there, but the log-in worked.
  expect_found registry "$(host_of shut)" '^warning .*with the account in the configuration$'
  expect_found sink 'broker (' '^error .*Not authorized$'
  expect_advice sink 'broker (' 'username'
  expect_no_text hunter2
}

@test "an entry that names what cannot be read leaves out that registry, and nothing else" {
  tracked
  printf 'FROM %s/base:1\n' "$(host_of shut)" | file shut/Dockerfile
  bw check --db "$IT/var/basewatch.db" "$IT/src" "$IT/shut"
  mv "$IT/state" "$IT/elsewhere"
  file c.yaml <<END
state: $IT/var
registries:
  "$(host_of shut)": {username: bot, password: {env: RIGHT}}
  "$(host_of reg)": {ca-file: gone.pem}
END
  doctor --config "$IT/c.yaml"
  expect_status 2
  expect_same "error registries: $(host_of shut): password: the environment variable RIGHT is not set" "$(found registry "$(host_of shut)")"
  expect_found registry "$(host_of reg)" '^error registries: .*: ca-file: .*gone.pem'
  expect_same 2 "$(json '[.findings[] | select(.area == "registry")] | length')"
  BW_ENV=(RIGHT=sesame)
  doctor --config "$IT/c.yaml"
  expect_found registry "$(host_of shut)" '^warning .*with the account in the configuration$'
  # One that everyone may read is an error of the file; the database is the one that it names all the same.
  file word <<<sesame
  chmod 604 "$IT/word"
  file c.yaml <<END
state: $IT/var
registries: {"$(host_of shut)": {username: bot, password: {file: word}}}
END
  doctor --config "$IT/c.yaml"
  expect_status 78
  expect_found configuration file '^error .*may be read by everyone'
  expect_found database file "^ok $IT/var/basewatch.db$"
  expect_found registry "$(host_of shut)" '^error registries: .*may be read by everyone'
  expect_found registry "$(host_of reg)" '^ok answers'
}

@test "credentials that cannot be read are a warning" {
  file home/.docker/config.json <<<'{"auths": 7'
  doctor
  expect_status 0
  expect_found registry credentials '^warning credentials: .*config.json: not JSON'
  expect_same "" "$err"
}

@test "a certificate that is over, for another name, or of nobody's authority: each with its advice" {
  local peer
  registry_start old --cert expired
  registry_start named --cert wrongname
  registry_start good --cert good
  for peer in old named good; do printf 'FROM %s/base:1\n' "$(host_of "$peer")" | file "src/$peer/Dockerfile"; done
  bw check "$IT/src"
  doctor --cacert "$PEERS_CA"
  expect_status 2
  expect_found registry "$(host_of old)" '^error .*expired'
  expect_advice registry "$(host_of old)" 'renew its certificate'
  expect_found registry "$(host_of named)" '^error .*name'
  expect_advice registry "$(host_of named)" "have $(host_of named) added to the certificate"
  doctor
  expect_advice registry "$(host_of good)" '^name the authority .*`ca-file`'
  expect_no_text insecure
  mkdir -p "$IT/home/.config/containers/certs.d/$(host_of good)"
  echo 'no certificate' >"$IT/home/.config/containers/certs.d/$(host_of good)/ca.crt"
  doctor
  expect_same 1 "$(found registry "$(host_of good)" | grep -c certs.d)"
  expect_found registry "$(host_of good)" '^error .*ca.crt'
  expect_advice registry "$(host_of good)" '^mend or remove it'
  for peer in old named good; do peer_stop "$peer"; done
}

@test "a proxy that wants to know who we are" {
  fake_start proxy <<<'* * 407'
  printf 'FROM r.lan/base:1\n' | file src/Dockerfile
  BW_ENV=("https_proxy=$(url_of proxy)")
  bw check "$IT/src"
  doctor
  expect_found registry r.lan '^error .*proxy.*407'
  expect_advice registry r.lan '^give user and password of the proxy in HTTPS_PROXY'
  peer_stop proxy
}

@test "before the first check the build files of the configured folders say whom to ask" {
  printf 'FROM %s/base:1\n' "$(host_of reg)" | file src/Dockerfile
  printf 'FROM %s/base:2\n' "$(host_of reg)" | file src/later/Dockerfile
  file c.yaml <<<'sources: [{path: src}, {git: "https://127.0.0.1:1/x.git"}]'
  requests_forget reg
  doctor --config "$IT/c.yaml"
  expect_found registry all '^note nothing is tracked yet: asked are those'
  expect_found registry "$(host_of reg)" '^ok answers for .*/base:1'
  expect_same "HEAD /v2/base/manifests/1" "$(request_lines reg)"
  [[ ! -e $IT/state ]]
  doctor
  expect_found registry all '^note not asked: nothing is tracked yet'
  expect_advice registry all '`basewatch check` first'
}

@test "a registry that wants to be left alone is left alone, as a check or the daemon has met it" {
  fake_start later <<<'HEAD * manifest=A'
  printf 'FROM %s/base:1\n' "$(host_of later)" | file src/Dockerfile
  bw check "$IT/src"
  requests_forget later
  sqlite3 "$DB" "INSERT INTO standing(registry, seen_at, pause, paused_until) VALUES('$(host_of later)', 1, 'throttled', 9995262400000)"
  doctor
  expect_status 0
  expect_found registry "$(host_of later)" '^warning not asked: it wants to be left alone until 2286-'
  expect_same 0 "$(requests later)"
  sqlite3 "$DB" "DELETE FROM standing"
  fake_script later <<<'HEAD * 429 retry-after=5400'
  bw check "$IT/src"
  requests_forget later
  doctor
  expect_found registry "$(host_of later)" '^warning not asked: it wants to be left alone until 20'
  expect_same 0 "$(requests later)"
  peer_stop later
}

@test "a configuration that is wrong is 78, and the rest is looked at all the same" {
  tracked
  file c.yaml <<<'sinks: {ci: {type: fax}}'
  doctor --config "$IT/c.yaml"
  expect_status 78
  expect_found configuration file "^error $IT/c.yaml:1:20: sinks.ci.type: expected"
  expect_found database integrity '^ok sound'
  expect_found registry "$(host_of reg)" '^ok answers'
  expect_same "" "$err"
  doctor --config "$IT/none.yaml"
  expect_status 78
  expect_found configuration file "^error .*none.yaml"
  expect_found database integrity '^ok sound'
}

@test "a secret that everyone may read is refused, and never shown" {
  file hook <<<'hunter2'
  chmod 604 "$IT/hook"
  file c.yaml <<<'sinks: {ci: {type: webhook, url: "https://h/", secrets: [{file: hook}]}}'
  doctor --config "$IT/c.yaml"
  expect_status 78
  expect_found configuration file 'may be read by everyone'
  expect_no_text hunter2
}

@test "a database that is damaged, empty, foreign or newer is said to be so" {
  tracked
  sqlite3 "$DB" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
  cp "$DB" "$IT/good.db"
  # In the middle of the file, behind the pages that opening needs.
  python3 - "$DB" <<'END'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(0, 2)
    size = f.tell()
    for page in range(size // 8192 // 2, size // 8192):
        f.seek(page * 8192)
        f.write(b"\x5a" * 8192)
END
  doctor
  expect_status 2
  expect_found database '' '^error .*(damaged|malformed)'
  expect_advice database '' 'backup'
  printf 'no database at all, but long enough to be taken for one: %s' "$(head -c 2000 /dev/zero | tr '\0' x)" >"$IT/text.db"
  doctor --db "$IT/text.db"
  expect_status 2
  expect_found database file '^error '
  : >"$IT/empty.db"
  doctor --db "$IT/empty.db"
  expect_status 2
  expect_found database file '^error .*this file is empty'
  expect_same 0 "$(stat -c %s "$IT/empty.db")"
  sqlite3 "$IT/good.db" 'PRAGMA user_version = 99'
  doctor --db "$IT/good.db"
  expect_status 2
  expect_found database file '^error .*newer basewatch'
  sqlite3 "$IT/other.db" 'CREATE TABLE t(x)'
  doctor --db "$IT/other.db"
  expect_status 2
  expect_found database file '^error .*another program'
}

@test "what a process that was killed has left in the log stays where it is" {
  tracked
  sqlite3 "$DB" -cmd '.dbconfig no_ckpt_on_close on' "INSERT INTO meta VALUES('x', 'y')" >/dev/null
  [[ -s $DB-wal ]]
  local before
  before=$(sha256sum <"$DB" && sha256sum <"$DB-wal")
  doctor
  expect_status 0
  expect_found database size 'in the write-ahead log$'
  expect_same "$before" "$(sha256sum <"$DB" && sha256sum <"$DB-wal")"
}

@test "deliveries that were given up, or wait, are told with the sink" {
  tracked
  sqlite3 "$DB" <<'END'
INSERT INTO sink(id, name, confirms, first_seen) VALUES(1, 'ci', 0, 1), (2, 'slow', 0, 1), (3, 'fine', 0, 1), (4, 'left', 0, 1);
INSERT INTO event(number, id, type, subject, at, json) VALUES(1, printf('%064d', 1), 'io.basewatch.base.changed', 's', 1, '{}');
INSERT INTO delivery(sink_id, event, subject, state, is_first, attempts, created_at, expires_at, next_at, ended_at, error)
  VALUES(1, 1, 's', 'dead', 0, 3, 1000, 2000, 1000, 1795262400000, 'HTTP 400: no'),
        (2, 1, 's', 'due', 1, 3, 1795262400000, 9995262400000, 1000, NULL, 'HTTP 503: busy'),
        (4, 1, 's', 'due', 1, 1, 1795262400000, 9995262400000, 1000, NULL, 'HTTP 410: moved');
END
  file c.yaml <<<'sinks: {slow: {type: webhook, url: "https://h/"}, left: {type: webhook, url: "https://i/"}}'
  doctor --offline --config "$IT/c.yaml"
  expect_status 0
  expect_found database 'sink ci' '^warning nothing is due; 1 given up, the first 2026-11-21 12:00$'
  expect_advice database 'sink ci' '`basewatch events --dead --sink ci`'
  expect_found database 'sink slow' '^warning 1 due, the oldest since 2026-11-21 12:00 \(HTTP 503: busy\)$'
  expect_advice database 'sink slow' '^the last attempt failed, .*`basewatch sink test slow`'
  expect_found database 'sink left' '^warning 1 due, .* \(HTTP 410: moved\)$'
  expect_advice database 'sink left' '^the receiver wants no events any more \(410\), .*remove the sink, or mend the receiver'
  expect_found database 'sink fine' '^ok nothing is due$'
}

@test "offline nobody is asked" {
  tracked
  requests_forget reg
  file c.yaml <<END
sources: [{path: src}, {git: "https://127.0.0.1:1/x.git"}]
sinks: {ci: {type: webhook, url: "$(url_of hook)/"}}
END
  doctor --offline --config "$IT/c.yaml"
  expect_status 0
  expect_same 0 "$(requests reg)"
  expect_same 0 "$(requests hook)"
  expect_found registry all '^note 1 not asked$'
  expect_found source git '^note 1 not asked$'
  expect_found source "$IT/src" '^ok '
  expect_found sink all '^note 1 not asked$'
}

@test "proxies are named without their passwords, and a HOME that is none is a warning" {
  BW_ENV=("https_proxy=http://me:hunter2@proxy:3128" no_proxy=.lan HOME=/nowhere)
  doctor --offline
  expect_status 0
  expect_found environment https_proxy '^note http://\[hidden\]@proxy:3128$'
  expect_found environment no_proxy '^note .lan$'
  expect_found environment HOME '^warning /nowhere is no folder'
  expect_no_text hunter2
  for proxy in htp://me:hunter2@proxy:3128 me:hunter2 http://me:hunter2@proxy:99999 me:1/hunter2@proxy; do
    BW_ENV=("HTTPS_PROXY=$proxy")
    doctor --offline
    expect_status 2
    expect_found environment HTTPS_PROXY '^error is no URL of a proxy: '
    expect_no_text hunter2
  done
}

@test "without git it is an error only where a repository is configured" {
  mkdir "$IT/bin"
  BW_ENV=("PATH=$IT/bin")
  BASEWATCH=$(realpath "$BASEWATCH")
  bw_capture env -i HOME="$IT/home" XDG_STATE_HOME="$IT/state" PATH="$IT/bin" "$BASEWATCH" doctor --offline --format json
  expect_status 0
  expect_found environment git '^note not found in PATH'
  file c.yaml <<<'sources: [{git: "ssh://git@h/x.git"}]'
  bw_capture env -i HOME="$IT/home" XDG_STATE_HOME="$IT/state" PATH="$IT/bin" "$BASEWATCH" doctor --offline --format json --config "$IT/c.yaml"
  expect_status 2
  expect_found environment git '^error not found in PATH'
  expect_found environment ssh '^error not found in PATH'
  expect_advice environment ssh 'openssh-client'
}

@test "a daemon that holds the database is named" {
  tracked
  echo 4711 >"$DB.lock"
  doctor
  expect_none database daemon
  exec 9<"$DB.lock"
  flock 9
  doctor
  exec 9<&-
  expect_status 0
  expect_found database daemon '^ok runs \(process 4711\)$'
}

@test "a registry whose clock is far away is told" {
  fake_start late <<<"HEAD * manifest=A header='Date: Sat, 21 Nov 2020 12:00:00 GMT'"
  printf 'FROM %s/base:1\n' "$(host_of late)" | file src/Dockerfile
  bw check "$IT/src"
  doctor
  expect_found environment clock "^warning [0-9]+ minutes ahead of that of $(host_of late)$"
  expect_status 0
  peer_stop late
}

# fakes NAME...: registries that have base:1; each ends with the test.
fakes() {
  local name
  for name in "$@"; do fake_start "$name" <<<'HEAD * manifest=A'; done
  FAKES=("$@")
}
fakes_end() { for name in "${FAKES[@]}"; do peer_stop "$name"; done; }

@test "mirrors are asked as registries of their own, and compared with the registry itself" {
  fakes origin same behind lost
  printf 'FROM %s/base:1\n' "$(host_of origin)" | file src/Dockerfile
  bw check "$IT/src"
  fake_script behind <<<'HEAD * manifest=OLD'
  fake_script lost <<<'* * 503'
  file c.yaml <<<"registries: {\"$(host_of origin)\": {mirrors: [\"$(url_of same)\", \"$(url_of behind)/hub\", \"$(url_of lost)\"]}}"
  doctor --config "$IT/c.yaml"
  expect_status 0
  expect_found registry "$(host_of origin)" "^ok answers for $(host_of origin)/base:1"
  expect_found registry "$(host_of origin): mirror $(host_of same)" '^ok answers for .*/base:1, over plain HTTP, and names what the registry itself names$'
  expect_found registry "$(host_of origin): mirror $(host_of behind)" "^note answers for $(host_of behind)/hub/base:1, .*another image than the registry itself$"
  expect_found registry "$(host_of origin): mirror $(host_of lost)" '^warning .*503'
  expect_advice registry "$(host_of origin): mirror $(host_of lost)" 'whoever runs the registry'
  # Each is a line behind its registry.
  expect_json '[.findings[] | select(.area == "registry") | .subject | contains("mirror")]' '[false,true,true,true]'
  file c.yaml <<<"registries: {\"$(host_of origin)\": {mirrors: [\"$(url_of lost)\"], mirrors-only: true}}"
  requests_forget origin
  doctor --config "$IT/c.yaml"
  expect_status 2
  expect_found registry "$(host_of origin): mirror" '^error .*503'
  expect_same 0 "$(requests origin)"
  fakes_end
}

@test "the source of a log-in, a program that is not there, and one that fails" {
  printf 'FROM %s/base:1\n' "$(host_of shut)" | file src/Dockerfile
  bw check "$IT/src"
  mkdir "$IT/bin"
  printf '#!/bin/sh\nread -r host\necho "{\\"ServerURL\\": \\"$host\\", \\"Username\\": \\"bot\\", \\"Secret\\": \\"sesame\\"}"\n' >"$IT/bin/docker-credential-good"
  printf '#!/bin/sh\necho "the vault is locked"\nexit 1\n' >"$IT/bin/docker-credential-bad"
  chmod +x "$IT"/bin/*
  BW_ENV=("PATH=$IT/bin:$PATH")
  file c.yaml <<<"registries: {\"$(host_of shut)\": {helper: good}}"
  doctor --config "$IT/c.yaml"
  expect_found registry "$(host_of shut)" '^warning .*with the account of docker-credential-good \(the configuration\)$'
  file c.yaml <<<"registries: {\"$(host_of shut)\": {helper: bad}}"
  doctor --config "$IT/c.yaml"
  expect_status 2
  expect_found registry "$(host_of shut)" '^error .*docker-credential-bad.*it failed with status 1'
  expect_advice registry "$(host_of shut)" '`docker-credential-bad list`'
  # One for which nothing is tracked is looked at as well.
  file home/.docker/config.json <<<"{\"credHelpers\": {\"$(host_of shut)\": \"nothing\", \"unused.lan\": \"absent\"}}"
  printf '#!/bin/sh\necho "credentials not found in native keychain"\nexit 1\n' >"$IT/bin/docker-credential-nothing"
  chmod +x "$IT/bin/docker-credential-nothing"
  doctor
  expect_status 2
  expect_found registry "$(host_of shut)" '^error .* anonymously: docker-credential-nothing .* has no log-in for it$'
  expect_advice registry "$(host_of shut)" "docker login $(host_of shut).*take it out of .*config.json \(credHelpers\)"
  expect_found registry unused.lan '^note docker-credential-absent .* is not installed, or not in PATH$'
  file home/.docker/config.json <<<'{"credsStore": "nowhere"}'
  doctor
  expect_found registry "$(host_of shut)" "^error .*anonymously"
  expect_found registry "$(host_of shut)" '^warning docker-credential-nowhere .* is not installed'
  file c.yaml <<<"registries: {\"$(host_of reg)\": {proxy: none}}"
  printf 'FROM %s/base:1\n' "$(host_of reg)" | file src/Dockerfile
  bw check "$IT/src"
  doctor --config "$IT/c.yaml"
  expect_found registry "$(host_of reg)" '^ok .*anonymously: it did not ask for the account in docker-credential-nowhere'
  expect_found registry "$(host_of reg)" "^warning docker-credential-nowhere \\(credsStore in $IT/home/.docker/config.json\\) is not installed"
  expect_found registry "$(host_of reg)" '^note by the configuration it is reached without a proxy$'
  expect_same "" "$err"
  expect_no_text sesame
}

@test "what a registry grants, what it wants its users to know, and why it lets us wait" {
  fake_start hub <<<"HEAD * manifest=A header='ratelimit-limit: 100;w=21600' header='ratelimit-remaining: 76;w=21600' header='Warning: 299 - \"old tags end soon\"'"
  printf 'FROM %s/base:1\n' "$(host_of hub)" | file src/Dockerfile
  bw check "$IT/src"
  doctor
  expect_status 0
  expect_found registry "$(host_of hub)" '^ok grants 100 requests in 6 h, 76 left, 20 kept for others: its base is asked every 1 h, as scheduled$'
  expect_found registry "$(host_of hub)" '^warning it says of base:1: old tags end soon$'
  file c.yaml <<<'poll: {every: 1m}'
  doctor --config "$IT/c.yaml"
  expect_found registry "$(host_of hub)" '^note grants 100 requests in 6 h, .*; whether questions \(HEAD\) are counted is not known yet'
  # What the daemon has measured goes before that.
  sqlite3 "$DB" "DELETE FROM standing; INSERT INTO standing VALUES('$(host_of hub)', 1, 100, 76, 20, 21600, 0, 270000, '', 0)"
  file c.yaml <<<'{poll: {every: 1m}, sources: [{path: src}]}'
  : >"$DB.lock"
  exec 9<"$DB.lock"
  flock 9
  doctor --config "$IT/c.yaml"
  exec 9<&-
  expect_found registry "$(host_of hub)" '^note grants 100 requests in 6 h, .*, and not every 1 min$'
  expect_advice registry "$(host_of hub)" 'log in'
  sqlite3 "$DB" "UPDATE standing SET is_free = 1, distance_ms = 0"
  doctor --config "$IT/c.yaml"
  expect_found registry "$(host_of hub)" '^ok grants 100 requests in 6 h, .*; questions \(HEAD\) are not counted here$'
  fake_script hub <<<'HEAD * 429 retry-after=5400'
  doctor
  expect_status 2
  expect_found registry "$(host_of hub)" '^error .*; asked for .* anonymously$'
  expect_advice registry "$(host_of hub)" '^leave it alone for 1 h 30 min, as it asks; then ask less often'
  peer_stop hub
}

@test "the next question of a daemon that runs, and why it comes then" {
  printf 'FROM %s/base:1\n' "$(host_of reg)" | file src/Dockerfile
  printf 'state: %s\nsources: [{path: src, name: src}]\n' "$IT/var" | file c.yaml
  background "$BASEWATCH" run --config "$IT/c.yaml" --allow-root -v
  wait_for_line 10 "$LOG" 'first seen'
  doctor --config "$IT/c.yaml"
  expect_found registry "$(host_of reg)" "^ok the daemon asks next at 20[-0-9: ]*, for $(host_of reg)/base:1: ."
  kill -TERM "$BACKGROUND_PID"
  background_end
  doctor --config "$IT/c.yaml"
  expect_same 0 "$(found registry "$(host_of reg)" | grep -c 'asks next')"
}

@test "a signal ends it at once, with what is known" {
  local signal
  fake_script hook <<<'HEAD /signal hang'
  file c.yaml <<<"sinks: {ci: {type: webhook, url: \"$(url_of hook)/signal\", timeout: 25s}}"
  for signal in INT TERM; do
    requests_forget hook
    background "$BASEWATCH" doctor --config "$IT/c.yaml"
    wait_until 10 grep -q /signal "$PEERS_DIR/hook/requests"
    kill "-$signal" "$BACKGROUND_PID"
    background_end
    expect_status 130
    expect_out '^  note +ci \(webhook .*\) +not finished: interrupted$'
    expect_out '^  ok +git '
  done
}

@test "operands are wrong use, and a closed output is told" {
  bw doctor all
  expect_status 64
  expect_err 'takes no operands'
  bw doctor --frist
  expect_status 64
  status=0
  bw_env "$BASEWATCH" doctor --offline >/dev/full 2>"$ERR" || status=$?
  err=$(<"$ERR")
  expect_status 74
  expect_err 'write the findings'
}
