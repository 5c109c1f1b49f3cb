/** A column of a table. */
export interface Column<Row> {
  title: string;
  value(row: Row): string | number | undefined;
  /** Numbers read better at the right. */
  right?: boolean;
  /** May be cut when the table is wider than the terminal. */
  cut?: boolean;
}

const gap = '  ';
const narrowest = 8;

/**
 * Rows as aligned text with a line of titles; without rows the titles alone. With `columns` the columns that may be
 * cut give way, the widest first, until the lines fit or nothing more can give.
 */
export function formatTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width?: number,
): string {
  const cells = rows.map((row) => columns.map((column) => printable(String(column.value(row) ?? ''))));
  const widths = columns.map((column, index) =>
    Math.max(length(column.title), ...cells.map((line) => length(line[index] ?? ''))),
  );
  if (width !== undefined) shrink(widths, columns, width);
  const lines = [columns.map((column) => column.title), ...cells].map((line) =>
    line
      .map((cell, index) => fit(cell, widths[index] ?? 0, columns[index]?.right === true))
      .join(gap)
      .trimEnd(),
  );
  return lines.join('\n');
}

/** Names and values, one pair a line; pairs without a value are left out. */
export function formatPairs(
  pairs: readonly (readonly [name: string, value: string | number | undefined])[],
): string {
  const given = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...given.map(([name]) => length(name)));
  return given.map(([name, value]) => `${name.padEnd(width)}${gap}${printable(String(value))}`).join('\n');
}

/** Text of others on a terminal: control characters could move the cursor or worse. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

const length = (text: string): number => [...text].length;

function fit(text: string, width: number, right: boolean): string {
  const size = length(text);
  if (size > width) return `${[...text].slice(0, Math.max(0, width - 1)).join('')}…`;
  const padding = ' '.repeat(width - size);
  return right ? padding + text : text + padding;
}

function shrink<Row>(widths: number[], columns: readonly Column<Row>[], width: number): void {
  let excess = widths.reduce((sum, own) => sum + own, 0) + gap.length * (widths.length - 1) - width;
  while (excess > 0) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      if (column.cut !== true || (widths[index] ?? 0) <= narrowest) continue;
      if (widest < 0 || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
}
