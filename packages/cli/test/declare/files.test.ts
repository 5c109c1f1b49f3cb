import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { planSchedule, type Present } from '../../src/declare/plan.js';
import { problemText } from '../../src/declare/problem.js';
import { readSchedule, type ScheduleFile } from '../../src/declare/read-schedule.js';
import { RuleCluster } from './rule-cluster.js';

const sources = {
  env: { TOKEN: 's3cret', EMPTY: '' },
  readText: (path: string, from: string): string => {
    if (path === 'run.sh') return `#!/bin/sh\n# for ${from}\n`;
    throw new Error(`There is no file ${path}`);
  },
};
const present: Present = new RuleCluster().present;
const file = (text: string, name = 'a.yaml'): ScheduleFile => ({ name, text });

/** What is wrong with a file of this owner, when planned for a fresh cluster. */
function problemsOf(text: string): string[] {
  const { schedule, problems } = readSchedule([file(text)], sources, 'team');
  if (schedule === undefined) return problems.map(problemText);
  return planSchedule(schedule, present, { adopt: false }).problems.map(problemText);
}

/** Requests of the plan for a fresh cluster. */
function requestsOf(text: string, ...more: ScheduleFile[]): Record<string, unknown>[] {
  const { schedule, problems } = readSchedule([file(text), ...more], sources, 'team');
  expect(problems).toEqual([]);
  const plan = schedule === undefined ? undefined : planSchedule(schedule, present, { adopt: false });
  expect(plan?.problems).toEqual([]);
  return plan?.changes.map(({ request }) => request) ?? [];
}

describe('problems name the file, the line and the field', () => {
  test.each([
    [
      'events:\n  - title: A\n    timeout: x\n',
      'a.yaml:3: timeout: Malformed parameter type: timeout (string)',
    ],
    ['events:\n  - title: A\n    timeout: -1\n', 'a.yaml:3: timeout: Malformed parameter value: timeout'],
    [
      'events:\n  - title: A\n    timing: {hours: [24]}\n',
      'a.yaml:3: timing: Malformed event timing parameter: hours (value out of range: 24)',
    ],
    [
      'events:\n  - title: A\n    tmeout: 3\n',
      'a.yaml:3: tmeout: Unknown field of events: tmeout. Did you mean timeout?',
    ],
    ['events:\n  - notes: A\n', 'a.yaml:2: Missing field: title'],
    [
      'events:\n  - title: <b>\n',
      'a.yaml:2: title: Malformed title parameter: Cannot contain HTML metacharacters',
    ],
    ['events:\n  - title: A\n    id: A-B\n', 'a.yaml:3: id: Must be 1 to 64 lower-case letters, digits or _'],
    ['events:\n  - title: "★"\n', 'a.yaml:2: title: No id can be made from the title: give an id'],
    ['events:\n  - title: A\n    cron: noon\n', 'a.yaml:3: cron: '],
    ['events:\n  - title: A\n    cron: 5\n', 'a.yaml:3: cron: Must be a text such as "30 4 * * 1-5"'],
    [
      'events:\n  - title: A\n    cron: "@daily"\n    timing: {}\n',
      'a.yaml:3: cron: Give either cron or timing',
    ],
    [
      'events:\n  - title: A\n    timezone: Mars/Olympus\n',
      'a.yaml:3: timezone: Unknown time zone: Mars/Olympus',
    ],
    [
      'events:\n  - title: A\n    category: none\n',
      'a.yaml:3: category: No category has the id or title "none", neither in the files nor in the cluster',
    ],
    [
      'events:\n  - title: A\n    target: no such\n',
      'a.yaml:3: target: No server group has the id or title "no such"',
    ],
    ['events:\n  - title: A\n    target: 5\n', 'a.yaml:3: target: Must be an id or a title'],
    ['events:\n  - title: A\n    plugin: none\n', 'a.yaml:3: plugin: No plugin has the id or title "none"'],
    [
      'events:\n  - title: A\n    params:\n      scrpt: x\n',
      'a.yaml:4: params.scrpt: The plugin shellplug has no parameter scrpt; it has: script, ',
    ],
    [
      'events:\n  - title: A\n    params:\n      script: !env NONE\n',
      'a.yaml:4: params.script: The environment variable NONE is not set',
    ],
    [
      'events:\n  - title: A\n    params:\n      script: !file gone.sh\n',
      'a.yaml:4: params.script: There is no file gone.sh',
    ],
    ['events:\n  - title: A\n    params: !secret x\n', 'a.yaml:3: Unresolved tag: !secret'],
    ['events:\n  - title: A\n  - title: a\n', 'a.yaml:3: The id a is used twice, first in a.yaml:2;'],
    ['events:\n  - title: A\n    title: B\n', 'a.yaml:3: Map keys must be unique'],
    ['events:\n  - title: [A\n', 'a.yaml:3: '],
    ['events:\n  title: A\n', 'a.yaml:1: events must be a list'],
    ['events:\n  - A\n', 'a.yaml:2: Every one of events must be a mapping of fields'],
    ['event:\n  - title: A\n', 'a.yaml:1: Unknown key: event. Did you mean events?'],
    ['- title: A\n', 'a.yaml:1: Expected a mapping with the keys owner, groups, categories, plugins, events'],
    ['groups:\n  - title: A\n    regexp: "("\n', 'a.yaml:3: regexp: Invalid regular expression'],
    ['groups:\n  - title: A\n', 'a.yaml:2: Missing field: regexp'],
    [
      'plugins:\n  - title: A\n    command: x\n    params: [{id: a}]\n',
      'a.yaml:4: params: Plugin Parameter Type is invalid',
    ],
    [
      'categories:\n  - title: A\n    max_children: no\n',
      'a.yaml:3: max_children: Malformed parameter: max_children',
    ],
    [
      'categories:\n  - title: General\n',
      'a.yaml:2: id: The category general of the cluster was not made from these files; use another id, or --adopt to take it over',
    ],
    [
      '---\nevents: []\n---\nevents:\n  - title: A\n    queue: maybe\n',
      'a.yaml:6: queue: Malformed parameter type: queue (string)',
    ],
  ])('%j', (text, expected) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  test('and all of them come at once, in the order of files and lines', () => {
    const { problems } = readSchedule(
      [
        file('events:\n  - title: A\n    timeout: x\n    retries: y\n', 'b.yaml'),
        file('evnts: []\n', 'a.yaml'),
      ],
      sources,
      'team',
    );
    expect(problems.map(({ file: name, line }) => `${name}:${line}`)).toEqual([
      'a.yaml:1',
      'b.yaml:3',
      'b.yaml:4',
    ]);
  });

  test('a flood of aliases is refused', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `l${n}: &l${n} [${`*l${n - 1},`.repeat(10)}]`);
    expect(problemsOf(`l: &l-1 [x]\n${levels.join('\n')}`)[0]).toContain('alias');
  });
});

