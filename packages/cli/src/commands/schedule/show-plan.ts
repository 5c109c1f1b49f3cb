import { describeTiming } from '../../format/timing.js';
import { printable } from '../../format/table.js';
import { kinds } from '../../declare/kinds.js';
import type { Change, FieldChange, Plan } from '../../declare/plan.js';

/** Adds the colours of a terminal, or nothing. */
export type Paint = (colour: 'green' | 'yellow' | 'red' | 'dim', text: string) => string;

const codes = { green: 32, yellow: 33, red: 31, dim: 2 } as const;
export const noPaint: Paint = (_colour, text) => text;
export const terminalPaint: Paint = (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`;

const signs = { create: '+', update: '~', delete: '-' } as const;
const colours = { create: 'green', update: 'yellow', delete: 'red' } as const;

/** A plan for people: a line for each record, and below it one for each field. */
export function planText({ changes, unchanged }: Plan, paint: Paint): string {
  const lines = changes.flatMap((change) => [
    paint(colours[change.action], `${signs[change.action]} ${headline(change)}`),
    ...change.fields.flatMap((field) => fieldLines(change, field, paint)),
  ]);
  return [...lines, summary(changes, unchanged)].join('\n');
}

/** `event nightly (Nightly backup)`. */
export const headline = ({ kind, id, title }: Pick<Change, 'kind' | 'id' | 'title'>): string =>
  `${kinds[kind].noun} ${id} (${printable(title)})`;

function summary(changes: readonly Change[], unchanged: number): string {
  if (changes.length === 0) return `Nothing to change: ${unchanged} as declared`;
  const count = (action: Change['action']): number => changes.filter((one) => one.action === action).length;
  return `${count('create')} to create, ${count('update')} to update, ${count('delete')} to delete, ${unchanged} as declared`;
}

function fieldLines(change: Change, { name, from, to, secret }: FieldChange, paint: Paint): string[] {
  if (secret) return [`    ${name}: ${paint('dim', '(secret)')}`];
  if (isLong(from) || isLong(to)) {
    return [`    ${name}:`, ...textLines('-', 'red', from, paint), ...textLines('+', 'green', to, paint)];
  }
  const after = valueText(name, to);
  if (change.action === 'create') return [`    ${name}: ${after}`];
  return [`    ${name}: ${valueText(name, from)} ${paint('dim', '->')} ${after}`];
}

const isLong = (value: unknown): value is string => typeof value === 'string' && value.includes('\n');

function textLines(sign: string, colour: 'red' | 'green', value: unknown, paint: Paint): string[] {
  if (value === undefined) return [];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => paint(colour, `      ${sign} ${printable(line)}`.trimEnd()));
}

function valueText(name: string, value: unknown): string {
  if (value === undefined) return '(none)';
  if (name === 'timing') return describeTiming(value);
  return printable(JSON.stringify(value));
}

/** A plan for programs. Secret values are left out. */
export function planJson(plan: Plan): Record<string, unknown> {
  return {
    owner: plan.owner,
    changes: plan.changes.map(({ action, kind, id, title, fields }) => ({
      action,
      kind,
      id,
      title,
      fields: fields.map(({ name, from, to, secret }) =>
        secret
          ? { name, secret }
          : { name, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
      ),
    })),
    unchanged: plan.unchanged,
  };
}
