const secondsPerDay = 86_400;
/** The year 2200: later is as good as for ever, and every date has four digits for its year. */
const latestSec = 7_258_118_400;

/** The end of a life that begins now, in whole Unix seconds. */
export function endOfLife(nowMs: number, expireSec: number): number {
  return wholeSec(nowMs / 1000 + Math.max(1, expireSec));
}

/** A time that fits wherever it is written: whole Unix seconds from 0 to the year 2200. */
export function wholeSec(untilSec: number): number {
  return Math.min(latestSec, Math.max(0, Math.ceil(untilSec)));
}

/** The day (UTC, YYYY-MM-DD) under which a log is listed for the sweep; such names sort by time. */
export function expiryDay(untilSec: number): string {
  return new Date(wholeSec(untilSec) * 1000).toISOString().slice(0, 10);
}

/** Whether all logs listed under a day have come to their end. */
export function isPastDay(day: string, nowMs: number): boolean {
  return day < expiryDay(Math.floor(nowMs / 1000 / secondsPerDay) * secondsPerDay);
}

/** A job id as a file or object name: the same for the same id only, and never special. */
export function nameOf(job: string): string {
  return encodeURIComponent(job).replaceAll('.', '%2E').replaceAll('*', '%2A');
}

/** The job that has a name; undefined when no job has it. */
export function jobOf(name: string): string | undefined {
  if (name === '' || !/^[\w\-!~'()%]+$/.test(name)) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
