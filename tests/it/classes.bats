#!/usr/bin/env bats
# What a change of a base means: images that differ in every way, on a real docker-registry. For each: the class, what
# moved, the verdict, the exit status, and exactly the requests that it takes.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
# shellcheck disable=SC2030,SC2031 # each test has its own REPO
load lib

setup_file() {
  peers_begin
  registry_start reg
}
teardown_file() { peers_end; }
setup() {
  it_begin
  REG=$(host_of reg)
  REPO=t$BATS_TEST_NUMBER # a repository of its own for each test
}
teardown() { it_end; }

TWO=(--kind index --platform "linux/amd64,linux/arm64")

# push TAG OPTION...: prints its digest; all that is known of it is in $IT/pushed.TAG.
push() {
  image push "$REG/$REPO/$1" "${@:2}" >"$IT/pushed.$1" || return 1
  jq -r .digest "$IT/pushed.$1"
}

# pushed TAG FILTER: what was pushed there last.
pushed() { jq -r "$2" "$IT/pushed.$1"; }

# asked HEADS GETS: the requests since the last push.
expect_asked() {
  expect_requests "$1" reg HEAD
  expect_requests "$2" reg GET
  expect_requests "$(($1 + $2))" reg
}

# look ARG...: a check; its requests are counted.
look() {
  requests_forget reg
  bw check "$@" --format json
}

# begin OPTION...: pushes app:1 and sees it for the first time: fresh, and no body is fetched. src/ has a build on it,
# unless there is something in it already. `move` changes these options.
begin() {
  BASE=("$@")
  push app:1 "$@"
  [[ -d $IT/src ]] || file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  look "$IT/src"
  expect_status 0
  expect_asked 1 0
}

# expect_uses JSON: of each use the folder of its file, the verdict and the class.
expect_uses() { expect_json '.bases[0].uses | map([(.path | split("/")[-2]), .verdict, .class]) | sort' "$1"; }

move() { push app:1 "${BASE[@]}" "$@"; }

# turn CLASS VERDICT GETS MOVED [SHOWN]: the next check says so, after one HEAD and so many GETs; `report` and `history`,
# which ask nobody, say the same; and another check asks for no body any more. SHOWN is the class of what the tag has now
# against what the build stands on, where that is another one than that of the change alone.
turn() {
  local class=$1 verdict=$2 gets=$3 moved=$4 shown=${5:-$1} status_of=0 seen
  case $verdict in stale | behind) status_of=1 ;; unknown) status_of=2 ;; esac
  look "$IT/src"
  expect_status "$status_of"
  expect_json '.bases[0].verdict' "$verdict"
  expect_json '.bases[0].class' "$shown"
  expect_json '.bases[0].digest' "$(pushed app:1 .digest)"
  seen=$(json '.bases[0].moved')
  expect_asked 1 "$gets"
  requests_forget reg
  bw report "$IT/src" --format json
  expect_status "$status_of"
  expect_json '.bases[0] | [.verdict, .class]' "[\"$verdict\",\"$shown\"]"
  bw history "$REG/$REPO/app:1" --format json
  expect_json '.bases[0].sightings[-1] | [.class, .digest]' "[\"$class\",\"$(pushed app:1 .digest)\"]"
  expect_json '.bases[0].sightings[-1].moved' "$moved"
  if (($(json '.bases[0].sightings | length') == 2)); then expect_same "$moved" "$seen"; fi
  expect_asked 0 0
  look "$IT/src"
  expect_status "$status_of"
  expect_asked 1 0
}

# --- the same images under another index -----------------------------------------------------------------------------

@test "new attestations are a change of the index, which makes nobody stale" {
  begin "${TWO[@]}" --attest x
  move --attest y
  turn index fresh 2 'attestations only'
  move --attest z
  turn index fresh 1 'attestations only'
  bw report "$IT/src" --format json
  expect_json '.bases[0].uses[0] | [.verdict, .evidence, .stale_since]' '["fresh","same-content",null]'
}

@test "attestations that come and go are a change of the index" {
  begin "${TWO[@]}"
  move --attest x
  turn index fresh 2 'attestations only'
  push app:1 "${TWO[@]}" --annotation a=b
  turn index fresh 1 'attestations only'
}

