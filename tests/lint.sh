#!/bin/bash
# lint.sh [STEP...] - reads the source with every tool we trust; silent where all is well, exit 1 where not.
# Steps: shell, service, format, cppcheck, analyzer, tidy; all by default.
set -u
cd "$(dirname "$0")/.." || exit 1

jobs=$(nproc 2>/dev/null || echo 2)
# shellcheck disable=SC2046 # module names
read -r -a flags < <(echo -std=gnu11 -D_GNU_SOURCE -Iinclude -Iwatcher -Itests \
  $(pkg-config --cflags $(contrib/deps.sh modules | sed 's/ .*//')))

# Not asked from git: that says nothing at all in a tree of another user, and nothing is soon linted.
program() { find watcher -name '*.c' | sort; }
c_sources() { find watcher include tests -name '*.[ch]' | sort; }

# By their endings, and the one that has none.
scripts() {
  find contrib tests -name '*.sh' -o -name '*.bats' -o -name '*.bash' | sort
  echo .ci/run
}

step_tidy() {
  program | xargs -r -n 2 -P "$jobs" tests/lint.sh --tidy
}

# clang-tidy counts what it hides in system headers; those lines are dropped.
tidy_files() {
  local output status
  output=$(clang-tidy --quiet "$@" -- "${flags[@]}" 2>&1)
  status=$?
  grep -Ev '^([0-9]+ warnings? (and [0-9]+ errors? )?generated\.|Suppressed .*|Use -header-filter.*)$' <<<"$output" |
    sed '/^$/d'
  return "$status"
}

# It has to compile: with -fsyntax-only the analyzer silently checks nothing. And without optimisation: what -O2 throws
# away before the analyzer looks (a malloc() and its two free(), say) is not reported.
step_analyzer() {
  program | xargs -r -n 1 -P "$jobs" gcc "${flags[@]}" -O0 -fanalyzer -Werror -c -o /dev/null
}

step_cppcheck() {
  local list
  list=$(mktemp)
  program >"$list"
  cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem -D_GNU_SOURCE -Iinclude -Iwatcher --file-list="$list"
  local status=$?
  rm -f "$list"
  return "$status"
}

step_format() {
  local list
  list=$(c_sources | xargs -r clang-format --dry-run 2>&1 | sed -n 's/^\([^ :]*\):[0-9].*/\1/p' | sort -u)
  # shellcheck disable=SC2086 # one line per file
  [ -z "$list" ] || printf '%s is not formatted; make format\n' $list
  [ -z "$list" ]
}

step_shell() {
  scripts | xargs -r shellcheck -x
}

step_service() {
  tests/service.sh contrib/systemd/basewatch.service build/basewatch
}

run_step() {
  case $1 in
    tidy) step_tidy ;;
    analyzer) step_analyzer ;;
    cppcheck) step_cppcheck ;;
    format) step_format ;;
    shell) step_shell ;;
    service) step_service ;;
    *) echo "no such step: $1" >&2 && return 64 ;;
  esac
}

if [ "${1:-}" = --tidy ]; then
  tidy_files "${@:2}"
  exit
fi
failed=0
[ $# -gt 0 ] || set -- shell service format cppcheck analyzer tidy
for step in "$@"; do
  start=$(date +%s)
  if run_step "$step"; then
    echo "ok   $step ($(($(date +%s) - start)) s)"
  else
    echo "FAIL $step"
    failed=1
  fi
done
exit "$failed"
