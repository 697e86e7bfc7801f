#!/usr/bin/env bats
# resolve: what is behind a reference, against a real docker-registry.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup_file() {
  peers_begin
  registry_start reg
}
teardown_file() { peers_end; }
setup() {
  it_begin
  REG=$(host_of reg)
  IMAGE=$REG/t$BATS_TEST_NUMBER/app
  requests_forget reg
}
teardown() { it_end; }

push() { image push "$IMAGE:1" "$@" >"$IT/pushed"; }
push_index() { push --kind index --platform linux/amd64,linux/arm64,linux/arm/v6 "$@"; }
pushed() { jq -r "$1" "$IT/pushed"; }
valid() { python3 -B "$IT_HOME/../validate_json.py" "$IT_HOME/../../config/basewatch-resolve.schema.json" "$OUT"; }
sha256_of() { echo "sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"; }

@test "an index is shown with its images, by one HEAD and one GET" {
  push_index --attest x
  requests_forget reg
  bw resolve "$IMAGE:1"
  expect_status 0
  expect_out "^$IMAGE:1 +$(pushed .digest) +index"
  expect_out "^ +linux/arm64 +$(pushed '.children[1].digest')"
  expect_requests 1 reg HEAD
  expect_requests 1 reg GET
  bw resolve --format json "$IMAGE:1"
  expect_status 0
  valid
  expect_json '.images[0].digest' "$(pushed .digest)"
  expect_json '.images[0].size' "$(pushed .size)"
  expect_json '.images[0].platform' null
  expect_json '.images[0].children | map(.digest)' "$(jq -c '.children | map(.digest)' "$IT/pushed")"
  expect_json '.images[0].children | map(.platform)' '["linux/amd64","linux/arm64","linux/arm/v6",null,null,null]'
  expect_json '.images[0].children | map(.attestation)' '[false,false,false,true,true,true]'
}

@test "a single image is shown with its platform and size" {
  push --platform linux/arm64
  requests_forget reg
  bw resolve --format json "$IMAGE:1"
  expect_status 0
  valid
  expect_json '.images[0].digest' "$(pushed .digest)"
  expect_json '.images[0].platform' linux/arm64
  expect_json '.images[0].size' "$(pushed .size)"
  expect_json '.images[0].children' null
  expect_requests 1 reg HEAD
  expect_requests 2 reg GET
  bw resolve "$IMAGE:1"
  expect_out "$(pushed .digest).*linux/arm64"
}

@test "--platform gives the digest, size and media type of that image" {
  push_index
  bw resolve --platform linux/arm64/v8 --format json "$IMAGE:1"
  expect_status 0
  valid
  expect_json '.images[0].digest' "$(pushed '.children[1].digest')"
  expect_json '.images[0].platform' linux/arm64
  expect_json '.images[0].media_type' "$(pushed '.children[1].media_type')"
  expect_json '.images[0].children' null
  size=$(json '.images[0].size')
  bw resolve --manifest "$IMAGE@$(pushed '.children[1].digest')"
  expect_same "$size" "$(stat -c %s "$OUT")"
}

@test "a platform that does not exist names those that do" {
  push_index --attest x
  bw resolve --platform linux/riscv64 "$IMAGE:1"
  expect_status 2
  expect_text "no linux/riscv64 in $IMAGE:1; it has linux/amd64, linux/arm64, linux/arm/v6"
  expect_no_text unknown
  bw resolve --platform linux/riscv64 --format json "$IMAGE:1"
  expect_status 2
  valid
  expect_json '.images[0].digest' null
  bw resolve --platform linux/riscv64 --manifest "$IMAGE:1"
  expect_status 2
  expect_same "" "$out"
  expect_err 'no linux/riscv64'
}

@test "a single image for another platform is not taken for the one that was asked for" {
  push --platform linux/arm64
  bw resolve --platform linux/amd64 "$IMAGE:1"
  expect_status 2
  expect_text "no linux/amd64 in $IMAGE:1; it has linux/arm64"
  bw resolve --platform linux/arm64 --format json "$IMAGE:1"
  expect_status 0
  expect_json '.images[0].digest' "$(pushed .digest)"
  expect_json '.images[0].platform' linux/arm64
}

@test "--manifest writes the bytes as they came" {
  push_index
  bw resolve --manifest "$IMAGE:1"
  expect_status 0
  expect_same "$(pushed .digest)" "$(sha256_of "$OUT")"
  expect_same "" "$err"
  bw resolve --manifest --platform linux/arm64 "$IMAGE:1"
  expect_status 0
  expect_same "$(pushed '.children[1].digest')" "$(sha256_of "$OUT")"
  push --seed B
  requests_forget reg
  bw resolve --manifest --platform linux/amd64 "$IMAGE:1"
  expect_status 0
  expect_same "$(pushed .digest)" "$(sha256_of "$OUT")"
  expect_requests 2 reg GET
}

