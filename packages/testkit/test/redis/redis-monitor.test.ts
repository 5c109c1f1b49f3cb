import { createRedis, MemoryLogger } from '@carillon/adapters';
import { expect, test } from '@jest/globals';
import { parseMonitorLine, RedisMonitor, startPrivateRedis } from '../../src/index.js';

test.each([
  ['+1.5 [0 127.0.0.1:40432] "PING"', { words: ['PING'], source: '127.0.0.1:40432' }],
  ['+1.5 [0 lua] "SET" "a \\"b\\\\" "\\n\\x41"', { words: ['SET', 'a "b\\', '\nA'], source: 'lua' }],
  ['+1.5 [0 unix:/a b] "SET" "" "x"', { words: ['SET', '', 'x'], source: 'unix:/a b' }],
  ['+OK', undefined],
])('%s', (line, command) => {
  expect(parseMonitorLine(line)).toEqual(command);
});

test('all commands are seen in their order, also those that are executed while it begins, and after a restart', async () => {
  const server = await startPrivateRedis({ listen: 'unix' });
  const redis = createRedis({ url: server.url, log: new MemoryLogger() }, 'subscribe');
  const seen: number[] = [];
  let look = (): void => undefined;
  const has = (value: number): Promise<void> =>
    new Promise((resolve) => {
      look = () => (seen.includes(value) ? resolve() : undefined);
      look();
    });
  let sent = 0;
  let isSending = true;
  const sending = (async () => {
    for (; isSending; sent += 1) await redis.set('counter', sent);
  })();
  const monitor = await RedisMonitor.start(server.url, ([name, , value]) => {
    if (name?.toUpperCase() !== 'SET') return;
    seen.push(Number(value));
    look();
  });
  await has((seen[0] ?? sent) + 500);
  expect(seen).toEqual(seen.map((_value, index) => (seen[0] ?? 0) + index));
  await server.kill9();
  const before = seen.length;
  await server.restart();
  await new Promise<void>((resolve) => {
    look = () => (seen.length > before ? resolve() : undefined);
  });
  isSending = false;
  await sending;
  monitor.close();
  redis.disconnect();
  await server.stop();
}, 30_000);