describe('the owner', () => {
  const owners = (...files: ScheduleFile[]) => {
    const { schedule, problems } = readSchedule(files, sources);
    return schedule?.owner ?? problems.map(problemText);
  };
  test.each([
    [[file('owner: team-1\n'), file('events: []\n', 'b.yaml')], 'team-1'],
    [[file('owner: one\n'), file('owner: one\n', 'b.yaml')], 'one'],
    [
      [file('owner: one\n'), file('owner: two\n', 'b.yaml')],
      ['b.yaml:1: owner: The directory has an owner already: one'],
    ],
    [[file('owner: a b\n')], ['a.yaml:1: owner: Must be 1 to 64 letters, digits, _, - or .']],
    [[file('owner: 5\n')], ['a.yaml:1: owner: Must be 1 to 64 letters, digits, _, - or .']],
    [
      [file('events: []\n')],
      [expect.stringContaining('a.yaml:1: No file says who owns this schedule: add "owner: NAME"')],
    ],
  ])('of %j', (files, expected) => {
    expect(owners(...files)).toEqual(expected);
  });
});

describe('what files may say', () => {
  const base = {
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    params: {},
    managed_by: 'team',
  };

  test('an event needs a title alone; its id is made of it', () => {
    expect(requestsOf('events:\n  - title: Nightly Backup (EU)\n')).toEqual([
      { ...base, title: 'Nightly Backup (EU)', id: 'nightly_backup_eu' },
    ]);
  });

  test('cron is another way to write timing', () => {
    expect(requestsOf('events:\n  - title: A\n    cron: "30 4 * * 1-5"\n')).toMatchObject([
      { timing: { minutes: [30], hours: [4], weekdays: [1, 2, 3, 4, 5] } },
    ]);
  });

  test('values from the environment and from files, anchors, several documents', () => {
    const text = [
      'events:',
      '  - title: A',
      '    params: &shared',
      '      script: !file run.sh',
      '  - {title: B, params: *shared, web_hook: "https://x.example/${NOT}"}',
      '---',
      'plugins:',
      '  - title: P',
      '    command: /opt/p',
      '    env: {TOKEN: !env TOKEN, NONE: !env EMPTY}',
      '',
    ].join('\n');
    const script = '#!/bin/sh\n# for a.yaml\n';
    expect(requestsOf(text)).toMatchObject([
      { title: 'P', env: { TOKEN: 's3cret', NONE: '' }, params: [] },
      { title: 'A', params: { script } },
      { title: 'B', params: { script }, web_hook: 'https://x.example/${NOT}' },
    ]);
  });

  test('references by title or id, also to later files, and ids win', () => {
    const more = file(
      'categories:\n  - {title: Backups, id: bak}\n  - {title: bak, id: other}\ngroups:\n  - {title: Web Servers, id: web, regexp: ^w}\n',
      'z.yaml',
    );
    const text = [
      'events:',
      '  - {title: A, category: Backups, target: Web Servers, plugin: HTTP Request, chain: B}',
      '  - {title: B, category: bak, target: db-1.example, chain_error: not_yet_there}',
      '',
    ].join('\n');
    const plugins = present.plugin.find(({ id }) => id === 'urlplug');
    const requests = requestsOf(text.replace('HTTP Request', String(plugins?.title)), more);
    expect(requests.slice(3)).toMatchObject([
      { category: 'bak', target: 'web', plugin: 'urlplug', chain: 'b' },
      { category: 'bak', target: 'db-1.example', chain_error: 'not_yet_there' },
    ]);
  });

  test('an ambiguous title is a problem', () => {
    const text =
      'categories:\n  - {title: X, id: x1}\n  - {title: X, id: x2}\nevents:\n  - {title: A, category: X}\n';
    expect(problemsOf(text)).toEqual([
      'a.yaml:5: category: "X" is the title of 2 categories: x1, x2; use an id',
    ]);
  });

  test('what this plan deletes cannot be referred to', () => {
    const cluster = new RuleCluster();
    cluster.run({
      action: 'create',
      kind: 'category',
      request: { id: 'old', title: 'Old', max_children: 0, managed_by: 'team' },
    });
    const { schedule } = readSchedule([file('events:\n  - {title: A, category: old}\n')], sources, 'team');
    if (schedule === undefined) throw new Error('unreadable');
    const { problems } = planSchedule(schedule, cluster.present, { adopt: false });
    expect(problems.map(problemText)).toEqual([
      expect.stringContaining('No category has the id or title "old"'),
    ]);
  });

  test("another directory's records are left alone, also with adopt", () => {
    const cluster = new RuleCluster();
    cluster.run({
      action: 'create',
      kind: 'category',
      request: { id: 'a', title: 'A', max_children: 0, managed_by: 'others' },
    });
    const { schedule } = readSchedule([file('categories:\n  - title: A\n')], sources, 'team');
    if (schedule === undefined) throw new Error('unreadable');
    const { problems, changes } = planSchedule(schedule, cluster.present, { adopt: true });
    expect(changes).toEqual([]);
    expect(problems.map(problemText)).toEqual([
      'a.yaml:2: id: The category a is managed by "others"; use another id',
    ]);
  });
});

