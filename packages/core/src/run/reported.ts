/** What a plugin has said so far (behaviour reference 6.3). */
export interface PluginReport {
  /** 0 to 1. */
  progress?: number;
  /** Set by the first message that is complete; later messages change nothing. */
  completion?: { code: number | string; description: string };
  /** Recognised keys for the job's record, each of a type its readers can rely on. */
  reported: Record<string, unknown>;
  /** Lines that began like a message and were too long to be one: they are in the log instead. */
  overlongLines?: number;
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

/** Most characters of a reported value in JSON, where a key has a limit of its own. */
const longestValues: ReadonlyMap<string, number> = new Map([
  ['perf', 32_768],
  ['html', 262_144],
  ['label', 1024],
  ['chain', 255],
  ['chain_error', 255],
  ['notify_success', 8192],
  ['notify_fail', 8192],
]);
/** Most characters of everything a run reports, in JSON. */
export const longestReport = 2_097_152;

/** What a run reported, cut down to what may travel, and a sentence for the log and the record for each cut. */
export interface BoundedReport {
  reported: Record<string, unknown>;
  remarks: string[];
}

/**
 * Bounds what a plugin reported, so that no plugin can burden its cluster: values that are too long for their key are
 * left out, then the largest ones until the rest is at most `longestReport` characters of JSON.
 */
export function boundReport(report: PluginReport): BoundedReport {
  const remarks: string[] = [];
  if (report.overlongLines !== undefined) {
    remarks.push(`Messages that were too long and went to the log instead: ${report.overlongLines}`);
  }
  const sizes = Object.entries(report.reported).map(([key, value]) => ({
    key,
    characters: JSON.stringify(value)?.length ?? 0,
  }));
  let total = sizes.reduce((sum, { characters }) => sum + characters, 0);
  const left = new Set<string>();
  const leaveOut = ({ key, characters }: (typeof sizes)[number], limit: number): void => {
    left.add(key);
    total -= characters;
    remarks.push(`The reported ${key} was left out: ${characters} characters, at most ${limit} are kept`);
  };
  for (const size of sizes) {
    const limit = longestValues.get(size.key) ?? longestReport;
    if (size.characters > limit) leaveOut(size, limit);
  }
  const largestFirst = sizes.filter(({ key }) => !left.has(key)).sort((a, b) => b.characters - a.characters);
  for (const size of largestFirst)
    if (total > longestReport) leaveOut(size, Math.max(0, longestReport - (total - size.characters)));
  const kept = Object.entries(report.reported).filter(([key]) => !left.has(key));
  return { reported: Object.fromEntries(kept), remarks };
}
