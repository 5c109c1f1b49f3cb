import { type EventRecord, eventSettings, type Timing } from '@carillon/contract';
import { isTimezone } from '../schedule/wall-clock.js';
import {
  countOf,
  flagOf,
  type PeerRecord,
  pickStorable,
  shown,
  stampsOf,
  textOf,
  titleOf,
} from './peer-fields.js';

/** Fields of the peer that are never stored in an event (behaviour reference 1.6). */
const neverStored: ReadonlySet<string> = new Set([
  '__proto__',
  'api_key',
  'session_id',
  'reset_cursor',
  'abort_jobs',
  'cwd',
  'uid',
  'gid',
  'env',
]);
/** The settings of events that are taken as they are; all others are looked at one by one. */
const {
  id: _id,
  title: _title,
  enabled: _enabled,
  category: _category,
  plugin: _plugin,
  target: _target,
  params: _params,
  timing: _timing,
  timezone: _timezone,
  max_children: _children,
  timeout: _timeout,
  created: _created,
  modified: _modified,
  ...plainSettings
} = eventSettings;
const ranges: Readonly<Record<keyof Timing, readonly [number, number]>> = {
  years: [1, 9999],
  months: [1, 12],
  days: [1, 31],
  weekdays: [0, 6],
  hours: [0, 23],
  minutes: [0, 59],
};

export interface EventContext {
  /** Parameter ids of a plugin; undefined when the file does not know it. */
  paramsOf: (plugin: string) => ReadonlySet<string> | undefined;
  /** Id of the record of a key, which stands in events of the peer in clear. */
  keyId: (key: string) => string | undefined;
}

/**
 * The event as it is stored. When it would run at other times than before it is disabled, and one without a time zone
 * gets that of the cluster.
 */
export function convertEvent(record: PeerRecord, context: EventContext): EventRecord {
  const { fields, what, findings } = record;
  const settings = pickStorable(plainSettings, record);
  const others = Object.entries(fields).filter(
    ([name, value]) => !Object.hasOwn(eventSettings, name) && !neverStored.has(name) && value !== undefined,
  );
  const { timezone, isKnown } = timezoneOf(record);
  const timing = timingOf(fields['timing']);
  if (timing === undefined) {
    findings.add(
      'changed',
      what,
      `its timing cannot be read, so it only runs on demand: ${shown(fields['timing'])}`,
    );
  }
  const enabled = flagOf(fields['enabled']);
  if (enabled && !isKnown) {
    findings.add(
      'changed',
      what,
      `it is disabled, as its time zone is unknown: ${textOf(fields, 'timezone')}`,
    );
  }
  return {
    ...Object.fromEntries(others),
    ...settings,
    id: textOf(fields, 'id'),
    title: titleOf(record),
    enabled: isKnown ? enabled : 0,
    category: textOf(fields, 'category'),
    plugin: textOf(fields, 'plugin'),
    target: textOf(fields, 'target'),
    params: paramsOf(record, context),
    timing: timing ?? false,
    timezone,
    max_children: countOf(fields['max_children']),
    timeout: countOf(fields['timeout']),
    ...stampsOf(fields),
    ...keyOf(record, context),
  };
}

function timezoneOf({ fields, what, findings }: PeerRecord): { timezone: string; isKnown: boolean } {
  const timezone = textOf(fields, 'timezone');
  if (timezone === '') {
    findings.add(
      'check',
      what,
      'it names no time zone: the zone of this cluster counts, not that of the old server',
    );
    return { timezone, isKnown: true };
  }
  return isTimezone(timezone) ? { timezone, isKnown: true } : { timezone: '', isKnown: false };
}

/**
 * Numbers in range, false for on demand, undefined for what cannot be read. A list in its place means every minute
 * (behaviour reference 4.1).
 */
function timingOf(value: unknown): Timing | false | undefined {
  if (!value) return false;
  if (Array.isArray(value)) return {};
  if (typeof value !== 'object') return undefined;
  const timing: Timing = {};
  for (const [name, list] of Object.entries(value)) {
    if (!Object.hasOwn(ranges, name) || !(list === null || Array.isArray(list))) return undefined;
    const unit = name as keyof Timing;
    const [minimum, maximum] = ranges[unit];
    const numbers = ((list ?? []) as unknown[]).map((item) =>
      typeof item === 'string' && item !== '' ? Number(item) : item,
    );
    for (const number of numbers) {
      if (typeof number !== 'number' || !Number.isInteger(number) || number < minimum || number > maximum) {
        return undefined;
      }
    }
    timing[unit] = numbers as number[];
  }
  return timing;
}

/** Values of parameters that the plugin no longer has are of no use, and would be refused at the next change. */
function paramsOf({ fields, what, findings }: PeerRecord, context: EventContext): Record<string, unknown> {
  const given = fields['params'];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return {};
  const declared = context.paramsOf(textOf(fields, 'plugin'));
  const entries = Object.entries(given).filter(([name]) => name !== '__proto__');
  if (declared === undefined) return Object.fromEntries(entries);
  const stale = entries.map(([name]) => name).filter((name) => !declared.has(name));
  if (stale.length > 0) {
    findings.add(
      'changed',
      what,
      `values of parameters that its plugin does not have are left out: ${stale.join(', ')}`,
    );
  }
  return Object.fromEntries(entries.filter(([name]) => declared.has(name)));
}

/** In the peer the key that made an event stands in it; here it is the id of its record. */
function keyOf({ fields }: PeerRecord, { keyId }: EventContext): { api_key?: string } {
  const id = keyId(textOf(fields, 'api_key'));
  return id === undefined ? {} : { api_key: id };
}
