import { expect, test } from '@jest/globals';
import { NodeProcess } from '../../src/index.js';

test('who waits for a line of a node that fails by itself hears what it printed', async () => {
  const node = new NodeProcess('n1', { CARILLON_HTTP_PORT: 'none' });
  node.start();
  await expect(node.waitForLine(() => false)).rejects.toThrow(/n1 ended with code 2:\n.*CARILLON_HTTP_PORT/s);
});

test('and waits on when the test has ended it', async () => {
  const node = new NodeProcess('n1', { CARILLON_REDIS_URL: 'redis://127.0.0.1:1' });
  node.start();
  let isOver = false;
  const line = node.waitForLine(({ message }) => message === 'never').finally(() => (isOver = true));
  line.catch(() => undefined);
  await node.kill9();
  await node.whenEnded();
  expect(isOver).toBe(false);
});
