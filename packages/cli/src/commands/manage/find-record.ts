import { CommandError, UsageError } from '../../failures.js';
import { printable } from '../../format/table.js';
import { distanceOf } from '../../nearest.js';

interface Titled {
  id: string;
  title: string;
}

const mostShown = 5;

/**
 * The record a person means: by id, by exact title, or by the only title or id that starts with the text (upper and lower
 * case alike). Throws CommandError with the candidates when there is not exactly one.
 */
export function findRecord<T extends Titled>(records: readonly T[], noun: string, text: string): T {
  if (text.trim() === '') throw new UsageError(`Give the id or title of a ${noun}`);
  const exact =
    records.find((record) => record.id === text) ?? onlyOf(records.filter((one) => one.title === text));
  if (exact !== undefined) return exact;
  const wanted = text.toLowerCase();
  const starting = records.filter((record) =>
    [record.title, record.id].some((name) => name.toLowerCase().startsWith(wanted)),
  );
  const only = onlyOf(starting);
  if (only !== undefined) return only;
  if (starting.length === 0) {
    // The most similar ones first, where not all are shown.
    const distance = ({ id, title }: Titled): number =>
      Math.min(...[id, title].map((name) => distanceOf(wanted, name.toLowerCase())));
    const shown =
      records.length > mostShown ? [...records].sort((a, b) => distance(a) - distance(b)) : records;
    throw new CommandError(`No ${noun} with the id or title "${text}". There are:\n${describe(shown)}`);
  }
  throw new CommandError(`"${text}" may mean ${starting.length} of them:\n${describe(starting)}`);
}

const onlyOf = <T>(found: readonly T[]): T | undefined => (found.length === 1 ? found[0] : undefined);

function describe(records: readonly Titled[]): string {
  const lines = records.slice(0, mostShown).map(({ id, title }) => `  ${id}  ${printable(title)}`);
  if (records.length > mostShown) lines.push(`  and ${records.length - mostShown} more`);
  return lines.join('\n') || '  none';
}
