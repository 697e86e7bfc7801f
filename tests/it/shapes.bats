#!/usr/bin/env bats
# What each kind of registry answers, as contrib/registries.md has it, played by the programmable fake: what `resolve` makes of
# it, and with how many requests. The shapes are in tests/peers/shapes/: the script of the fake, and in comments what is
# expected of it:
#
#   #! login USER:PASSWORD                       in the credentials file; without it nobody in particular asks
#   #: IMAGE HEADS GETS TOKENS =SEED             the digest of that crafted image
#   #: IMAGE HEADS GETS TOKENS REGEX             no digest, and an error that matches
#
# @OTHER@ and @OTHERHOST@ are another fake, whom the registry redirects to.

# shellcheck disable=SC2154,SC2034 # lib.bash sets and reads them
load lib

setup_file() {
  peers_begin
  fake_start shape <<<'* * 404'
  fake_start other <<'SCRIPT'
HEAD|GET /v2/gone/* 404 code=MANIFEST_UNKNOWN message='Failed to fetch'
HEAD|GET /v2/missing/* 404 code=NAME_UNKNOWN
GET /v2/app/tags/list body='{"name":"app","tags":["goner"]}'
HEAD|GET /v2/app/* manifest=A kind=index
SCRIPT
  image digest --seed A --kind index | jq -r .digest >"$PEERS_DIR/digest-A"
}
teardown_file() { peers_end; }
setup() { it_begin; }
teardown() { it_end; }

# One look at the answer and at the log of the registry: "HEADS GETS TOKENS DIGEST ERROR".
# shellcheck disable=SC2016 # of jq
SUMMARY='input.images[0] as $image
  | [inputs | select(.event == "request") | if (.path | test("^/v2/.+/(manifests|tags)/")) then .method else "token" end] as $asked
  | (["HEAD", "GET", "token"] | map(. as $kind | $asked | map(select(. == $kind)) | length)) + [$image.digest // "-", $image.error // "-"]
  | join(" ")'

# ask HOST IMAGE HEADS GETS TOKENS OUTCOME
ask() {
  local heads gets tokens digest error wanted=$6 code=2
  requests_forget shape
  bw resolve --format json --give-up 5 "$1/$2"
  read -r heads gets tokens digest error < <(jq -rn "$SUMMARY" "$OUT" "$PEERS_DIR/shape/requests")
  if [[ $6 == =* ]]; then
    wanted="^-\$"
    code=0
    expect_same "$(<"$PEERS_DIR/digest-${6#=}")" "$digest" || return 1
  else
    expect_same - "$digest" || return 1
  fi
  expect_status "$code" || return 1
  [[ $error =~ $wanted ]] || it_fail "$2: the error does not match: $wanted" || return 1
  [[ "$heads $gets $tokens" == "$3 $4 $5" ]] ||
    it_fail "$2: $heads HEAD, $gets GET, $tokens tokens instead of $3 $4 $5:"$'\n'"$(request_lines shape)"
}

# plays SHAPE: everything that is expected of it.
plays() {
  local file=$PEERS_HOME/shapes/$1.shape host other login image heads gets tokens outcome count=0
  host=$(host_of shape)
  other=$(host_of other)
  sed "s|@OTHER@|http://$other|g" "$file" | fake_script shape
  login=$(sed -n 's/^#! login //p' "$file")
  if [[ -n $login ]]; then
    log_in "$host" "$login"
  fi
  while read -r image heads gets tokens outcome; do
    ask "$host" "$image" "$heads" "$gets" "$tokens" "${outcome//@OTHERHOST@/$other}" || return 1
    count=$((count + 1))
  done < <(sed -n 's/^#: //p' "$file")
  ((count >= 4)) || it_fail "$1 expects too little"
}

@test "Docker Hub: its shape" { plays docker-hub; }
@test "GHCR: its shape" { plays ghcr; }
@test "Quay: its shape" { plays quay; }
@test "ECR: its shape" { plays ecr; }
@test "ECR Public: its shape" { plays ecr-public; }
@test "Google Artifact Registry: its shape" { plays google; }
@test "ACR: its shape" { plays acr; }
@test "MCR: its shape" { plays mcr; }
@test "registry.k8s.io: its shape" { plays registry-k8s-io; }
@test "GitLab: its shape" { plays gitlab; }
@test "Harbor: its shape" { plays harbor; }
@test "Artifactory: its shape" { plays artifactory; }
@test "Gitea and Forgejo: its shape" { plays gitea; }
@test "Nexus: its shape" { plays nexus; }
@test "zot: its shape" { plays zot; }
@test "docker-registry: its shape" { plays docker-registry; }

@test "what a registry says to its users is told once, escaped, by resolve, check and run --once" {
  printf "* * header='Warning: 299 - \"Your \033[31mtoken ends soon\"' manifest=A kind=index\n" | fake_script shape
  told() {
    expect_status 0
    expect_same 1 "$(grep -c ' says of ' <<<"$err")"
    expect_err "^basewatch: warning: $(host_of shape) says of a:1: Your .x1b\[31mtoken ends soon\$"
  }
  bw resolve "$(host_of shape)/a:1" "$(host_of shape)/b:1"
  told
  file src/Dockerfile <<<"FROM $(host_of shape)/a:1"
  bw check "$IT/src"
  told
  printf 'sources: [{path: %s}]\n' "$IT/src" >"$IT/c.yaml"
  bw run --once --config "$IT/c.yaml" --db "$IT/other.db"
  told
}

@test "an image of schema 1 is refused with an explanation" {
  fake_script shape <<'SCRIPT'
* * digest=wrong type=application/vnd.docker.distribution.manifest.v1+prettyjws body='{"schemaVersion":1}'
SCRIPT
  bw resolve --format json "$(host_of shape)/a:1"
  expect_status 2
  expect_json '.images[0].error | test("an image of schema 1, a format that registries have given up")' true
}
