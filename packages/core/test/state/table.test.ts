import { describe, expect, test } from '@jest/globals';
import { Table } from '@carillon/core';
import fc from 'fast-check';

interface Row {
  id: string;
  value: number;
}

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__');
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), id: ids, value: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('replace' as const), id: ids, value: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), id: ids, seq: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: ids }) },
  ),
);

describe('Table', () => {
  test('is a list sorted by place, whatever is put and deleted', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const table = new Table<Row>();
        const model = new Map<string, { seq: number; record: Row }>();
        for (const step of list) {
          const known = model.get(step.id);
          if (step.kind === 'delete') {
            expect(table.delete(step.id)).toBe(model.delete(step.id));
            continue;
          }
          const value = step.kind === 'move' ? (known?.record.value ?? 0) : step.value;
          const wanted = step.kind === 'move' ? step.seq : step.kind === 'add' ? table.nextSeq : known?.seq;
          // Places are unique in real tables.
          const seq = wanted ?? table.nextSeq;
          if ([...model.values()].some((row) => row.seq === seq && row.record.id !== step.id)) continue;
          const record = { id: step.id, value };
          table.put(seq, record);
          model.set(step.id, { seq, record });
        }
        const newest = [...model.values()].sort((one, other) => other.seq - one.seq);
        expect(table.size).toBe(model.size);
        expect([...table.newestFirst()]).toEqual(newest.map((row) => row.record));
        expect(table.nextSeq).toBe((newest[0]?.seq ?? 0) + 1);
        for (let offset = 0; offset <= model.size + 1; offset += 1) {
          for (const limit of [0, 1, 2, 100]) {
            const page = table.page(offset, limit).map((entry) => entry.record);
            expect(page).toEqual(newest.slice(offset, offset + limit).map((row) => row.record));
          }
        }
        for (const id of ['a', 'b', 'c', 'd', 'e', '__proto__', 'constructor']) {
          const row = model.get(id);
          expect(table.get(id)).toEqual(row?.record);
          expect(table.entry(id)?.json).toBe(row === undefined ? undefined : JSON.stringify(row.record));
        }
      }),
      { numRuns: 300 },
    );
  });
});
