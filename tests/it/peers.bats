#!/usr/bin/env bats
# The peers prove themselves here, with curl, before the program is tested against them.

load lib

ACCEPT='Accept: application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'

setup_file() {
  peers_begin
  registry_start plain
  registry_start safe --tls
  token_server_start tokens --user bot:sesame --anonymous 'public/*'
  registry_start guarded --token tokens
  registry_start shut --user bot:sesame
  fake_start fake <<<'GET /hello body=hello'
}

teardown_file() { peers_end; }

setup() { it_begin; }
teardown() { it_end; }

# ask METHOD URL [CURL OPTION...]: $status_line, $header (all of them, lower-case names) and $body.
ask() {
  local method=$1 url=$2 verb=(-X "$1")
  shift 2
  if [[ $method == HEAD ]]; then verb=(--head); fi
  curl_status=0
  curl -sS -m 10 "${verb[@]}" -H "$ACCEPT" -D "$IT/head" -o "$IT/body" -w '%{http_version} %{http_code}' "$@" "$url" \
    >"$IT/code" 2>"$IT/curl" || curl_status=$?
  code=$(<"$IT/code")
}

header() { sed -nE "s/^$1: *(.*)\r$/\1/Ip" "$IT/head" | tail -n 1; }

digest_of() { jq -r .digest <<<"$1"; }

token_for() { curl -sS -m 10 "${@:2}" "$(url_of tokens)/token?service=test+registry&scope=repository:$1:pull" | jq -r .token; }

@test "a pushed image answers HEAD with the digest that was printed" {
  local pushed
  pushed=$(image push "$(host_of plain)/app:1" --seed A)
  ask HEAD "$(url_of plain)/v2/app/manifests/1"
  expect_same "1.1 200" "$code"
  expect_same "$(digest_of "$pushed")" "$(header docker-content-digest)"
  ask GET "$(url_of plain)/v2/app/manifests/1"
  expect_same "$(digest_of "$pushed")" "sha256:$(sha256sum "$IT/body" | cut -d' ' -f1)"
}

@test "the same seed gives the same digest, another one moves the tag" {
  local first again other
  first=$(image push "$(host_of plain)/moves:1" --seed A)
  again=$(image push "$(host_of plain)/moves:1" --seed A)
  other=$(image push "$(host_of plain)/moves:1" --seed B)
  expect_same "$(digest_of "$first")" "$(digest_of "$again")"
  [[ $(digest_of "$first") != $(digest_of "$other") ]]
  expect_same "$(digest_of "$other")" "$(image head "$(host_of plain)/moves:1" | jq -r .digest)"
}

@test "the bytes of a crafted image never change, because example files pin them" {
  expect_same sha256:9634634db8a34993f8c4100828f63ace83c6c491e994e64306a08720084340e8 \
    "$(digest_of "$(image digest --seed A --annotation a=b)")"
  expect_same sha256:5401ddf285d615eee783e678076b4847019f919a4a74654767ba0374c555dcb8 \
    "$(digest_of "$(image digest --seed A --kind index --platform linux/amd64,linux/arm64/v8 --attest x --annotation a=b)")"
}

@test "every kind of image is taken by the registry under its media type" {
  local kind type pushed
  while read -r kind type; do
    pushed=$(image push "$(host_of plain)/kinds:$kind" --kind "$kind" --platform linux/amd64,linux/arm64 --attest x)
    ask HEAD "$(url_of plain)/v2/kinds/manifests/$kind"
    expect_same "1.1 200" "$code"
    expect_same "application/vnd.$type" "$(header content-type)"
    expect_same "$(digest_of "$pushed")" "$(header docker-content-digest)"
  done <<'KINDS'
oci oci.image.manifest.v1+json
docker docker.distribution.manifest.v2+json
index oci.image.index.v1+json
list docker.distribution.manifest.list.v2+json
nested oci.image.index.v1+json
KINDS
}

