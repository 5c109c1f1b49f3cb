# Fetches redis-server from the distribution's packages into .cache/redis, without root and without touching the
# system: download, unpack, and a wrapper that finds the libraries. Sourced by prepare.sh when it is needed.

fetch_redis() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    no_redis "this system has no apt-get and dpkg to fetch it with"
  fi
  say "redis-server was not found; fetching it from the distribution's packages into $cache/redis (about 8 MB) …"
  local work="$cache/redis.part"
  { rm -rf "$work" && mkdir -p "$work/packages" "$work/tree"; } 2>/dev/null || no_redis "cannot write to $cache"
  if download_redis "$work"; then
    rm -rf "$work/packages" "$work/apt" "$work/log" "$cache/redis"
    mv "$work" "$cache/redis"
    say "Ready: $("$cache/redis/bin/redis-server" --version)"
    return
  fi
  sed 's/^/  /' "$work/log" >&2 || true
  rm -rf "$work"
  if [ "$(id -u)" = 0 ]; then
    say "That did not work; installing the package redis-server into this system with apt-get …"
    say "(The system may start a Redis service of its own; Carillon does not use that one.)"
    if DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server </dev/null >&2; then
      return
    fi
  fi
  no_redis "it could not be fetched; is there a network?"
}

no_redis() {
  fail "Redis is needed and was not found: $1" \
    "Remedy: install redis-server or valkey-server (6.2 or newer)," \
    "or set CARILLON_REDIS_SERVER to the path of such a program," \
    "or set CARILLON_REDIS_URL to a Redis that is running."
}

# First with the package lists of the system, then with fresh ones of its own: those need no root.
download_redis() {
  local work="$1"
  apt_options=(-qq -o APT::Sandbox::User= -o Dir::Cache="$work/apt/cache")
  mkdir -p "$work/apt/cache/archives/partial"
  : >"$work/log"
  unpack_redis "$work" && return
  mkdir -p "$work/apt/lists/partial"
  apt_options+=(-o Dir::State::Lists="$work/apt/lists" -o Debug::NoLocking=1)
  apt-get "${apt_options[@]}" update </dev/null >>"$work/log" 2>&1 || return
  unpack_redis "$work"
}

# The packages, then what they depend on and the system lacks, level by level, until the program runs.
unpack_redis() {
  local work="$1" wave="redis-server redis-tools" level
  for level in 1 2 3 4; do
    (cd "$work/packages" && apt-get "${apt_options[@]}" download $wave </dev/null >>"$work/log" 2>&1) || return
    local package
    for package in "$work"/packages/*.deb; do
      dpkg -x "$package" "$work/tree" >>"$work/log" 2>&1 || return
      rm "$package"
    done
    write_redis_wrapper "$work"
    redis_works "$work" && return
    wave="$(lacking_dependencies $wave)"
    [ -n "$wave" ] || break
  done
  "$work/bin/redis-server" --version >>"$work/log" 2>&1
}

lacking_dependencies() {
  apt-cache "${apt_options[@]}" depends --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$@" 2>/dev/null |
    sed -n 's/^ *|\{0,1\}Depends: \([a-z0-9][a-z0-9+.-]*\)$/\1/p' | sort -u |
    while read -r package; do
      case "$package" in redis-* | init-system-helpers | adduser) continue ;; esac
      dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

write_redis_wrapper() {
  local work="$1" folders
  folders="$(cd "$work/tree" && find . -name '*.so*' -exec dirname {} \; | sort -u | sed 's,^\./,,')"
  mkdir -p "$work/bin"
  {
    # Only what the shell itself knows: the server may be started without a PATH.
    printf '#!/bin/sh\n# The redis-server beside this file, with its own libraries.\n'
    printf 'tree="$(cd "${0%%/*}/../tree" && pwd)"\n'
    for folder in $folders; do
      printf 'LD_LIBRARY_PATH="$tree/%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\n' "$folder"
    done
    printf 'export LD_LIBRARY_PATH\nexec "$tree/usr/bin/redis-server" "$@"\n'
  } >"$work/bin/redis-server"
  chmod 755 "$work/bin/redis-server"
}
