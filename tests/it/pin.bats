#!/usr/bin/env bats
# pin: a patch that git takes, or files edited in place, with the digests that a real docker-registry serves.

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
  REPO=t$BATS_TEST_NUMBER # a repository of its own for each test
  requests_forget reg
  mkdir "$IT/src"
  cd "$IT/src" || return 1
}
teardown() {
  cd /
  it_end
}

push() { image push "$REG/$REPO/$1" --seed "$2" "${@:3}" | jq -r .digest; }
# push_index NAME:TAG SEED [OPTION...]: an index of amd64 and arm64, described in $IT/pushed.
push_index() { image push "$REG/$REPO/$1" --seed "$2" --kind index --platform linux/amd64,linux/arm64 "${@:3}" >"$IT/pushed"; }
# child N: the digest of the Nth image that was last pushed.
child() { jq -r ".children[$1].digest" "$IT/pushed"; }
top() { jq -r .digest "$IT/pushed"; }

git_env() { env -i PATH="$PATH" HOME="$IT/home" GIT_CONFIG_NOSYSTEM=1 git -c init.defaultBranch=main "$@"; }
# apply [GIT OPTION...]: what was printed last, to what is here.
apply() {
  cp "$OUT" "$IT/patch"
  git_env "$@" apply "$IT/patch" 2>"$IT/git" || it_fail "git apply: $(<"$IT/git")"
}
expect_file() { [[ $(<"$1") == "$2" ]] || it_fail "$1 holds: $(cat -A "$1")"; }
# Nothing is left to do: the second run must print nothing.
expect_settled() {
  bw pin
  expect_status 0
  expect_same "" "$out"
  expect_err '^nothing to change'
}

# finish PID: of a run in the background, whose output went where that of bw goes.
finish() {
  status=0
  wait "$1" || status=$?
  out=$(<"$OUT")
  err=$(<"$ERR")
}

@test "an unpinned reference gets the tag's digest, by one HEAD, and the second run prints nothing" {
  digest=$(push app:1 A)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1 AS build
RUN make
FROM $REG/$REPO/app:1
COPY --from=build /x /x"
  requests_forget reg
  bw pin
  expect_status 0
  expect_requests 1 reg HEAD
  expect_requests 1 reg
  expect_err '^2 references in 1 file$'
  expect_out '^--- a/Dockerfile$'
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$digest AS build
RUN make
FROM $REG/$REPO/app:1@$digest
COPY --from=build /x /x"
  expect_settled
  [[ ! -e $IT/state ]] || it_fail "pin made a database"
}

@test "a moved tag moves the pin, a pin that is right stays" {
  old=$(push app:1 A)
  same=$(push lib:1 A)
  new=$(push app:1 B)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$old
COPY --from=$REG/$REPO/lib:1@$same /x /x"
  bw pin
  expect_status 0
  expect_err '^1 reference in 1 file$'
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$new
COPY --from=$REG/$REPO/lib:1@$same /x /x"
  expect_settled
}

@test "references in ARG defaults, COPY, mounts and the syntax line are edited where they stand" {
  for name in app lib tool syntax; do declare "$name=$(push "$name:1" "$name")"; done
  old=$(image digest --seed old | jq -r .digest)
  file src/Dockerfile <<<"# syntax=$REG/$REPO/syntax:1
ARG BASE=$REG/$REPO/app:1
ARG LIB_DIGEST=$old
FROM \$BASE AS build
RUN --mount=type=bind,from=$REG/$REPO/tool:1,target=/t \\
    make
FROM $REG/$REPO/lib:1@\${LIB_DIGEST}
COPY --from=build /x /x
COPY --from=\"$REG/$REPO/tool:1\" /y /y"
  bw pin
  expect_status 0
  apply
  expect_file Dockerfile "# syntax=$REG/$REPO/syntax:1@$syntax
ARG BASE=$REG/$REPO/app:1@$app
ARG LIB_DIGEST=$lib
FROM \$BASE AS build
RUN --mount=type=bind,from=$REG/$REPO/tool:1@$tool,target=/t \\
    make
FROM $REG/$REPO/lib:1@\${LIB_DIGEST}
COPY --from=build /x /x
COPY --from=\"$REG/$REPO/tool:1@$tool\" /y /y"
  expect_settled
}

