#!/usr/bin/env bats
# scan, check and report without a PATH: the sources of the configuration, with their builds.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib
# shellcheck source=tests/peers/git.sh
source "$IT_HOME/../peers/git.sh"

setup_file() {
  peers_begin
  registry_start reg
  local tag
  for tag in 1 2 3; do image push "$(host_of reg)/base:$tag" --seed "$tag" >/dev/null; done
  mkdir "$PEERS_DIR/repositories"
  export PEERS_GIT=$PEERS_DIR/repositories
  git_http_start http
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
  mkdir -p "$IT/shop/web" "$IT/shop/old"
  from 1 >"$IT/shop/web/Dockerfile"
}
teardown() { it_end; }

from() { printf 'FROM %s/base:%s\n' "$(host_of reg)" "$1"; }
http() { echo "$(url_of http)/$R.git"; }
conf() { file c.yaml; }
db() { sqlite3 "$IT/state/basewatch/basewatch.db" "$1"; }
tracked() {
  db "SELECT s.name || ':' || f.path || CASE t.target WHEN '' THEN '' ELSE '!' || t.target END FROM build t
    JOIN build_file f ON f.id = t.build_file_id JOIN source s ON s.id = f.source_id WHERE t.ended_at IS NULL ORDER BY 1"
}

@test "without a PATH the sources of the configuration are meant, elsewhere the current folder" {
  from 2 >"$IT/shop/old/Dockerfile"
  mkdir "$IT/here"
  from 3 >"$IT/here/Dockerfile"
  git_put "$R" main a/Dockerfile < <(from 3)
  conf <<END
sources:
- {path: shop, name: shop, exclude: [old]}
- {git: "$(http)", name: api}
registries: {"$(host_of reg)": {insecure: true}}
END
  cd "$IT/here"
  bw scan --config "$IT/c.yaml" --format json
  expect_status 0
  expect_json '.files | map([.source, .path])' "[[\"shop\",\"web/Dockerfile\"],[\"$(http)#main\",\"a/Dockerfile\"]]"
  bw check --config "$IT/c.yaml" --format json
  expect_json '[.bases[].base | sub(".*:"; "")]' '["1","3"]'
  bw report --config "$IT/c.yaml" --format json
  expect_json '[.bases[].base | sub(".*:"; "")]' '["1","3"]'
  expect_same "$(http)#main:a/Dockerfile"$'\nshop:web/Dockerfile' "$(tracked)"
  bw check --config "$IT/c.yaml" --format json .
  expect_status 0
  expect_json '[.bases[].base | sub(".*:"; "")]' '["3"]'
  bw scan --format json
  expect_json '.files | map(.path | sub(".*/"; ""))' '["Dockerfile"]'
}

@test "include names what counts, in a folder as in a repository" {
  from 2 >"$IT/shop/old/Dockerfile"
  git_put "$R" main x/Dockerfile < <(from 2)
  git_put "$R" main services/a/Dockerfile < <(from 1)
  git_put "$R" main services/odd.txt < <(from 3)
  conf <<END
sources:
- {path: shop, include: ["web/**"]}
- {git: "$(http)", name: api, include: ["services/**"]}
builds: [{source: api, file: services/odd.txt}]
END
  bw scan --config "$IT/c.yaml" --format json
  expect_status 0
  expect_json '.files | map(.path | sub(".*/shop/"; ""))' \
    '["web/Dockerfile","services/a/Dockerfile","services/odd.txt"]'
}

@test "a branch that has not moved is only asked for" {
  git_put "$R" main a/Dockerfile < <(from 1)
  git_put "$R" release/1 a/Dockerfile < <(from 2)
  conf <<END
sources: [{git: "$(http)", branches: [main, "release/*", "none/*"]}]
END
  bw check --config "$IT/c.yaml" --fail-on none
  expect_same 2 "$(tracked | wc -l)"
  requests_forget http
  bw check --config "$IT/c.yaml" --fail-on none
  expect_same "" "$err"
  # A list is a GET and a POST.
  expect_same "1 1" "$(requests http GET) $(requests http POST)"
  git_in "$R" update-ref -d refs/heads/release/1
  bw check --config "$IT/c.yaml" --fail-on none
  expect_same "$(http)#main:a/Dockerfile" "$(tracked)"
}