@test "a platform that is added or removed is a change of the index for builds that name none" {
  begin "${TWO[@]}"
  move --platform linux/amd64,linux/arm64,linux/s390x
  turn index fresh 2 'linux/s390x added'
  move --platform linux/amd64,linux/arm64,linux/riscv64
  turn index fresh 1 'linux/riscv64 added; linux/s390x removed'
  move --platform linux/amd64
  turn index fresh 1 'linux/arm64, linux/riscv64 removed'
}

@test "an index in another order is a change of the index" {
  begin "${TWO[@]}" --attest x
  move --reverse
  turn index fresh 2 'another order'
  move --attest y
  turn index fresh 1 'another order, attestations'
}

@test "annotations of the index and of its entries are a change of the index" {
  begin "${TWO[@]}"
  move --annotation org.opencontainers.image.version=2
  turn index fresh 2 "the index's own annotations or form only"
  move --for linux/arm64 --entry-annotation com.example.note=x
  turn index fresh 1 'annotations only'
  look "$IT/src" --platform linux/amd64
  expect_status 0
}

@test "annotations of the images themselves are a change of the index" {
  begin "${TWO[@]}"
  move --child-annotation org.opencontainers.image.version=2
  turn index fresh 6 'annotations of linux/amd64, linux/arm64'
  move --child-annotation org.opencontainers.image.version=3
  turn index fresh 3 'annotations of linux/amd64, linux/arm64'
}

@test "annotations of a single image are a change of the index" {
  begin --kind oci
  move --annotation a=b
  turn index fresh 3 'annotations of linux/amd64' # two manifests, and the configuration of both, which has the platform
}

# --- other layers --------------------------------------------------------------------------------------------------

@test "other layers are a change of content" {
  begin "${TWO[@]}"
  move --seed B
  turn content stale 4 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
  move --seed C
  turn content stale 2 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
}

@test "of a single image the configuration says the platform" {
  begin --kind oci --platform linux/arm/v7 --layers 2
  move --seed B
  turn content stale 4 'linux/arm/v7: 2 of 2 layers differ, 20.0 KiB in all'
  move --seed B --layer-seed 1=C
  turn content stale 2 'linux/arm/v7: 1 of 2 layers differ, 20.0 KiB in all'
}

@test "some layers of several are a change of content, and it says how many" {
  begin "${TWO[@]}" --layers 3
  move --layer-seed 3=B
  turn content stale 4 'linux/amd64: 1 of 3 layers differ, 30.1 KiB in all; 1 more platform differs'
  move --layers 5
  turn content stale 2 'linux/amd64: 3 -> 5 layers, 3 of them new, 30.1 -> 50.1 KiB; 1 more platform differs'
}

@test "other layers on one platform are a change of content for who builds for it or names none" {
  file src/any/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/amd/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1"
  file src/arm/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1"
  begin "${TWO[@]}" --layers 2
  move --for linux/arm64 --layer-seed 2=B
  turn content stale 4 'linux/arm64: 1 of 2 layers differ, 20.0 KiB in all'
  bw report "$IT/src" --format json
  expect_uses '[["amd","fresh","index"],["any","stale","content"],["arm","stale","content"]]'
  bw report "$IT/src/amd"
  expect_status 0
  bw report "$IT/src/arm"
  expect_status 1
  move --for linux/arm64 --layer-seed 2=C
  look "$IT/src"
  expect_asked 1 2
}

@test "two builds for different platforms on one base: one stays fresh, the other is stale until it is built" {
  file src/amd/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1"
  file src/arm/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1"
  begin "${TWO[@]}"
  move --for linux/arm64 --seed B
  look "$IT/src/amd"
  expect_status 0
  expect_json '.bases[0].uses[0] | [.verdict, .class, .evidence]' '["fresh","index","same-content"]'
  look "$IT/src/arm"
  expect_status 1
  expect_asked 1 0
  bw "done" "$IT/src/arm"
  expect_status 0
  bw report "$IT/src"
  expect_status 0
  # The one that stayed fresh is compared with what it stands on.
  move --seed B --for linux/arm64 --seed B
  look "$IT/src"
  expect_uses '[["amd","stale","content"],["arm","fresh","index"]]'
}

