#!/bin/bash
# demo.sh - shows what basewatch does, on a registry of its own: what `make run` runs.
#
#   contrib/demo.sh PROGRAM
#
# It starts a docker-registry on a free port of 127.0.0.1, pushes small crafted images for the build files in
# config/examples/, checks them, moves some tags and checks again. Nothing is pulled, no account is needed, and
# nothing is left behind. It runs from the source tree, with the peers of the tests; it is not installed.
# The exit status says whether the program did its work, whatever the verdicts.
set -euo pipefail

if (($# != 1)) || [[ ! -x $1 ]]; then
  echo "usage: demo.sh PROGRAM" >&2
  exit 64
fi
SHOWN=$1
PROGRAM=$(realpath "$1")
cd "$(dirname "$0")/.."
# shellcheck source=tests/peers/registry.sh
source tests/peers/registry.sh

DEBIAN=debian:12-slim
NGINX=nginx:1.27-alpine
NODE=node:22-bookworm-slim
RUBY=ruby:3.1-slim-bullseye
IMAGES=("$NODE" "$NGINX" golang:1.23-bookworm "$DEBIAN" python:3.12-slim "$RUBY")

say() {
  echo
  printf '%s\n' "$@"
}

# publish IMAGE NUMBER [OPTION...]: its publisher's first or second build, for two platforms, with an attestation for
# each, which says when and how it was built.
publish() {
  image push "$REGISTRY/library/$1" --kind index --platform linux/amd64,linux/arm64 \
    --seed "$1, first build" --attest "$1, $2 build" "${@:3}" >/dev/null
}

# watch LIMIT VERB...: shows the command, then runs it in an environment without the user's own credentials and
# proxies. Fails when the exit status is above LIMIT, and so no verdict.
watch() {
  local limit=$1 status=0
  shift
  printf '\n$ %s' "$SHOWN"
  printf ' %s' "$@"
  printf '\n'
  env -u DOCKER_CONFIG -u REGISTRY_AUTH_FILE -u STATE_DIRECTORY -u http_proxy -u https_proxy -u HTTPS_PROXY \
    -u all_proxy -u ALL_PROXY HOME="$PEERS_DIR" "$PROGRAM" "$@" || status=$?
  if ((status > limit)); then
    echo "demo: this ended with status $status" >&2
    exit 1
  fi
  if ((status > 0)); then echo "(exit status $status)"; fi
}

trap peers_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
peers_begin
DB=$PEERS_DIR/basewatch.db

registry_start registry || exit 1
REGISTRY=$(host_of registry)
for name in "${IMAGES[@]}"; do publish "$name" first; done
publish "$NODE" first --layers 5

say "A registry now listens on $REGISTRY, with ${#IMAGES[@]} small images in it." \
  "In config/examples/ five build files stand on them. Which bases do they name?"
watch 0 scan config/examples --build-arg "REGISTRY=$REGISTRY"

say "What does each base point to now? This is the first time that we ask, so there is nothing to compare with yet," \
  "except for the pin in api/Dockerfile. What we see is remembered in the database."
watch 2 check config/examples --build-arg "REGISTRY=$REGISTRY" --db "$DB"

publish "$NODE" second --layers 5 --layer-seed "1=a security fix" --layer-seed "4=node 22.1"
publish "$DEBIAN" second --seed "$DEBIAN, second build"
publish "$NGINX" second
image delete "$REGISTRY/library/$RUBY" >/dev/null

say "Meanwhile the publishers were busy. $NODE and $DEBIAN have new content under the same" \
  "tags, and $RUBY was deleted. The digest of $NGINX moved, too, but only because" \
  "its build left another attestation: nobody has to build again for that. Nobody told us. We ask again; the exit" \
  "status now makes a CI job notice."
watch 2 check config/examples --build-arg "REGISTRY=$REGISTRY" --db "$DB"

say "The api is pinned, so building it again would change nothing. This patch for \`git apply\` moves the pin. What" \
  "cannot be edited safely is left as it is, with the reason."
watch 2 pin config/examples/api --build-arg "REGISTRY=$REGISTRY"

say "The web application has been built again and is deployed. We say so:"
watch 0 "done" config/examples/web --db "$DB"

say "The report comes from the database alone, without a question to any registry. The web application is fresh;" \
  "the pin of the api has to be moved by somebody, and the reports need another base."
watch 2 report config/examples --db "$DB"

say "How did these bases move?"
watch 0 history "$REGISTRY/library/$NODE" --db "$DB"
watch 0 history "$REGISTRY/library/$NGINX" --db "$DB"

say "That was all; the registry and the database are gone again. For your own build files: make run DIR=path"
