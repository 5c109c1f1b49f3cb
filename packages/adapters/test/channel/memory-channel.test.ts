import type { PrimaryMessage } from '@carillon/contract';
import { acceptOne, channelConformance, helloOf, LinkProbe } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { MemoryChannel } from '../../src/channel/index.js';

const url = 'http://one:3012';

channelConformance('MemoryChannel', () => {
  const channel = new MemoryChannel();
  return Promise.resolve({
    cluster: channel.node(url),
    worker: channel,
    url,
    close: () => Promise.resolve(),
  });
});

describe('MemoryChannel', () => {
  test('loses what a muted node sends or is sent, until the loss is noticed', async () => {
    const channel = new MemoryChannel();
    const accepted = acceptOne(channel.node(url));
    const probe = new LinkProbe<PrimaryMessage>();
    const link = await channel.connect(url, probe, new AbortController().signal);
    link.send(helloOf('n1'));
    const primary = await accepted.promise;
    channel.mute(url);
    link.send({ type: 'draining' });
    primary.link.send({ type: 'unwatch', job: 'j1' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(primary.probe.messages.values).toEqual([]);
    expect(probe.messages.values).toEqual([]);
    channel.lose(url, 'silent');
    expect(probe.closed.values).toEqual(['silent']);
    expect(primary.probe.closed.values).toEqual(['silent']);
  });

  test('an unknown node cannot be reached', async () => {
    const channel = new MemoryChannel();
    await expect(channel.connect(url, new LinkProbe(), new AbortController().signal)).rejects.toThrow(
      'no such node',
    );
  });
});
