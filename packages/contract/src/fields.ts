import type { Static } from 'typebox';
import { Type } from './schema.js';

/**
 * Building blocks of the wire schemas. The patterns are those of the API (behaviour reference 1.6);
 * where the peer was stricter than its own documentation the documented form is accepted.
 */

/** An opaque identifier: `^\w+$`, at most 64 characters. */
export const Id = Type.String({ pattern: '^\\w+$', maxLength: 64 });
/** An identifier or the empty string, which switches the feature off. */
export const OptionalId = Type.String({ pattern: '^\\w*$', maxLength: 64 });
/** A display name: something visible, no HTML metacharacters. */
export const Title = Type.String({ pattern: '^[^<>]*[^<>\\s][^<>]*$', maxLength: 1024 });
/** Free text without HTML metacharacters. */
export const PlainText = Type.String({ pattern: '^[^<>]*$', maxLength: 65_536 });
/** A server group id or a host name. */
export const Target = Type.String({ pattern: '^[\\w\\-.]+$', maxLength: 255 });
/** Label of the directory of files that a record is kept in step with; empty = none. */
export const ManagedBy = Type.String({
  pattern: '^[\\w\\-.]*$',
  maxLength: 64,
  description: 'Label of the directory of files that looks after the record; empty = none',
});
export const Username = Type.String({ pattern: '^[\\w\\-.]+$', maxLength: 128 });
/** Comma separated e-mail addresses; `+` and quotes are allowed, line breaks are not. */
export const Recipients = Type.String({ pattern: '^[^<>\\r\\n]*$', maxLength: 8192 });
/** An http(s) URL, optionally followed by ` [header: Name: Value]` suffixes; empty = none. */
export const WebHook = Type.String({
  pattern: '^\\s*$|^\\s*[hH][tT][tT][pP][sS]?://\\S+(\\s+\\[\\w+:[^\\]\\r\\n]*\\])*\\s*$',
  maxLength: 8192,
});
/** A flag. Requests may use booleans or numbers; stored and answered as 0 or 1. */
export const Flag = Type.Union([Type.Integer({ minimum: 0 }), Type.Boolean()]);
/** A count, a number of seconds or of bytes: a non-negative integer. */
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Unix time in whole seconds. */
export const EpochSeconds = Count;
export const Algorithm = Type.Union(
  [
    Type.Literal('random'),
    Type.Literal('round_robin'),
    Type.Literal('least_cpu'),
    Type.Literal('least_mem'),
    Type.Literal('prefer_first'),
    Type.Literal('prefer_last'),
    Type.Literal('multiplex'),
    Type.Literal(''),
  ],
  { description: 'How one server of a group is picked' },
);
export type Algorithm = Static<typeof Algorithm>;
/** Plugin parameters: an object (not an array) with any keys. */
export const Params = Type.Record(Type.String(), Type.Unknown());

const numbers = (minimum: number, maximum: number) =>
  Type.Array(Type.Integer({ minimum, maximum }), { maxItems: 512 });

/** When an event is due; all given fields must match, an absent or empty one matches everything. */
export const Timing = Type.Object(
  {
    years: Type.Optional(numbers(1, 9999)),
    months: Type.Optional(numbers(1, 12)),
    days: Type.Optional(numbers(1, 31)),
    weekdays: Type.Optional(numbers(0, 6)),
    hours: Type.Optional(numbers(0, 23)),
    minutes: Type.Optional(numbers(0, 59)),
  },
  { additionalProperties: false },
);
export type Timing = Static<typeof Timing>;

/** Samples of a resource: cpu in percent of one core, mem in bytes. Average = total / count. */
export const ResourceStat = Type.Object({
  min: Type.Number(),
  max: Type.Number(),
  total: Type.Number(),
  count: Type.Integer(),
  current: Type.Number(),
});
export type ResourceStat = Static<typeof ResourceStat>;
