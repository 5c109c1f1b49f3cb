import type { Finding } from '@carillon/core';
import { type Column, formatTable, printable } from '../format/table.js';
import { tableWidth } from '../format/width.js';
import type { Session } from '../session.js';
import type { ImportAnswer } from './send-import.js';

interface TableRow {
  table: string;
  added: number;
  replaced: number;
  same: number;
  kept: number;
}

const columns: Column<TableRow>[] = [
  { title: 'TABLE', value: (row) => row.table },
  { title: 'ADDED', value: (row) => String(row.added) },
  { title: 'REPLACED', value: (row) => String(row.replaced) },
  { title: 'SAME', value: (row) => String(row.same) },
  { title: 'KEPT', value: (row) => String(row.kept) },
];

/** The past is counted as it is in the file: what is there already, or too old, is left out while it is stored. */
const pastNames: Readonly<Record<string, string>> = {
  history: 'rows of history in the file',
  job: 'records of completed jobs in the file',
  activity: 'activities in the file',
  delivery: 'deliveries in the file',
};

/** What was done, or with a dry run would be. */
export function printAnswer(session: Session, answer: ImportAnswer): void {
  const rows = Object.entries(answer.tables).map(([table, counts]) => ({ table, ...counts }));
  session.print(formatTable(rows, columns, tableWidth(session.io)));
  for (const [type, count] of Object.entries(answer.past))
    session.print(`${count} ${pastNames[type] ?? type}`);
  for (const text of answer.warnings) session.warn(`check: ${printable(text)}`);
  for (const text of answer.obstacles) session.warn(`in the way: ${printable(text)}`);
  session.note(answer.imported ? 'Imported.' : 'Dry run: nothing was changed.');
}

const titles: Readonly<Record<Finding['level'], string>> = {
  lost: 'cannot be taken over',
  changed: 'taken over with a change',
  check: 'to be checked',
};

/** What became of the records of another scheduler, the worst first. */
export function printFindings(session: Session, findings: readonly Finding[]): void {
  for (const level of ['lost', 'changed', 'check'] as const) {
    const found = findings.filter((finding) => finding.level === level);
    if (found.length === 0) continue;
    session.warn(`${found.length} ${titles[level]}:`);
    for (const { what, text } of found) session.warn(`  ${printable(what)}: ${printable(text)}`);
  }
}
