import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
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

  test('records of the same properties share one shape, whatever they were made of', () => {
    setFlagsFromString('--allow-natives-syntax');
    // Two objects that do not share it have a description of all their properties each.
    const shareShape: unknown = runInThisContext('(one, other) => %HaveSameMap(one, other)');
    if (typeof shareShape !== 'function') throw new Error('V8 does not tell');
    const table = new Table<Row>();
    const made = Array.from({ length: 100 }, (_, n): Row => {
      const fields: Record<string, unknown> = structuredClone(
        Object.fromEntries(Array.from({ length: 20 }, (_none, index) => [`field${index}`, index])),
      );
      return { ...fields, id: `r${n}`, value: n };
    });
    for (const [n, record] of made.entries()) table.put(n + 1, record);
    const shapes = (records: readonly unknown[]): number =>
      records.filter((record, n) => n === 0 || shareShape(record, records[n - 1]) === false).length;
    expect(shapes(made)).toBeGreaterThan(50);
    expect(shapes([...table.newestFirst()])).toBe(1);
  });

  test('what is done to a record after it was put does not matter', () => {
    const table = new Table<Row>();
    const record = { id: 'a', value: 1 };
    table.put(1, record);
    record.value = 2;
    expect(table.get('a')).toEqual({ id: 'a', value: 1 });
  });

  test('a record that was read keeps the text it was read from', () => {
    const table = new Table<Row>();
    const json = '{ "id": "a", "value": 1 }';
    table.put(1, { id: 'a', value: 1 }, json);
    expect(table.entry('a')?.json).toBe(json);
  });
});
