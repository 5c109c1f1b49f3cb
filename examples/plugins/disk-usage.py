#!/usr/bin/env python3
"""Reports how much space the entries of a directory take.

Shows: the job read from standard input, progress, `perf` with a scale and counters, a table, a label, and a code of
its own (2) for "works, but somebody should look".

Plugin record, to be given to create_plugin (with the path where this file is on the workers):

    {
      "title": "Disk usage",
      "enabled": 1,
      "command": "/opt/carillon/examples/plugins/disk-usage.py",
      "params": [
        { "id": "directory", "type": "text", "size": 40, "title": "Directory", "value": "/var/log" },
        { "id": "limit_mb", "type": "text", "size": 8, "title": "Limit in MB (0: none)", "value": "0" },
        { "id": "rows", "type": "text", "size": 4, "title": "Rows of the table", "value": "10" }
      ]
    }

By hand:  echo '{"params":{"directory":"/var/log","limit_mb":"100"}}' | ./disk-usage.py

Ends with code 0; 1 when it could not do its work; 2 when the directory is over the limit.
Needs Python 3.7 or newer, and nothing else.
"""

import heapq
import json
import os
import stat
import sys
import time


class Refused(Exception):
    """The job cannot be done, for a reason that its owner should read."""


def send(**message):
    # One message is one line. Flushed, because a pipe is buffered and progress should be seen while it is made.
    print(json.dumps(message), flush=True)


def log(text):
    # Standard error goes to the job's log as it is: a file name that looks like a message cannot become one.
    print(text, file=sys.stderr)


def read_job():
    try:
        job = json.load(sys.stdin)
    except ValueError as error:
        raise Refused(f"Cannot read the job from standard input: {error}")
    if not isinstance(job, dict) or not isinstance(job.get("params", {}), dict):
        raise Refused("Cannot read the job from standard input: it is not a JSON object with params")
    return job


def number(params, name, default):
    # Text fields of a form arrive as text.
    value = params.get(name, "")
    if value == "":
        return default
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = -1
    if not 0 <= found < float("inf"):
        raise Refused(f"Parameter {name} must be a number of at least 0, not {value!r}")
    return found


class Walk:
    """Adds up sizes; a file with several names counts once, symbolic links are not followed."""

    def __init__(self):
        self.files = 0
        self.directories = 0
        self.unreadable = 0
        self._seen = set()

    def size(self, path):
        total, pending = 0, [path]
        while pending:
            current = pending.pop()
            try:
                status = os.lstat(current)
                if stat.S_ISDIR(status.st_mode):
                    self.directories += 1
                    pending.extend(os.path.join(current, name) for name in os.listdir(current))
                    continue
            except OSError as error:
                # Files come and go while a directory is read, and some are not for everybody.
                self.unreadable += 1
                log(f"Skipped {current}: {error.strerror}")
                continue
            self.files += 1
            identity = (status.st_dev, status.st_ino)
            if status.st_nlink > 1 and identity in self._seen:
                continue
            self._seen.add(identity)
            total += status.st_size
        return total


def megabytes(size):
    return f"{size / 1_000_000:.1f} MB"


def main():
    params = read_job().get("params", {})
    # Not "path": every parameter is an environment variable, too, and PATH is where programs are found.
    path = params.get("directory") or ""
    limit_mb = number(params, "limit_mb", 0)
    rows = int(number(params, "rows", 10))
    if not isinstance(path, str) or not os.path.isdir(path):
        raise Refused(f"Parameter directory must name a directory, not {path!r}")

    started = time.monotonic()
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise Refused(f"Cannot read {path}: {error.strerror}")
    listed = time.monotonic()
    walk, sizes, told = Walk(), {}, 0
    for done, name in enumerate(names, start=1):
        sizes[name] = walk.size(os.path.join(path, name))
        if done / len(names) - told >= 0.01:
            told = done / len(names)
            send(progress=told)
    walked = time.monotonic()

    total = sum(sizes.values())
    largest = heapq.nlargest(rows, sizes.items(), key=lambda item: item[1])
    log(f"{path}: {megabytes(total)} in {walk.files} files, {walk.unreadable} entries skipped")
    is_over = 0 < limit_mb * 1_000_000 < total
    send(
        complete=1,
        code=2 if is_over else 0,
        description=f"{path} takes {megabytes(total)}"
        + (f", more than the limit of {limit_mb:g} MB" if is_over else ""),
        label=megabytes(total),
        # Values are in thousandths of a second: 1000 units are one second. Counters are not times.
        perf={
            "scale": 1000,
            "perf": {"list": round((listed - started) * 1000, 3), "walk": round((walked - listed) * 1000, 3)},
            "counters": {"files": walk.files, "directories": walk.directories, "unreadable": walk.unreadable},
        },
        table={
            "title": "Largest entries",
            "header": ["Entry", "Size", "Share"],
            "rows": [[name, megabytes(size), f"{100 * size / max(total, 1):.0f} %"] for name, size in largest],
            "caption": f"{len(names)} entries in {path}",
        },
    )


if __name__ == "__main__":
    try:
        main()
    except Refused as refusal:
        send(complete=1, code=1, description=str(refusal))
