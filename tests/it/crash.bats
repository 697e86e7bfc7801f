#!/usr/bin/env bats
# Twenty kills of each at random moments; `make crash` does a thousand.

load lib

crash() {
  CRASH_RUNS=20 BASEWATCH=$BASEWATCH run "$BATS_TEST_DIRNAME/../crash/run.sh" "$1"
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "kill -9 of a check at any moment loses nothing" { crash check; }

@test "kill -9 of the daemon at any moment loses nothing, and each event is delivered with one id" { crash deliver; }