@test "an index lists its platforms and its attestations" {
  image push "$(host_of plain)/multi:1" --kind index --platform linux/amd64,linux/arm64/v8 --attest x
  ask GET "$(url_of plain)/v2/multi/manifests/1"
  expect_same '["linux/amd64","linux/arm64/v8","unknown/unknown","unknown/unknown"]' \
    "$(jq -c '[.manifests[].platform | [.os, .architecture, .variant // empty] | join("/")]' "$IT/body")"
  expect_same attestation-manifest \
    "$(jq -r '.manifests[2].annotations["vnd.docker.reference.type"]' "$IT/body")"
  expect_same "$(jq -r '.manifests[0].digest' "$IT/body")" \
    "$(jq -r '.manifests[2].annotations["vnd.docker.reference.digest"]' "$IT/body")"
}

@test "an index can move while its platforms stay, and a configuration while its layers stay" {
  local one two
  one=$(image digest --kind index --attest x)
  two=$(image digest --kind index --attest y)
  [[ $(digest_of "$one") != $(digest_of "$two") ]]
  expect_same "$(jq -r '.children[0].digest' <<<"$one")" "$(jq -r '.children[0].digest' <<<"$two")"
  image push "$(host_of plain)/config:1" >/dev/null
  ask GET "$(url_of plain)/v2/config/manifests/1"
  one=$(jq -c '[.layers, .config.digest]' "$IT/body")
  image push "$(host_of plain)/config:1" --config-seed other >/dev/null
  ask GET "$(url_of plain)/v2/config/manifests/1"
  two=$(jq -c '[.layers, .config.digest]' "$IT/body")
  expect_same "$(jq -c '.[0]' <<<"$one")" "$(jq -c '.[0]' <<<"$two")"
  [[ $(jq -c '.[1]' <<<"$one") != $(jq -c '.[1]' <<<"$two") ]]
}

# differences A.json B.json: how many top objects, manifests, configurations and layers are not the same; images are
# compared one by one in their order.
differences() {
  jq -nr --slurpfile a "$1" --slurpfile b "$2" '
    def count(f): [[$a[0].images, $b[0].images] | transpose[] | select((.[0] | f) != (.[1] | f))] | length;
    def layers: [[$a[0].images, $b[0].images] | transpose[] | [.[0].layers, .[1].layers] | transpose[] | select(.[0] != .[1])];
    "\([$a, $b] | if .[0][0].digest == .[1][0].digest then 0 else 1 end) \(count(.digest)) \(count(.config)) \(layers | length)"'
}

@test "each way to be different changes what it says, and nothing else" {
  local base=(--kind index --platform "linux/amd64,linux/arm64" --layers 3 --attest x) wanted what words
  image digest "${base[@]}" >"$IT/a"
  while IFS='|' read -r wanted what; do
    eval "words=($what)"
    image digest "${base[@]}" "${words[@]}" >"$IT/b"
    expect_same "$what: $wanted" "$what: $(differences "$IT/a" "$IT/b")"
  done <<'WAYS'
0 0 0 0|--seed A
1 2 2 6|--seed B
1 2 2 2|--layer-seed 2=B
1 1 1 3|--for linux/arm64 --seed B
1 1 1 1|--for linux/arm64 --layer-seed 3=B
1 2 0 6|--recompress
1 2 2 0|--config-seed B
1 2 2 0|--env MODE=fast
1 1 1 0|--for linux/amd64 --env MODE=fast
1 2 2 0|--label version=2
1 2 2 0|--entrypoint /bin/sh --entrypoint=-c
1 2 2 0|--history 'ENV MODE=fast'
1 2 2 0|--created 2024-02-01T00:00:00Z
1 2 0 0|--child-annotation a=b
1 1 0 0|--for linux/arm64 --child-annotation a=b
1 0 0 0|--entry-annotation a=b
1 0 0 0|--for linux/arm64 --entry-annotation a=b
1 0 0 0|--annotation a=b
1 0 0 0|--attest y
1 0 0 0|--reverse
1 0 0 0|--no-platforms
WAYS
}

