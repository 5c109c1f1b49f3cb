import { DateTime } from 'luxon';

/** `zone` everywhere: an IANA name, or `system` for the zone of the machine. */
function at(nowMs: number, zone: string): DateTime {
  return DateTime.fromMillis(nowMs, { zone });
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

function format(time: DateTime): string {
  const date = `${time.year}/${two(time.month)}/${two(time.day)}`;
  return `${date} ${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
}

/** `YYYY/MM/DD HH:MI:SS` of a wall-clock time (Unix milliseconds). */
export function localTime(nowMs: number, zone: string): string {
  return format(at(nowMs, zone));
}

/** `YYYY/MM/DD HH:MI:SS (GMT±H)`, or `(GMT±H:MI)` where the offset is not in whole hours. */
export function localTimeWithOffset(nowMs: number, zone: string): string {
  const time = at(nowMs, zone);
  const offset = Math.abs(time.offset);
  const minutes = offset % 60;
  const sign = time.offset < 0 ? '-' : '+';
  const hours = `${sign}${Math.floor(offset / 60)}${minutes === 0 ? '' : `:${two(minutes)}`}`;
  return `${format(time)} (GMT${hours})`;
}
