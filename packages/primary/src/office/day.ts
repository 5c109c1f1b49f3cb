import { DateTime } from 'luxon';

/** Day of an instant in a zone, as YYYY-MM-DD; remembers the last answer, because it is asked for every job. */
export function createDayOf(timezone: string): (nowMs: number) => string {
  let hour = Number.NaN;
  let day = '';
  return (nowMs) => {
    // Zones change their offset in steps of a quarter of an hour.
    const quarter = Math.floor(nowMs / 900_000);
    if (quarter !== hour) {
      hour = quarter;
      day = DateTime.fromMillis(nowMs, { zone: timezone }).toISODate() ?? '';
    }
    return day;
  };
}
