#!/usr/bin/env bash
# run.sh - kills `basewatch check` at random moments, against a real registry whose tags move, and looks each time
# whether anything was lost. CRASH_RUNS (20) and CRASH_SEED (random, printed) are yours; BASEWATCH is the program.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/peers/registry.sh
source "$HERE/../peers/registry.sh"

peers_begin
trap peers_end EXIT
registry_start reg --no-access-log
mkdir "$PEERS_DIR/work"
PYTHONPATH=$HERE/../peers python3 -B "$HERE/crash.py" --program "${BASEWATCH:-$HERE/../../build/basewatch}" \
  --registry "$(host_of reg)" --folder "$PEERS_DIR/work" --runs "${CRASH_RUNS:-20}" \
  --seed "${CRASH_SEED:-$RANDOM$RANDOM}"
