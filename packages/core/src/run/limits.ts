import type { JobFields } from '@carillon/contract';
import type { RunAbort } from './outcome.js';

/** Limits of jobs that have none of their own; 0 = no limit (`job_memory_max` and its like). */
export interface DefaultLimits {
  memoryBytes: number;
  memorySustainSec: number;
  /** Percent of one core. */
  cpuPercent: number;
  cpuSustainSec: number;
  /** How long after its start a process may use as much CPU as it likes (`job_startup_grace`). */
  cpuGraceSec: number;
  logBytes: number;
}

/** Limits that count for a run; 0 = no limit. */
export interface RunLimits extends DefaultLimits {
  /** From the first start of the job, over all its attempts. */
  timeoutSec: number;
}

/** Since when limits are exceeded without a break, in monotonic milliseconds; undefined: they are kept. */
export interface ExceededSince {
  memoryMs?: number | undefined;
  cpuMs?: number | undefined;
}

/** One look at a run. Times are monotonic milliseconds. */
export interface RunLook {
  nowMs: number;
  /** First start of the job. */
  startedMs: number;
  since: ExceededSince;
  logBytes: number;
}

/**
 * The limits that count for a job (behaviour reference 5.11): its own where it has one, else the default. How long a
 * limit may be exceeded belongs to the limit: a default's time is never mixed with a limit of the job's own.
 */
export function effectiveLimits(job: JobFields, defaults: DefaultLimits): RunLimits {
  const own = (key: string): number => amount(Object.hasOwn(job, key) ? job[key] : undefined);
  const memory = own('memory_limit');
  const cpu = own('cpu_limit');
  return {
    timeoutSec: own('timeout'),
    memoryBytes: memory || defaults.memoryBytes,
    memorySustainSec: memory > 0 ? own('memory_sustain') : defaults.memorySustainSec,
    cpuPercent: cpu || defaults.cpuPercent,
    cpuSustainSec: cpu > 0 ? own('cpu_sustain') : defaults.cpuSustainSec,
    cpuGraceSec: defaults.cpuGraceSec,
    logBytes: own('log_max_size') || defaults.logBytes,
  };
}

function amount(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : 0;
}

/** Error of a sample: processor time is counted in steps of 10 ms, so one busy core may look like a little more. */
const cpuErrorPercent = 2;

/**
 * Takes a sample into account: a limit that is exceeded for the first time is noted with the present time, one that is
 * kept again is forgotten. `cpu` in percent of one core, which must be exceeded by more than its error, `mem` in bytes; what was not
 * measured changes nothing.
 */
export function noteSample(
  since: ExceededSince,
  sample: { cpu?: number | undefined; mem?: number | undefined },
  limits: RunLimits,
  nowMs: number,
): ExceededSince {
  return {
    memoryMs: noteValue(since.memoryMs, sample.mem, limits.memoryBytes, nowMs),
    cpuMs:
      limits.cpuPercent === 0
        ? undefined
        : noteValue(since.cpuMs, sample.cpu, limits.cpuPercent + cpuErrorPercent, nowMs),
  };
}

function noteValue(
  sinceMs: number | undefined,
  value: number | undefined,
  limit: number,
  nowMs: number,
): number | undefined {
  if (limit === 0) return undefined;
  if (value === undefined) return sinceMs;
  return value > limit ? (sinceMs ?? nowMs) : undefined;
}

/**
 * Why a run must be ended, or undefined (behaviour reference 5.10, 5.11). When several limits are exceeded at one look
 * the first of time, memory, CPU and log counts.
 */
export function exceededLimit(look: RunLook, limits: RunLimits): RunAbort | undefined {
  const { timeoutSec, memoryBytes, memorySustainSec, cpuPercent, cpuSustainSec, logBytes } = limits;
  const { nowMs, since } = look;
  if (timeoutSec > 0 && nowMs - look.startedMs >= timeoutSec * 1000) {
    return { kind: 'timeout', reason: `Exceeded maximum run time (${durationText(timeoutSec)})` };
  }
  if (memoryBytes > 0 && isSustained(since.memoryMs, memorySustainSec, nowMs)) {
    const limit = `${bytesText(memoryBytes)}${sustainText(memorySustainSec)}`;
    return { kind: 'memory', reason: `Exceeded memory limit of ${limit}` };
  }
  if (cpuPercent > 0 && isSustained(since.cpuMs, cpuSustainSec, nowMs)) {
    return { kind: 'cpu', reason: `Exceeded CPU limit of ${cpuPercent}%${sustainText(cpuSustainSec)}` };
  }
  if (logBytes > 0 && look.logBytes > logBytes) {
    return { kind: 'log', reason: `Exceeded log file size limit of ${bytesText(logBytes)}` };
  }
  return undefined;
}

const isSustained = (sinceMs: number | undefined, sustainSec: number, nowMs: number): boolean =>
  sinceMs !== undefined && nowMs - sinceMs >= sustainSec * 1000;

const sustainText = (sustainSec: number): string =>
  sustainSec > 0 ? ` for over ${durationText(sustainSec)}` : '';

const byteUnits = ['K', 'MB', 'GB', 'TB'];

/** A number of bytes as the peer writes it: `1 byte`, `1.5 K`, `200 MB`; one decimal, cut off, 1024 to the unit. */
export function bytesText(bytes: number): string {
  let value = Math.floor(bytes);
  if (value < 1024) return `${value} ${value === 1 ? 'byte' : 'bytes'}`;
  let unit = '';
  for (unit of byteUnits) {
    value = Math.floor((value / 1024) * 10) / 10;
    if (value < 1024) break;
  }
  return `${value} ${unit}`;
}

const timeUnits: readonly (readonly [name: string, seconds: number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** A duration in words, with its two largest units at most: `1 hour, 30 minutes`; fractions of a second are cut off. */
export function durationText(durationSec: number): string {
  const whole = Math.max(0, Math.floor(durationSec));
  const first = timeUnits.findIndex(([, seconds]) => whole >= seconds);
  const parts: string[] = [];
  let rest = whole;
  for (const [name, seconds] of first < 0 ? timeUnits.slice(-1) : timeUnits.slice(first, first + 2)) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || parts.length === 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
  }
  return parts.join(', ');
}
