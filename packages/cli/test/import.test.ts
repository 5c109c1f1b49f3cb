import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CrontabEvent } from '@carillon/core';
import { planImport } from '../src/crontab/plan-import.js';
import { FakeCluster, runCommand } from './fake-cluster.js';

let cluster: FakeCluster;
let cwd: string;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
  cwd = mkdtempSync(join(tmpdir(), 'carillon-cli-'));
});
afterEach(async () => {
  await cluster.stop();
  rmSync(cwd, { recursive: true });
});

const crontab = ['# Backups', '30 4 * * 1-5 backup --all', '@hourly rotate', ''].join('\n');
const write = (text: string, name = 'mycron'): void => writeFileSync(join(cwd, name), text);
const importFile = (...options: string[]) =>
  cluster.run(['import', 'crontab', 'mycron', ...options], { cwd });

describe('import crontab', () => {
  test('makes an event of each line, in the order of the lines', async () => {
    write(crontab);
    const { exitCode, out, err } = await importFile('--target', 'web', '--category', 'ops', '--disabled');
    expect({ exitCode, out, err }).toEqual({
      exitCode: 0,
      out: '',
      err: '2 created, 0 updated, 0 skipped\n',
    });
    expect(cluster.events.map((event) => event['title'])).toEqual(['mycron: backup --all', 'mycron: rotate']);
    expect(cluster.events[0]).toMatchObject({
      enabled: 0,
      category: 'ops',
      target: 'web',
      plugin: 'shellplug',
      timing: { minutes: [30], hours: [4], weekdays: [1, 2, 3, 4, 5] },
    });
    expect(cluster.events[0]?.['params']).toEqual({ script: expect.stringContaining('backup --all') });
  });

  test('can be repeated: only what has changed is updated', async () => {
    write(crontab);
    await importFile();
    expect((await importFile()).err).toBe('0 created, 0 updated, 2 skipped\n');
    expect(cluster.paramsOf('update_event')).toEqual([]);

    write(crontab.replace('30 4', '45 5'));
    Object.assign(cluster.events[0] ?? {}, { enabled: 0, timeout: 77 });
    expect((await importFile()).err).toBe('0 created, 1 updated, 1 skipped\n');
    expect(cluster.events[0]).toMatchObject({
      enabled: 0,
      timeout: 77,
      timing: { minutes: [45], hours: [5] },
    });
    expect(cluster.events).toHaveLength(2);
  });

  test('--dry-run shows a table and changes nothing', async () => {
    write(crontab);
    const { exitCode, out, err } = await importFile('--dry-run');
    expect(out).toBe(
      [
        'ACTION  TITLE                 TIMING            USER  COMMAND',
        'create  mycron: backup --all  Mon-Fri at 04:30        backup --all',
        'create  mycron: rotate        hourly at :00           rotate',
        '',
      ].join('\n'),
    );
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: 'Dry run: 2 to create, 0 to update, 0 to skip\n' });
    expect(cluster.events).toEqual([]);
  });

  test('--dry-run works without a cluster', async () => {
    write(crontab);
    const { url } = cluster;
    await cluster.stop();
    const argv = ['import', 'crontab', 'mycron', '--dry-run', '--url', url];
    const { exitCode, out, err } = await runCommand(argv, { cwd });
    expect(exitCode).toBe(0);
    expect(out).toContain('mycron: rotate');
    expect(err).toContain('Not compared with the schedule');
  });

  test('problems are listed and make it fail, the rest is done', async () => {
    write(`${crontab}99 * * * * never\n`);
    const { exitCode, err } = await cluster.run(['import', 'crontab', 'absent', 'mycron'], { cwd });
    expect(exitCode).toBe(1);
    expect(err).toContain('absent: ENOENT');
    expect(err).toMatch(/mycron:4: .*: 99 \* \* \* \* never/);
    expect(cluster.events).toHaveLength(2);
  });

  test('a refused event is a problem like any other', async () => {
    write(crontab);
    const { exitCode, err } = await importFile('--target', 'nowhere');
    expect(exitCode).toBe(1);
    expect(err).toContain('0 created');
    expect(err).toContain('mycron: rotate: Failed to create event: No such target');
  });

  test('the user column', async () => {
    write('0 5 * * * alice tidy up\n');
    const { out, err } = await importFile('--user-column', '--json');
    expect(JSON.parse(out)).toMatchObject({ steps: [{ action: 'create', user: 'alice' }], problems: [] });
    expect(err).toBe('');
    expect((await importFile('--user-column')).err).toContain('not as alice');
    expect((await importFile('--no-user-column', '--dry-run')).out).toContain('mycron: alice tidy up');
  });
});

describe('the plan', () => {
  const line = (title: string): CrontabEvent => ({ title, timing: { minutes: [0] }, script: 'x', notes: '' });

  test('numbers titles that come from several files', () => {
    const plan = planImport([line('a'), line('a'), line('a (2)')], []);
    expect(plan.map((step) => step.event.title)).toEqual(['a', 'a (2)', 'a (2) (2)']);
  });
});