@test "CRLF, a byte order mark and a missing end of line stay as they are, in the patch and with --write" {
  digest=$(push app:1 A)
  wanted=$IT/wanted
  printf '\xef\xbb\xbf# first\r\nFROM %s/%s/app:1@%s\r\nRUN x\r\nRUN y' "$REG" "$REPO" "$digest" >"$wanted"
  sed "s/@$digest//" "$wanted" >Dockerfile
  cp Dockerfile "$IT/before"
  bw pin
  expect_status 0
  apply
  cmp Dockerfile "$wanted"
  cp "$IT/before" Dockerfile
  bw pin --write
  expect_status 0
  cmp Dockerfile "$wanted"
}

@test "the patch applies in a subfolder of a git repository, and in its root" {
  digest=$(push app:1 A)
  file src/web/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/web/sub/x.Dockerfile <<<"FROM $REG/$REPO/app:1"
  git_env init -q
  git_env add .
  git_env -c user.name=x -c user.email=x@example.org commit -qm x
  bw pin
  apply
  expect_same ' M web/Dockerfile M web/sub/x.Dockerfile' "$(git_env status --short | tr -d '\n')"
  git_env checkout -q .
  cd web
  bw pin .
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$digest"
  expect_file sub/x.Dockerfile "FROM $REG/$REPO/app:1@$digest"
}

@test "files outside of the current folder: all paths count from one folder that holds them, and it is named" {
  digest=$(push app:1 A)
  file other/web/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file other/api/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw pin ../other
  expect_status 0
  expect_out '^--- a/web/Dockerfile$'
  expect_err "count from $IT/other: apply it with .git -C $IT/other apply"
  apply -C "$IT/other"
  expect_file "$IT/other/web/Dockerfile" "FROM $REG/$REPO/app:1@$digest"
  expect_file "$IT/other/api/Dockerfile" "FROM $REG/$REPO/app:1@$digest"

  # From a subfolder: what lies below it and what lies beside it.
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/sub/Dockerfile <<<"FROM $REG/$REPO/app:1"
  cd sub
  bw pin ..
  expect_status 0
  expect_out '^--- a/Dockerfile$'
  expect_out '^--- a/sub/Dockerfile$'
  apply -C "$IT/src"
  expect_file "$IT/src/Dockerfile" "FROM $REG/$REPO/app:1@$digest"
  expect_file "$IT/src/sub/Dockerfile" "FROM $REG/$REPO/app:1@$digest"
}

@test "a name that needs quotes is one that git understands" {
  digest=$(push app:1 A)
  name=$(printf 'Dockerfile.a b\t"\xc3\xa9')
  file "src/$name" <<<"FROM $REG/$REPO/app:1"
  bw pin
  expect_status 0
  apply
  expect_file "$name" "FROM $REG/$REPO/app:1@$digest"
}

@test "a pin to one image of an index stays one" {
  push_index app:1 A
  arm=$(child 1)
  push_index app:1 B
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$arm
COPY --from=$REG/$REPO/app:1@$(child 0) /x /x"
  bw pin
  expect_status 0
  expect_err '^1 reference in 1 file$'
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$(child 1)
COPY --from=$REG/$REPO/app:1@$(child 0) /x /x"
  expect_settled
}

@test "a pin to an index moves to the index" {
  push_index app:1 A
  old=$(top)
  push_index app:1 B
  file src/Dockerfile <<<"FROM --platform=linux/arm64 $REG/$REPO/app:1@$old"
  bw pin
  expect_status 0
  apply
  expect_file Dockerfile "FROM --platform=linux/arm64 $REG/$REPO/app:1@$(top)"
  expect_settled
}

@test "a pin to an image for another platform than the use names becomes the one for that" {
  push_index app:1 A
  amd=$(child 0) arm=$(child 1)
  file src/Dockerfile <<<"FROM --platform=linux/amd64 $REG/$REPO/app:1@$arm"
  bw pin
  expect_status 0
  expect_err "Dockerfile:1: $REG/$REPO/app:1: the pinned image is for linux/arm64, the build for linux/amd64"
  apply
  expect_file Dockerfile "FROM --platform=linux/amd64 $REG/$REPO/app:1@$amd"
  expect_settled
}

