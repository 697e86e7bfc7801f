#!/usr/bin/env bats
# Where the database is, who may read it, and what is said when it cannot be used.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup_file() {
  peers_begin
  registry_start reg
  image push "$(host_of reg)/app:1" --seed A
}
teardown_file() { peers_end; }
setup() {
  it_begin
  file src/Dockerfile <<<"FROM $(host_of reg)/app:1"
}
teardown() {
  umount "$IT/small" 2>/dev/null || :
  it_end
}

@test "the database is in \$STATE_DIRECTORY, else XDG_STATE_HOME, else in the home folder" {
  bw check "$IT/src"
  expect_status 0
  [[ -f $IT/state/basewatch/basewatch.db ]]
  BW_ENV=("STATE_DIRECTORY=$IT/service:$IT/other")
  bw check "$IT/src"
  [[ -f $IT/service/basewatch.db ]]
  BW_ENV=(XDG_STATE_HOME=)
  bw check "$IT/src"
  [[ -f $IT/home/.local/state/basewatch/basewatch.db ]]
}

@test "the database is 0600, a folder that we create 0700, an existing one is left as it is" {
  bw check "$IT/src"
  expect_same 600 "$(stat -c %a "$IT/state/basewatch/basewatch.db")"
  expect_same 700 "$(stat -c %a "$IT/state/basewatch")"
  mkdir -m 755 "$IT/existing"
  bw check "$IT/src" --db "$IT/existing/x.db"
  expect_same 755 "$(stat -c %a "$IT/existing")"
  expect_same 600 "$(stat -c %a "$IT/existing/x.db")"
}

@test "a file that is not a database of ours is refused and left alone" {
  echo 'dear diary, this is no database but long enough to be looked at' >"$IT/diary"
  bw check "$IT/src" --db "$IT/diary"
  expect_status 65
  expect_same 'dear diary, this is no database but long enough to be looked at' "$(<"$IT/diary")"
  sqlite3 "$IT/foreign.db" 'create table mine(x); insert into mine values(1)'
  bw check "$IT/src" --db "$IT/foreign.db"
  expect_status 65
  expect_err 'foreign.db'
  expect_same mine "$(sqlite3 "$IT/foreign.db" .tables)"
}

@test "a database of a newer basewatch is refused" {
  bw check "$IT/src" --db "$IT/x.db"
  sqlite3 "$IT/x.db" 'pragma user_version=999'
  bw report "$IT/src" --db "$IT/x.db"
  expect_status 65
  expect_err 'newer'
}

@test "a folder that cannot be written to is 73" {
  mkdir "$IT/ro"
  chmod 555 "$IT/ro"
  bw_as_user check "$IT/src" --db "$IT/ro/x.db"
  expect_status 73
  expect_err "$IT/ro"
}

@test "a database that another process holds is 75" {
  bw check "$IT/src" --db "$IT/x.db"
  echo "FROM $(host_of reg)/app:1 AS other" >"$IT/src/Dockerfile"
  mkfifo "$IT/orders"
  sqlite3 "$IT/x.db" <"$IT/orders" >"$IT/holder" 3>&- &
  exec 9>"$IT/orders"
  printf "begin immediate;\nselect 'held';\n" >&9
  wait_for_line 10 "$IT/holder" held
  bw check "$IT/src" --db "$IT/x.db"
  exec 9>&-
  wait
  expect_status 75
  expect_err 'x.db'
}

@test "a full disk is 74, nothing is lost, and the next check catches up" {
  mkdir "$IT/small"
  mount -t tmpfs -o size=700k tmpfs "$IT/small" 2>"$ERR" || skip "may not mount here"
  bw check "$IT/src" --db "$IT/small/x.db"
  expect_status 0
  seq -f "COPY --from=$(host_of reg)/app:1 /file-%.0f /there" 15000 >>"$IT/src/Dockerfile"
  bw check "$IT/src" --db "$IT/small/x.db"
  mount -o remount,size=20m "$IT/small"
  expect_status 74
  expect_err 'full'
  expect_same ok "$(sqlite3 "$IT/small/x.db" 'pragma integrity_check')"
  bw check "$IT/src" --db "$IT/small/x.db"
  expect_status 0
  expect_same 15001 "$(sqlite3 "$IT/small/x.db" 'select count(*) from use')"
  umount "$IT/small"
}

@test "an unchanged sweep does not grow the database" {
  bw check "$IT/src" --db "$IT/x.db"
  bw check "$IT/src" --db "$IT/x.db"
  before=$(stat -c %s "$IT/x.db")
  for _ in 1 2 3 4 5; do bw check "$IT/src" --db "$IT/x.db"; done
  expect_same "$before" "$(stat -c %s "$IT/x.db")"
  [[ ! -e $IT/x.db-wal ]]
}

@test "two checks at once on one database lose nothing" {
  for i in $(seq 40); do echo "FROM $(host_of reg)/app:1 AS s$i" | file "src/$i/Dockerfile"; done
  bw_env "$BASEWATCH" check "$IT/src" --db "$IT/x.db" >"$IT/one" 2>&1 3>&- &
  first=$!
  bw check "$IT/src" --db "$IT/x.db"
  expect_status 0
  wait "$first"
  expect_same 1 "$(sqlite3 "$IT/x.db" 'select count(*) from sighting')"
  expect_same ok "$(sqlite3 "$IT/x.db" 'pragma integrity_check')"
}

@test "an unreadable build file and folder are reported, and are unknown" {
  file src/secret/Dockerfile <<<'FROM debian'
  file src/closed/Dockerfile <<<'FROM debian'
  chmod 000 "$IT/src/secret/Dockerfile" "$IT/src/closed"
  give_user "$IT/src"
  bw_as_user check "$IT/src" --format json
  expect_status 2
  expect_err 'closed'
  expect_json '.other[0].path | test("secret/Dockerfile$")' true
  expect_json '.other[0].verdict' unknown
  chmod 700 "$IT/src/closed"
}
