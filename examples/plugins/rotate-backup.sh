#!/bin/sh
# Packs a directory into a dated archive and keeps the newest few.
#
# Shows: parameters from the environment, messages without a JSON library, `perf` as a query string, and tidying up
# when the job is aborted.
#
# Plugin record, to be given to create_plugin (with the path where this file is on the workers):
#
#   {
#     "title": "Backup with rotation",
#     "enabled": 1,
#     "command": "/opt/carillon/examples/plugins/rotate-backup.sh",
#     "params": [
#       { "id": "source", "type": "text", "size": 40, "title": "Directory to save", "value": "" },
#       { "id": "destination", "type": "text", "size": 40, "title": "Directory of the archives", "value": "" },
#       { "id": "keep", "type": "text", "size": 4, "title": "Archives to keep", "value": "7" }
#     ]
#   }
#
# By hand:  echo '{"params":{}}' | SOURCE=/etc DESTINATION=/tmp/backups KEEP=3 ./rotate-backup.sh
#
# Ends with code 0; 1 when a parameter is wrong or a step failed. Needs a POSIX shell and tar with gzip.
set -u

# A text as it stands between quotes in JSON. Control characters, which have no place in a path, are dropped.
json_text() { printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g'; }

progress() { printf '{"progress":%s}\n' "$1"; }

succeed() {
  printf '{"complete":1,"code":0,"description":"%s","perf":"%s","label":"%s"}\n' \
    "$(json_text "$1")" "$2" "$(json_text "$3")"
  exit 0
}

refuse() {
  printf '{"complete":1,"code":1,"description":"%s"}\n' "$(json_text "$1")"
  exit 1
}

part=
packing=
tidy_up() {
  # `$!` is there as soon as tar is: a signal may come before the next command could have noted it.
  [ -z "$packing" ] || kill "${!:-}" 2>/dev/null
  [ -z "$part" ] || rm -f "$part"
}
# Whatever way this script leaves, half an archive does not stay. On SIGTERM there are ten seconds for that.
trap tidy_up EXIT
trap 'echo "Aborted: removing the unfinished archive" >&2; exit 143' TERM INT

# The parameters are in the environment, so the job on standard input is not needed here. It is read all the same:
# what calls a plugin without one is not a scheduler, and should hear it. A shell can check no more than the braces.
IFS= read -r job || [ -n "${job:-}" ] || job=
case "$job" in
  '{'*'}') ;;
  *) refuse 'Cannot read the job from standard input: it is not a JSON object' ;;
esac

source_path="${SOURCE:-}"
destination="${DESTINATION:-}"
keep="${KEEP:-7}"
[ -n "$source_path" ] && [ -d "$source_path" ] || refuse "Parameter source must name a directory, not '$source_path'"
[ -n "$destination" ] || refuse "Parameter destination must name a directory"
case "$keep" in
  '' | 0 | *[!0-9]*) refuse "Parameter keep must be a whole number above 0, not '$keep'" ;;
esac
mkdir -p "$destination" || refuse "Cannot create $destination"
# Absolute, without a slash at the end: `/` and `..` have names then, too.
source_path="$(cd "$source_path" && pwd -P)" || refuse "Cannot enter $source_path"
name="$(basename "$source_path" | tr -c 'A-Za-z0-9._\n-' '_')"
archive="$name-$(date -u +%Y%m%dT%H%M%SZ)-${JOB_ID:-$$}.tar.gz"

started="$(date +%s)"
part="$destination/.$archive.part"
# `true`, not `:`: when that cannot be redirected, the shell ends without a word.
true >"$part" || refuse "Cannot write to $destination"
# In the background: a shell acts on a signal only between commands, but at once while it waits.
packing=1
tar -czf "$part" -C "$source_path" . >&2 &
progress 0.1
wait "$!"
status=$?
packing=
[ "$status" -eq 0 ] || refuse "tar ended with status $status, see the log"
progress 0.8
mv "$part" "$destination/$archive" || refuse "Cannot rename the archive in $destination"
part=
packed="$(date +%s)"

# Names begin with the date, so their order is their age. Only what has the form of our own names is ever removed.
removed=0
set -- "$destination/$name"-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z-*.tar.gz
while [ "$#" -gt "$keep" ]; do
  rm -f "$1" && echo "Removed $1" >&2 && removed=$((removed + 1))
  shift
done
bytes="$(wc -c <"$destination/$archive" | tr -d ' ')"
rotated="$(date +%s)"

# Seconds; what begins with c_ is a counter. Quotes are not needed: digits only.
succeed "Saved $source_path as $archive ($bytes bytes), removed $removed" \
  "pack=$((packed - started))&rotate=$((rotated - packed))&c_bytes=$bytes&c_removed=$removed" "$archive"
