#!/usr/bin/env bats
# Build files in git repositories: what is fetched, what is remembered, and what a hostile one can do.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
# shellcheck source=tests/peers/git.sh
source "$IT_HOME/../peers/git.sh"

setup_file() {
  peers_begin
  registry_start reg
  image push "$(host_of reg)/base:1" --seed A >/dev/null
  mkdir "$PEERS_DIR/repositories"
  export PEERS_GIT=$PEERS_DIR/repositories
  git_http_start http
  git_http_start shut --user 'bot:se%same'
}
teardown_file() { peers_end; }

setup() {
  it_begin
  PEERS_GIT=$PEERS_DIR/repositories
  HOME=$IT/home
  GIT_CONFIG_GLOBAL=/dev/null
  export HOME GIT_CONFIG_GLOBAL
  requests_forget http
  R=r$BATS_TEST_NUMBER
  git_repository "$R"
  name_registry
}
teardown() { it_end; }

# What a repository names leads into this machine only where the configuration names it too.
name_registry() {
  file config/basewatch/basewatch.yaml <<<"registries: {\"$(host_of reg)\": {connections: 3}}"
}
from_base() { printf 'FROM %s/base:1\n' "$(host_of reg)"; }
http() { echo "$(url_of http)/$R.git"; }
state() { echo "$IT/state/basewatch"; }
paths() { expect_json '.files | map(.path)' "$1"; }
tracked() { sqlite3 "$(state)/basewatch.db" "SELECT name || ':' || path FROM build_file JOIN source ON source.id = source_id WHERE ended_at IS NULL ORDER BY 1"; }
expect_tracked() { expect_same "$1" "$(tracked)"; }
sources() { sqlite3 "$(state)/basewatch.db" "SELECT name FROM build_file JOIN source ON source.id = source_id WHERE ended_at IS NULL ORDER BY 1"; }
# How often the server was asked for objects.
fetches() { requests_where http '.method == "POST"'; }

@test "scan lists the build files of the branch that HEAD is, and leaves nothing behind" {
  git_put "$R" main web/Dockerfile <<<'FROM debian:12'
  git_put "$R" main README.md <<<'FROM nothing'
  git_put "$R" other Dockerfile <<<'FROM alpine'
  BW_ENV=("TMPDIR=$IT/tmp")
  mkdir "$IT/tmp"
  bw scan --format json "$(http)"
  expect_status 0
  expect_json '.files | map([.source, .path])' "[[\"$(http)#main\",\"web/Dockerfile\"]]"
  expect_same "" "$(ls -A "$IT/tmp")"
  [[ ! -e $(state) ]]
  bw scan "$(http)"
  expect_out "^$(http)#main:web/Dockerfile$"
}

@test "a branch, a pattern and a folder can be named" {
  git_put "$R" main Dockerfile <<<'FROM a'
  git_put "$R" release/1 x/Dockerfile <<<'FROM b'
  git_put "$R" release/2 x/Dockerfile <<<'FROM c'
  git_put "$R" release/2 y/deep/Dockerfile <<<'FROM d'
  git_put "$R" release/2 y/deep/plain.txt <<<'FROM e'
  bw scan --format json "$(http)#release/2"
  paths '["x/Dockerfile","y/deep/Dockerfile"]'
  bw scan --format json "$(http)#release/*"
  expect_json '.files | map(.uses[0].written)' '["b","c","d"]'
  bw scan --format json "$(http)#release/2:y"
  paths '["y/deep/Dockerfile"]'
  bw scan --format json "$(http)#release/2:y/deep/plain.txt"
  paths '["y/deep/plain.txt"]'
  bw scan --format json --exclude 'x/**' "$(http)#release/*"
  paths '["y/deep/Dockerfile"]'
  bw scan "$(http)#gone"
  expect_status 2
  expect_err "$R.git: it has no branch 'gone'"
}

@test "the first check is one list, one fetch and one batch; the next is one list" {
  local i
  for i in 1 2 3 4 5; do from_base | git_put "$R" main "d$i/Dockerfile"; done
  head -c 200000 /dev/urandom | base64 | git_put "$R" main big.txt
  bw check --format json "$(http)"
  expect_status 0
  expect_json '.summary.fresh' 1
  # A list is a GET and a POST (ls-refs); a fetch is that again and one POST more, or two with what we have.
  expect_same 3 "$(requests http GET)"
  requests_forget http
  bw check "$(http)"
  expect_status 0
  expect_same "1 1" "$(requests http GET) $(fetches)"
  # Contents that no build file needs never came.
  (($(du -s "$(state)/git" | cut -f1) < 150))
}