@test "one build that uses a base for two platforms is stale by the one that moved" {
  file src/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1 AS tools
FROM --platform=linux/arm64 $REG/$REPO/app:1
COPY --from=tools /x /x"
  begin "${TWO[@]}"
  move --for linux/arm64 --seed B
  turn content stale 4 'linux/arm64: 1 of 1 layers differ, 10.0 KiB in all'
  bw "done" "$IT/src"
  expect_status 0
  move --seed B --attest x --for linux/arm64 --seed B
  turn content stale 3 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all'
  move --seed B --attest y
  turn index stale 1 'attestations only' content
}

@test "check --platform is the platform of every build that names none" {
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  push app:1 "${TWO[@]}"
  BASE=("${TWO[@]}")
  BW_DB=$IT/amd.db bw check "$IT/src" --platform linux/amd64
  BW_DB=$IT/arm.db bw check "$IT/src" --platform linux/arm64
  move --for linux/arm64 --seed B
  BW_DB=$IT/amd.db bw check "$IT/src" --platform linux/amd64 --format json
  expect_status 0
  expect_json '.bases[0].class' index
  BW_DB=$IT/arm.db bw check "$IT/src" --platform linux/arm64 --format json
  expect_status 1
  expect_json '.bases[0].class' content
}

@test "the same files in other bytes are another content" {
  begin "${TWO[@]}"
  move --recompress
  turn content stale 4 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
}

# --- the same layers under another configuration -----------------------------------------------------------------------

@test "another environment, label, entrypoint or history with the same layers is a change of the configuration" {
  begin --kind oci --env MODE=slow
  move --env MODE=fast
  turn config stale 4 'linux/amd64: environment (MODE)'
  move --env MODE=fast --label version=2
  turn config stale 2 'linux/amd64: labels (version)'
  move --env MODE=fast --label version=2 --entrypoint /bin/app
  turn config stale 2 'linux/amd64: entrypoint'
  move --env MODE=fast --label version=2 --entrypoint /bin/app --history 'ENV MODE=fast'
  turn config stale 2 'linux/amd64: history'
}

@test "another configuration on all platforms of an index, or on one" {
  begin "${TWO[@]}"
  move --env MODE=fast
  # Two indexes, all four manifests, and the configurations of the platform that is told of.
  turn config stale 8 'linux/amd64: environment (MODE); 1 more platform differs'
  move --env MODE=fast --for linux/arm64 --label version=2
  turn config stale 4 'linux/arm64: labels (version)'
}

@test "another configuration on one platform is for its builds only" {
  file src/amd/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1"
  file src/arm/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1"
  begin "${TWO[@]}"
  move --for linux/arm64 --env MODE=fast
  turn config stale 6 'linux/arm64: environment (MODE)'
  bw report "$IT/src" --format json
  expect_uses '[["amd","fresh","index"],["arm","stale","config"]]'
}

@test "an image built again with nothing but other dates is a change of the configuration" {
  begin --kind oci
  move --created 2024-02-01T00:00:00Z
  turn config stale 4 'linux/amd64: dates'
}

@test "content on one platform outweighs a configuration on another" {
  begin "${TWO[@]}"
  move --for linux/amd64 --env MODE=fast --for linux/arm64 --seed B
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].class' content
}

# --- platforms -------------------------------------------------------------------------------------------------------

@test "a named platform that vanishes is a change of content, and so is its return" {
  file src/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1"
  begin "${TWO[@]}"
  move --platform linux/amd64
  turn content stale 2 'linux/arm64 is gone'
  bw "done" "$IT/src"
  move --platform linux/amd64,linux/arm64 --attest x
  turn content stale 1 'linux/arm64 has come'
}

@test "another platform that comes or goes does not matter to who names one" {
  file src/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1"
  begin "${TWO[@]}"
  move --platform linux/amd64
  turn index fresh 2 'linux/arm64 removed'
}

@test "no platform in common is a change of content" {
  begin --kind index --platform linux/amd64
  move --platform linux/arm64
  turn content stale 2 'no platform in common: linux/amd64 before, linux/arm64 now'
}