@test "what is said for a platform that is not there is an error" {
  run image digest --kind index --platform linux/amd64 --for linux/arm64 --seed B
  [[ $status -eq 1 && $output == *'there is no image for linux/arm64'* ]]
  run image head "$(host_of plain)/app:1" --for linux/arm64 --seed B
  [[ $status -eq 2 && $output == *'--for means nothing to head'* ]]
}

@test "configurations and entries carry the platform in full, variants and Windows versions included" {
  image push "$(host_of plain)/platforms:1" --kind index --layers 2 --env A=B --label c=d --entrypoint /x --history 'ENV A=B' \
    --platform 'linux/arm/v7,linux/arm64/v8,windows(10.0.20348.2700)/amd64' >"$IT/pushed"
  ask GET "$(url_of plain)/v2/platforms/manifests/1"
  expect_same '[{"architecture":"arm","os":"linux","variant":"v7"},{"architecture":"arm64","os":"linux","variant":"v8"},{"architecture":"amd64","os":"windows","os.version":"10.0.20348.2700"}]' \
    "$(jq -c '[.manifests[].platform]' "$IT/body")"
  ask GET "$(url_of plain)/v2/platforms/blobs/$(jq -r '.images[2].config' "$IT/pushed")"
  expect_same '["windows","amd64","10.0.20348.2700"]' "$(jq -c '[.os, .architecture, .["os.version"]]' "$IT/body")"
  expect_same '["A=B"]' "$(jq -c '[.config.Env[] | select(startswith("A="))]' "$IT/body")"
  expect_same '{"c":"d"} ["/x"]' "$(jq -cr '"\(.config.Labels) \(.config.Entrypoint)"' "$IT/body")"
  expect_same '[2,3,1]' \
    "$(jq -c '[(.rootfs.diff_ids | length), (.history | length), ([.history[] | select(.empty_layer)] | length)]' "$IT/body")"
  ask GET "$(url_of plain)/v2/platforms/manifests/$(jq -r '.images[0].digest' "$IT/pushed")"
  ask GET "$(url_of plain)/v2/platforms/blobs/$(jq -r .layers[1].digest "$IT/body")"
  expect_same "A linux/arm/v7" "$(tar -xzO -f "$IT/body" crafted-2)"
}

@test "an index without platforms leaves them to the configurations, and one may lie in another" {
  image push "$(host_of plain)/bare:1" --kind index --platform linux/amd64,linux/arm64 --no-platforms >"$IT/pushed"
  ask GET "$(url_of plain)/v2/bare/manifests/1"
  expect_same '[null,null]' "$(jq -c '[.manifests[].platform]' "$IT/body")"
  ask GET "$(url_of plain)/v2/bare/blobs/$(jq -r '.images[1].config' "$IT/pushed")"
  expect_same arm64 "$(jq -r .architecture "$IT/body")"
  local depth digest
  for depth in 1 2 3 4; do
    digest=$(image push "$(host_of plain)/deep:$depth" --kind nested --depth "$depth" --platform linux/amd64,linux/arm64 | jq -r .digest)
    for ((; depth > 1; depth--)); do
      ask GET "$(url_of plain)/v2/deep/manifests/$digest"
      digest=$(jq -r '.manifests[0].digest' "$IT/body")
    done
    ask GET "$(url_of plain)/v2/deep/manifests/$digest"
    expect_same '["amd64","arm64"]' "$(jq -c '[.manifests[].platform.architecture]' "$IT/body")"
  done
}

@test "a tag can be copied and a manifest deleted" {
  local pushed
  pushed=$(image push "$(host_of plain)/gone:1")
  image retag "$(host_of plain)/gone:1" 2
  expect_same "$(digest_of "$pushed")" "$(image head "$(host_of plain)/gone:2" | jq -r .digest)"
  image delete "$(host_of plain)/gone:1"
  ask GET "$(url_of plain)/v2/gone/manifests/2"
  expect_same "1.1 404" "$code"
  expect_same MANIFEST_UNKNOWN "$(jq -r '.errors[0].code' "$IT/body")"
}