@test "a configured build takes the place of the plain one, for each of its platforms" {
  # shellcheck disable=SC2016 # for the Dockerfile
  printf 'ARG V=1\nFROM %s/base:$V AS one\nFROM %s/base:2 AS two\n' "$(host_of reg)" "$(host_of reg)" >"$IT/shop/web/Dockerfile"
  conf <<'END'
sources: [{path: shop, name: shop}]
END
  bw check --config "$IT/c.yaml"
  expect_same "shop:web/Dockerfile" "$(tracked)"
  conf <<'END'
sources: [{path: shop, name: shop}]
builds:
- {source: shop, file: web/Dockerfile, target: One, args: {V: 3}, platforms: [linux/amd64, linux/arm64]}
- {source: shop, file: web/Dockerfile, target: two}
- {source: shop, file: gone/Dockerfile}
END
  bw check --config "$IT/c.yaml" --format json
  expect_status 0
  expect_json '[.bases[] | .base |= sub(".*:"; "") | .base + " " + (.uses[] | select(.reachable) | .platform // "-")]' \
    '["2 -","3 linux/amd64","3 linux/arm64"]'
  expect_err "shop: builds: there is no file 'gone/Dockerfile'"
  expect_same 1 "$(grep -c 'there is no file' <<<"$err")"
  expect_same $'shop:web/Dockerfile!one\nshop:web/Dockerfile!two' "$(tracked)"
}

@test "what a configured build is stays the same from check to check" {
  conf <<'END'
sources: [{path: shop, name: shop}]
builds: [{source: shop, file: web/Dockerfile, args: {B: 1, A: 2}, contexts: {c: "docker-image://x:1"}, image: "i:1"}]
END
  bw check --config "$IT/c.yaml"
  local before
  before=$(db 'SELECT group_concat(id || fingerprint) FROM build; SELECT max(id) FROM use')
  bw check --config "$IT/c.yaml"
  expect_same "$before" "$(db 'SELECT group_concat(id || fingerprint) FROM build; SELECT max(id) FROM use')"
}

@test "a source that is away keeps its builds, and is unknown" {
  git_put "$R" main a/Dockerfile < <(from 2)
  conf <<END
sources: [{path: shop, name: shop}, {git: "$PEERS_GIT/$R.git"}]
END
  bw check --config "$IT/c.yaml" --format json
  mv "$IT/shop" "$IT/away"
  mv "$PEERS_GIT/$R.git" "$PEERS_GIT/away.git"
  bw check --config "$IT/c.yaml" --format json
  expect_status 2
  expect_err "$IT/shop: no such file or folder"
  expect_err "$R.git#main: .*; what was known of it stays, since 20"
  expect_json '.bases | length' 2
  expect_same 2 "$(tracked | wc -l)"
  mv "$PEERS_GIT/away.git" "$PEERS_GIT/$R.git"
}

@test "what could not be looked into is unknown in check and report, with since when, until it is there again" {
  local url=http://127.0.0.1:1/none.git
  git_put "$R" main a/Dockerfile < <(from 1)
  conf <<END
sources: [{path: shop, name: shop}, {path: plain}, {git: "$PEERS_GIT/$R.git"}, {git: "$url"}]
END
  mkdir "$IT/plain"
  bw check --config "$IT/c.yaml" --format json
  expect_status 2
  expect_json '.sources | map([.place, .verdict])' "[[\"$url\",\"unknown\"]]"
  expect_json '.sources[0].reason | test("^list branches: ")' true

  # Never reached: nothing is known of it but that.
  bw report --config "$IT/c.yaml" --format json
  expect_status 2
  expect_json '.sources | map(.place)' "[\"$url\"]"
  expect_json '.summary.unknown' 1
  python3 "$IT_HOME/../validate_json.py" "$IT_HOME/../../config/basewatch-report.schema.json" "$OUT"
  expect_same "" "$err"

  mv "$IT/shop" "$IT/away"
  rmdir "$IT/plain"
  mv "$PEERS_GIT/$R.git" "$PEERS_GIT/away.git"
  bw check --config "$IT/c.yaml"
  expect_status 2
  expect_out "^unknown  $IT/shop +since 20.* no such file or folder"
  expect_out '4 sources or folders could not be looked into\.'
  db 'UPDATE gap SET since = 1000'
  bw check --config "$IT/c.yaml"
  bw report --config "$IT/c.yaml"
  expect_status 2
  expect_out '^fresh '
  expect_out "^unknown  $IT/plain +since 1970-01-01 00:00 +no such file or folder"
  expect_out "^unknown  file://$PEERS_GIT/$R.git +since 1970-01-01 00:00 +list branches: "
  expect_same 4 "$(grep -c ^unknown <<<"$out")"
  bw report --config "$IT/c.yaml" --fail-on stale
  expect_status 0

  # Those that are asked for, by path, name and address.
  bw report --config "$IT/c.yaml" "$IT/shop/web" --format json
  expect_status 2
  expect_json '.sources | map(.place)' "[\"$IT/shop\"]"
  bw report --config "$IT/c.yaml" shop --format json
  expect_json '.sources | map(.place)' "[\"$IT/shop\"]"
  bw report --config "$IT/c.yaml" "$PEERS_GIT/$R.git#main" --format json
  expect_json '.sources | length' 1

  mv "$IT/away" "$IT/shop"
  mv "$PEERS_GIT/away.git" "$PEERS_GIT/$R.git"
  mkdir "$IT/plain"
  git_in "$R" update-ref -d refs/heads/main
  bw check --config "$IT/c.yaml"
  bw report --config "$IT/c.yaml" --format json
  expect_status 2
  expect_json '.sources | map(.place) | sort' "[\"file://$PEERS_GIT/$R.git\",\"$url\"]"
}

