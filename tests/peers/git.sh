# shellcheck shell=bash
# git.sh - git repositories for the tests, and servers for them. To be sourced behind registry.sh; the same rules.
#
#   git_repository shop [--no-filter]             an empty bare repository $PEERS_GIT/shop.git, branch main
#   git_commit shop main <<'STREAM'               one commit by `git fast-import`: lines "M MODE inline PATH", data ...
#   git_put shop main web/Dockerfile <<'EOF'      one commit that puts one file
#   git_http_start web [--user NAME:PASSWORD | --redirect URL]    smart HTTP, of all of them
#   git_daemon_start plain                        git://, of all of them

git_in() { git --git-dir="$PEERS_GIT/$1.git" "${@:2}"; }

git_repository() {
  git init -q --bare -b main "$PEERS_GIT/$1.git" || return 1
  if [[ ${2:-} != --no-filter ]]; then git_in "$1" config uploadpack.allowFilter true; fi
}

# git_commit NAME BRANCH <STREAM: what is not named in it stays as it was.
git_commit() {
  local name=$1 ref=refs/heads/$2 parent
  parent=$(git_in "$name" rev-parse -q --verify "$ref") || parent=
  {
    printf 'commit %s\ncommitter Test <test@example.org> 1700000000 +0000\ndata 1\n.\n' "$ref"
    if [[ -n $parent ]]; then printf 'from %s\n' "$parent"; fi
    cat
    echo
  } | git_in "$name" fast-import --quiet --force
}

# git_put NAME BRANCH PATH <TEXT
git_put() {
  local text
  text=$(cat && echo .)
  text=${text%.}
  { printf 'M 100644 inline %s\ndata %d\n' "$3" "$(printf %s "$text" | wc -c)"; printf '%s\n' "$text"; } | git_commit "$1" "$2"
}

# git_link NAME BRANCH PATH TARGET
git_link() {
  printf 'M 120000 inline %s\ndata %d\n%s\n' "$3" "$(printf %s "$4" | wc -c)" "$4" | git_commit "$1" "$2"
}

git_http_start() {
  local name=$1 dir port
  shift
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  peer_launch "$name" python3 -B "$PEERS_HOME/git_http.py" --root "$PEERS_GIT" --log "$dir/requests" "$@"
  port=$(peer_port "$name" "$dir/stdout" '.*"port": ([0-9]+).*') || return 1
  peer_is_at "$name" http 127.0.0.1 "$port"
}

# The daemon says nothing about a port that it was left to choose, so one is chosen for it.
git_daemon_start() {
  local name=$1 dir port try
  peer_dir "$name" || return 1
  dir=$PEERS_DIR/$name
  for try in 1 2 3 4 5; do
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    peer_launch "$name" git daemon --verbose --export-all --reuseaddr --listen=127.0.0.1 --port="$port" \
      --base-path="$PEERS_GIT" "$PEERS_GIT"
    wait_until 10 grep -qE 'Ready to rumble|unable to allocate' "$dir/stderr"
    if grep -q 'Ready to rumble' "$dir/stderr"; then
      peer_is_at "$name" git 127.0.0.1 "$port"
      return 0
    fi
    peer_stop "$name"
  done
  peers_fail "git daemon did not start ($try tries)"
}
