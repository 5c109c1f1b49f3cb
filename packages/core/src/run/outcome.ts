import type { AbortKind, JobOutcome } from '@carillon/contract';
import { normaliseCode } from '../completion/normalise-code.js';
import type { ProcessExit } from '../ports/process/process-launcher.js';
import type { OutputProtocol } from './plugin-protocol.js';

/** Why a run is being ended. */
export interface RunAbort {
  readonly kind: AbortKind;
  readonly reason: string;
}

/** All that is known when a process has ended. */
export interface RunEnd {
  /** `detached`: a plugin, not a script, in detached mode. */
  kind: 'plugin' | 'shell' | 'detached';
  pid: number;
  exit: ProcessExit;
  output: Pick<OutputProtocol, 'report' | 'firstErrorLine'>;
  /** Set when the run was being aborted, whatever the process said or did then. */
  abort: RunAbort | undefined;
}

/**
 * How a run ended (behaviour reference 5.10, 6.4, 6.6, 6.7). An abort wins over everything; then what the process
 * reported; then how it exited: for plugins an exit without a report is a failure, for shell scripts and detached
 * plugins the exit status is the report. Codes given as digits are numbers.
 */
export function outcomeOf(end: RunEnd): JobOutcome {
  if (end.abort !== undefined) return abortedRunOutcome(end.abort);
  const completion = end.output.report.completion;
  if (completion !== undefined) return reportedOutcome(completion.code, completion.description);
  if (end.kind === 'shell') return shellOutcome(end);
  return end.kind === 'detached' ? detachedOutcome(end) : unreportedOutcome(end);
}

/** Outcome of a run that was aborted, for whatever reason (behaviour reference 5.10). */
export function abortedRunOutcome({ kind, reason }: RunAbort): JobOutcome {
  return { code: 1, description: `Job Aborted: ${reason}`, abort_reason: reason, abort: kind };
}

function reportedOutcome(reportedCode: number | string, description: string): JobOutcome {
  const code = normaliseCode(cut(reportedCode, longestCode));
  if (code === 0 || description !== '') return { code, description: cut(description, longestDescription) };
  return { code, description: 'Unknown Error (no description provided)' };
}

/** What goes into every history row and log must not be as long as a message may be. */
const longestCode = 255;
const longestDescription = 10_000;

function cut<T>(value: T, length: number): T | string {
  return typeof value === 'string' && value.length > length ? `${value.slice(0, length)}…` : value;
}

function unreportedOutcome({ exit, pid }: RunEnd): JobOutcome {
  if (exit.code !== null && exit.code !== 0) {
    return { code: exit.code, description: `Child ${pid} crashed with code: ${exit.code}` };
  }
  return { code: 1, description: 'Process exited without reporting job completion.', unknown: 1 };
}

function detachedOutcome({ exit }: RunEnd): JobOutcome {
  const code = exit.code ?? exit.signal ?? 1;
  return { code, description: code === 0 ? '' : `Plugin exited with code: ${code}` };
}

function shellOutcome({ exit, output }: RunEnd): JobOutcome {
  const code = exit.code ?? exit.signal ?? 1;
  if (code === 0) return { code: 0, description: '' };
  const line = output.firstErrorLine;
  const detail = line === undefined ? '' : `: ${line}`;
  return { code, description: `Script exited with code: ${code}${detail}` };
}