@test "run --once exits 2 when a source cannot be had, and leaves it to report" {
  file shop/closed/Dockerfile < <(from 1)
  conf <<<'sources: [{path: shop, name: shop}]'
  bw run --once --config "$IT/c.yaml"
  expect_status 0
  conf <<<'sources: [{path: shop, name: shop}, {path: nope}, {git: "http://127.0.0.1:1/none.git"}]'
  bw run --once --config "$IT/c.yaml"
  expect_status 2
  expect_out "^unknown  $IT/nope +since 20.* no such file or folder"
  expect_out "^unknown  http://127.0.0.1:1/none.git +since 20.* list branches: "
  bw report --config "$IT/c.yaml" --format json
  expect_status 2
  expect_json '.sources | length' 2

  conf <<<'sources: [{path: nope}]'
  bw run --once --config "$IT/c.yaml"
  expect_status 2
  expect_out '^No bases are known\. 1 source or folder could not be looked into\.'
  bw report --config "$IT/c.yaml"
  expect_status 2
  expect_no_err 'basewatch check'
  cp -r "$IT/shop" "$IT/nope"
  bw run --once --config "$IT/c.yaml"
  expect_status 0
  bw report --config "$IT/c.yaml" --format json
  expect_status 0
  expect_json '.sources' '[]'

  conf <<<'sources: [{path: shop, name: shop}]'
  chmod 000 "$IT/shop/closed"
  give_user "$IT/shop"
  rm -rf "$IT/state"
  bw_as_user run --once --config "$IT/c.yaml"
  expect_status 2
  expect_out "^unknown  $IT/shop/closed "
  bw_as_user report --config "$IT/c.yaml" --format json
  expect_status 2
  expect_json '.sources | map(.place)' "[\"$IT/shop/closed\"]"
  chmod 755 "$IT/shop/closed"
}

@test "verbs without operands refuse them" {
  local verb
  conf <<<'sources: [{path: shop, name: shop}]'
  for verb in "run --once" doctor "config check" ; do
    # shellcheck disable=SC2086 # two words
    bw $verb --config "$IT/c.yaml" "$IT/shop"
    expect_status 64
  done
  bw run --once --config "$IT/c.yaml" "$IT/shop"
  expect_err '.run. takes no operands'
}

@test "options that say how to build do not go with configured sources" {
  conf <<'END'
sources: [{path: shop, name: shop}]
END
  bw check --config "$IT/c.yaml" --target x
  expect_status 64
  expect_err "--target needs a PATH or URL"
  bw scan --config "$IT/c.yaml" --exclude x
  expect_status 64
  bw scan --config "$IT/c.yaml" --exclude x "$IT/shop"
  expect_status 0
}

@test "report of configured sources before any check says so" {
  conf <<'END'
sources: [{path: shop, name: shop}]
END
  bw check "$IT/shop"
  bw report --config "$IT/c.yaml"
  expect_status 0
  expect_err "nothing is tracked of the configured sources yet"
}

@test "a password in the address of a source is nowhere to be seen" {
  git_put "$R" main a/Dockerfile < <(from 1)
  conf <<END
sources: [{git: "http://bot:hunter2@127.0.0.1:1/x.git"}]
END
  bw check --config "$IT/c.yaml"
  expect_status 2
  expect_err "http://127.0.0.1:1/x.git: list branches: "
  expect_no_text hunter2
}

@test "a wrong configuration is 78" {
  conf <<<'sources: [{pth: shop}]'
  bw scan --config "$IT/c.yaml"
  expect_status 78
  bw check --config "$IT/c.yaml"
  expect_status 78
}