@test "variants are platforms of their own, in their normal form" {
  file src/v6/Dockerfile <<<"FROM --platform=linux/arm/v6 $REG/$REPO/app:1"
  file src/v7/Dockerfile <<<"FROM --platform=linux/arm $REG/$REPO/app:1"
  file src/v8/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1"
  begin --kind index --platform linux/arm/v6,linux/arm/v7,linux/arm64/v8 --layers 2
  move --for linux/arm/v7 --layer-seed 2=B
  turn content stale 4 'linux/arm/v7: 1 of 2 layers differ, 20.0 KiB in all'
  bw report "$IT/src" --format json
  expect_uses '[["v6","fresh","index"],["v7","stale","content"],["v8","fresh","index"]]'
  move --for linux/arm64/v8 --seed B --for linux/arm/v7 --layer-seed 2=B
  look "$IT/src/v8"
  expect_status 1
  expect_json '.bases[0].class' content
  expect_asked 1 3
  # v7 has not moved any more: what counts for it is the change before.
  bw report "$IT/src" --format json
  expect_uses '[["v6","fresh","index"],["v7","stale","content"],["v8","stale","content"]]'
}

@test "a Windows image with another os.version is another content for Windows, and none for Linux" {
  local old='windows(10.0.20348.2700)/amd64' new='windows(10.0.20348.2762)/amd64'
  file src/windows/Dockerfile <<<"FROM --platform=windows/amd64 $REG/$REPO/app:1"
  file src/linux/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1"
  file src/any/Dockerfile <<<"FROM $REG/$REPO/app:1"
  begin --kind index --platform "linux/amd64,$old"
  move --platform "linux/amd64,$new" --for "$new" --seed B
  look "$IT/src"
  expect_status 1
  expect_asked 1 4
  expect_uses '[["any","stale","content"],["linux","fresh","index"],["windows","stale","content"]]'
  expect_json '.bases[0].moved | test("windows")' true
}

@test "a Windows build that is named by os.version keeps to it" {
  local old='windows(10.0.17763.6189)/amd64' new='windows(10.0.20348.2700)/amd64'
  file src/Dockerfile <<<"FROM --platform=windows(10.0.17763)/amd64 $REG/$REPO/app:1"
  begin --kind index --platform "$old,$new"
  move --for "$new" --seed B
  turn index fresh 2 'windows(10.0.17763)/amd64 unchanged; windows(10.0.20348.2700)/amd64 differs'
  move --for "$old" --seed B
  turn content stale 3 'windows(10.0.17763)/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
}

# --- other forms -------------------------------------------------------------------------------------------------------

@test "docker's manifests and lists are read like OCI's" {
  local kind
  begin --kind list --platform linux/amd64,linux/arm64 --layers 2
  move --layer-seed 2=B
  turn content stale 4 'linux/amd64: 1 of 2 layers differ, 20.0 KiB in all; 1 more platform differs'
  move --layer-seed 2=B --platform linux/amd64,linux/arm64,linux/s390x
  turn index stale 1 'linux/s390x added' content
  REPO=$REPO-single
  rm -r "$IT/src"
  begin --kind docker
  move --env MODE=fast
  turn config stale 4 'linux/amd64: environment (MODE)'
}

@test "the same images in the other format have the same content" {
  begin --kind list --platform linux/amd64,linux/arm64
  push app:1 "${TWO[@]}"
  look "$IT/src"
  expect_json '.bases[0] | [.verdict, .class]' '["fresh","index"]'
  expect_status 0
}

@test "where the index names no platforms the configurations do" {
  file src/amd/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1"
  file src/arm/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1"
  begin "${TWO[@]}" --no-platforms
  move --for linux/arm64 --seed B
  look "$IT/src"
  expect_status 1
  expect_uses '[["amd","fresh","index"],["arm","stale","content"]]'
  expect_asked 1 8 # two indexes; manifest and configuration of amd64, and two of arm64
  move --seed B
  look "$IT/src"
  expect_asked 1 3
  expect_uses '[["amd","stale","content"],["arm","stale","content"]]'
}