@test "a branch that moved is fetched, and what has gone ends" {
  from_base | git_put "$R" main a/Dockerfile
  from_base | git_put "$R" main b/Dockerfile
  bw check "$(http)"
  expect_status 0
  echo 'D a/Dockerfile' | git_commit "$R" main
  bw check --format json "$(http)"
  expect_status 0
  expect_tracked "$(http)#main:b/Dockerfile"
  expect_same "$(git_in "$R" rev-parse main)" \
    "$(sqlite3 "$(state)/basewatch.db" 'SELECT commit_id FROM source WHERE url IS NOT NULL')"
  bw report "$(http)"
  expect_status 0
  expect_out '1 use$'
  git_put "$R" release/1 Dockerfile <<<'FROM scratch'
  git_put "$R" release/2 Dockerfile <<<'FROM scratch'
  bw check "$(http)#release/*"
  expect_same 3 "$(tracked | wc -l)"
  git_in "$R" update-ref -d refs/heads/release/1
  bw check "$(http)#release/*"
  expect_status 0
  expect_tracked "$(http)#main:b/Dockerfile"$'\n'"$(http)#release/2:Dockerfile"
}

@test "builds of a repository are found by its address, and forgotten" {
  from_base | git_put "$R" main a/Dockerfile
  from_base | git_put "$R" main b/Dockerfile
  bw check "$(http)"
  bw report --format json "$(http)#main:a"
  expect_status 0
  expect_out 'a/Dockerfile'
  expect_no_out 'b/Dockerfile'
  bw "done" "$(http)#main:a"
  expect_out '^1 build rebuilt'
  bw forget "$(http)#other"
  expect_status 66
  bw forget "$(http)"
  expect_out '^forgot 2 builds'
  bw report "$(http)"
  expect_status 66
  expect_err 'nothing is tracked of'
}

@test "a repository that cannot be reached keeps its builds, since when is told, and it is unknown" {
  git_http_start mortal
  from_base | git_put "$R" main Dockerfile
  bw check "$(url_of mortal)/$R.git"
  expect_status 0
  peer_stop mortal
  bw check "$(url_of mortal)/$R.git"
  expect_status 2
  expect_out 'base:1 +1 use'
  expect_err "$R.git#main: list branches: .*onnect.*; what was known of it stays, since 20[0-9-]+ "
  bw check "http://127.0.0.1:1/never.git"
  expect_status 2
  expect_err '127.0.0.1:1/never.git: list branches: '
}

@test "a server that cannot leave contents out works too, and so do file:// and git://" {
  git_repository "$R-plain" --no-filter
  from_base | git_put "$R-plain" main Dockerfile
  git_daemon_start daemon
  bw scan --format json "$(url_of http)/$R-plain.git" "$(url_of daemon)/$R-plain.git" "file://$PEERS_GIT/$R-plain.git"
  expect_status 0
  expect_json '.files | length' 3
  peer_stop daemon
}

@test "a password in the address opens the door, and stands nowhere afterwards" {
  local host url
  host=$(host_of shut)
  from_base | git_put "$R" main Dockerfile
  url="http://bot:se%25same@$host/$R.git"
  bw check -v "$url"
  expect_status 0
  expect_tracked "http://$host/$R.git#main:Dockerfile"
  expect_no_text 'same'
  expect_no_text 'bot'
  ! grep -rlaE 'se%?(25)?same|bot:' "$IT/state" || it_fail "the password is kept"
  bw report "$url"
  expect_status 0
  bw check "http://bot:wrong-secret@$host/$R.git"
  expect_status 2
  expect_err 'uthentication failed'
  expect_no_text 'wrong-secret'
  bw check "http://$host/$R.git"
  expect_err 'terminal prompts disabled|could not read Username'
  bw forget "http://bot:wrong-secret@$host/other.git"
  expect_no_text 'wrong-secret'
}

@test "what is no transport of ours is refused" {
  bw scan "ext::sh -c touch% $IT/pwned"
  expect_status 64
  expect_err "transport helper"
  bw scan "ftp://127.0.0.1/x.git"
  expect_status 64
  bw scan --source shop "$(http)"
  expect_status 64
  expect_err -- '--source'
  bw pin "$(http)"
  expect_status 64
  expect_err 'no files to edit'
  from_base | git_put "$R" main Dockerfile
  git_http_start leads --redirect "file://$PEERS_GIT"
  bw scan "$(url_of leads)/$R.git"
  expect_status 2
  expect_err 'rotocol "file" not supported or disabled'
  expect_no_out 'base:1'
  peer_stop leads
  [[ ! -e $IT/pwned ]]
}

