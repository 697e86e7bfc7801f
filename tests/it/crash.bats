#!/usr/bin/env bats
# Twenty kills at random moments; `make crash` does a thousand.

load lib

@test "kill -9 at any moment loses nothing" {
  CRASH_RUNS=20 BASEWATCH=$BASEWATCH run "$BATS_TEST_DIRNAME/../crash/run.sh"
  echo "$output"
  [ "$status" -eq 0 ]
}