@test "a pin to an image whose platform the tag no longer has is listed with those that it has" {
  push_index app:1 A
  arm=$(child 1)
  image push "$REG/$REPO/app:1" --seed B --kind index --platform linux/amd64,linux/s390x >"$IT/pushed"
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$arm"
  bw pin
  expect_status 0
  expect_same "" "$out"
  expect_err "Dockerfile:1: $REG/$REPO/app:1: no linux/arm64 in $REG/$REPO/app:1; it has linux/amd64, linux/s390x"
  expect_err '^nothing to change; 1 left as it is$'
}

@test "a pinned manifest that the registry no longer has becomes the tag's digest, and that is said" {
  push_index app:1 A
  arm=$(child 1)
  push_index app:1 B
  image delete "$REG/$REPO/app@$arm" >"$IT/deleted"
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$arm"
  bw pin
  expect_status 0
  expect_err 'Dockerfile:1: .*app:1: the registry no longer has sha256:[0-9a-f]{12}, '
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$(top)"
}

@test "an index that became a single image, and back" {
  push_index app:1 A
  index=$(top) arm=$(child 1)
  single=$(push app:1 B)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$arm
COPY --from=$REG/$REPO/app:1@$index /x /x"
  bw pin
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$single
COPY --from=$REG/$REPO/app:1@$single /x /x"
  push_index app:1 C
  bw pin
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$(child 0)
COPY --from=$REG/$REPO/app:1@$(child 0) /x /x"
}

@test "stages that the target never reaches are pinned too" {
  a=$(push a:1 A)
  b=$(push b:1 B)
  file src/Dockerfile <<<"FROM $REG/$REPO/a:1 AS unused
FROM $REG/$REPO/b:1"
  bw pin
  apply
  expect_file Dockerfile "FROM $REG/$REPO/a:1@$a AS unused
FROM $REG/$REPO/b:1@$b"
}

@test "scratch, a digest without a tag and an ignored use are left alone without a word" {
  digest=$(push app:1 A)
  file src/Dockerfile <<<"FROM scratch AS none
FROM $REG/$REPO/app@$digest AS bare
# basewatch: ignore reason=frozen
FROM $REG/$REPO/app:1"
  requests_forget reg
  bw pin
  expect_status 0
  expect_same "" "$out"
  expect_same "nothing to change" "$err"
  expect_requests 0 reg
}

@test "what cannot be pinned is listed with place and reason, and the rest goes on" {
  digest=$(push app:1 A)
  registry_start away
  image push "$(host_of away)/x:1" --seed A >"$IT/pushed"
  peer_stop away
  file src/Dockerfile <<<"ARG VERSION
FROM $REG/$REPO/app:1 AS app
FROM $REG/$REPO/gone:9 AS gone
FROM $(host_of away)/x:1 AS away
FROM $REG/$REPO/app:\$VERSION AS unset
FROM $REG/$REPO/\${NAME:-app}:1 AS made
COPY --from=app /x /x
COPY --from=gone /x /x
COPY --from=away /x /x
COPY --from=unset /x /x"
  bw pin
  expect_status 0 # a patch was printed
  expect_err "Dockerfile:3: $REG/$REPO/gone:9: "
  expect_err "Dockerfile:4: $(host_of away)/x:1: .*(connect|refused)"
  expect_err 'Dockerfile:5: .*VERSION'
  expect_err ' left as they are$'
  apply
  expect_same "FROM $REG/$REPO/app:1@$digest AS app" "$(sed -n 2p Dockerfile)"
  bw pin
  expect_status 2 # nothing could be done, and not all is known
  expect_same "" "$out"
}

@test "what comes from the command line of the build is in no file to be edited" {
  push app:1 A
  file src/Dockerfile <<<"ARG BASE
FROM \$BASE"
  bw pin --build-arg "BASE=$REG/$REPO/app:1"
  expect_status 0
  expect_same "" "$out"
  expect_err "Dockerfile:2: $REG/$REPO/app:1: "
  expect_err '^nothing to change; 1 left as it is$'
}

@test "a template is not edited, and a file that cannot be read is 2" {
  push app:1 A
  file src/Dockerfile.j2 <<<"FROM $REG/$REPO/app:1"
  bw pin
  expect_status 0
  expect_same "" "$out"
  expect_err 'Dockerfile.j2: a template is not edited'
  head -c 1100000 /dev/zero >Dockerfile
  bw pin
  expect_status 2
  expect_err 'Dockerfile: '
}

