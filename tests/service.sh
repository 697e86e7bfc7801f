#!/bin/bash
# service.sh UNIT PROGRAM - is the unit of the daemon one that systemd understands whole, and the cage around it tight?
# Says what is wrong, exit 1. Works without a running systemd.
set -u
unit=$1
program=$(realpath "$2") || exit 1
most_exposed=20 # in tenths, as systemd-analyze counts: 2.0

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# With the program that was just built, because the one that the unit names is not installed here. What systemd ignores
# it only remarks.
sed "s|^ExecStart=[^ ]*|ExecStart=$program|" "$unit" >"$folder/basewatch.service"
said=$(systemd-analyze verify --man=no "$folder/basewatch.service" 2>&1)
status=$?
if [ "$status" -ne 0 ] || [ -n "$said" ]; then
  echo "$unit: systemd-analyze verify: exit status $status"
  echo "$said"
  failed=1
fi

said=$(systemd-analyze security --offline=true --threshold=$most_exposed --no-pager "$unit" 2>&1)
status=$?
if [ "$status" -ne 0 ] || ! grep -q 'Overall exposure level' <<<"$said"; then
  echo "$unit: systemd-analyze security: exit status $status, at most $most_exposed tenths"
  grep -E '✗|exposure|ailed' <<<"$said" || echo "$said"
  failed=1
fi
exit "$failed"
