import { CarillonError, type HistoryRow, type JobFields } from '@carillon/contract';
import { normaliseCode } from '../completion/normalise-code.js';
import type { ActivityEntry } from '../ports/store/store.js';
import { checkTransferLine, type TransferLine } from '../transfer/transfer-line.js';
import type { Findings } from './findings.js';
import type { PeerData } from './peer-file.js';
import { countOf, textOf } from './peer-fields.js';

type Fields = Readonly<Record<string, unknown>>;

export interface PastContext {
  findings: Findings;
  /** Target of an event, which rows of the peer do not hold. */
  targetOf: (event: string) => string;
  /** A text with the keys of the file replaced by the ids of their records. */
  redact: (text: string) => string;
  /** Id of the record of a key. */
  keyId: (key: string) => string | undefined;
}

/** History, activity and completed jobs, newest first in each list. What cannot be read is counted and left out. */
export function convertPast(data: PeerData, context: PastContext): TransferLine[] {
  const lines: TransferLine[] = [];
  const lost = new Map<string, number>();
  const add = (kind: string, value: unknown): void => {
    try {
      lines.push(checkTransferLine(value));
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      lost.set(kind, (lost.get(kind) ?? 0) + 1);
    }
  };
  const shared = new Set<string>();
  for (const row of data.completed) {
    if (row['action'] !== 'job_complete') continue;
    shared.add(textOf(row, 'id'));
    add('history rows', { type: 'history', row: convertRow(row, context) });
  }
  for (const rows of data.completedOf.values()) {
    for (const row of rows) {
      if (row['action'] !== 'job_complete' || shared.has(textOf(row, 'id'))) continue;
      add('history rows of events', { type: 'event_history', row: convertRow(row, context) });
    }
  }
  for (const row of data.activity) {
    add('activity entries', { type: 'activity', row: convertActivity(row, context) });
  }
  for (const job of data.jobs) add('completed jobs', { type: 'job', record: convertJob(job, context) });
  for (const [kind, count] of lost) context.findings.add('lost', kind, `${count} cannot be read`);
  if (data.jobs.length > 0) context.findings.add('lost', 'logs of jobs', 'logs are not in the file');
  return lines;
}

function convertRow(row: Fields, { targetOf, redact }: PastContext): HistoryRow {
  const code = codeOf(row);
  const event = textOf(row, 'event');
  const label = textOf(row, 'label');
  return {
    id: textOf(row, 'id'),
    code,
    ...(code === 0 ? {} : { description: redact(textOf(row, 'description')) }),
    event,
    event_title: textOf(row, 'event_title'),
    category: textOf(row, 'category'),
    category_title: textOf(row, 'category_title'),
    plugin: textOf(row, 'plugin'),
    plugin_title: textOf(row, 'plugin_title'),
    hostname: textOf(row, 'hostname'),
    target: targetOf(event),
    time_start: numberOf(row['time_start']),
    elapsed: Math.max(0, numberOf(row['elapsed'])),
    perf: row['perf'] ?? '',
    cpu: statOf(row['cpu']),
    mem: statOf(row['mem']),
    log_file_size: countOf(row['log_file_size']),
    ...(label === '' ? {} : { label }),
    action: 'job_complete',
    epoch: countOf(row['epoch']) || Math.floor(numberOf(row['time_start']) + numberOf(row['elapsed'])),
  };
}

/** Fields of a stored job that mean nothing here, or hold what must not be kept. */
const notTaken: ReadonlySet<string> = new Set(['type', 'log_file', 'api_key', 'session_id', '__proto__']);

function convertJob(job: Fields, { redact, targetOf }: PastContext): JobFields {
  const kept = Object.entries(job).filter(([name]) => !notTaken.has(name));
  const fields: Record<string, unknown> = Object.fromEntries(kept);
  for (const name of ['description', 'abort_reason', 'source']) {
    if (typeof fields[name] === 'string') fields[name] = redact(fields[name]);
  }
  for (const flag of ['detached', 'multiplex', 'queue', 'catch_up']) {
    if (fields[flag] !== undefined) fields[flag] = fields[flag] ? 1 : 0;
  }
  fields['target'] = textOf(job, 'target') || targetOf(textOf(job, 'event'));
  fields['code'] = codeOf(job);
  fields['complete'] = 1;
  // It is checked as a whole before it is taken.
  return fields as JobFields;
}

/** Request headers and whatever else could be a credential are not taken over (behaviour reference 13 #23). */
const secret: ReadonlySet<string> = new Set([
  'headers',
  'cookies',
  'key',
  'session_id',
  'password',
  'salt',
  '__proto__',
]);

function convertActivity(row: Fields, context: PastContext): ActivityEntry {
  const clean = withoutSecrets(row, context, 0) as Record<string, unknown>;
  const key = row['api_key'];
  if (typeof key === 'string') {
    delete clean['api_key'];
    const id = context.keyId(key);
    if (id !== undefined) clean['api_key'] = id;
  }
  return { ...clean, action: textOf(row, 'action'), epoch: countOf(row['epoch']) };
}

function withoutSecrets(value: unknown, context: PastContext, depth: number): unknown {
  if (typeof value === 'string') return context.redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 20) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, context, depth + 1));
  const kept = Object.entries(value).filter(([name]) => !secret.has(name));
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutSecrets(item, context, depth + 1)]));
}

function codeOf(fields: Fields): number | string {
  const code = fields['code'];
  return typeof code === 'number' || typeof code === 'string' ? normaliseCode(code) : Number(Boolean(code));
}

const numberOf = (value: unknown): number => {
  const number = Number(value);
  return (typeof value === 'number' || typeof value === 'string') && Number.isFinite(number) ? number : 0;
};

function statOf(value: unknown): HistoryRow['cpu'] {
  if (typeof value !== 'object' || value === null) return {};
  const numbers = ['min', 'max', 'total', 'count', 'current'].map((name) =>
    numberOf(Reflect.get(value, name)),
  );
  const [min = 0, max = 0, total = 0, count = 0, current = 0] = numbers;
  return count > 0 ? { min, max, total, count: Math.floor(count), current } : {};
}
