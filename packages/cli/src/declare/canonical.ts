import { checkPluginParams } from '@carillon/core';
import { normaliseTiming } from '../format/timing.js';
import type { Fields, Kind } from './kinds.js';

const flags: ReadonlySet<string> = new Set([
  'enabled',
  'catch_up',
  'detached',
  'multiplex',
  'queue',
  'master',
]);

/**
 * The declared fields of a record, each in the one form that values of the same meaning share, presets filled in. The
 * values must be valid: throws CarillonError for parameter definitions that are not. Other fields are left out.
 */
export function canonicalFields(kind: Kind, fields: Fields): Record<string, unknown> {
  const known: Record<string, unknown> = {};
  for (const name of kind.fields) {
    const given = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const value = given ?? kind.presets[name];
    if (value !== undefined) known[name] = canonicalValue(kind, name, value);
  }
  return known;
}

function canonicalValue(kind: Kind, name: string, value: unknown): unknown {
  if (flags.has(name)) return value ? 1 : 0;
  if (name === 'timing') return typeof value === 'object' && value !== null ? normaliseTiming(value) : false;
  if (name === 'params' && kind.name === 'plugin') return checkPluginParams(value);
  return value;
}

/** Equal in value; the order of keys does not count, as JSON objects have none. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  );
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
