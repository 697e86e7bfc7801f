#!/bin/sh
# deps.sh - what basewatch needs from the system: finds out what is missing and, on Debian and its kin, installs it.
# It stands in contrib/ because people who build or package use it as well as the tests.
#
#   contrib/deps.sh check GROUP...     says what is missing, exit 1 if anything is
#   contrib/deps.sh install GROUP...   installs what is missing with apt-get, as root or with sudo
#   contrib/deps.sh modules            the libraries with their minimum versions, for pkg-config
#
# Groups: build run test lint cov bench. Nothing is run as root, and no network is used, when nothing is missing.
set -eu

# The one place for minimum versions of what the program links. libcurl has CURLOPT_QUICK_EXIT since 7.87, SQLite
# STRICT tables since 3.37, OpenSSL its present licence and digest calls since 3.0. The others are releases of 2020;
# nobody has tried older ones.
modules() {
  cat <<'END'
libcurl >= 7.87.0
jansson >= 2.13
sqlite3 >= 3.37.0
libuv >= 1.40.0
libcrypto >= 3.0.0
libssl >= 3.0.0
yaml-0.1 >= 0.2.2
libmosquitto >= 2.0.0
END
}

# group | how to find it | Debian package
# pc: a pkg-config module, cmd: a command, header: a C header, py: a Python module, file: a file,
# sanitizer: the run-time library for clang's sanitizers.
table() {
  cat <<'END'
build|cmd:cc|gcc
build|cmd:make|make
build|header:stdio.h|libc6-dev
build|cmd:pkg-config|pkg-config
build|pc:libcurl|libcurl4-openssl-dev
build|pc:jansson|libjansson-dev
build|pc:sqlite3|libsqlite3-dev
build|pc:libuv|libuv1-dev
build|pc:libcrypto|libssl-dev
build|pc:libssl|libssl-dev
build|pc:libmosquitto|libmosquitto-dev
build|pc:yaml-0.1|libyaml-dev
build|header:uthash.h|uthash-dev
run|cmd:docker-registry|docker-registry
run|cmd:python3|python3
run|cmd:openssl|openssl
run|cmd:curl|curl
run|cmd:jq|jq
run|cmd:mosquitto|mosquitto
run|cmd:mosquitto_sub|mosquitto-clients
run|file:/etc/ssl/certs/ca-certificates.crt|ca-certificates
test|pc:cmocka|libcmocka-dev
test|cmd:bats|bats
test|cmd:docker-registry|docker-registry
test|cmd:python3|python3
test|py:jsonschema|python3-jsonschema
test|py:yaml|python3-yaml
test|cmd:openssl|openssl
test|cmd:curl|curl
test|cmd:jq|jq
test|cmd:sqlite3|sqlite3
test|cmd:nginx|nginx-light
test|cmd:tinyproxy|tinyproxy-bin
test|cmd:mosquitto|mosquitto
test|cmd:mosquitto_sub|mosquitto-clients
test|cmd:git|git
test|cmd:readelf|binutils
lint|cmd:clang|clang
lint|sanitizer:fuzzer|libclang-rt-dev
lint|cmd:clang-tidy|clang-tidy
lint|cmd:clang-format|clang-format
lint|cmd:cppcheck|cppcheck
lint|cmd:shellcheck|shellcheck
lint|cmd:systemd-analyze|systemd
cov|cmd:gcovr|gcovr
bench|cmd:skopeo|skopeo
END
}

# Daemons live outside an ordinary user's PATH.
PATH=$PATH:/usr/sbin:/sbin

module_with_version() {
  modules | grep "^$1 " || echo "$1"
}

has_sanitizer() {
  command -v clang >/dev/null 2>&1 &&
    ls "$(clang -print-resource-dir)"/lib/*/libclang_rt."$1"*.a >/dev/null 2>&1
}

has_header() {
  echo "#include <$1>" | "${CC:-cc}" -E -x c -o /dev/null - >/dev/null 2>&1
}

has() {
  name=${1#*:}
  case $1 in
    cmd:cc) command -v "${CC:-cc}" >/dev/null 2>&1 ;;
    cmd:*) command -v "$name" >/dev/null 2>&1 ;;
    pc:*) pkg-config --exists "$(module_with_version "$name")" 2>/dev/null ;;
    header:*) has_header "$name" ;;
    py:*) python3 -c "import importlib.util as u, sys; sys.exit(not u.find_spec('$name'))" 2>/dev/null ;;
    file:*) [ -e "$name" ] ;;
    sanitizer:*) has_sanitizer "$name" ;;
  esac
}

# Prints "what|package" for each thing of the groups that is not here.
missing() {
  table | while IFS='|' read -r group probe package; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    has "$probe" || echo "$probe|$package"
  done | sort -u
}

say_missing() {
  echo "These are missing:" >&2
  while IFS='|' read -r probe package; do
    case $probe in
      pc:*) what="library $(module_with_version "${probe#pc:}")" ;;
      cmd:*) what="command ${probe#cmd:}" ;;
      header:*) what="header ${probe#header:}" ;;
      py:*) what="Python module ${probe#py:}" ;;
      sanitizer:*) what="sanitizer libraries of clang" ;;
      *) what=${probe#*:} ;;
    esac
    printf '  %-36s (Debian: %s)\n' "$what" "$package" >&2
  done
}

# As root. Services of the packages (nginx, docker-registry, mosquitto) must not start here: invoke-rc.d and systemd's helpers
# ask policy-rc.d, and 101 means "not allowed". A policy that is there already is the owner's and stays.
apt_install() {
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=120 -qq update || echo "apt-get update failed; trying with the lists that are here" >&2
  apt-get -o DPkg::Lock::Timeout=120 -qq -y --no-install-recommends install "$@"
}

install_packages() {
  echo "Installing: $*" >&2
  if [ "$(id -u)" -eq 0 ]; then
    apt_install "$@" >&2
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$0" as-root "$@" >&2
  else
    echo "Neither root nor sudo; as root run: apt-get install --no-install-recommends $*" >&2
    return 1
  fi
}

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
  modules) modules ;;
  as-root) apt_install "$@" ;;
  check | install)
    gone=$(missing "$@")
    [ -n "$gone" ] || exit 0
    if [ "$verb" = check ] || ! command -v apt-get >/dev/null 2>&1; then
      echo "$gone" | say_missing
      [ "$verb" = check ] || echo "Only Debian packages can be installed from here; please install these by hand." >&2
      exit 1
    fi
    # shellcheck disable=SC2046 # one word per package
    install_packages $(echo "$gone" | cut -d'|' -f2 | sort -u)
    gone=$(missing "$@")
    [ -z "$gone" ] || { echo "$gone" | say_missing; exit 1; }
    ;;
  *)
    echo "usage: contrib/deps.sh check|install GROUP... | modules" >&2
    exit 64
    ;;
esac
