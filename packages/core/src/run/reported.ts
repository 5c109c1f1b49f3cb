/** What a plugin has said so far (behaviour reference 6.3). */
export interface PluginReport {
  /** 0 to 1. */
  progress?: number;
  /** Set by the first message that is complete; later messages change nothing. */
  completion?: { code: number | string; description: string };
  /** Recognised keys for the job's record, each of a type its readers can rely on. */
  reported: Record<string, unknown>;
}

/** Undefined: not acceptable, the key is ignored. */
type Reading = (value: unknown) => unknown;

const asText: Reading = (value) =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
/** A text, or `''` for what means "none". */
const asChoice: Reading = (value) => (value === false || value === null || value === 0 ? '' : asText(value));
const asObject: Reading = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
const asTextOrObject: Reading = (value) => asText(value) ?? asObject(value);
const asProgress: Reading = (value) => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return Math.min(1, Math.max(0, number));
};

const readings: ReadonlyMap<string, Reading> = new Map([
  ['progress', asProgress],
  ['perf', asTextOrObject],
  ['table', asObject],
  ['html', asTextOrObject],
  ['label', asText],
  ['chain', asChoice],
  ['chain_error', asChoice],
  ['chain_data', (value) => value],
  ['chain_params', asObject],
  ['notify_success', asChoice],
  ['notify_fail', asChoice],
  ['update_event', asObject],
]);

/** True when a message has at least one key that means something. */
export function isPluginMessage(message: object): boolean {
  for (const key of Object.keys(message)) {
    if (readings.has(key) || key === 'complete' || key === 'code' || key === 'description') return true;
  }
  return false;
}

/**
 * Takes over one message of a plugin (behaviour reference 6.3). Messages after completion change nothing. `code`
 * and `description` count only in the message that completes: a falsy code is success.
 */
export function applyMessage(report: PluginReport, message: Readonly<Record<string, unknown>>): void {
  if (report.completion !== undefined) return;
  for (const [key, reading] of readings) {
    if (!Object.hasOwn(message, key)) continue;
    const value = reading(message[key]);
    if (value !== undefined) report.reported[key] = value;
  }
  const progress = report.reported['progress'];
  if (typeof progress === 'number') report.progress = progress;
  if (!Object.hasOwn(message, 'complete') || !message['complete']) return;
  const code = Object.hasOwn(message, 'code') ? message['code'] : 0;
  const description = Object.hasOwn(message, 'description') ? message['description'] : '';
  report.completion = { code: readCode(code), description: readDescription(description) };
}

function readCode(code: unknown): number | string {
  if (!code) return 0;
  // 1e999 is JSON, but what it is read as cannot be written again: it would become null, which is no failure.
  if (typeof code === 'number') return Number.isFinite(code) ? code : 1;
  return typeof code === 'string' ? code : 1;
}

function readDescription(description: unknown): string {
  if (typeof description === 'object' && description !== null) return JSON.stringify(description);
  return description === undefined || description === null || description === false
    ? ''
    : String(description);
}
