import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, createReadStream, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import {
  type DetachedEntry,
  type DetachedLauncher,
  type DetachedNotes,
  type DetachedProcess,
  type OutputOffsets,
  type ProcessSpec,
  SpawnError,
} from '@carillon/core';
import { identify, pidSpace } from '../../embedded-redis/process-table.js';
import { commandOf } from '../script-directory.js';
import { explainSpawnFailure } from '../spawn-failure.js';
import { checkDirectory, checkInterpreter, findProgram } from './find-program.js';
import { FollowedProcess } from './followed-process.js';
import { keeperScript, leaveToStart } from './keeper.js';
import { ProcessGroup } from './process-group.js';
import { RunDirectory, runNames } from './run-directory.js';

const shell = '/bin/sh';
/** A keeper whose worker has died either starts its program at once or never. */
const startSettleMs = 2000;
const lookAgainMs = 10;

/**
 * Detached processes with a directory of their own each, below the given one: input, output and exit status are files,
 * and a small shell stays with the program to write the last (decision 8). One process at a time may use the directory.
 */
export class FileDetachedLauncher implements DetachedLauncher {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = resolve(directory);
    mkdirSync(this.#directory, { recursive: true, mode: 0o711 });
  }

  async launch(spec: ProcessSpec, notes: DetachedNotes): Promise<DetachedProcess> {
    const directory = new RunDirectory(this.#directory, spec.name);
    checkDirectory(spec);
    directory.create();
    try {
      const [file, args] = prepare(directory, spec);
      directory.writeNote('run', notes.run);
      directory.writeNote('checkpoint', notes.checkpoint);
      return await start(directory, spec, [findProgram(file, spec), ...args]);
    } catch (error) {
      directory.remove();
      throw error instanceof SpawnError ? error : explainSpawnFailure(error, spec);
    }
  }

  async list(): Promise<DetachedEntry[]> {
    const entries: DetachedEntry[] = [];
    for (const name of runNames(this.#directory)) {
      const directory = new RunDirectory(this.#directory, name);
      // Without a record no program was, or will be, started.
      if (directory.readRecord() === undefined) directory.remove();
      else entries.push({ name, notes: directory.readNotes() });
    }
    return entries;
  }

  async adopt(name: string, from: OutputOffsets): Promise<DetachedProcess | undefined> {
    const directory = new RunDirectory(this.#directory, name);
    const record = directory.readRecord();
    if (record === undefined || record.space !== pidSpace()) return undefined;
    const group = new ProcessGroup(record);
    const started = await hasStarted(directory, group);
    return started ? new FollowedProcess(directory, group, from) : undefined;
  }

  async *recorded(name: string, stream: keyof OutputOffsets, endBytes: number): AsyncIterable<Uint8Array> {
    if (endBytes <= 0) return;
    const path = new RunDirectory(this.#directory, name).file(stream);
    yield* createReadStream(path, { end: endBytes - 1 });
  }

  async keepNote(name: string, kind: keyof DetachedNotes, text: string): Promise<void> {
    const directory = new RunDirectory(this.#directory, name);
    if (directory.exists) directory.writeNote(kind, text);
  }

  async remove(name: string): Promise<void> {
    new RunDirectory(this.#directory, name).remove();
  }
}

/** Writes what the program gets; answers its command. */
function prepare(directory: RunDirectory, spec: ProcessSpec): [string, readonly string[]] {
  const { program, uid, gid } = spec;
  writeFileSync(directory.file('stdin'), '', { mode: 0o600 });
  if (program.kind !== 'script') return commandOf(spec, undefined);
  checkInterpreter(program.source, spec);
  const script = directory.file('script');
  writeFileSync(script, program.source, { mode: 0o700 });
  if (uid !== undefined) chownSync(script, uid, gid ?? uid);
  return commandOf(spec, script);
}

/** Forks the keeper, notes it, and only then gives it leave to start the program. */
async function start(
  directory: RunDirectory,
  spec: ProcessSpec,
  command: readonly string[],
): Promise<DetachedProcess> {
  const child = spawnKeeper(directory, spec, command);
  const { pid } = child;
  if (pid === undefined) {
    const [error]: unknown[] = await once(child, 'error');
    throw error;
  }
  const gate = child.stdio[4] as Writable;
  // A keeper that has been killed reads nothing any more.
  gate.on('error', () => undefined);
  const marker = `CARILLON_RUN=${spec.env['CARILLON_RUN'] ?? ''}`;
  const identity = { ...identify(pid), marker };
  try {
    // Its input names the keeper, and the program reads it only when the gate opens.
    writeFileSync(directory.file('stdin'), spec.stdin(pid));
    directory.writeRecord(identity);
  } catch (error) {
    // Without leave the keeper ends.
    gate.destroy();
    throw error;
  }
  await new Promise<void>((resolve) => {
    gate.once('close', resolve);
    gate.end(leaveToStart, resolve);
  });
  const process = new FollowedProcess(directory, new ProcessGroup(identity), { stdout: 0, stderr: 0 });
  child.once('exit', () => process.check());
  if (child.exitCode !== null || child.signalCode !== null) process.check();
  child.unref();
  return process;
}

function spawnKeeper(directory: RunDirectory, spec: ProcessSpec, command: readonly string[]): ChildProcess {
  const { cwd, env, uid, gid } = spec;
  const files: number[] = [];
  try {
    files.push(openSync(directory.file('stdin'), 'r'));
    for (const name of ['stdout', 'stderr', 'status'] as const) {
      files.push(openSync(directory.file(name), 'a', 0o600));
    }
    return spawn(shell, ['-c', keeperScript, 'carillon', ...command], {
      cwd,
      env,
      detached: true,
      stdio: [...files, 'pipe'],
      // With either id set the system's list of supplementary groups is emptied as well.
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** False when the keeper ended, or hangs, without having started its program. */
async function hasStarted(directory: RunDirectory, group: ProcessGroup): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < startSettleMs; waitedMs += lookAgainMs) {
    const wasAlive = group.hasKeeper;
    if (directory.readStatus().started) return true;
    if (!wasAlive) return false;
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
  return false;
}
