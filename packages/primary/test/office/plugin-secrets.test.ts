import { expect, test } from '@jest/globals';
import { admin, newEvent, officeOf, OfficeWorld, onDemand } from '../support/office-world.js';

const secret = /s3cret|classified/;

test('hidden parameters and the environment of a plugin go to the process, and to nobody who looks at the job', async () => {
  const world = new OfficeWorld();
  const office = officeOf(await world.primary('p1'));
  const worker = await world.worker('w1', 'p1');
  await worker.work();
  const plugin = await office.records.createPlugin(
    {
      title: 'Secretive',
      command: '/bin/true',
      params: [
        { id: 'token', type: 'hidden', value: 's3cret' },
        { id: 'name', type: 'text', title: 'Name', size: 10, value: 'shown' },
      ],
      env: { TOKEN: 'classified' },
    },
    admin,
  );
  const fields = { ...onDemand, plugin: plugin.id, retries: 1 };
  const event = await office.createEvent(newEvent(fields), admin);
  const { ids } = await office.launch({ event, overrides: { params: { token: 'mine' } }, now: 5 });
  const [job = ''] = ids;
  await world.settle();
  const seen: unknown[] = [];
  office.watchJob(job, { onJob: (view) => seen.push(view), onLog: () => undefined });
  for (const attempt of [1, 2]) {
    const given = worker.held.get(job)?.job;
    expect(given).toMatchObject({ params: { token: 's3cret' }, env: { TOKEN: 'classified' } });
    seen.push(office.activeJob(job), office.activeJobsOf(event), [...office.activeJobs()]);
    await worker.settle(job, { code: attempt, description: 'failed' });
    await world.pass(1_000);
  }
  await world.settle();
  const record = await office.completedJob(job);
  expect(record).toMatchObject({ code: 2, params: { token: '', name: 'shown' } });
  seen.push(record);
  expect(seen.length).toBeGreaterThan(10);
  expect(JSON.stringify(seen)).not.toMatch(secret);
});
