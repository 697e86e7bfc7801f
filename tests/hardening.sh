#!/bin/sh
# hardening.sh PROGRAM - TAP: was the program linked and compiled with the protections that the Makefile asks for?
set -u
program=$1
number=0
status=0

is() {
  number=$((number + 1))
  if readelf "$2" -W "$program" 2>/dev/null | grep -Eq "$3"; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    status=1
  fi
}

# GNU_STACK with the flags "RW " and not "RWE": the stack cannot be executed.
is "position independent executable" -h 'Type: +DYN'
is "relocations become read-only" -l 'GNU_RELRO'
is "everything is bound at start" -d 'BIND_NOW|FLAGS_1.*NOW'
is "the stack is not executable" -l 'GNU_STACK.* RW  '
is "calls are checked by FORTIFY" --dyn-syms '_chk'
is "stacks are protected" --dyn-syms '__stack_chk_fail'
echo "1..$number"
exit "$status"
