import type { JobFields, ResourceStat, RunRef } from '@carillon/contract';
import type { OutputOffsets, RunAbort } from '@carillon/core';
import type { HeldRun } from '../run/held-run.js';

/** What a later boot must know to go on with a run. */
export interface RunNote {
  ref: RunRef;
  job: JobFields;
  /** Unix seconds. */
  timeStart: number;
  abort?: RunAbort;
}

/** How far a run's output was taken in: the log had these many bytes when the streams had been read this far. */
export interface Checkpoint extends OutputOffsets {
  logBytes: number;
  cpu?: ResourceStat;
  mem?: ResourceStat;
}

/** The note of a run whose start has a time. */
export function runNote(run: HeldRun): string {
  const note: RunNote = {
    ref: run.ref,
    job: run.job,
    timeStart: run.timeStart ?? 0,
    ...(run.abort === undefined ? {} : { abort: run.abort }),
  };
  return JSON.stringify(note);
}

/** Only for moments in which all that was read is also written to the log, or on its way there. */
export function checkpointNote(run: HeldRun, offsets: OutputOffsets): string {
  const checkpoint: Checkpoint = {
    ...offsets,
    logBytes: run.log?.size ?? 0,
    ...(run.cpu === undefined ? {} : { cpu: run.cpu }),
    ...(run.mem === undefined ? {} : { mem: run.mem }),
  };
  return JSON.stringify(checkpoint);
}

/** Undefined for a text that is no such note. */
export function readRunNote(text: string): RunNote | undefined {
  const note = parse<RunNote>(text);
  const { ref, job, timeStart, abort } = note ?? {};
  if (note === undefined || typeof timeStart !== 'number') return undefined;
  if (typeof ref?.job !== 'string' || !Number.isInteger(ref.attempt)) return undefined;
  if (job?.id !== ref.job || typeof job.command !== 'string' || typeof job.params !== 'object')
    return undefined;
  return abort === undefined || isValidAbort(abort) ? note : undefined;
}

const isValidAbort = ({ kind, reason }: Partial<RunAbort>): boolean =>
  typeof kind === 'string' && typeof reason === 'string';

/** Undefined for a text that is no such note. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const note = parse<Checkpoint>(text);
  const { stdout, stderr, logBytes } = note ?? {};
  return [stdout, stderr, logBytes].every((bytes) => Number.isInteger(bytes)) ? note : undefined;
}

/** Objects only; their fields are still to be checked. */
function parse<T extends object>(text: string): (Partial<T> & T) | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