test('the example of the documentation is right', () => {
  const guide = readFileSync(new URL('../../../../docs/schedule-files.md', import.meta.url), 'utf8');
  const blocks = [...guide.matchAll(/```yaml file\n(.*?)```/gs)].map(([, text = ''], index) =>
    file(text, `${index}.yaml`),
  );
  expect(blocks).toHaveLength(2);
  const { schedule, problems } = readSchedule(blocks, {
    env: { REPORT_HOOK: 'https://x.example' },
    readText: () => 'x',
  });
  expect(problems).toEqual([]);
  expect(schedule?.owner).toBe('billing');
  const plan = schedule === undefined ? undefined : planSchedule(schedule, present, { adopt: false });
  expect(plan?.problems).toEqual([]);
  expect(plan?.changes.map(({ id }) => id)).toEqual(['db', 'reports', 'nightly_report', 'tidy_up']);
});

test('five thousand events are read and planned in a moment', () => {
  const rows = Array.from(
    { length: 5000 },
    (_, n) => `  - {title: Event ${n}, cron: "${n % 60} * * * *", timeout: ${n}}`,
  );
  const { schedule } = readSchedule([file(`events:\n${rows.join('\n')}\n`)], sources, 'team');
  if (schedule === undefined) throw new Error('unreadable');
  expect(planSchedule(schedule, present, { adopt: false }).changes).toHaveLength(5000);
}, 30_000);
