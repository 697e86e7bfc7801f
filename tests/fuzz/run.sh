#!/bin/sh
# run.sh TARGET... - lets libFuzzer work FUZZ_SECONDS on each target, two at a time. New inputs go to
# build/fuzz/corpus/TARGET, an input that breaks something to build/fuzz/found/.
set -u
cd "$(dirname "$0")/../.." || exit 1

if [ "${1:-}" = --one ]; then
  target=$2
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/found
  set -- "build/fuzz/corpus/$target"
  [ -d "tests/fuzz/corpus/$target" ] && set -- "$@" "tests/fuzz/corpus/$target"
  [ -f "tests/fuzz/$target.dict" ] && set -- "-dict=tests/fuzz/$target.dict" "$@"
  log=build/fuzz/$target.log
  if "build/fuzz/fuzz_$target" -max_total_time="${FUZZ_SECONDS:-30}" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 "-artifact_prefix=build/fuzz/found/$target-" "$@" >"$log" 2>&1; then
    echo "ok   $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    exit 0
  fi
  echo "FAIL $target, see $log"
  tail -n 40 "$log"
  exit 1
fi
printf '%s\n' "$@" | xargs -r -n 1 -P "$(nproc 2>/dev/null || echo 2)" "$0" --one
