import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CommandIo } from '../../src/index.js';
import { FakeCluster, type Ran, runCommand } from '../fake-cluster.js';
import { RuleCluster } from './rule-cluster.js';

let server: FakeCluster;
let rules: RuleCluster;
let directory: string;
beforeEach(async () => {
  server = await new FakeCluster().start();
  rules = new RuleCluster();
  server.rules = (name, params) => rules.answer(name, params);
  directory = mkdtempSync(join(tmpdir(), 'carillon-declare-'));
});
afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

const write = (name: string, text: string): void => {
  mkdirSync(join(directory, name, '..'), { recursive: true });
  writeFileSync(join(directory, name), text);
};
const run = (argv: readonly string[], io: Partial<CommandIo> = {}): Promise<Ran> =>
  server.run(argv, { cwd: directory, ...io });
const writes = (): string[] =>
  server.calls.map(({ name }) => name).filter((name) => !name.startsWith('get_'));
const events = (): string[] => rules.present.event.map(({ id }) => id);

const nightly = [
  'owner: team',
  'events:',
  '  - title: Nightly',
  '    cron: "30 4 * * *"',
  '    params:',
  '      script: |',
  '        #!/bin/sh',
  '        echo one',
  '',
].join('\n');

describe('plan', () => {
  test('shows what would be made, and exits with 2 while there is something', async () => {
    write('a.yaml', nightly);
    const { exitCode, out, err } = await run(['plan', '.']);
    expect(out.split('\n')).toEqual([
      '+ event nightly (Nightly)',
      '    category: "general"',
      '    enabled: 1',
      '    params.script:',
      '      + #!/bin/sh',
      '      + echo one',
      '    plugin: "shellplug"',
      '    target: "allgrp"',
      '    timing: daily at 04:30',
      '    title: "Nightly"',
      '1 to create, 0 to update, 0 to delete, 0 as declared',
      '',
    ]);
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: '' });
    expect(writes()).toEqual([]);
  });

  test('shows drift field by field, and 0 when there is none', async () => {
    write('a.yaml', nightly);
    expect((await run(['apply', '.'])).exitCode).toBe(0);
    expect(await run(['plan', '.'])).toEqual({
      exitCode: 0,
      out: 'Nothing to change: 1 as declared\n',
      err: '',
    });
    const byHand = { id: 'nightly', timeout: 60, params: { script: '#!/bin/sh\necho two\n' }, notes: 'x' };
    rules.run({ action: 'update', kind: 'event', request: byHand });
    const { exitCode, out } = await run(['plan', '.']);
    expect(out.split('\n')).toEqual([
      '~ event nightly (Nightly)',
      '    notes: "x" -> ""',
      '    params.script:',
      '      - #!/bin/sh',
      '      - echo two',
      '      + #!/bin/sh',
      '      + echo one',
      '    timeout: 60 -> 0',
      '0 to create, 1 to update, 0 to delete, 0 as declared',
      '',
    ]);
    expect(exitCode).toBe(2);
  });

  test('is coloured for a person at a terminal alone', async () => {
    write('a.yaml', nightly);
    const green = '\u001b[32m+ event nightly';
    expect((await run(['plan', '.'], { isTTY: true })).out).toContain(green);
    expect((await run(['plan', '.'], { isTTY: true, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b');
    expect((await run(['plan', '.'])).out).not.toContain('\u001b');
  });

  test('is JSON for programs', async () => {
    write('a.yaml', nightly);
    await run(['apply', '.']);
    rules.run({ action: 'update', kind: 'event', request: { id: 'nightly', timeout: 60 } });
    const { exitCode, out } = await run(['plan', '.', '--json']);
    expect(JSON.parse(out)).toEqual({
      owner: 'team',
      changes: [
        {
          action: 'update',
          kind: 'event',
          id: 'nightly',
          title: 'Nightly',
          fields: [{ name: 'timeout', from: 60, to: 0 }],
        },
      ],
      unchanged: 0,
    });
    expect(exitCode).toBe(2);
  });

  test.each([
    [
      'a field that is wrong',
      'owner: team\nevents:\n  - title: A\n    queue: maybe\n',
      ['plan', '.'],
      'a.yaml:4: queue: Malformed',
    ],
    ['no owner', 'events: []\n', ['plan', '.'], 'add "owner: NAME" to one of them, or use --owner'],
    ['a label that is none', nightly, ['plan', '.', '--owner', 'a b'], '--owner must be 1 to 64'],
    ['an unknown option', nightly, ['plan', '.', '--al'], "unknown option '--al'"],
    ['no directory', nightly, ['plan'], "missing required argument 'directory'"],
    ['a directory that is not there', nightly, ['plan', 'gone'], 'The directory cannot be read'],
  ])('exits with 1 for %s', async (_what, text, argv, message) => {
    write('a.yaml', text);
    const { exitCode, out, err } = await run(argv);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
    expect(err).toContain(message);
  });

  test('exits with 1 for a directory without files, and with 3 without a cluster', async () => {
    expect((await run(['plan', '.'])).err).toContain('There are no .yaml or .yml files');
    write('a.yaml', nightly);
    const { url } = server;
    await server.stop();
    expect((await runCommand(['plan', directory, '--url', url])).exitCode).toBe(3);
  });

  test('shows no secret, in no form', async () => {
    write(
      'a.yml',
      'owner: team\nplugins:\n  - title: P\n    command: /p\n    env: {TOKEN: !env T}\n    params: [{id: pw, type: hidden, value: !env T}, {id: n, type: hidden, value: 5}]\n',
    );
    const io = { env: { T: 's3cret' } };
    const shown = await run(['plan', '.'], io);
    expect(shown.out).toContain('    params.pw: (secret)\n');
    expect(shown.out).toContain('    env.TOKEN: (secret)\n');
    expect(shown.out).toContain('    params.n: {"id":"n","type":"hidden","value":5}\n');
    const all = [shown, await run(['plan', '.', '--json'], io), await run(['apply', '.'], io)];
    expect(all.map(({ out, err }) => out + err).join('')).not.toContain('s3cret');
    expect(rules.present.plugin[0]).toMatchObject({ env: { TOKEN: 's3cret' } });
    const changed = await run(['plan', '.'], { env: { T: 'new' } });
    expect(changed.out).toBe(
      '~ plugin p (P)\n    params.pw: (secret)\n    env.TOKEN: (secret)\n0 to create, 1 to update, 0 to delete, 0 as declared\n',
    );
  });
});

describe('apply', () => {
  const all = [
    'owner: team',
    'events: [{title: E, category: Cat, plugin: Plug, target: Grp, chain: F}, {title: F}]',
    'plugins: [{title: Plug, command: /p}]',
    'categories: [{title: Cat}]',
    'groups: [{title: Grp, regexp: ^g}]',
    '',
  ].join('\n');

  test('makes what is referred to first, and deletes it last', async () => {
    write('sub/all.yaml', all);
    const { exitCode, out } = await run(['apply', '.']);
    expect(exitCode).toBe(0);
    expect(writes()).toEqual([
      'create_server_group',
      'create_category',
      'create_plugin',
      'create_event',
      'create_event',
    ]);
    expect(out).toContain('Created server group grp (Grp)\n');
    write('sub/all.yaml', 'owner: team\n');
    expect((await run(['apply', '.', '--prune'])).out).toContain('Deleted event e (E)\n');
    expect(writes().slice(5)).toEqual([
      'delete_event',
      'delete_event',
      'delete_plugin',
      'delete_category',
      'delete_server_group',
    ]);
  });

  test('again changes nothing', async () => {
    write('all.yaml', all);
    await run(['apply', '.']);
    const before = writes().length;
    const { exitCode, out } = await run(['apply', '.']);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'Nothing to change: 5 as declared\n' });
    expect(writes()).toHaveLength(before);
  });

  describe('of files that declare less', () => {
    beforeEach(async () => {
      write('all.yaml', 'owner: team\nevents: [{title: A}, {title: B}]\n');
      await run(['apply', '.']);
      write('all.yaml', 'owner: team\nevents: [{title: A, notes: new}]\n');
    });

    test('asks a person, who may say no', async () => {
      const asked: string[] = [];
      const ask = (answer: boolean) => async (question: string) => {
        asked.push(question);
        return answer;
      };
      expect(await run(['apply', '.'], { ask: ask(false) })).toMatchObject({
        exitCode: 0,
        err: '1 not deleted\n',
      });
      expect(events()).toEqual(['b', 'a']);
      expect(rules.present.event.find(({ id }) => id === 'a')).toMatchObject({ notes: 'new' });
      await run(['apply', '.'], { ask: ask(true) });
      expect(events()).toEqual(['a']);
      expect(asked).toEqual(Array(2).fill('Delete 1 record that the files do not declare? [y/N] '));
    });

    test('changes nothing when nobody can be asked', async () => {
      const before = writes().length;
      const { exitCode, err } = await run(['apply', '.']);
      expect(exitCode).toBe(2);
      expect(err).toContain('say --prune or --no-prune');
      expect(writes()).toHaveLength(before);
    });

    test.each([
      ['--yes', ['a']],
      ['--prune', ['a']],
      ['--no-prune', ['b', 'a']],
    ])('is told by %s', async (option, left) => {
      expect((await run(['apply', '.', option])).exitCode).toBe(0);
      expect(events()).toEqual(left);
    });
  });

  test('what the cluster refuses is told and does not stop the rest', async () => {
    write('all.yaml', 'owner: team\nevents: [{title: A}, {title: B}]\n');
    const answer = server.rules;
    server.rules = (name, params) => {
      if (name === 'create_event' && params['id'] === 'a') throw new Error('Failed to create event: no');
      return answer?.(name, params);
    };
    const { exitCode, out, err } = await run(['apply', '.', '--json']);
    expect(exitCode).toBe(1);
    expect(err).toContain('Refused to create event a (A): Failed to create event: no');
    expect(JSON.parse(out)).toMatchObject({
      results: [
        { action: 'create', kind: 'event', id: 'a', ok: false, refusal: 'Failed to create event: no' },
        { action: 'create', kind: 'event', id: 'b', ok: true },
      ],
    });
    expect(events()).toEqual(['b']);
  });

  test('hand-made records of the same id are in the way, until they are adopted', async () => {
    const made = {
      id: 'a',
      title: 'Mine',
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
      enabled: 1,
    };
    rules.run({ action: 'create', kind: 'event', request: made });
    write('all.yaml', 'owner: team\nevents: [{title: A}]\n');
    const refused = await run(['apply', '.']);
    expect(refused.exitCode).toBe(1);
    expect(refused.err).toContain('all.yaml:2: id: The event a of the cluster was not made from these files');
    expect(writes()).toEqual([]);
    const plan = await run(['plan', '.', '--adopt']);
    expect(plan.out).toContain('~ event a (A)\n    title: "Mine" -> "A"\n    managed_by: "" -> "team"\n');
    await run(['apply', '.', '--adopt']);
    expect((await run(['plan', '.'])).exitCode).toBe(0);
  });

  test('two directories look after their own', async () => {
    write('one/a.yaml', 'owner: one\nevents: [{title: A}]\n');
    write('two/b.yaml', 'owner: two\nevents: [{title: B}]\n');
    await run(['apply', 'one']);
    await run(['apply', 'two']);
    expect((await run(['plan', 'one'])).exitCode).toBe(0);
    expect((await run(['plan', 'two'])).exitCode).toBe(0);
    write('two/b.yaml', 'owner: two\nevents: [{title: A}]\n');
    expect((await run(['plan', 'two'])).err).toContain('The event a is managed by "one"');
  });

  test('texts come from files of the directory, and from nowhere else', async () => {
    write('d/scripts/run.sh', '#!/bin/sh\necho file\n');
    write('outside.sh', 'no');
    symlinkSync(join(directory, 'outside.sh'), join(directory, 'd', 'link.sh'));
    const text = (path: string): string =>
      `owner: t\nevents: [{title: A, params: {script: !file ${path}}}]\n`;
    write('d/sub/a.yaml', text('../scripts/run.sh'));
    expect((await run(['apply', 'd'])).exitCode).toBe(0);
    expect(rules.present.event[0]?.['params']).toEqual({ script: '#!/bin/sh\necho file\n' });
    for (const path of ['../../outside.sh', '../link.sh', '/etc/hostname']) {
      write('d/sub/a.yaml', text(path));
      expect((await run(['plan', 'd'])).err).toContain(`${path} is outside the directory`);
    }
  });
});

