# Fetches a program from the distribution's packages into .cache/NAME, without root and without touching the system:
# download, unpack, and a wrapper that finds the libraries. Sourced by prepare.sh when it is needed.

# fetch_package NAME SIZE PACKAGES NOTICE PROGRAM [ARGUMENT …]
#   PACKAGES   what to begin with; the first is the one to install when nothing else works
#   NOTICE     said before that, may be empty
#   PROGRAM    in /usr/bin or /usr/sbin of the packages; with the arguments it must succeed
# Leaves PROGRAM in .cache/NAME/bin, or else on the PATH. Where it cannot be had, `no_NAME REASON` must end the script.
fetch_package() {
  name="$1" packages="$3" program="$5"
  local size="$2" notice="$4"
  shift 5
  check=("$@")
  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    "no_$name" "this system has no apt-get and dpkg to fetch it with"
  fi
  say "$program was not found; fetching it from the distribution's packages into $cache/$name (about $size) …"
  local work="$cache/$name.part"
  { rm -rf "$work" && mkdir -p "$work/packages" "$work/tree"; } 2>/dev/null || "no_$name" "cannot write to $cache"
  if download_packages "$work"; then
    rm -rf "$work/packages" "$work/apt" "$work/log" "${cache:?}/$name"
    mv "$work" "$cache/$name"
    say "Ready: $cache/$name/bin/$program"
    return
  fi
  sed 's/^/  /' "$work/log" >&2 || true
  rm -rf "$work"
  if [ "$(id -u)" = 0 ]; then
    say "That did not work; installing the package ${packages%% *} into this system with apt-get …"
    [ -z "$notice" ] || say "$notice"
    if DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages%% *}" </dev/null >&2; then
      return
    fi
  fi
  "no_$name" "it could not be fetched; is there a network?"
}

# First with the package lists of the system, then with fresh ones of its own: those need no root.
download_packages() {
  local work="$1"
  apt_options=(-qq -o APT::Sandbox::User= -o Dir::Cache="$work/apt/cache")
  mkdir -p "$work/apt/cache/archives/partial"
  : >"$work/log"
  unpack_packages "$work" && return
  mkdir -p "$work/apt/lists/partial"
  apt_options+=(-o Dir::State::Lists="$work/apt/lists" -o Debug::NoLocking=1)
  apt-get "${apt_options[@]}" update </dev/null >>"$work/log" 2>&1 || return
  unpack_packages "$work"
}

# The packages, then what they depend on and the system lacks, level by level, until the program runs.
unpack_packages() {
  local work="$1" wave="$packages" level
  fetched=" "
  for level in 1 2 3 4; do
    (cd "$work/packages" && apt-get "${apt_options[@]}" download $wave </dev/null >>"$work/log" 2>&1) || return
    fetched="$fetched$wave "
    local package
    for package in "$work"/packages/*.deb; do
      dpkg -x "$package" "$work/tree" >>"$work/log" 2>&1 || return
      rm "$package"
    done
    write_wrapper "$work"
    "$work/bin/$program" "${check[@]}" >/dev/null 2>&1 && return
    wave="$(lacking_dependencies $wave)"
    [ -n "$wave" ] || break
  done
  "$work/bin/$program" "${check[@]}" >>"$work/log" 2>&1
}

lacking_dependencies() {
  apt-cache "${apt_options[@]}" depends --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$@" 2>/dev/null |
    sed -n 's/^ *|\{0,1\}Depends: \([a-z0-9][a-z0-9+.-]*\)$/\1/p' | sort -u |
    while read -r package; do
      case "$fetched" in *" $package "*) continue ;; esac
      case "$package" in
        init-system-helpers | adduser) continue ;;
        # A part of the program itself: it must be in the tree, also where the system has a copy.
        *"$program"*) printf '%s ' "$package" && continue ;;
      esac
      dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

write_wrapper() {
  local work="$1" folders place
  folders="$(cd "$work/tree" && find . -name '*.so*' -exec dirname {} \; | sort -u | sed 's,^\./,,')"
  mkdir -p "$work/bin"
  {
    place=bin
    [ -x "$work/tree/usr/bin/$program" ] || place=sbin
    # Only what the shell itself knows: the program may be started without a PATH.
    printf '#!/bin/sh\n# The %s beside this file, with its own libraries.\n' "$program"
    printf 'tree="$(cd "${0%%/*}/../tree" && pwd)"\n'
    for folder in $folders; do
      printf 'LD_LIBRARY_PATH="$tree/%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\n' "$folder"
    done
    printf 'export LD_LIBRARY_PATH\nexec "$tree/usr/%s/%s" "$@"\n' "$place" "$program"
  } >"$work/bin/$program"
  chmod 755 "$work/bin/$program"
}
