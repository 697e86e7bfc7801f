#!/usr/bin/env bats
# Which build files are found, and what `scan` prints of them. No peers: scan asks nobody.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup() { it_begin; }
teardown() { it_end; }

scan() { bw scan --format json "$@"; }
valid() { python3 -B "$IT_HOME/../validate_json.py" "$IT_HOME/../../config/basewatch-scan.schema.json" "$OUT"; }

@test "a use has every member that is promised" {
  file src/Dockerfile <<'EOF'
ARG VERSION=12
FROM --platform=linux/arm64/v8 debian:${VERSION} AS Base
FROM base
COPY --from=ghcr.io/acme/tools:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 /t /t
EOF
  scan "$IT/src"
  expect_status 0
  valid
  expect_json '.version' 1
  expect_json '.files | length' 1
  expect_json '.files[0] | [.path, .source, .error]' "[\"$IT/src/Dockerfile\",null,null]"
  # shellcheck disable=SC2016
  expect_json '.files[0].uses[0]' '{"line":2,"column":32,"role":"final","stage":"base","written":"debian:${VERSION}","expanded":"debian:12","reference":"docker.io/library/debian:12","registry":"docker.io","repository":"library/debian","tag":"12","digest":null,"platform":"linux/arm64","reachable":true,"ignored":false,"unresolved":null}'
  expect_json '.files[0].uses[1] | [.role, .stage, .registry, .repository, .tag, .digest[0:14]]' '["copy","1","ghcr.io","acme/tools","1","sha256:e3b0c44"]'
}

@test "scratch, an unset ARG and an invalid reference are uses with what is known" {
  file src/Dockerfile <<'EOF'
FROM scratch AS a
FROM debian:${VERSION} AS b
FROM Debian AS c
FROM a
EOF
  scan "$IT/src"
  expect_status 0
  valid
  expect_json '.files[0].uses | map(.reference)' '[null,null,null]'
  expect_json '.files[0].uses[0] | [.expanded, .unresolved]' '["scratch",null]'
  expect_json '.files[0].uses[1] | [.expanded, (.unresolved | test("VERSION"))]' '["debian:",true]'
  expect_json '.files[0].uses[2].unresolved | test("lowercase")' true
  bw scan "$IT/src"
  expect_status 0
  expect_out 'VERSION'
}

@test "the names of build files, and what is not one" {
  for name in Dockerfile Dockerfile.dev web.Dockerfile web.dockerfile Containerfile Containerfile.x dockerfile \
    Dockerfile.dockerignore Dockerfile~ Dockerfile.orig Dockerfile.swp .Dockerfile.swp Dockerfile.md README.md notes.txt; do
    file "src/$name" <<<'FROM debian'
  done
  scan "$IT/src"
  expect_json '.files | map(.path | sub(".*/"; "")) | sort' \
    '["Containerfile","Containerfile.x","Dockerfile","Dockerfile.dev","dockerfile","web.Dockerfile","web.dockerfile"]'
  scan "$IT/src/notes.txt" # named directly: read whatever its name
  expect_json '.files | length' 1
}

@test "some folders are never entered, --exclude leaves out more" {
  for dir in a .git node_modules deep/node_modules/x test/data; do file "src/$dir/Dockerfile" <<<'FROM debian'; done
  scan "$IT/src"
  expect_json '.files | map(.path | sub(".*/src/"; ""))' '["a/Dockerfile","test/data/Dockerfile"]'
  scan "$IT/src" --exclude 'test/**'
  expect_json '.files | map(.path | sub(".*/src/"; ""))' '["a/Dockerfile"]'
  bw scan --help
  expect_out 'node_modules'
}

@test "a link never leads out of the root" {
  file outside/Dockerfile <<<'FROM secret'
  file src/docker/build.txt <<<'FROM debian'
  mkdir -p "$IT/src/web"
  ln -s ../../outside/Dockerfile "$IT/src/web/Dockerfile"
  ln -s ../outside "$IT/src/out"
  ln -s ../docker/build.txt "$IT/src/web/Dockerfile.in-root"
  ln -s .. "$IT/src/web/loop"
  scan "$IT/src"
  expect_status 0
  expect_no_text secret
  expect_json '.files | map(.path | sub(".*/src/"; ""))' '["docker/build.txt"]'
  expect_err 'web/Dockerfile: .*out'
}

@test "a file over 1 MiB is refused with a reason; the rest goes on" {
  { echo 'FROM debian'; head -c 1048577 /dev/zero | tr '\0' '#'; } | file src/big/Dockerfile
  file src/small/Dockerfile <<<'FROM debian'
  scan "$IT/src"
  expect_status 0
  expect_json '.files | length' 2
  expect_json '.files[0].error | test("1 MiB|1048576|larger|bytes")' true
  expect_json '.files[1].uses | length' 1
}

@test "a file that cannot be parsed to its end says where and keeps what was found" {
  file src/Dockerfile <<'EOF'
FROM debian:12
RUN <<EOT
never ended
EOF
  scan "$IT/src"
  expect_status 0
  expect_json '.files[0].error | test("^line 2: .*heredoc")' true
  expect_json '.files[0].uses | length' 1
}

@test "standard input is read as a Dockerfile" {
  bw_stdin 'FROM debian:12' scan --format json -
  expect_status 0
  expect_json '.files[0].path' -
  expect_json '.files[0].uses[0].tag' 12
}

@test "a named source shows its name and the path inside" {
  file src/web/Dockerfile <<<'FROM debian'
  scan --source shop "$IT/src"
  expect_json '.files[0] | [.source, .path]' '["shop","web/Dockerfile"]'
  mkdir "$IT/src/.git"
  scan --source shop "$IT/src/web"
  expect_json '.files[0] | [.source, .path]' '["shop","web/Dockerfile"]'
}

@test "names with control characters and newlines stay one file" {
  file "$(printf 'src/Docker\nfile/Dockerfile')" <<<'FROM debian'
  scan "$IT/src"
  expect_status 0
  valid
  expect_json '.files | length' 1
}
