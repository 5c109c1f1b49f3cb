import { text } from 'node:stream/consumers';

/** What a plugin is told: the whole job, as far as plugins look at it. */
export interface PluginJob {
  readonly params: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads the job from standard input until its end (behaviour reference 6.2).
 * Throws an Error with a readable text when the input is not one JSON object.
 */
export async function readJob(): Promise<PluginJob> {
  const input = await text(process.stdin);
  let job: unknown;
  try {
    job = JSON.parse(input);
  } catch (error) {
    throw new Error(`Cannot read the job from standard input: ${reasonOf(error)}`);
  }
  if (!isRecord(job)) throw new Error('Cannot read the job from standard input: it is not a JSON object');
  return { ...job, params: isRecord(job['params']) ? job['params'] : {} };
}

/** Sends one message to the worker: a JSON line on standard output (behaviour reference 6.3). */
export function sendMessage(message: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Writes text to the job's log as it is. It goes through standard error, because a line of untrusted text
 * that looks like JSON would be taken for a plugin message on standard output.
 */
export function writeLog(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The text of something that was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A parameter as text; absent, null and objects are the empty text. */
export function textParam(job: PluginJob, name: string): string {
  const value = Object.hasOwn(job.params, name) ? job.params[name] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return '';
}

/** A checkbox parameter: 1, true, "1", "true", "yes" and "on" are set. */
export const flagParam = (job: PluginJob, name: string): boolean =>
  /^(1|true|yes|on)$/i.test(textParam(job, name).trim());