@test "a child and a configuration can be deleted while the index stays" {
  local child config
  image push "$(host_of plain)/part:1" --kind index --platform linux/amd64,linux/arm64 >"$IT/pushed"
  child=$(jq -r '.images[0].digest' "$IT/pushed")
  config=$(jq -r '.images[1].config' "$IT/pushed")
  image delete "$(host_of plain)/part@$child"
  image delete "$(host_of plain)/part@$config" --blob
  ask GET "$(url_of plain)/v2/part/manifests/$child"
  expect_same "1.1 404" "$code"
  ask GET "$(url_of plain)/v2/part/blobs/$config"
  expect_same "1.1 404 BLOB_UNKNOWN" "$code $(jq -r '.errors[0].code' "$IT/body")"
  ask GET "$(url_of plain)/v2/part/manifests/1"
  expect_same "1.1 200" "$code"
}

@test "many tags are pushed at once, through the API or straight to the disk" {
  image many "$(host_of plain)/bench" --count 50 --repos 5 --list "$IT/refs" --builds "$IT/builds" --files 4
  expect_same 50 "$(sort -u "$IT/refs" | wc -l)"
  expect_same 50 "$(cat "$IT"/builds/*/Dockerfile | grep -c "$(host_of plain)/bench/")"
  expect_same 4 "$(find "$IT/builds" -name Dockerfile | wc -l)"
  image many "$(host_of plain)/disk" --count 50 --repos 5 --storage "$PEERS_DIR/plain/storage"
  ask HEAD "$(url_of plain)/v2/disk/r004/manifests/t0009"
  expect_same "1.1 200" "$code"
  ask HEAD "$(url_of plain)/v2/disk/r004/manifests/t0010"
  expect_same "1.1 404" "$code"
}

@test "each of many tags can have an image of its own, whole, and the same through the API and on the disk" {
  local part one two
  image many "$(host_of plain)/own" --count 4 --repos 2 --distinct --kind index --platform linux/amd64,linux/arm64 --seed B
  one=$(image head "$(host_of plain)/own/r001:t0001" | jq -r .digest)
  two=$(image head "$(host_of plain)/own/r000:t0001" | jq -r .digest)
  [[ $one != "$two" ]]
  expect_same "$one" "$(digest_of "$(image digest --seed 'B own/r001:t0001' --kind index --platform linux/amd64,linux/arm64)")"
  registry_start disk
  image many "$(host_of disk)/own" --count 4 --repos 2 --distinct --kind index --platform linux/amd64,linux/arm64 --seed B \
    --storage "$PEERS_DIR/disk/storage"
  expect_same "$one" "$(image head "$(host_of disk)/own/r001:t0001" | jq -r .digest)"
  image digest --seed 'B own/r001:t0001' --kind index --platform linux/amd64,linux/arm64 >"$IT/image"
  ask HEAD "$(url_of disk)/v2/own/r001/manifests/$(jq -r '.images[1].digest' "$IT/image")"
  expect_same "1.1 200" "$code"
  for part in .config .layers[0]; do
    ask HEAD "$(url_of disk)/v2/own/r001/blobs/$(jq -r ".images[1]$part" "$IT/image")"
    expect_same "$part 1.1 200" "$part $code"
  done
  peer_stop disk
}

@test "requests to a real registry are counted" {
  image push "$(host_of plain)/counted:1"
  requests_forget plain
  ask HEAD "$(url_of plain)/v2/counted/manifests/1"
  ask HEAD "$(url_of plain)/v2/counted/manifests/1"
  ask GET "$(url_of plain)/v2/counted/manifests/1"
  expect_requests 2 plain HEAD /v2/counted/manifests/1
  expect_requests 1 plain GET '/v2/.*'
  expect_requests 3 plain
}

@test "the TLS registry speaks HTTP/2 to who trusts its authority, and to nobody else" {
  image push "$(host_of safe)/app:1" --cacert "$PEERS_CA"
  ask HEAD "$(url_of safe)/v2/app/manifests/1" --http2 --cacert "$PEERS_CA"
  expect_same "2 200" "$code"
  ask HEAD "https://localhost:$(cut -d: -f2 "$PEERS_DIR/safe/host")/v2/app/manifests/1" --cacert "$PEERS_CA"
  expect_same "2 200" "$code"
  ask HEAD "$(url_of safe)/v2/app/manifests/1" --http2
  expect_same 60 "$curl_status"
}