describe('schedule pull', () => {
  test('writes files that plan nothing once their records are adopted', async () => {
    write('from/all.yaml', `${nightly}categories: [{title: Cat}]\n`);
    await run(['apply', 'from', '--owner', 'old']);
    for (const [kind, id] of [
      ['event', 'nightly'],
      ['category', 'cat'],
    ] as const) {
      rules.run({ action: 'update', kind, request: { id, managed_by: '' } });
    }
    const { exitCode, out, err } = await run(['schedule', 'pull', 'to/here', '--owner', 'new']);
    expect({ exitCode, out, err }).toEqual({
      exitCode: 0,
      out: 'Wrote 2 records to to/here: carillon.yaml, categories.yaml, events.yaml\n',
      err: '2 of them belong to nobody: apply needs --adopt once\n',
    });
    expect((await run(['apply', 'to/here', '--adopt'])).exitCode).toBe(0);
    expect((await run(['plan', 'to/here'])).exitCode).toBe(0);
    expect(statSync(join(directory, 'to/here/events.yaml')).mode & 0o777).toBe(0o600);
    const again = await run(['schedule', 'pull', 'to/here', '--owner', 'new']);
    expect(again).toMatchObject({ exitCode: 1, err: expect.stringContaining('Use --force to replace them') });
    expect((await run(['schedule', 'pull', 'to/here', '--owner', 'new', '--force'])).exitCode).toBe(0);
    const none = await run(['schedule', 'pull', 'none', '--owner', 'others', '--json']);
    expect(JSON.parse(none.out)).toEqual({
      directory: 'none',
      files: ['carillon.yaml'],
      count: 0,
      unowned: 0,
      secrets: [],
    });
    expect(readdirSync(join(directory, 'none'))).toEqual(['carillon.yaml']);
  });

  test('says which values may be secrets', async () => {
    const params = [{ id: 'pw', type: 'hidden', value: 'x' }];
    const request = { id: 'p', title: 'P', command: '/p', params, env: { TOKEN: 'y' } };
    rules.run({ action: 'create', kind: 'plugin', request });
    const { err } = await run(['schedule', 'pull', 'to', '--owner', 'new']);
    expect(err).toContain('warning: written in clear, consider !env: plugin p: params.pw\n');
    expect(err).toContain('plugin p: env.TOKEN\n');
  });

  test('needs an owner', async () => {
    expect(await run(['schedule', 'pull', 'to'])).toMatchObject({ exitCode: 2 });
  });
});