@test "an index that begins to name its platforms has the same content" {
  begin "${TWO[@]}" --no-platforms
  push app:1 "${TWO[@]}"
  look "$IT/src"
  expect_status 0
  expect_json '.bases[0] | [.verdict, .class]' '["fresh","index"]'
}

@test "an index in an index, and in one more, is looked through" {
  local depth gets=4
  for depth in 2 3; do
    REPO=t$BATS_TEST_NUMBER-$depth
    rm -rf "$IT/src"
    BW_DB=$IT/$depth.db # the innermost index is the same, and would be known already
    begin --kind nested --depth "$depth" --platform linux/amd64,linux/arm64 --layers 2
    gets=$((2 * depth + 2)) # each level of the old and the new one, and two manifests
    move --for linux/arm64 --layer-seed 2=B
    turn content stale "$gets" 'linux/arm64: 1 of 2 layers differ, 20.0 KiB in all'
    move --annotation a=b --for linux/arm64 --layer-seed 2=B
    turn index stale "$depth" "the index's own annotations or form only" content
  done
}

@test "an index that lies too deep is not taken for unchanged" {
  begin --kind nested --depth 4 --platform linux/amd64
  move --seed B
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].verdict' stale
  expect_json '.bases[0].class' unclassified
}

@test "from an index to a single image and back, what counts is the image" {
  begin "${TWO[@]}"
  push app:1 --kind oci
  turn index fresh 3 'an index became a single image; linux/arm64 removed'
  push app:1 --kind oci --seed B
  turn content stale 2 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all'
  push app:1 "${TWO[@]}" --seed B
  turn index stale 1 'a single image became an index; linux/arm64 added' content
  push app:1 "${TWO[@]}" --seed C
  turn content stale 2 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
}

@test "from an index to a single image of another platform than the build's is a change of content" {
  file src/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1"
  begin "${TWO[@]}"
  push app:1 --kind oci --seed B
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].class' content
}

# --- back again, and gone ------------------------------------------------------------------------------------------------

@test "the return of an older digest is a rollback, which costs nothing to see" {
  begin "${TWO[@]}"
  move --seed B
  turn content stale 4 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
  move
  turn rollback fresh 0 'back to sighting 1; linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
  bw report "$IT/src" --format json
  expect_json '.bases[0].uses[0].evidence' returned
  move --seed B
  turn rollback stale 0 'back to sighting 2; linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
  bw "done" "$IT/src"
  move
  turn rollback stale 0 'back to sighting 3; linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
}

@test "the return of an older index around the same images is a change of the index" {
  begin "${TWO[@]}" --attest x
  move --attest y
  turn index fresh 2 'attestations only'
  move --attest x
  turn index fresh 0 'attestations only'
}

@test "what the registry no longer has cannot be compared: unclassified, and stale" {
  local old
  old=$(push app:1 "${TWO[@]}")
  begin "${TWO[@]}"
  move --attest x
  image delete "$REG/$REPO/app@$old"
  turn unclassified stale 2 'the registry no longer has the manifest before'
  bw "done" "$IT/src"
  move --attest y
  turn index fresh 1 'attestations only'
}

@test "what was gone and is there again is asked for again" {
  local old
  old=$(push app:1 "${TWO[@]}")
  begin "${TWO[@]}"
  move --seed B
  image delete "$REG/$REPO/app@$old"
  turn unclassified stale 2 'the registry no longer has the manifest before'
  move
  look "$IT/src"
  expect_status 0
  expect_json '.bases[0].verdict' fresh
  move --attest x
  look "$IT/src"
  expect_status 0
  expect_json '.bases[0] | [.verdict, .class]' '["fresh","index"]'
}

@test "an old child that is gone makes its platform unclassified, unless another platform says more" {
  begin "${TWO[@]}"
  cp "$IT/pushed.app:1" "$IT/first"
  move --for linux/arm64 --child-annotation a=b
  image delete "$REG/$REPO/app@$(jq -r '.images[1].digest' "$IT/first")"
  turn unclassified stale 4 'linux/arm64: the registry no longer has the manifest before'
  REPO=$REPO-more
  rm -r "$IT/src"
  begin "${TWO[@]}"
  move --seed B
  image delete "$REG/$REPO/app@$(jq -r '.images[0].digest' "$IT/first")"
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].class' content
}

