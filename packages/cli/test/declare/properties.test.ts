import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type KindName, kindNames, kinds } from '../../src/declare/kinds.js';
import { planSchedule, type Plan } from '../../src/declare/plan.js';
import { readSchedule, type ScheduleFile } from '../../src/declare/read-schedule.js';
import { writeSchedule } from '../../src/declare/write-schedule.js';
import { RuleCluster } from './rule-cluster.js';

const sources = {
  env: {},
  readText: (): string => {
    throw new Error('no files');
  },
};

/** Plans the files against the cluster. Throws what is wrong with them. */
function planOf(files: readonly ScheduleFile[], cluster: RuleCluster, adopt = false): Plan {
  const { schedule, problems } = readSchedule(files, sources);
  if (schedule === undefined) throw new Error(JSON.stringify(problems));
  const plan = planSchedule(schedule, cluster.present, { adopt });
  if (plan.problems.length > 0) throw new Error(JSON.stringify(plan.problems));
  return plan;
}

const apply = (plan: Plan, cluster: RuleCluster): void => {
  for (const change of plan.changes) cluster.run(change);
};

type Declared = Record<string, unknown> & { id: string; title: string };

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
/** Anything that a YAML reader could take for something else, and ordinary text. */
const awkward = fc.constantFrom(
  'yes',
  'null',
  '~',
  '1',
  '1e3',
  '- a',
  '#x',
  '!env X',
  '&a',
  '*a',
  '{a: 1}',
  ' a ',
);
const plain = fc
  .oneof(awkward, fc.string({ unit: 'grapheme', maxLength: 20 }))
  .map((text) => text.replaceAll(/[<>]/g, ''));
const title = plain.filter((text) => /\S/.test(text));
const script = fc.oneof(
  fc.constantFrom('#!/bin/sh\necho ${HOME}\n', 'a\n\n b\n', '\n', '  x', 'tab\there\r\n', ''),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
);
const flag = fc.constantFrom(0, 1, true, false);
const count = fc.nat(1000);
const numbers = (min: number, max: number) => fc.array(fc.integer({ min, max }), { maxLength: 70 });
const timing = fc.oneof(
  fc.constantFrom(false, undefined),
  fc.record(
    { hours: numbers(0, 23), minutes: numbers(0, 59), weekdays: numbers(0, 6) },
    { requiredKeys: [] },
  ),
);
const compact = (fields: Record<string, unknown>): Declared =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Declared;

