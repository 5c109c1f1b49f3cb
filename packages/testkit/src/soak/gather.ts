import { type CarillonClient, ApiError } from '@carillon/client';
import { type EndedJob, type Excuse, floorMinute } from '../checker/index.js';

/** Refusals are told while the minute is this fresh. */
const refusalWithinSec = 30;
const atOneTime = 16;

/** Every row of the history, oldest first, with what the record of its job and its log say. */
export async function gatherEnded(client: CarillonClient): Promise<EndedJob[]> {
  const rows: {
    id: string;
    event: string;
    hostname: string;
    code: number | string;
    description?: unknown;
  }[] = [];
  for await (const row of client.history()) rows.push(row);
  const ended: EndedJob[] = [];
  const work = async (): Promise<void> => {
    for (let row = rows.pop(); row !== undefined; row = rows.pop()) {
      const { id, event, hostname: host, code } = row;
      const record = await recordOf(client, id);
      ended.push({
        id,
        event,
        host,
        code,
        description: textOf(row.description),
        now: Number(record['now'] ?? 0),
        source: textOf(record['source']),
        sourceJob: textOf(record['source_job']),
        hasLog: code === 0 && (await hasWholeLog(client, id)),
      });
    }
  };
  await Promise.all(Array.from({ length: atOneTime }, work));
  return ended.reverse();
}

/** The launches that did not happen, of which the activity log tells. */
export function excusesOf(activity: readonly Readonly<Record<string, unknown>>[]): Excuse[] {
  return activity.flatMap((row): Excuse[] => {
    const named = typeof row['event'] === 'string' ? { event: row['event'] } : {};
    if (row['action'] !== 'warning') return [];
    if (typeof row['from'] === 'number') return [{ ...named, from: row['from'], to: Number(row['to']) }];
    const epoch = Number(row['epoch']);
    const isRefusal = textOf(row['description']).startsWith('Failed to launch scheduled event');
    return isRefusal ? [{ ...named, from: floorMinute(epoch - refusalWithinSec), to: epoch }] : [];
  });
}

/** The record of a completed job; empty when there is none, which the checker then finds out. */
async function recordOf(client: CarillonClient, id: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await client.getJobStatus({ id })).job;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'job') return {};
    throw error;
  }
}

/** True when the log is there, from its head to its foot (behaviour reference 6.5). */
async function hasWholeLog(client: CarillonClient, id: string): Promise<boolean> {
  try {
    const log = await client.jobLog(id);
    return log.includes(`# Job ID: ${id}\n`) && log.endsWith('# End of log.\n');
  } catch (error) {
    if (error instanceof ApiError && error.code === 'job') return false;
    throw error;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
