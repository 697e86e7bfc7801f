# manual.bats - the manual page says what the program says of itself, and the formatter has nothing to complain about.

load lib

MANUAL=$BATS_TEST_DIRNAME/../../contrib/man/basewatch.1

setup() { it_begin; }
teardown() { it_end; }

# The page without its escapes: what a reader sees of "\-\-db".
plain() { sed 's/\\-/-/g; s/\\f[BIPR]//g; s/^\.[A-Z]* //' "$MANUAL"; }

commands() { "$BASEWATCH" --help | sed -n '/^Commands:/,/^ *$/s/^  \([a-z]\+\) .*/\1/p'; }

@test "the manual describes each command and each option" {
  local command option count=0
  for command in $(commands); do
    grep -q "^\.BR $command \"" "$MANUAL" || { echo "command $command is not in the manual" && return 1; }
    for option in $("$BASEWATCH" "$command" --help | sed -nE 's/^  (-[a-z], )?(--[a-z-]+).*/\2/p'); do
      plain | grep -qE -- "(^|[ ,\"])$option([ \",]|$)" || { echo "$option of $command is not in the manual" && return 1; }
      count=$((count + 1))
    done
  done
  [ "$count" -ge 60 ]
}

@test "the manual names no option that no command has" {
  local option
  for option in $(plain | grep -oE -- '(^|[ "])--[a-z][a-z-]+' | tr -d ' "' | sort -u); do
    case $option in --help | --version) continue ;; esac
    for command in $(commands); do "$BASEWATCH" "$command" --help; done | grep -q -- "^  \(-[a-z], \)\?$option" ||
      { echo "no command has $option" && return 1; }
  done
}

@test "the formatter has nothing to say" {
  command -v groff >/dev/null || skip "groff is not installed"
  run groff -ww -man -Tutf8 -z "$MANUAL"
  echo "$output"
  [ "$status" -eq 0 ] && [ -z "$output" ]
}