@test "the token registry answers 401 with a challenge, and takes a token of the token server" {
  local token
  image push "$(host_of guarded)/public/app:1" --user bot:sesame
  ask HEAD "$(url_of guarded)/v2/public/app/manifests/1"
  expect_same "1.1 401" "$code"
  expect_same "Bearer realm=\"$(url_of tokens)/token\",service=\"test registry\",scope=\"repository:public/app:pull\"" \
    "$(header www-authenticate)"
  requests_forget tokens
  token=$(token_for public/app)
  ask HEAD "$(url_of guarded)/v2/public/app/manifests/1" -H "Authorization: Bearer $token"
  expect_same "1.1 200" "$code"
  expect_requests 1 tokens GET /token
  expect_same 1 "$(requests_where tokens '.scope == ["repository:public/app:pull"] and .user == null')"
}

@test "anonymous tokens open the public repositories only, a wrong password gets none" {
  local token
  image push "$(host_of guarded)/private/app:1" --user bot:sesame
  token=$(token_for private/app)
  ask HEAD "$(url_of guarded)/v2/private/app/manifests/1" -H "Authorization: Bearer $token"
  expect_same "1.1 401" "$code"
  [[ $(header www-authenticate) == *'error="insufficient_scope"'* ]]
  token=$(token_for private/app -u bot:sesame)
  ask HEAD "$(url_of guarded)/v2/private/app/manifests/1" -H "Authorization: Bearer $token"
  expect_same "1.1 200" "$code"
  ask GET "$(url_of tokens)/token?scope=repository:private/app:pull" -u bot:wrong
  expect_same "1.1 401" "$code"
}

@test "the token server misbehaves when told to, and behaves again" {
  local url
  url="$(url_of tokens)/token?scope=repository:public/app:pull"
  token_server_control tokens '{"field": "access_token", "expires_in": null}'
  expect_same '["access_token"]' "$(curl -sS "$url" | jq -c keys)"
  token_server_control tokens '{"status": 503, "body": "busy"}'
  ask GET "$url"
  expect_same "1.1 503" "$code"
  expect_same busy "$(<"$IT/body")"
  token_server_control tokens '{"garbage": true}'
  ask GET "$url"
  run jq . "$IT/body"
  [[ $status -ne 0 ]]
  token_server_control tokens '{}'
  expect_same '["expires_in","token"]' "$(curl -sS "$url" | jq -c keys)"
}

@test "the password registry takes the right password only" {
  image push "$(host_of shut)/app:1" --user bot:sesame
  ask HEAD "$(url_of shut)/v2/app/manifests/1"
  expect_same "1.1 401" "$code"
  expect_same 'Basic realm="test"' "$(header www-authenticate)"
  ask HEAD "$(url_of shut)/v2/app/manifests/1" -u bot:wrong
  expect_same "1.1 401" "$code"
  ask HEAD "$(url_of shut)/v2/app/manifests/1" -u bot:sesame
  expect_same "1.1 200" "$code"
}

@test "the fake answers line after line, and the last line stays" {
  fake_script fake <<'SCRIPT'
# a comment
GET /seq  500 times=2
GET /seq  429 retry-after=7
GET /seq  200 body='{"ok": true}'
SCRIPT
  for wanted in 500 500 429 200 200; do
    ask GET "$(url_of fake)/seq"
    expect_same "1.1 $wanted" "$code"
    if [[ $wanted == 429 ]]; then expect_same 7 "$(header retry-after)"; fi
  done
  expect_same '{"ok": true}' "$(<"$IT/body")"
}

