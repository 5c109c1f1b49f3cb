/**
 * Adds what `npm install` leaves out of package-lock.json: entries for optional dependencies of other platforms.
 * `npm ci` of newer versions refuses a lock file without them. Run after every `npm install`:
 *
 *   node scripts/complete-lockfile.mjs [--check] [FILE]
 *
 * With --check nothing is written; the exit code is 1 when something is missing, or when the file names a host.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Adds the missing entries to a parsed lock file of version 2 or 3; answers their paths. */
export function completeLockfile(lockfile) {
  const { packages } = lockfile;
  const added = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (isResolved(packages, path, name)) continue;
      const top = `node_modules/${name}`;
      const place = Object.hasOwn(packages, top) ? `${path}/${top}` : top;
      packages[place] = {
        version: exactVersion(name, range),
        optional: true,
        ...platformOf(name),
        ...flagsOf(entry),
      };
      added.push(place);
    }
  }
  lockfile.packages = Object.fromEntries(
    Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
  );
  return added;
}

/** Paths of entries that name where they were downloaded from: a lock file must work with every registry. */
export function entriesWithHosts(lockfile) {
  return Object.entries(lockfile.packages)
    .filter(([, entry]) => /^\w+:\/\//.test(entry.resolved ?? ''))
    .map(([path]) => path);
}

/** Looks a package up as Node would from `path`: in its own node_modules, then in those of its parents. */
function isResolved(packages, path, name) {
  for (
    let at = path;
    ;
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : ''
  ) {
    if (Object.hasOwn(packages, `${at === '' ? '' : `${at}/`}node_modules/${name}`)) return true;
    if (at === '') return false;
  }
}

function exactVersion(name, range) {
  const version = /^[\^~]?(\d+\.\d+\.\d+\S*)$/.exec(range)?.[1];
  if (version === undefined) throw new Error(`${name}: cannot choose a version of ${range}`);
  return version;
}

/** Development packages stay so for `npm prune --omit=dev`. */
function flagsOf({ dev, devOptional }) {
  return dev === true ? { dev } : devOptional === true ? { devOptional } : {};
}

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'x64',
  'wasm32',
];

/** `os`, `cpu` and `libc` from the parts of a name such as `core-linux-x64-musl`. */
export function platformOf(name) {
  const parts = name.split(/[-/]/);
  const os = parts.find((part) => systems.includes(part));
  const cpu = parts.find((part) => processors.includes(part));
  if (cpu === undefined || (os === undefined && cpu !== 'wasm32')) {
    throw new Error(`${name}: cannot tell its platform from its name; add it to package-lock.json by hand`);
  }
  const abi = parts.at(-1) ?? '';
  const libc = abi.startsWith('musl') ? 'musl' : abi.startsWith('gnu') ? 'glibc' : undefined;
  return {
    cpu: [cpu],
    ...(os === 'linux' && libc !== undefined ? { libc: [libc] } : {}),
    ...(os === undefined ? {} : { os: [os] }),
  };
}

function main(words) {
  const check = words.includes('--check');
  const file =
    words.find((word) => !word.startsWith('--')) ?? new URL('../package-lock.json', import.meta.url);
  const lockfile = JSON.parse(readFileSync(file, 'utf8'));
  const hosts = entriesWithHosts(lockfile);
  const added = completeLockfile(lockfile);
  for (const path of hosts) console.error(`${path}: names a host; remove its "resolved"`);
  if (check) for (const path of added) console.error(`${path}: missing`);
  else if (added.length > 0) {
    writeFileSync(file, `${JSON.stringify(lockfile, null, 2)}\n`);
    console.error(`package-lock.json: ${added.length} entries added`);
  }
  return hosts.length > 0 || (check && added.length > 0) ? 1 : 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = main(process.argv.slice(2));
}
