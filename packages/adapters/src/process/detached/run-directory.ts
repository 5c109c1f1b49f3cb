import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { DetachedNotes } from '@carillon/core';
import { type KeeperStatus, parseStatus } from './keeper.js';
import type { GroupIdentity } from './process-group.js';

/** Only its owner may look around; others may pass through, to a script they own. */
const directoryMode = 0o711;
const fileMode = 0o600;

/** The files of one detached run. */
export class RunDirectory {
  readonly path: string;

  constructor(parent: string, name: string) {
    if (!/^\w[\w-]*$/.test(name)) throw new Error(`Malformed run name: ${name}`);
    this.path = join(parent, name);
  }

  /** Throws when it is there already: a run is started once. */
  create(): void {
    mkdirSync(this.path, { mode: directoryMode });
  }

  file(name: 'stdin' | 'stdout' | 'stderr' | 'status' | 'script'): string {
    return join(this.path, name);
  }

  /** Written last of all, and what makes the run one that is listed. */
  writeRecord(record: GroupIdentity): void {
    this.#replace('record.json', JSON.stringify(record));
  }

  /** Undefined when there is none, or none with sense. */
  readRecord(): GroupIdentity | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(join(this.path, 'record.json'), 'utf8'));
      return isRecord(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  writeNote(kind: keyof DetachedNotes, text: string): void {
    this.#replace(`note-${kind}`, text);
  }

  readNotes(): DetachedNotes {
    return { run: this.#read('note-run'), checkpoint: this.#read('note-checkpoint') };
  }

  /** With the time of the end, which is when the file was last written to. */
  readStatus(): KeeperStatus {
    const status = parseStatus(this.#read('status'));
    if (status.exit === undefined) return status;
    const atMs = statSync(this.file('status'), { throwIfNoEntry: false })?.mtimeMs;
    return atMs === undefined ? status : { ...status, exit: { ...status.exit, atMs: Math.round(atMs) } };
  }

  get exists(): boolean {
    return existsSync(this.path);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #read(name: string): string {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch {
      return '';
    }
  }

  /** Whole or not at all after a crash of this process. */
  #replace(name: string, text: string): void {
    const path = join(this.path, name);
    writeFileSync(`${path}.new`, text, { mode: fileMode });
    renameSync(`${path}.new`, path);
  }
}

/** Names in a directory of run directories. */
export function runNames(parent: string): string[] {
  return readdirSync(parent).filter((name) => /^\w[\w-]*$/.test(name));
}

function isRecord(value: unknown): value is GroupIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTicks, space, marker } = value as Partial<GroupIdentity>;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 1) return false;
  return [startTicks, space, marker].every((text) => typeof text === 'string');
}