@test "an old image that is gone does not matter where it has not changed" {
  begin "${TWO[@]}"
  move --attest x
  image delete "$REG/$REPO/app@$(pushed app:1 '.images[1].digest')"
  turn index fresh 2 'attestations only'
}

# --- what it takes ---------------------------------------------------------------------------------------------------

@test "first sights fetch no bodies, and two tags that move to the same digest fetch them once" {
  local tag
  for tag in 1 2 3; do push "app:$tag" "${TWO[@]}"; done
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1
COPY --from=$REG/$REPO/app:2 /x /x
COPY --from=$REG/$REPO/app:3 /x /x"
  look "$IT/src"
  expect_status 0
  expect_asked 3 0
  push app:1 "${TWO[@]}" --seed B
  push app:2 "${TWO[@]}" --seed B
  look "$IT/src"
  expect_status 1
  expect_json '[.bases[] | .class]' '["content","content",null]'
  expect_asked 3 4
  push app:3 "${TWO[@]}" --seed B
  look "$IT/src"
  expect_asked 3 0
  expect_json '[.bases[] | .class]' '["content","content","content"]'
}

@test "two repositories with the same images share what was fetched" {
  push one:1 "${TWO[@]}"
  push two:1 "${TWO[@]}"
  file src/Dockerfile <<<"FROM $REG/$REPO/one:1
COPY --from=$REG/$REPO/two:1 /x /x"
  look "$IT/src"
  push one:1 "${TWO[@]}" --seed B
  push two:1 "${TWO[@]}" --seed B
  look "$IT/src"
  expect_asked 2 4
  expect_json '[.bases[] | .class]' '["content","content"]'
}

@test "several changes since a build was made count by the weightiest" {
  begin "${TWO[@]}"
  move --env MODE=fast
  look "$IT/src"
  expect_json '.bases[0].class' config
  move --env MODE=fast --layers 2
  look "$IT/src"
  expect_json '.bases[0].class' content
  move --env MODE=fast --layers 2 --attest x
  turn index stale 1 'attestations only' content
}

@test "two databases fetch on their own, one database never twice, whatever is asked for in between" {
  begin "${TWO[@]}"
  move --seed B
  turn content stale 4 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
  move --seed C
  turn content stale 2 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
  move --seed B --attest x
  turn content stale 1 'linux/amd64: 1 of 1 layers differ, 10.0 KiB in all; 1 more platform differs'
}

# --- pins ------------------------------------------------------------------------------------------------------------

# pin DIGEST [PLATFORM]: the build is pinned to it.
pin() { file src/Dockerfile <<<"FROM ${2:+--platform=$2 }$REG/$REPO/app:1@$1"; }

@test "a pin that equals the tag is fresh, and takes one HEAD" {
  push app:1 "${TWO[@]}"
  pin "$(pushed app:1 .digest)"
  look "$IT/src"
  expect_status 0
  expect_json '.bases[0].uses[0] | [.verdict, .pin]' '["fresh","equal"]'
  expect_asked 1 0
}

@test "a pin of a child is fresh, whatever child without a platform, and only that of the platform with one" {
  local arm amd
  push app:1 "${TWO[@]}"
  amd=$(pushed app:1 '.images[0].digest')
  arm=$(pushed app:1 '.images[1].digest')
  pin "$arm"
  look "$IT/src"
  expect_status 0
  expect_json '.bases[0].uses[0] | [.verdict, .pin, .pin_platform]' '["fresh","child",null]'
  expect_asked 1 1
  look "$IT/src"
  expect_asked 1 0
  pin "$arm" linux/arm64
  look "$IT/src"
  expect_status 0
  expect_asked 1 0
  pin "$amd" linux/arm64
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].uses[0] | [.verdict, .pin, .pin_platform]' '["behind","other","linux/amd64"]'
  bw check "$IT/src"
  expect_out 'linux/amd64'
  expect_out 'linux/arm64'
}

