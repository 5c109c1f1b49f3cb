import { flagParam, type PluginJob, textParam } from '../plugin-protocol.js';

/** What the test plugin shall do. */
export interface TrialSettings {
  durationMs: number;
  progress: boolean;
  burn: boolean;
  action: 'success' | 'failure' | 'crash';
}

/** Longest duration that a timer can wait for. */
const longestMs = 2 ** 31 - 1;

/**
 * Reads the parameters `duration` (seconds, or `A-B` for a random value of that range), `progress`, `burn` and
 * `action` (behaviour reference 6.7). `random` answers 0 ≤ n < 1. Throws an Error that names a bad parameter.
 */
export function readTrialSettings(job: PluginJob, random: () => number): TrialSettings {
  return {
    durationMs: readDurationMs(textParam(job, 'duration').trim(), random),
    progress: flagParam(job, 'progress'),
    burn: flagParam(job, 'burn'),
    action: readAction(textParam(job, 'action').trim().toLowerCase()),
  };
}

function readDurationMs(value: string, random: () => number): number {
  if (value === '') return 60_000;
  const match = /^(\d+(?:\.\d+)?)(?:\s*-\s*(\d+(?:\.\d+)?))?$/.exec(value);
  if (match === null) throw new Error(`Malformed duration: ${value}`);
  const low = Number(match[1]);
  const high = match[2] === undefined ? low : Number(match[2]);
  const seconds = Math.min(low, high) + random() * Math.abs(high - low);
  return Math.min(Math.round(seconds * 1000), longestMs);
}

function readAction(value: string): TrialSettings['action'] {
  if (value === '' || value === 'success') return 'success';
  if (value === 'failure' || value === 'crash') return value;
  throw new Error(`Unknown action: ${value}`);
}
