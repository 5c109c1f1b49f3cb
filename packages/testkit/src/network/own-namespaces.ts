import { ip, ipWithin } from './ip-command.js';

const prefix = 'carillon-test-';

/** Namespaces of one network of this process: names begin with the prefix, the process id and a number of its own. */
export class OwnNamespaces {
  readonly #stem: string;
  readonly #made = new Set<string>();

  /** Removes what processes that are gone have left. */
  constructor() {
    const present = sweep();
    let number = 1;
    while (present.some((name) => name.startsWith(`${prefix}${process.pid}-${number}-`))) number += 1;
    this.#stem = `${prefix}${process.pid}-${number}-`;
    process.once('exit', this.#remove);
  }

  /** Makes one whose loopback interface works; answers its full name. */
  add(name: string): string {
    const full = `${this.#stem}${name}`;
    ip('netns', 'add', full);
    this.#made.add(full);
    ipWithin(full, ['link set lo up']);
    return full;
  }

  /** Removes all of them, with their interfaces, and ends what still runs there. */
  remove(): void {
    process.removeListener('exit', this.#remove);
    this.#remove();
  }

  readonly #remove = (): void => {
    for (const name of this.#made) removeNamespace(name);
    this.#made.clear();
  };
}

/** Why this machine and user cannot have network namespaces; undefined when they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  let own: OwnNamespaces | undefined;
  try {
    own = new OwnNamespaces();
    const [one, other] = [own.add('one'), own.add('other')];
    ipWithin(one, [
      'link add name hub type bridge',
      `link add name trial type veth peer name eth0 netns ${other}`,
    ]);
    return undefined;
  } catch (error) {
    return `needs iproute2 and the right to make network namespaces: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    own?.remove();
  }
}

/** Removes namespaces of processes that no longer live; answers the names of the others. */
function sweep(): string[] {
  const names = ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(prefix));
  const isLeft = (name: string): boolean => !isAlive(Number.parseInt(name.slice(prefix.length), 10));
  for (const name of names.filter(isLeft)) removeNamespace(name);
  return names.filter((name) => !isLeft(name));
}

function removeNamespace(name: string): void {
  try {
    // Processes keep a namespace alive after its name has gone.
    for (const pid of ip('netns', 'pids', name).split(/\s+/).filter(Boolean)) endProcess(Number(pid));
    ip('netns', 'del', name);
  } catch {
    // Somebody else swept it at the same time.
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