@test "--manifest takes one IMAGE, and neither it nor --platform goes with --offline" {
  bw resolve --manifest debian:12 debian:13
  expect_status 64
  expect_err -- '--manifest takes one IMAGE'
  bw resolve --manifest --offline debian:12
  expect_status 64
  bw resolve --platform linux/amd64 --offline debian:12
  expect_status 64
  bw resolve --manifest Debian:12
  expect_status 64
  expect_err 'Debian:12: .*lowercase'
  expect_same "" "$out"
}

@test "a reference with a digest is that manifest, whatever the tag has" {
  push_index
  old=$(pushed .digest)
  push_index --seed B
  bw resolve --format json "$IMAGE:1@$old" "$IMAGE@$old"
  expect_status 0
  valid
  expect_json '.images | map(.digest)' "[\"$old\",\"$old\"]"
  expect_json '.images | map(.children | length)' '[3,3]'
  bw resolve --platform linux/arm64 --format json "$IMAGE@$old"
  expect_status 0
  expect_json '.images[0].platform' linux/arm64
}

@test "a digest that is not there is told without a word of a tag" {
  push
  digest=$(image digest --seed nobody | jq -r .digest)
  for reference in "$IMAGE@$digest" "$IMAGE:1@$digest"; do
    bw resolve "$reference"
    expect_status 2
    expect_text "$REG does not have the manifest ${digest:0:19}"
    expect_no_text 'the tag is gone'
  done
  requests_forget reg
  bw resolve "$IMAGE:9"
  expect_status 2
  expect_text 'the tag is gone: '
  expect_text '; there is 1'
  expect_requests 1 reg GET '.*/tags/list'
  bw resolve "$REG/nobody/app:9"
  expect_status 2
  expect_text 'no such repository'
}

@test "images of nested indexes, and of entries that name no platform, are found" {
  push --kind nested --depth 3 --platform linux/amd64,linux/arm64
  bw resolve --format json "$IMAGE:1"
  expect_status 0
  expect_json '.images[0].children | map(.platform)' '["linux/amd64","linux/arm64"]'
  bw resolve --platform linux/arm64 --format json "$IMAGE:1"
  expect_status 0
  expect_json '.images[0].media_type' application/vnd.oci.image.manifest.v1+json
  push_index --no-platforms
  bw resolve --format json "$IMAGE:1"
  expect_status 0
  expect_json '.images[0].children | map(.platform)' '["linux/amd64","linux/arm64","linux/arm/v6"]'
}

@test "the same IMAGE twice is asked for once" {
  push
  requests_forget reg
  bw resolve --format json "$IMAGE:1" "$IMAGE:1"
  expect_status 0
  expect_requests 1 reg HEAD
  expect_json '.images | map(.digest) | unique | length' 1
}

@test "a manifest that cannot be had leaves the digest, and is 2" {
  digest=$(image digest --seed A --kind index | jq -r .digest)
  fake_start half <<'SCRIPT'
HEAD * manifest=A kind=index
GET * 404 code=MANIFEST_UNKNOWN
SCRIPT
  bw resolve --format json "$(host_of half)/app:1"
  expect_status 2
  expect_json '.images[0].digest' "$digest"
  expect_json '.images[0].children' null
  expect_err "$(host_of half)/app:1: "
  bw resolve --manifest "$(host_of half)/app:1"
  expect_status 2
  expect_same "" "$out"
  expect_err "$(host_of half)/app:1: "
  peer_stop half
}

@test "bytes that do not have the digest are never written" {
  fake_start liar <<'SCRIPT'
HEAD * manifest=A
GET * manifest=B digest=none
SCRIPT
  bw resolve --manifest "$(host_of liar)/app:1"
  expect_status 2
  expect_same "" "$out"
  expect_err 'asked for sha256:'
  peer_stop liar
}

@test "control characters of a manifest do not reach the terminal" {
  command -v script >/dev/null || skip "no script(1) here"
  printf '{"schemaVersion":2,"manifests":[],"x":"\033[31m"}' >"$IT/body"
  fake_start odd <<SCRIPT
* * file=$IT/body type=application/vnd.oci.image.index.v1+json digest=$(sha256_of "$IT/body")
SCRIPT
  bw_capture bw_env script -qec "'$BASEWATCH' resolve --manifest '$(host_of odd)/app:1'" /dev/null
  expect_status 0
  expect_no_out "$(printf '\033')"
  expect_out '\\x1b\[31m'
  bw resolve --manifest "$(host_of odd)/app:1"
  cmp "$OUT" "$IT/body"
  peer_stop odd
}

@test "an interruption is 130 and shows what was answered" {
  push
  fake_start hangs <<<'* * hang'
  bw_capture bw_env timeout --foreground --preserve-status -s INT 3 "$BASEWATCH" resolve --format json "$IMAGE:1" "$(host_of hangs)/app:1"
  expect_status 130
  expect_json '.images[0].digest' "$(pushed .digest)"
  expect_json '.images[1].error' interrupted
  peer_stop hangs
}