@test "--check is 1 when anything would change, else 2 when something is not known, else 0" {
  digest=$(push app:1 A)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw pin --check
  expect_status 1
  expect_out '^\+FROM '
  bw pin --check --quiet
  expect_status 1
  expect_same "" "$out$err"
  file src/b/Dockerfile <<<"FROM $REG/$REPO/gone:1"
  bw pin --check
  expect_status 1
  bw pin --check b
  expect_status 2
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1@$digest"
  bw pin --check Dockerfile
  expect_status 0
  expect_same "" "$out"
}

@test "--write excludes --check and standard input" {
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw pin --write --check
  expect_status 64
  expect_err -- '--write and --check exclude each other'
  bw pin --write . -
  expect_status 64
  expect_err 'standard input'
  expect_file Dockerfile "FROM $REG/$REPO/app:1"
  bw pin --db x
  expect_status 64
  bw pin nowhere
  expect_status 66
}

@test "standard input gives a patch for a Dockerfile" {
  digest=$(push app:1 A)
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw_stdin "FROM $REG/$REPO/app:1
" pin -
  expect_status 0
  apply
  expect_file Dockerfile "FROM $REG/$REPO/app:1@$digest"
}

@test "--write edits in place: the mode stays, a link stays a link, a file named twice is edited once" {
  digest=$(push app:1 A)
  file src/web/Dockerfile <<<"FROM $REG/$REPO/app:1"
  chmod 0755 web/Dockerfile
  ln -s web/Dockerfile Dockerfile
  file src/keep/Dockerfile <<<"FROM $REG/$REPO/app:1@$digest"
  before=$(stat -c '%i %y' keep/Dockerfile)
  bw pin --write . web web/Dockerfile Dockerfile
  expect_status 0
  expect_same web/Dockerfile "$out"
  expect_err '^1 reference in 1 file$'
  expect_file web/Dockerfile "FROM $REG/$REPO/app:1@$digest"
  expect_same 755 "$(stat -c %a web/Dockerfile)"
  expect_same web/Dockerfile "$(readlink Dockerfile)"
  expect_same "$before" "$(stat -c '%i %y' keep/Dockerfile)"
  expect_same "Dockerfile" "$(ls -A web)"
  expect_settled
}

@test "--write keeps the owner of a file" {
  is_root || skip "only root can give files away"
  push app:1 A
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  chmod 0640 Dockerfile
  give_user Dockerfile
  bw pin --write
  expect_status 0
  expect_same "$IT_USER:$IT_USER 640" "$(stat -c '%u:%g %a' Dockerfile)"
}

@test "a folder that may not be written to is 73, and the other files are edited" {
  digest=$(push app:1 A)
  file src/a/Dockerfile <<<"FROM $REG/$REPO/app:1"
  file src/b/Dockerfile <<<"FROM $REG/$REPO/app:1"
  give_user "$IT/src"
  chmod 555 a
  bw_as_user pin --write .
  expect_status 73
  expect_err 'a/Dockerfile: create a file in .*/a: Permission denied'
  expect_same b/Dockerfile "$out"
  expect_err '^1 reference in 1 file; 1 left as it is$'
  expect_file a/Dockerfile "FROM $REG/$REPO/app:1"
  expect_file b/Dockerfile "FROM $REG/$REPO/app:1@$digest"
}

@test "a file that was changed since it was read is not edited" {
  fake_start slow <<<'* * manifest=A delay=2'
  file src/Dockerfile <<<"FROM $(host_of slow)/app:1"
  bw_env "$BASEWATCH" pin --write >"$OUT" 2>"$ERR" 3>&- &
  pid=$!
  wait_until 10 grep -qs '"request"' "$PEERS_DIR/slow/requests"
  echo "RUN more" >>Dockerfile
  finish "$pid"
  peer_stop slow
  expect_status 2
  expect_err 'Dockerfile: was changed since it was read'
  expect_file Dockerfile "FROM $(host_of slow)/app:1
RUN more"
  expect_same Dockerfile "$(ls -A)"
}

