# Shared by scripts/start and scripts/test: what must be there before anything can run. Sourced, not run.
# Everything it says goes to standard error, everything it fetches stays below the checkout.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cache="$root/.cache"

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "error: $1"
  shift
  for line in "$@"; do say "       $line"; done
  exit 1
}

# Two starts at the same time prepare one after the other. `unlock` must come before anything long-lived starts,
# else that would inherit the lock.
lock() {
  mkdir -p "$cache" 2>/dev/null || true
  # In a checkout of another user there is nothing to write when all is prepared, and no lock to be had.
  if command -v flock >/dev/null && { : >>"$cache/prepare.lock"; } 2>/dev/null; then
    exec 9>"$cache/prepare.lock"
    flock 9
  fi
}
unlock() { exec 9>&-; }

check_node() {
  command -v node >/dev/null ||
    fail "node was not found" "Remedy: install Node.js 20.19 or newer and put it on the PATH."
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js $(node --version) is too old" "Remedy: install Node.js 20.19 or newer and put it on the PATH."
}

checksum() { cksum <"$1"; }

# node_modules, from the lock file; again only when the lock file has changed.
install_packages() {
  local stamp="$root/node_modules/.cache/carillon-lockfile" wanted
  wanted="$(checksum "$root/package-lock.json")"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  # Installed by npm itself since the lock file was last written.
  if [ "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ]; then
    mkdir -p "$(dirname "$stamp")" && printf '%s\n' "$wanted" >"$stamp"
    return
  fi
  command -v npm >/dev/null ||
    fail "npm was not found" "Remedy: install npm; it comes with Node.js from nodejs.org, and as the package npm in Debian."
  say "Installing the packages of package-lock.json into $root/node_modules …"
  [ -w "$root" ] || fail "cannot write to $root" "Remedy: run as the user who owns it, or make it writable."
  (cd "$root" && npm ci --include=dev --no-audit --no-fund --loglevel=error </dev/null >&2) ||
    fail "npm ci failed" \
      "Remedy: see the message above; without a network, run it once where there is one and copy node_modules."
  mkdir -p "$(dirname "$stamp")"
  printf '%s\n' "$wanted" >"$stamp"
}

# Makes the programs of a node what the sources are: below a second. It does not look at types.
bundle() {
  (cd "$root" && node scripts/bundle.mjs </dev/null >&2)
}

# Makes dist of the given packages, and of what they need, for programs that import them; nothing when it is there already.
compile() {
  (cd "$root" && node_modules/.bin/tsc -b "$@" </dev/null >&2)
}

# Sees to it that a Redis server program can be found, unless a Redis is named. Arguments: those of `carillon start`.
provide_redis() {
  [ -z "${CARILLON_REDIS_URL:-}" ] || return 0
  case " $* " in *" --redis-url"* | *" --redis-server"*) return 0 ;; esac
  if [ -n "${CARILLON_REDIS_SERVER:-}" ]; then
    command -v "$CARILLON_REDIS_SERVER" >/dev/null ||
      fail "CARILLON_REDIS_SERVER names no program: $CARILLON_REDIS_SERVER"
    return
  fi
  command -v redis-server >/dev/null && return
  command -v valkey-server >/dev/null && return
  if ! redis_works "$cache/redis"; then
    # shellcheck source=scripts/lib/fetch-package.sh
    . "$root/scripts/lib/fetch-package.sh"
    fetch_package redis '8 MB' 'redis-server redis-tools' \
      '(The system may start a Redis service of its own; Carillon does not use that one.)' redis-server --version
  fi
  # Installed by the package manager in the end: then it is on the PATH already.
  if [ -x "$cache/redis/bin/redis-server" ]; then
    export CARILLON_REDIS_SERVER="$cache/redis/bin/redis-server"
    export PATH="$cache/redis/bin:$PATH"
  fi
}

redis_works() { [ -x "$1/bin/redis-server" ] && "$1/bin/redis-server" --version >/dev/null 2>&1; }

no_redis() {
  fail "Redis is needed and was not found: $1" \
    "Remedy: install redis-server or valkey-server (6.2 or newer)," \
    "or set CARILLON_REDIS_SERVER to the path of such a program," \
    "or set CARILLON_REDIS_URL to a Redis that is running."
}

# Sees to it that `haproxy` runs. Only for scripts/cluster and what is tested with it.
provide_haproxy() {
  if [ -n "${CARILLON_HAPROXY:-}" ]; then
    command -v "$CARILLON_HAPROXY" >/dev/null || fail "CARILLON_HAPROXY names no program: $CARILLON_HAPROXY"
    return
  fi
  command -v haproxy >/dev/null && return
  if ! haproxy_works "$cache/haproxy/bin/haproxy"; then
    # shellcheck source=scripts/lib/fetch-package.sh
    . "$root/scripts/lib/fetch-package.sh"
    fetch_package haproxy '6 MB' 'haproxy' '' haproxy -v
  fi
  # Installed by the package manager in the end: then it is on the PATH already.
  if [ -x "$cache/haproxy/bin/haproxy" ]; then export CARILLON_HAPROXY="$cache/haproxy/bin/haproxy"; fi
}

haproxy_works() { [ -x "$1" ] && "$1" -v >/dev/null 2>&1; }

no_haproxy() {
  fail "HAProxy is needed for a cluster behind one address and was not found: $1" \
    "Remedy: install haproxy (2.4 or newer)," \
    "or set CARILLON_HAPROXY to the path of such a program."
}

# Sees to it that `python3` runs, with the modules of its own library that examples/plugins needs. Only for tests.
provide_python() {
  python_works python3 && return
  if ! python_works "$cache/python/bin/python3"; then
    # shellcheck source=scripts/lib/fetch-package.sh
    . "$root/scripts/lib/fetch-package.sh"
    fetch_package python '30 MB' 'python3 python3-minimal libpython3-stdlib' '' python3 "${python_check[@]}"
  fi
  # Installed by the package manager in the end: then it is on the PATH already.
  if [ -x "$cache/python/bin/python3" ]; then export PATH="$cache/python/bin:$PATH"; fi
}

python_check=(-c 'import sys, heapq, json, os, stat, time; sys.exit(sys.version_info < (3, 7))')
python_works() { "$1" "${python_check[@]}" </dev/null >/dev/null 2>&1; }

no_python() {
  fail "Python 3 is needed for the tests of examples/plugins and was not found: $1" \
    "Remedy: install Python 3.7 or newer and put python3 on the PATH; Carillon itself runs without it."
}