@test "a pin of a child stays fresh when only the attestations move, and is behind when the child does" {
  push app:1 "${TWO[@]}" --attest x
  pin "$(pushed app:1 '.images[0].digest')"
  look "$IT/src"
  expect_status 0
  expect_asked 1 1
  push app:1 "${TWO[@]}" --attest y
  look "$IT/src"
  expect_status 0
  expect_json '.bases[0].uses[0] | [.verdict, .pin, .class]' '["fresh","child","index"]'
  expect_asked 1 1
  push app:1 "${TWO[@]}" --for linux/amd64 --seed B
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].uses[0] | [.verdict, .pin, .class]' '["behind","other","content"]'
}

@test "a pin of an older index is behind, and asked for once" {
  local old
  old=$(push app:1 "${TWO[@]}")
  push app:1 "${TWO[@]}" --seed B
  pin "$old"
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].uses[0] | [.verdict, .pin]' '["behind","other"]'
  expect_asked 1 1
  look "$IT/src"
  expect_status 1
  expect_asked 1 0
  pin "$old" linux/amd64
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].uses[0] | [.pin, .pin_platform]' '["other",null]'
  expect_asked 1 1 # is there something for the platform in it?
  look "$IT/src"
  expect_asked 1 0
}

@test "a pin of an index that has nothing for the platform says so" {
  local old
  old=$(push app:1 --kind index --platform linux/s390x)
  push app:1 "${TWO[@]}"
  pin "$old" linux/amd64
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].uses[0] | [.verdict, .pin, .pin_platform != null]' '["behind","other",true]'
}

@test "a pin of a digest that the registry no longer has is behind, and not asked for again and again" {
  local old
  old=$(push app:1 "${TWO[@]}")
  push app:1 "${TWO[@]}" --seed B
  image delete "$REG/$REPO/app@$old"
  pin "$old" linux/amd64
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].uses[0] | [.verdict, .pin]' '["behind","other"]'
  expect_asked 1 2
  look "$IT/src"
  expect_status 1
  expect_asked 1 0
}

@test "a pin where the tag has a single image is behind or fresh without a question more" {
  local old new
  old=$(push app:1 --kind oci)
  new=$(push app:1 --kind oci --seed B)
  pin "$old"
  look "$IT/src"
  expect_status 1
  expect_json '.bases[0].uses[0].pin' other
  expect_asked 1 0
  pin "$new"
  look "$IT/src"
  expect_status 0
  expect_asked 1 0
}

# --- what people see ---------------------------------------------------------------------------------------------------

@test "history shows the class and what moved, in the order of the sightings" {
  begin "${TWO[@]}" --attest x --layers 3
  move --attest y
  look "$IT/src"
  move --layer-seed 2=B
  look "$IT/src"
  move --layer-seed 2=B --env MODE=fast
  look "$IT/src"
  move --attest x
  look "$IT/src"
  bw history "$REG/$REPO/app:1" --format json
  expect_json '[.bases[0].sightings[].class]' '[null,"index","content","config","rollback"]'
  python3 -B "$IT_HOME/../validate_json.py" "$IT_HOME/../../config/basewatch-history.schema.json" "$OUT"
  bw history "$REG/$REPO/app:1"
  expect_status 0
  expect_out ' index .*attestations only'
  expect_out ' content .*1 of 3 layers differ'
  expect_out ' config .*environment .MODE.'
  expect_out ' rollback '
}

@test "check says what moved, and that a moved base needs no build" {
  begin "${TWO[@]}" --attest x --layers 3
  move --attest y
  bw check "$IT/src"
  expect_status 0
  expect_out '^fresh'
  expect_text 'attestations only'
  move --layer-seed 2=B
  bw check "$IT/src"
  expect_status 1
  expect_out '^stale'
  expect_text '1 of 3 layers differ'
  bw check "$IT/src" --format json
  python3 -B "$IT_HOME/../validate_json.py" "$IT_HOME/../../config/basewatch-report.schema.json" "$OUT"
}

@test "words of a registry are escaped where they are shown" {
  begin --kind oci
  move --label $'evil\033[2Jlabel=1'
  bw check "$IT/src"
  expect_status 1
  expect_no_text $'\033'
  bw history "$REG/$REPO/app:1"
  expect_no_text $'\033'
}