@test "a looping rule flaps for ever" {
  fake_script fake <<'SCRIPT'
HEAD /v2/app/manifests/1  manifest=A
HEAD /v2/app/manifests/1  manifest=B loop
SCRIPT
  local got=()
  for _ in 1 2 3 4; do
    ask HEAD "$(url_of fake)/v2/app/manifests/1"
    got+=("$(header docker-content-digest)")
  done
  expect_same "$(digest_of "$(image digest --seed A)")" "${got[0]}"
  expect_same "$(digest_of "$(image digest --seed B)")" "${got[1]}"
  expect_same "${got[0]} ${got[1]}" "${got[2]} ${got[3]}"
}

@test "the fake's digest header can be right, missing, wrong or nonsense" {
  fake_script fake <<'SCRIPT'
* /v2/app/manifests/right    manifest=A
* /v2/app/manifests/none     manifest=A digest=none
* /v2/app/manifests/wrong    manifest=A digest=wrong
* /v2/app/manifests/nonsense manifest=A digest='sha256:xyz'
SCRIPT
  ask GET "$(url_of fake)/v2/app/manifests/right"
  expect_same "sha256:$(sha256sum "$IT/body" | cut -d' ' -f1)" "$(header docker-content-digest)"
  expect_same application/vnd.oci.image.manifest.v1+json "$(header content-type)"
  ask HEAD "$(url_of fake)/v2/app/manifests/right"
  expect_same 403 "$(($(header content-length) + 0))"
  ask HEAD "$(url_of fake)/v2/app/manifests/none"
  expect_same "" "$(header docker-content-digest)"
  ask GET "$(url_of fake)/v2/app/manifests/wrong"
  [[ $(header docker-content-digest) == sha256:0123456789abcdef* ]]
  ask GET "$(url_of fake)/v2/app/manifests/nonsense"
  expect_same sha256:xyz "$(header docker-content-digest)"
}

