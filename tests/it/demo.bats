#!/usr/bin/env bats
# The demonstration of `make run`, with the program and with stand-ins for it.
# shellcheck disable=SC2154 # lib.bash sets status, out and err

load lib

DEMO=$IT_HOME/../../contrib/demo.sh

setup() {
  it_begin
  export TMPDIR=$IT/tmp # where the demo keeps its things, so that we see what it leaves
  mkdir -p "$TMPDIR"
}

teardown() { it_end; }

# stand_in CHECK REPORT: a program whose verbs end with these statuses.
stand_in() {
  cat >"$IT/program" <<PROGRAM
#!/bin/sh
echo "args: \$*"
case \$1 in check) exit $1 ;; report) exit $2 ;; esac
PROGRAM
  chmod 755 "$IT/program"
}

@test "the pin in the examples is the digest of what the demo pushes first" {
  local seed='debian:12-slim, first build' digest
  digest=$(image digest --kind index --platform linux/amd64,linux/arm64 --seed "$seed" --attest "$seed" | jq -r .digest)
  grep -qF "debian:12-slim@$digest" "$IT_HOME/../../config/examples/api/Dockerfile"
}

@test "a demo of verdicts is a success, whatever they are, and leaves nothing behind" {
  stand_in 1 2
  bw_capture "$DEMO" "$IT/program" verdicts
  expect_status 0
  expect_out '^args: check config/examples --build-arg REGISTRY=127\.0\.0\.1:[0-9]+ --db /'
  expect_out '^args: pin config/examples/api --build-arg REGISTRY=127\.0\.0\.1:[0-9]+$'
  expect_out '^args: history 127\.0\.0\.1:[0-9]+/library/node:'
  expect_same "" "$(ls -A "$TMPDIR")"
}

@test "a demo of a program that fails is a failure" {
  stand_in 74 0
  bw_capture "$DEMO" "$IT/program" verdicts
  expect_status 1
  expect_err '^demo: this ended with status 74$'
  expect_same "" "$(ls -A "$TMPDIR")"
}

@test "without a program the demo says how it is used" {
  bw_capture "$DEMO"
  expect_status 64
  expect_err '^usage: demo.sh PROGRAM \[verdicts \| daemon\]$'
  bw_capture "$DEMO" "$BASEWATCH" verdict
  expect_status 64
}

@test "the demo works for an unprivileged user" {
  as_user test -x "$DEMO" || skip "the source tree is closed to other users"
  stand_in 1 0
  give_user "$TMPDIR"
  bw_capture as_user "$DEMO" "$IT/program" verdicts
  expect_status 0
  expect_out '^\(exit status 1\)$'
}

@test "the demo with the program shows the verdicts turn" {
  bw_capture "$DEMO" "$BASEWATCH" verdicts
  expect_status 0
  local first second third seed='debian:12-slim, second build' digest
  first=$(sed -n "/basewatch check/,/^Meanwhile/p;/^Meanwhile/q" <<<"$out")
  second=$(sed -n '/^Meanwhile/,/^The api/p' <<<"$out")
  third=$(sed -n '/basewatch report/,/basewatch history/p' <<<"$out")
  grep -q fresh <<<"$first"
  run grep -qE '(stale|behind|unknown) ' <<<"$first"
  [[ $status -ne 0 ]] || it_fail "something is not fresh at first sight"
  for verdict in stale behind unknown fresh; do
    grep -q "$verdict" <<<"$second" || it_fail "after the tags moved nothing is $verdict"
  done
  grep -qE '^stale .*node:.* \(content: linux/amd64: 2 of 5 layers differ' <<<"$second" || it_fail "node has no new content"
  grep -qE '^fresh .*nginx:.* \(index: attestations only\)' <<<"$second" || it_fail "nginx does not stay fresh"
  digest=$(image digest --kind index --platform linux/amd64,linux/arm64 --seed "$seed" --attest "$seed" | jq -r .digest)
  expect_out "^\+FROM \\$\{REGISTRY\}/library/debian:12-slim@$digest\$"
  expect_err '^basewatch: warning: .*golang.*GO_VERSION'
  grep -q behind <<<"$third" || it_fail "the pin is not behind in the report"
  expect_out '^ +2 .* content .*2 of 5 layers differ'
  expect_out '^ +2 .* index .*attestations only'
}

@test "the demo of the daemon shows an event arrive, and a job that answers" {
  bw_capture "$DEMO" "$BASEWATCH" daemon
  expect_status 0
  expect_out '^ +- \{path: /.*/config/examples, name: shop, include: \[web/Dockerfile\]\}$'
  expect_out '^ +topic +basewatch/events/io\.basewatch\.rebuild\.requested$'
  expect_out '^ +file +web/Dockerfile$'
  expect_out '^ +base +127\.0\.0\.1:[0-9]+/library/node:22-bookworm-slim$'
  expect_out '^ +sha256:[0-9a-f]{12} -> sha256:[0-9a-f]{12}$'
  expect_out '^ +content: linux/amd64: 2 of 5 layers differ, '
  expect_out '^  docker build --pull -t registry\.example\.org/shop/web -f web/Dockerfile \.$'
  expect_out '^web application was ok, then rebuild, then ok\. '
  expect_out '^2 bases: 2 fresh\. '
  expect_out '^  basewatch: info: ended$'
  expect_same "" "$err"
  expect_same "" "$(ls -A "$TMPDIR")"
}

@test "a daemon that ends is a failure, and leaves nothing behind" {
  stand_in 0 0
  bw_capture "$DEMO" "$IT/program" daemon
  expect_status 1
  expect_err '^demo: this did not come: the first state at the broker, and the daemon has ended$'
  expect_same "" "$(ls -A "$TMPDIR")"
}

@test "without what it takes the demo of the daemon is left out, and says so" {
  mkdir "$IT/bin"
  ln -s /usr/bin/* "$IT/bin"
  rm "$IT"/bin/mosquitto_*
  bw_capture env PATH="$IT/bin" "$DEMO" "$BASEWATCH" daemon
  expect_status 0
  expect_out 'left out, because this is missing: mosquitto_sub\.$'
  expect_no_out 'run --config'
}