@test "variables and configuration of a repository that we are started in do not count" {
  git_put "$R" main Dockerfile <<<'FROM debian'
  git init -q "$IT/elsewhere"
  git -C "$IT/elsewhere" config core.sshCommand "touch $IT/pwned"
  BW_ENV=("GIT_DIR=$IT/elsewhere/.git" "GIT_CONFIG_PARAMETERS='protocol.allow=never'" "GIT_ALLOW_PROTOCOL=none")
  cd "$IT/elsewhere"
  bw scan --format json "$(http)"
  expect_status 0
  expect_json '.files | length' 1
}

@test "links: one inside the tree is followed, one out of it never" {
  git_put "$R" main docker/build.txt <<<'FROM inside'
  git_link "$R" main web/Dockerfile ../docker/build.txt
  git_link "$R" main way ../docker
  git_link "$R" main here docker
  git_link "$R" main api/Dockerfile ../here/build.txt
  git_link "$R" main out/Dockerfile ../../../../etc/hostname
  git_link "$R" main abs/Dockerfile /etc/hostname
  git_link "$R" main gone/Dockerfile nothing
  git_link "$R" main loop/Dockerfile Dockerfile
  bw scan --format json "$(http)"
  expect_status 0
  paths '["docker/build.txt"]'
  expect_err 'out/Dockerfile: link leads out'
  expect_err 'abs/Dockerfile: link leads out'
  expect_err 'gone/Dockerfile: link leads nowhere'
  expect_err 'loop/Dockerfile: link leads nowhere'
}

@test "hostile names of branches and files are names, and nothing more" {
  from_base | git_put "$R" -x Dockerfile
  from_base | git_put "$R" --upload-pack=x Dockerfile
  from_base | git_put "$R" main --output=x/Dockerfile
  from_base | git_put "$R" main '"a\nb\033[31m/Dockerfile"'
  bw check "$(http)#*"
  expect_status 0
  expect_same 4 "$(sources | wc -l)"
  expect_same "" "$(tr -d '\n\11\40-\176' <"$OUT")"
  bw scan --format json "$(http)#-x"
  expect_json '.files | length' 1
  bw scan --format json -- "$(http)#main"
  paths '["--output=x/Dockerfile","a\nb\u001b[31m/Dockerfile"]'
}

@test "submodules are left alone, a file over 1 MiB is told, a hook does not run" {
  printf 'M 160000 %s Dockerfile\n' "$(printf '%040d' 1)" | git_commit "$R" main
  git_put "$R" main .gitmodules <<<'[submodule "x"]'
  head -c 1100000 /dev/zero | tr '\0' '#' | git_put "$R" main big/Dockerfile
  git_put "$R" main ok/Dockerfile <<<'FROM debian'
  bw scan --format json "$(http)"
  expect_status 0
  paths '["big/Dockerfile","ok/Dockerfile"]'
  expect_json '.files[0].error | test("larger than 1024 KiB")' true
}

@test "an empty repository, and one whose HEAD is no branch of it" {
  bw scan "$(http)"
  expect_status 2
  expect_err 'it is empty'
  bw scan "$(url_of http)/nothing.git"
  expect_status 2
  expect_err 'not found'
}

@test "a repository of ours that is broken is fetched again" {
  from_base | git_put "$R" main Dockerfile
  bw check "$(http)"
  expect_status 0
  rm -rf "$(state)"/git/*.git/objects/pack
  bw check "$(http)"
  expect_status 0
  touch "$(echo "$(state)"/git/*.git)/shallow.lock"
  from_base | git_put "$R" main second/Dockerfile
  bw check "$(http)"
  expect_status 0
  expect_same 2 "$(tracked | wc -l)"
}

@test "a repository with many files" {
  local count=${GIT_FILES:-20000}
  seq "$count" | awk '{ printf "M 100644 inline f%d/x\ndata 2\n.\n\n", $1 }' | git_commit "$R" main
  from_base | git_put "$R" main f7/Dockerfile
  bw check "$(http)"
  expect_status 0
  expect_tracked "$(http)#main:f7/Dockerfile"
}

@test "a repository with SHA-256 names" {
  rm -rf "$PEERS_GIT/$R.git"
  git init -q --bare -b main --object-format=sha256 "$PEERS_GIT/$R.git"
  from_base | git_put "$R" main Dockerfile
  bw check "$(http)"
  expect_status 0
  bw check "$(http)"
  expect_status 0
  expect_tracked "$(http)#main:Dockerfile"
}