const groups = ['g1', 'g2'];
const categories = ['c1', 'c2'];
const plugins = ['p1', 'p2'];
const some = <T>(list: readonly string[], make: (id: string) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.subarray([...list]).chain((ids) => fc.tuple(...ids.map(make)));

const group = (id: string) =>
  fc
    .record({ title, regexp: fc.constantFrom('.+', '^web', '(a|b)'), master: optional(flag) })
    .map((fields) => compact({ ...fields, id }));
const category = (id: string) =>
  fc
    .record({
      title,
      max_children: optional(count),
      description: optional(plain),
      enabled: optional(flag),
      log_max_size: optional(count),
    })
    .map((fields) => compact({ ...fields, id }));
const param = fc.oneof(
  fc.record({ type: fc.constant('text'), title, value: plain, size: fc.integer({ min: 1, max: 90 }) }),
  fc.record({ type: fc.constant('checkbox'), title, value: flag }),
  fc.record({ type: fc.constant('hidden'), value: plain }),
);
const plugin = (id: string) =>
  fc
    .record({
      title,
      command: fc.constantFrom('/opt/run', 'node x.js', "sh -c 'a; b'"),
      params: fc
        .array(param, { maxLength: 3 })
        .map((list) => list.map((one, index) => ({ id: `v${index}`, ...one }))),
      uid: optional(fc.oneof(fc.constantFrom('www-data', ''), fc.nat(70_000))),
      env: optional(fc.dictionary(fc.constantFrom('A', 'B'), plain)),
      enabled: optional(flag),
    })
    .map((fields) => compact({ ...fields, id }));
const event = (id: string, plan: { categories: string[]; groups: string[] }) =>
  fc
    .record({
      title,
      category: fc.constantFrom('general', ...plan.categories),
      target: fc.constantFrom('allgrp', 'db.example', ...plan.groups),
      params: optional(fc.record({ script })),
      timing,
      timezone: optional(fc.constantFrom('Europe/Berlin', 'UTC')),
      enabled: optional(flag),
      queue: optional(flag),
      timeout: optional(count),
      retries: optional(count),
      algo: optional(fc.constantFrom('', 'round_robin')),
      chain: optional(fc.constantFrom('e1', 'e2', '')),
      notes: optional(plain),
      web_hook: optional(fc.constantFrom('', 'https://example.com/x')),
    })
    .map((fields) => compact({ ...fields, id }));

type Schedule = Record<KindName, Declared[]>;
const idsOf = (records: readonly Declared[]): string[] => records.map(({ id }) => id);
/** A schedule that the cluster takes: events refer to what is there. */
const schedules: fc.Arbitrary<Schedule> = fc
  .record({ group: some(groups, group), category: some(categories, category), plugin: some(plugins, plugin) })
  .chain((base) => {
    const around = { categories: idsOf(base.category), groups: idsOf(base.group) };
    return some(['e1', 'e2', 'e3'], (id) => event(id, around)).map((events) => ({ ...base, event: events }));
  });

const nothing: Schedule = { group: [], category: [], plugin: [], event: [] };
const filesOf = (schedule: Schedule, owner = 'team'): ScheduleFile[] => [
  {
    name: 'all.yaml',
    text: stringify({
      owner,
      ...Object.fromEntries(kindNames.map((kind) => [kinds[kind].key, schedule[kind]])),
    }),
  },
];

describe('a plan that was carried out', () => {
  test('leaves nothing to plan, whatever was there before', () => {
    fc.assert(
      fc.property(schedules, schedules, (before, after) => {
        const cluster = new RuleCluster();
        apply(planOf(filesOf(before), cluster), cluster);
        expect(planOf(filesOf(before), cluster).changes).toEqual([]);
        apply(planOf(filesOf(after), cluster), cluster);
        const again = planOf(filesOf(after), cluster);
        expect(again.changes).toEqual([]);
        expect(again.unchanged).toBe(kindNames.reduce((sum, kind) => sum + after[kind].length, 0));
      }),
    );
  });

  test('has removed all that it owned and no longer declares, and touched nothing else', () => {
    fc.assert(
      fc.property(schedules, schedules, (ours, theirs) => {
        const cluster = new RuleCluster();
        const moved = { category: 'general', target: 'allgrp', chain: '' };
        const renamed: Schedule = {
          ...nothing,
          event: theirs.event.map((one) => ({ ...one, ...moved, id: `x${one.id}` })),
        };
        apply(planOf(filesOf(renamed, 'others'), cluster), cluster);
        const before = cluster.present;
        apply(planOf(filesOf(ours), cluster), cluster);
        apply(planOf(filesOf(nothing), cluster), cluster);
        expect(cluster.present).toEqual(before);
      }),
    );
  });
});

describe('the files of a cluster', () => {
  test('plan nothing for it', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        const cluster = new RuleCluster();
        apply(planOf(filesOf(schedule), cluster), cluster);
        const { files } = writeSchedule(cluster.present, 'team', { ownedOnly: false });
        expect(planOf(files, cluster).changes).toEqual([]);
      }),
    );
  });

  test('make the same records in an empty cluster', () => {
    const bare = (cluster: RuleCluster) =>
      kindNames.map((kind) =>
        cluster.present[kind]
          .map(({ created: _created, modified: _modified, ...record }) => record)
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
      );
    fc.assert(
      fc.property(schedules, (schedule) => {
        const [first, second] = [new RuleCluster(), new RuleCluster()];
        apply(planOf(filesOf(schedule), first), first);
        apply(planOf(writeSchedule(first.present, 'team', { ownedOnly: true }).files, second), second);
        // Presets that the first file wrote out are not in the second one, and mean the same.
        expect(planOf(filesOf(schedule), second).changes).toEqual([]);
        expect(bare(second).map((rows) => rows.map(({ id }) => id))).toEqual(
          bare(first).map((rows) => rows.map(({ id }) => id)),
        );
      }),
    );
  });

  test('of records that belong to nobody only add the label', () => {
    fc.assert(
      fc.property(schedules, (schedule) => {
        const cluster = new RuleCluster();
        apply(planOf(filesOf(schedule), cluster), cluster);
        for (const kind of kindNames) {
          for (const { id } of schedule[kind])
            cluster.run({ action: 'update', kind, request: { id, managed_by: '' } });
        }
        const { files, unowned } = writeSchedule(cluster.present, 'new', { ownedOnly: false });
        const { changes } = planOf(files, cluster, true);
        expect(changes).toHaveLength(unowned);
        for (const { fields } of changes) expect(fields.map(({ name }) => name)).toEqual(['managed_by']);
      }),
    );
  });
});

test('a field that was changed by hand is the only one of the plan', () => {
  const drifts = fc.constantFrom<Record<string, unknown>>(
    { timeout: 7777 },
    { notes: 'by hand' },
    { params: { script: 'by hand' } },
    { timing: { years: [2031] } },
    { retries: 7777 },
    { web_hook: 'https://by.hand' },
    { title: 'by hand' },
  );
  fc.assert(
    fc.property(schedules, drifts, (schedule, drift) => {
      fc.pre(schedule.event.length > 0);
      const cluster = new RuleCluster();
      apply(planOf(filesOf(schedule), cluster), cluster);
      const id = schedule.event[0]?.id;
      cluster.run({ action: 'update', kind: 'event', request: { id, ...drift } });
      const { changes } = planOf(filesOf(schedule), cluster);
      expect(changes).toMatchObject([{ action: 'update', kind: 'event', id }]);
      expect(changes[0]?.fields.map(({ name }) => name.split('.')[0])).toEqual(Object.keys(drift));
      apply({ changes } as Plan, cluster);
      expect(planOf(filesOf(schedule), cluster).changes).toEqual([]);
    }),
  );
});