@test "the fake serves whole images by digest, and nothing else" {
  local seed
  fake_script fake <<'SCRIPT'
HEAD /v2/app/manifests/1         manifest=B kind=index
HEAD|GET /v2/app/*/sha256:*      by-digest=A,B kind=index
SCRIPT
  ask HEAD "$(url_of fake)/v2/app/manifests/1"
  expect_same "$(digest_of "$(image digest --seed B --kind index)")" "$(header docker-content-digest)"
  for seed in A B; do
    image digest --seed "$seed" --kind index >"$IT/image"
    ask GET "$(url_of fake)/v2/app/manifests/$(jq -r .digest "$IT/image")"
    expect_same "$(jq -r '.images[0].digest' "$IT/image")" "$(jq -r '.manifests[0].digest' "$IT/body")"
    ask GET "$(url_of fake)/v2/app/manifests/$(jq -r '.images[0].digest' "$IT/image")"
    expect_same "$(jq -r '.images[0].config' "$IT/image")" "$(jq -r .config.digest "$IT/body")"
    ask GET "$(url_of fake)/v2/app/blobs/$(jq -r '.images[0].config' "$IT/image")"
    expect_same amd64 "$(jq -r .architecture "$IT/body")"
  done
  ask GET "$(url_of fake)/v2/app/manifests/$(digest_of "$(image digest --seed C --kind index)")"
  expect_same "1.1 404 MANIFEST_UNKNOWN" "$code $(jq -r '.errors[0].code' "$IT/body")"
}

@test "the fake asks for a token, gives one, and sees it come" {
  fake_script fake <<'SCRIPT'
GET  /token                               token=t1 expires_in=300
HEAD /v2/a/b/manifests/1 auth='Bearer t1' manifest=A
HEAD /v2/a/b/manifests/1                  401 bearer
HEAD /v2/two/manifests/1                  401 challenge='Negotiate' challenge='Basic realm="x, y"'
SCRIPT
  requests_forget fake
  ask HEAD "$(url_of fake)/v2/a/b/manifests/1"
  expect_same "1.1 401" "$code"
  expect_same "Bearer realm=\"$(url_of fake)/token\",service=\"fake\",scope=\"repository:a/b:pull\"" \
    "$(header www-authenticate)"
  ask GET "$(url_of fake)/token?service=fake"
  expect_same '{"token":"t1","expires_in":300}' "$(<"$IT/body")"
  ask HEAD "$(url_of fake)/v2/a/b/manifests/1" -H 'Authorization: Bearer t1'
  expect_same "1.1 200" "$code"
  ask HEAD "$(url_of fake)/v2/two/manifests/1"
  expect_same 2 "$(grep -ci '^www-authenticate:' "$IT/head")"
  expect_same 1 "$(requests_where fake '.authorization == "Bearer t1"')"
  expect_requests 1 fake GET /token
  expect_requests 3 fake HEAD
}

@test "the fake redirects, and shows which headers came along" {
  local port
  port=$(cut -d: -f2 "$PEERS_DIR/fake/host")
  fake_script fake <<SCRIPT
GET /from  307 location=http://localhost:$port/to
GET /to    body=arrived
GET /loop  302 location={base}/loop
SCRIPT
  requests_forget fake
  ask GET "$(url_of fake)/from" -L -u bot:sesame
  expect_same arrived "$(<"$IT/body")"
  expect_same 1 "$(requests_where fake '.path == "/from" and .authorization != null')"
  expect_same 1 "$(requests_where fake ".path == \"/to\" and .authorization == null and .host == \"localhost:$port\"")"
  ask GET "$(url_of fake)/loop" -L --max-redirs 3
  expect_same 47 "$curl_status"
}

@test "the fake cuts, stalls, hangs and resets" {
  local path wanted
  fake_script fake <<'SCRIPT'
GET /cut        size=1000 cut=100
GET /cut-head   cut-head
GET /chunks     size=1000 chunked cut=100
GET /stall      size=1000 stall=100
GET /hang       hang
GET /close      close
GET /reset      reset
GET /slow       delay=5
GET /slow-head  drip-head=5
GET /slow-body  size=1000 drip=100
GET /raw        raw='nonsense\r\n\r\n'
SCRIPT
  while read -r path wanted; do
    ask GET "$(url_of fake)/$path" -m 0.5
    expect_same "$path $wanted" "$path $curl_status"
  done <<'FAULTS'
cut 18
chunks 18
stall 28
hang 28
close 52
reset 56
slow 28
slow-head 28
slow-body 28
raw 1
FAULTS
  ask GET "$(url_of fake)/cut-head"
  [[ $curl_status != 0 || $code != "1.1 200" || $(header content-length) == "" ]]
}

@test "the fake sends a body of 100 MiB, HTML and the error document" {
  fake_script fake <<'SCRIPT'
GET /big    size=104857600
GET /html   502 html
GET /code   404 code=NAME_UNKNOWN message='no such thing'
GET /length length=none body=hello
GET /chunks chunked body=hello
SCRIPT
  ask GET "$(url_of fake)/big"
  expect_same 104857600 "$(stat -c %s "$IT/body")"
  ask GET "$(url_of fake)/html"
  grep -q '<h1>' "$IT/body"
  ask GET "$(url_of fake)/code"
  expect_same '{"errors":[{"code":"NAME_UNKNOWN","message":"no such thing"}]}' "$(<"$IT/body")"
  ask GET "$(url_of fake)/length"
  expect_same hello "$(<"$IT/body")"
  ask GET "$(url_of fake)/chunks"
  expect_same hello "$(<"$IT/body")"
}

@test "the fake logs its connections" {
  fake_script fake <<<'GET /x body=x'
  requests_forget fake
  curl -sS "$(url_of fake)/x" "$(url_of fake)/x" >/dev/null
  expect_same 1 "$(jq -s '[.[] | select(.event == "open")] | length' "$PEERS_DIR/fake/requests")"
  expect_requests 2 fake GET /x
  wait_for_line 5 "$PEERS_DIR/fake/requests" '"event": "close".*"open": 0'
}

@test "a wrong script is refused with its line" {
  run fake_script fake <<<'GET /x nonsense=1'
  [[ $status -ne 0 && $output == *'line 1: no such word: nonsense=1'* ]]
}

@test "certificates are bad in the way that was asked for" {
  local kind wanted
  while read -r kind wanted; do
    fake_start "tls-$kind" --cert "$kind" <<<'GET /x body=x'
    ask GET "$(url_of "tls-$kind")/x" --cacert "$PEERS_CA"
    expect_same "$kind $wanted" "$kind $curl_status"
    if [[ $wanted != 0 ]]; then
      ask GET "$(url_of "tls-$kind")/x" -k
      expect_same "$kind 1.1 200" "$kind $code"
    fi
    peer_stop "tls-$kind"
  done <<'CERTS'
good 0
expired 60
future 60
wrongname 60
selfsigned 60
CERTS
}

@test "an old TLS, a deaf port and a rude one fail as they should" {
  fake_start old --tls --tls-max 1.0 <<<'GET /x body=x'
  ask GET "$(url_of old)/x" -k
  expect_same 35 "$curl_status"
  fake_start deaf --on-accept never <<<''
  ask GET "$(url_of deaf)/x" --connect-timeout 0.5
  expect_same 28 "$curl_status"
  fake_start rude --on-accept close <<<''
  ask GET "$(url_of rude)/x"
  [[ $curl_status == 52 || $curl_status == 56 ]] # an end or a reset, as the kernel likes
  fake_start silent --on-accept hang <<<''
  ask GET "https://$(host_of silent)/x" -m 0.5
  expect_same 28 "$curl_status"
  fake_start mail --on-accept banner <<<''
  ask GET "https://$(host_of mail)/x"
  expect_same 35 "$curl_status"
  for name in old deaf rude silent mail; do peer_stop "$name"; done
}

@test "one port answers TLS and plain HTTP when both are wanted, else TLS only" {
  fake_start both --tls --both <<<'GET /x body=x'
  fake_start only --tls <<<'GET /x body=x'
  ask GET "$(url_of both)/x" --cacert "$PEERS_CA"
  expect_same "1.1 200" "$code"
  ask GET "http://$(host_of both)/x"
  expect_same "1.1 200" "$code"
  expect_same '["https","http"]' "$(jq -sc '[.[] | select(.event == "request") | .scheme]' "$PEERS_DIR/both/requests")"
  ask GET "http://$(host_of only)/x"
  expect_same "1 400" "$code"
  peer_stop both
  peer_stop only
}

@test "a paused peer keeps its port and answers again when it is resumed" {
  fake_script fake <<<'GET /x body=x'
  peer_pause fake
  ask GET "$(url_of fake)/x" -m 0.3
  peer_resume fake
  expect_same 28 "$curl_status"
  ask GET "$(url_of fake)/x"
  expect_same x "$(<"$IT/body")"
}

@test "a stopped peer is gone" {
  local pid
  registry_start short
  pid=$(<"$PEERS_DIR/short/pid")
  peer_stop short
  peer_is_gone "$pid"
  ask HEAD "$(url_of short)/v2/"
  expect_same 7 "$curl_status"
}

@test "peers die with the shell that started them" {
  local pid
  pid=$(bash -c 'source "$1"; peers_begin >&2; registry_start orphan >&2; cat "$PEERS_DIR/orphan/pid"; rm -rf "$PEERS_DIR"' - \
    "$IT_HOME/../peers/registry.sh")
  [[ $pid -gt 1 ]]
  wait_until 5 peer_is_gone "$pid"
}

@test "commands run as an unprivileged user, and the program in an environment of its own" {
  as_user test "$(as_user id -u)" -ne 0
  BASEWATCH=$IT/program
  # shellcheck disable=SC2016
  printf '#!/bin/sh\necho "$HOME $XDG_STATE_HOME" "$@"; id -u; exit 3\n' >"$BASEWATCH"
  chmod 755 "$BASEWATCH"
  bw check src
  expect_status 3
  expect_out "^$IT/home $IT/state check src\$"
  BW_DB=$IT/other.db bw check src
  expect_out "check --db $IT/other.db src\$"
  bw_as_user check
  expect_status 3
  expect_no_out '^0$'
}
