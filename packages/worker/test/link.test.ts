import { describe, expect, test } from '@jest/globals';
import { Harness, jobFields, primaryUrl, startMs, TestPrimary } from './support/harness.js';

describe('the link to the primary', () => {
  test('hello says who the worker is and what it runs; beats follow every second', async () => {
    const harness = new Harness();
    await harness.worker.start();
    await harness.dispatch(jobFields('j1'));
    const process = await harness.launcher.process();
    process.say('{"progress":0.25}\nfour\n');
    await harness.settle();
    await harness.elect();
    expect(harness.worker.isConnected).toBe(true);
    expect(harness.primary.hellos.values).toEqual([
      {
        type: 'hello',
        draining: false,
        node: { ...harness.settings.node, boot: harness.worker.boot },
        runs: [
          {
            job: 'j1',
            attempt: 1,
            pid: 1000,
            time_start: startMs / 1000,
            log_file: '/memory/j1.log',
            log_file_size: (await harness.logs.read('j1', 0, 10_000)).length,
            progress: 0.25,
          },
        ],
      },
    ]);
    await harness.clock.advanceSettling(3000);
    expect(harness.primary.ofType('beat')).toEqual(Array(3).fill({ type: 'beat', cpu: 0, mem: 0, runs: [] }));
    process.say('more\n');
    await harness.clock.advanceSettling(1000);
    expect(harness.primary.ofType('beat').at(-1)?.runs).toMatchObject([{ job: 'j1' }]);
    process.exit(0);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('a started run is told at once, and that it is over', async () => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    await harness.dispatch(jobFields('j1'));
    const process = await harness.launcher.process();
    await harness.settle();
    expect(harness.primary.messages.values).toMatchObject([
      {
        type: 'run',
        run: { job: 'j1', attempt: 1, pid: 1000, time_start: startMs / 1000, log_file: '/memory/j1.log' },
      },
    ]);
    process.exit(0);
    await harness.results.reached(1);
    await harness.settle();
    expect(harness.primary.messages.values.at(-1)).toEqual({ type: 'settled', job: 'j1', attempt: 1 });
    await harness.worker.stop();
  });

  test('progress is told at once, then at most ten times a second', async () => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    await harness.dispatch(jobFields('j1'));
    const process = await harness.launcher.process();
    await harness.settle();
    const told = (): (number | undefined)[] => harness.primary.ofType('run').map(({ run }) => run.progress);
    process.say('{"progress":0.01}\n');
    await harness.settle();
    expect(told()).toEqual([undefined, 0.01]);
    for (let n = 2; n <= 50; n += 1) {
      process.say(`{"progress":${n / 100}}\n`);
      await harness.clock.advanceSettling(10);
    }
    expect(told().length).toBeGreaterThanOrEqual(6);
    expect(told().length).toBeLessThanOrEqual(8);
    await harness.clock.advanceSettling(100);
    expect(told().at(-1)).toBe(0.5);
    process.exit(0);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('a broken link is opened again soon, and a dead primary is tried with growing pauses', async () => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    await harness.settle();
    harness.channel.lose(primaryUrl, 'cut');
    await harness.clock.advanceSettling(60);
    expect(harness.primary.hellos.values.length).toBe(2);
    harness.channel.node(primaryUrl).accept(undefined);
    harness.channel.lose(primaryUrl, 'cut');
    let attempts = 0;
    const connect = harness.channel.connect.bind(harness.channel);
    harness.channel.connect = (...args) => {
      attempts += 1;
      return connect(...args);
    };
    await harness.clock.advanceSettling(10_000);
    expect(attempts).toBeGreaterThan(8);
    expect(attempts).toBeLessThan(22);
    // The reason is told once, not with each attempt.
    const told = harness.logger.lines.filter(({ message }) => message === 'The primary cannot be reached');
    expect(told.map(({ level }) => level)).toEqual(['warn', ...Array(attempts - 1).fill('debug')]);
    harness.primary.accept(harness.channel);
    await harness.clock.advanceSettling(1000);
    expect(harness.primary.hellos.values.length).toBe(3);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('a new primary is joined at once when it is announced, and the old link is closed', async () => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    await harness.settle();
    await harness.lease.resign(primaryUrl);
    const second = new TestPrimary();
    await harness.elect('http://second:3012', second);
    await harness.clock.advanceSettling(50);
    expect(second.hellos.values.length).toBe(1);
    expect(harness.primary.closings.values).toEqual(['there is a new primary']);
    await harness.worker.stop();
  });

  test('while the store is away the primary known last is joined again', async () => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    await harness.settle();
    harness.lease.holder = () => Promise.reject(new Error('away'));
    harness.channel.lose(primaryUrl, 'cut');
    await harness.clock.advanceSettling(60);
    expect(harness.primary.hellos.values.length).toBe(2);
    await harness.worker.stop();
  });

  test('a worker without a primary finds one that takes office later', async () => {
    const harness = new Harness();
    await harness.worker.start();
    await harness.clock.advanceSettling(5000);
    expect(harness.worker.isConnected).toBe(false);
    await harness.elect();
    expect(harness.worker.isConnected).toBe(true);
    await harness.worker.stop();
  });
});

describe('watched logs', () => {
  const collect = (harness: Harness): { text: string; end: boolean; gapless: boolean } => {
    let text = '';
    let gapless = true;
    let end = false;
    for (const message of harness.primary.ofType('log')) {
      gapless &&= message.offset === Buffer.byteLength(text);
      text += message.text;
      end = message.end;
    }
    return { text, end, gapless };
  };
  const running = async (): Promise<Harness> => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    await harness.dispatch(jobFields('j1', { params: {}, command: 'builtin:shell' }));
    await harness.launcher.process();
    await harness.settle();
    return harness;
  };

  test('from the start, at once, then gathered, to the very end', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    process.say('before\n');
    await harness.settle();
    expect(harness.primary.ofType('log')).toEqual([]);
    harness.primary.send({ type: 'watch', job: 'j1', offset: 0 });
    await harness.settle();
    expect(collect(harness).text).toContain('before\n');
    await harness.clock.advanceSettling(100);
    process.say('at once\n');
    await harness.settle();
    expect(collect(harness).text.endsWith('at once\n')).toBe(true);
    const count = harness.primary.ofType('log').length;
    for (let n = 0; n < 39; n += 1) {
      process.say(`gathered ${n}\n`);
      await harness.clock.advanceSettling(1);
    }
    expect(harness.primary.ofType('log').length).toBe(count);
    await harness.clock.advanceSettling(1);
    expect(harness.primary.ofType('log').length).toBe(count + 1);
    process.say('ünï→🚀 last');
    process.exit(0);
    await harness.results.reached(1);
    await harness.settle();
    expect(collect(harness)).toEqual({ text: await harness.archive.text('j1'), end: true, gapless: true });
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('from an offset, not after unwatch, and nothing for unknown jobs', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    const size = (await harness.logs.read('j1', 0, 10_000)).length;
    harness.primary.send({ type: 'watch', job: 'j1', offset: size });
    harness.primary.send({ type: 'watch', job: '__proto__', offset: 0 });
    await harness.settle();
    process.say('one\n');
    await harness.clock.advanceSettling(100);
    expect(harness.primary.ofType('log')).toEqual([
      { type: 'log', job: 'j1', offset: size, text: 'one\n', size: size + 4, end: false },
    ]);
    harness.primary.send({ type: 'unwatch', job: 'j1' });
    await harness.settle();
    process.say('two\n');
    await harness.clock.advanceSettling(100);
    expect(harness.primary.ofType('log').length).toBe(1);
    process.exit(0);
    await harness.results.reached(1);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('a large log comes in pieces of at most 64 kB, cut between characters', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    process.say('→'.repeat(1_000_000));
    await harness.settle();
    harness.primary.send({ type: 'watch', job: 'j1', offset: 0 });
    await harness.clock.advanceSettling(1000);
    process.exit(0);
    await harness.results.reached(1);
    await harness.settle();
    const { text, end, gapless } = collect(harness);
    expect(end).toBe(true);
    expect(gapless).toBe(true);
    expect(text === (await harness.archive.text('j1'))).toBe(true);
    for (const message of harness.primary.ofType('log')) {
      expect(Buffer.byteLength(message.text)).toBeLessThanOrEqual(65_536);
    }
    await harness.worker.stop();
  });
});

test('a wish of the primary that the worker ends is handed on; without anyone to take it, it is ignored', async () => {
  const harness = new Harness();
  const requests: unknown[] = [];
  const worker = harness.newWorker({ onDrainRequested: (request) => void requests.push(request) });
  await worker.start();
  await harness.elect();
  harness.primary.send({ type: 'drain', restart: true, graceSec: 5 });
  await harness.settle();
  expect(requests).toMatchObject([{ restart: true, graceSec: 5 }]);
  await worker.stop();

  const deaf = harness.newWorker();
  await deaf.start();
  await harness.elect();
  harness.primary.send({ type: 'drain', restart: false });
  await harness.settle();
  expect(deaf.isConnected).toBe(true);
  await deaf.stop();
});
