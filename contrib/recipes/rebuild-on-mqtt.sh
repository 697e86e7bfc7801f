#!/bin/bash
# rebuild-on-mqtt.sh - builds and pushes what basewatch asks for over MQTT, and answers when that is done.
#
#   rebuild-on-mqtt.sh SOURCES [OPTION of mosquitto_sub and mosquitto_pub...]
#   rebuild-on-mqtt.sh /srv/src -h broker.lan -u ci -P "$PASSWORD"
#
# A build of a git repository is cloned afresh; one of a folder is looked for in SOURCES/NAME, by the name of its source.
# What it needs to know of a build is in the configuration of basewatch, under `builds`: at least its image.
# Needs mosquitto-clients, jq, git and docker, and registries to be logged in to. A build that fails is not answered: it
# stays stale, and `reminders` ask for it again.
set -euo pipefail

SOURCES=${1:?usage: rebuild-on-mqtt.sh SOURCES [OPTION...]}
shift
CONNECTION=("$@")
PREFIX=${PREFIX:-basewatch}

# Values come from build files and repositories of others: they are passed on as words and never run.
field() { jq -r "$1 // empty" <<<"$EVENT"; }

# enter FOLDER: puts the source into FOLDER, or goes to where it is already.
enter() {
  local repository branch
  repository=$(field .data.repository)
  branch=$(field .data.branch)
  if [[ -n $repository ]]; then
    git clone --quiet --depth 1 ${branch:+"--branch=$branch"} -- "$repository" "$1" && cd "$1"
  else
    cd "$SOURCES/$(field .data.source)"
  fi
}

rebuild() {
  local file image target platforms
  file=$(field .data.file)
  image=$(field .data.image)
  target=$(field .data.target)
  platforms=$(field '.data.platforms | join(",")')
  [[ -n $image ]] || { echo "no image is configured for $(field .subject)" >&2 && return 1; }
  enter "$1" &&
    docker build --pull ${target:+"--target=$target"} ${platforms:+"--platform=$platforms"} --tag "$image" \
      --file "$file" -- "$(dirname -- "$file")" &&
    docker push "$image"
}

# With an id and -c the broker keeps what comes while nobody listens here.
mosquitto_sub "${CONNECTION[@]}" -i "basewatch-ci-$HOSTNAME" -c -q 1 -t "$PREFIX/events/io.basewatch.rebuild.requested" |
  while read -r EVENT; do
    folder=$(mktemp -d)
    echo "rebuilding $(field .subject)"
    if (rebuild "$folder/source") </dev/null; then
      jq -c '{event: .id}' <<<"$EVENT" | mosquitto_pub "${CONNECTION[@]}" -q 1 -t "$PREFIX/done" -s
    else
      echo "that failed: $(field .subject)" >&2
    fi
    rm -rf "$folder"
  done
