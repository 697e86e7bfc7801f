#!/bin/bash
# run.sh - runs the tests, two or more files at a time, and counts.
#
#   tests/run.sh MODE SUITE...    MODE: release, asan, cov. SUITE: unit, replay, structure, it, golden
#
# Everything that runs here speaks TAP, and its output goes to build/MODE/log/. A file of tests that fails shows what
# its failing tests said. The last line is "N passed, M failed"; the exit status is 0 only if nothing failed. A file
# that ends without having run all its tests counts as one more failure, and so does each report of a sanitizer.
set -u
cd "$(dirname "$0")/.." || exit 1

# --- one file of tests: tests/run.sh --one LOGS KIND:NAME:COMMAND ------------------------------------------------

# Of TAP output: "passed failed skipped planned". cmocka marks a skipped test "not ok 3 # SKIP name".
count() {
  awk '
    /^(not )?ok .*# *(SKIP|skip|TODO)/ { skipped++; next }
    /^ok / { passed++ }
    /^not ok / { failed++ }
    /^1\.\.[0-9]+/ { planned += substr($0, 4) }
    END { print passed + 0, failed + 0, skipped + 0, planned + 0 }' "$1"
}

# What a person needs to see of a failed file: all but the tests that passed.
failures() {
  awk '/^ok / || /^1\.\.[0-9]+/ { show = 0; next } /^not ok / { show = 1 } show || !/^#/ || /^# the row that failed/' "$1" | head -n 200
}

# One line per sanitizer report; the processes under test write them beside the log, whatever they do with stderr.
# The leak checker stops all threads at the exit; one that was ending just then, such as that of a look-up of a name,
# has no registers to look at any more, which it remarks in the same file and which is no report.
sanitizer_reports() {
  local report
  for report in "$1".sanitizer.*; do
    grep -qsv '^==[0-9]*==Unable to get registers from thread [0-9]*\.$' "$report" || continue
    echo "not ok - a sanitizer reported:"
    sed 's/^/# /' "$report" | head -n 60
  done
}

one() {
  local logs=$1 kind name command log reports status start passed failed skipped planned
  IFS=: read -r kind name command <<<"$2"
  log=$logs/$kind-$name.tap
  start=$(date +%s%N)
  if [ "$kind" = it ]; then
    # The exit codes of a sanitizer must not look like a verdict of the program.
    export ASAN_OPTIONS="exitcode=99:log_path=$log.sanitizer:detect_leaks=1"
    export UBSAN_OPTIONS="exitcode=99:print_stacktrace=1:log_path=$log.sanitizer"
  fi
  # shellcheck disable=SC2086 # a command and its arguments
  CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "${TEST_TIMEOUT:-300}" $command >"$log" 2>&1 </dev/null
  status=$?
  reports=$(sanitizer_reports "$log")
  [ -z "$reports" ] || echo "$reports" >>"$log"
  read -r passed failed skipped planned < <(count "$log")
  if [ $((passed + failed + skipped)) -lt "$planned" ] || [ "$planned" -eq 0 ] ||
    { [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; }; then
    printf 'not ok - %s ended early: exit status %d after %d of %d tests\n' \
      "$name" "$status" $((passed + failed + skipped)) "$planned" >>"$log"
    failed=$((failed + 1))
  fi
  echo "$passed $failed $skipped" >"$log.count"
  printf '%-4s %-9s %-24s %4d passed%s%s  %5.1f s\n' "$([ "$failed" -eq 0 ] && echo ok || echo FAIL)" "$kind" "$name" \
    "$passed" "$([ "$failed" -eq 0 ] || echo ", $failed failed")" \
    "$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")" "$((($(date +%s%N) - start) / 100000000))e-1"
  [ "$failed" -eq 0 ] || failures "$log" | sed 's/^/    /'
}

if [ "${1:-}" = --one ]; then
  one "$2" "$3"
  exit 0
fi

# --- all of them --------------------------------------------------------------------------------------------------

mode=$1
shift
logs=$PWD/build/$mode/log
BASEWATCH=$PWD/build/$mode/basewatch
export BASEWATCH

rm -rf "$logs"
mkdir -p "$logs"
chmod 1777 "$logs" # tests that run the program as another user still get its reports

# The long ones first, so that no processor is idle at the end.
jobs_of() {
  local file name
  case $1 in
    it) for file in tests/it/*.bats; do
      [ -e "$file" ] && echo "it:$(basename "$file" .bats):bats --tap $file"
    done ;;
    golden)
      grep -ls UPDATE_GOLDEN tests/it/*.bats | while read -r file; do
        echo "it:$(basename "$file" .bats):bats --tap $file"
      done
      grep -ls UPDATE_GOLDEN tests/unit/test_*.c | while read -r file; do
        name=$(basename "$file" .c)
        echo "unit:$name:build/$mode/tests/unit/$name"
      done
      ;;
    structure) echo "structure:source:python3 tests/structure.py"
      echo "structure:program:tests/hardening.sh build/$mode/basewatch" ;;
    unit) for file in tests/unit/test_*.c; do
      name=$(basename "$file" .c)
      echo "unit:$name:build/$mode/tests/unit/$name"
    done ;;
    replay) for file in tests/fuzz/fuzz_*.c; do
      [ -e "$file" ] || continue
      name=$(basename "$file" .c)
      name=${name#fuzz_}
      echo "replay:$name:build/$mode/tests/fuzz/replay_$name tests/fuzz/corpus/$name"
    done ;;
    *) echo "no such suite: $1" >&2 && exit 64 ;;
  esac
}

for suite in golden it structure replay unit; do
  case " $* " in *" $suite "*) jobs_of "$suite" ;; esac
done | tr '\n' '\0' | xargs -0 -r -n 1 -P "${TEST_JOBS:-$(nproc)}" "$0" --one "$logs"

passed=0 failed=0 skipped=0
for file in "$logs"/*.count; do
  [ -e "$file" ] || continue
  read -r p f s <"$file"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
if [ $((passed + failed)) -eq 0 ]; then
  echo "no test ran" >&2
  failed=1
fi
[ "$skipped" -eq 0 ] || grep -hiE '# *(skip|todo)' "$logs"/*.tap | sed 's/^\(not \)\{0,1\}ok [0-9]*/skipped:/'
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