@test "an interruption is 130, and nothing is printed or written" {
  push app:1 A
  fake_start hangs <<<'* * hang'
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1
COPY --from=$(host_of hangs)/app:1 /x /x"
  for how in --check --write; do
    bw_capture bw_env timeout --foreground --preserve-status -s INT 2 "$BASEWATCH" pin "$how"
    expect_status 130
    expect_same "" "$out"
    expect_err 'interrupted: nothing was edited'
    expect_same "FROM $REG/$REPO/app:1" "$(head -n 1 Dockerfile)"
  done
  peer_stop hangs
}

@test "a base is asked once, however many files use it" {
  push app:1 A
  for i in $(seq 30); do echo "FROM $REG/$REPO/app:1" | file "src/$i/Dockerfile"; done
  requests_forget reg
  bw pin
  expect_status 0
  expect_err '^30 references in 30 files$'
  expect_requests 1 reg
  apply
  expect_settled
}

@test "more bases than a registry's queue holds are all asked, with pins among them" {
  push_index app:0 A
  arm=$(child 1)
  push_index app:0 B
  image retag "$REG/$REPO/app:0" $(seq 150) >"$IT/tags"
  for i in $(seq 150); do echo "FROM $REG/$REPO/app:$i@$arm" | file "src/$i/Dockerfile"; done
  requests_forget reg
  bw pin
  expect_status 0
  expect_requests 150 reg HEAD
  expect_requests 3 reg GET # the index, the pinned manifest and its configuration
  expect_err '^150 references in 150 files$'
  expect_same 150 "$(grep -c "^+FROM .*@$(child 1)\$" <<<"$out")"
}

# follow_many N [ANSWER]: a registry `many` with N tags of different indexes, each pinned to another one in the Dockerfile.
follow_many() {
  local i others
  image digest --kind index --seed old >"$IT/old"
  others=$(seq -s, -f S%g "$1")
  {
    for i in $(seq "$1"); do echo "HEAD */manifests/$i manifest=S$i kind=index"; done
    echo "GET * ${2:-by-digest=old,$others kind=index}"
  } >"$IT/script"
  fake_start many <"$IT/script"
  for i in $(seq "$1"); do echo "FROM $(host_of many)/app:$i@$(jq -r .digest "$IT/old")"; done | file src/Dockerfile
}

@test "all of many pins are compared" {
  follow_many 40
  bw pin
  expect_status 0
  expect_err '^40 references in 1 file$'
  expect_requests 40 many HEAD
  expect_same 40 "$(grep '^+FROM' <<<"$out" | cut -d @ -f 2 | sort -u | wc -l)"
  peer_stop many
}

@test "a registry that answers nothing more holds up no more than 16 comparisons at once" {
  follow_many 40 hang
  bw_capture bw_env timeout --foreground --preserve-status -s INT 4 "$BASEWATCH" pin --connections 64
  expect_status 130
  expect_requests 40 many HEAD
  expect_requests 16 many GET
  peer_stop many
}

@test "-v counts the requests, and one base is one" {
  push app:1 A
  push app:2 B
  file src/Dockerfile <<<"FROM $REG/$REPO/app:1"
  bw pin -v
  expect_err 'asked for 1 base: '
  echo "FROM $REG/$REPO/app:2" >>Dockerfile
  bw pin -v
  expect_err 'asked for 2 bases: '
}

@test "a pin to an index moves along though the tag has nothing for the platform any more, and that is said" {
  image push "$REG/$REPO/app:1" --seed A --kind index --platform linux/amd64,linux/s390x >"$IT/pushed"
  old=$(top)
  push_index app:1 B
  file src/Dockerfile <<<"FROM --platform=linux/s390x $REG/$REPO/app:1@$old"
  bw pin
  expect_status 0
  expect_err "Dockerfile:1: $REG/$REPO/app:1: what the tag has now has nothing for linux/s390x$"
  apply
  expect_file Dockerfile "FROM --platform=linux/s390x $REG/$REPO/app:1@$(top)"
}

@test "control characters of a file do not reach the terminal" {
  command -v script >/dev/null || skip "no script(1) here"
  push app:1 A
  printf 'FROM %s/%s/app:1\nRUN echo \033[31m\twith a tab\n' "$REG" "$REPO" >Dockerfile
  bw_capture bw_env script -qec "'$BASEWATCH' pin" /dev/null
  expect_status 0
  expect_no_out "$(printf '\033')"
  expect_out '^ RUN echo \\x1b\[31m.with a tab'
}
