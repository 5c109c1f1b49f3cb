import type { PrimaryMessage, WorkerHello, WorkerMessage } from '@carillon/contract';
import type { ChannelLink, ClusterChannel, LinkHandlers, WorkerChannel } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { Collector, type Deferred, deferred } from './deferred.js';

export interface ChannelSubject {
  cluster: ClusterChannel;
  worker: WorkerChannel;
  /** Base URL that leads from the worker's end to the cluster's. */
  url: string;
  close(): Promise<void>;
}

export const helloOf = (id: string): WorkerHello => ({
  type: 'hello',
  node: {
    id,
    boot: 'b1',
    hostname: 'one',
    ip: '127.0.0.1',
    groups: ['web'],
    master: 0,
    slots: 4,
    version: '1',
  },
  runs: [{ job: 'j1', attempt: 1, pid: 12, progress: 0.5 }],
  draining: false,
});
const beat = (cpu: number): WorkerMessage => ({ type: 'beat', cpu, mem: 1, runs: [] });
const abortOf = (job: string): PrimaryMessage => ({
  type: 'abort',
  job,
  attempt: 1,
  kind: 'manual',
  reason: 'ünïcode',
});

/** One end of a link as a test sees it. */
export class LinkProbe<In> implements LinkHandlers<In> {
  readonly messages = new Collector<In>();
  readonly closed = new Collector<string>();

  onMessage(message: In): void {
    if (this.closed.values.length > 0) throw new Error('A message came after the close');
    this.messages.add(message);
  }

  onClose(reason: string): void {
    this.closed.add(reason);
  }
}

export interface PrimaryEnd {
  link: ChannelLink<PrimaryMessage>;
  hello: WorkerHello;
  probe: LinkProbe<WorkerMessage>;
}

/** Accepts links from now on; `next` resolves with the first. */
export function acceptOne(cluster: ClusterChannel): Deferred<PrimaryEnd> {
  const next = deferred<PrimaryEnd>();
  cluster.accept((link, hello) => {
    const probe = new LinkProbe<WorkerMessage>();
    next.resolve({ link, hello, probe });
    return probe;
  });
  return next;
}

async function linked({ cluster, worker, url }: ChannelSubject) {
  const accepted = acceptOne(cluster);
  const probe = new LinkProbe<PrimaryMessage>();
  const abort = new AbortController();
  const link = await worker.connect(url, probe, abort.signal);
  link.send(helloOf('n1'));
  return { primary: await accepted.promise, workerLink: link, workerProbe: probe, abort };
}

/** What every pair of channel ends must do; `open` makes a pair without an acceptor. */
export function channelConformance(name: string, open: () => Promise<ChannelSubject>): void {
  const withChannel = (body: (subject: ChannelSubject) => Promise<void>) => async (): Promise<void> => {
    const subject = await open();
    try {
      await body(subject);
    } finally {
      await subject.close();
    }
  };
  describe(`${name}: linking`, () => describeLinking(withChannel));
  describe(`${name}: closing`, () => describeClosing(withChannel));
}

type WithChannel = (body: (subject: ChannelSubject) => Promise<void>) => () => Promise<void>;

function describeLinking(withChannel: WithChannel): void {
  test(
    'a node that is not the primary refuses, also after it was the primary',
    withChannel(async ({ cluster, worker, url }) => {
      const { signal } = new AbortController();
      const refused = /not the primary/;
      await expect(worker.connect(url, new LinkProbe(), signal)).rejects.toThrow(refused);
      acceptOne(cluster);
      (await worker.connect(url, new LinkProbe(), signal)).close('seen enough');
      cluster.accept(undefined);
      await expect(worker.connect(url, new LinkProbe(), signal)).rejects.toThrow(refused);
    }),
  );

  test(
    'the hello opens the link, then messages pass in order both ways',
    withChannel(async (subject) => {
      const { primary, workerLink, workerProbe } = await linked(subject);
      expect(primary.hello).toEqual(helloOf('n1'));
      for (let n = 0; n < 100; n += 1) {
        workerLink.send(beat(n));
        primary.link.send(abortOf(`j${n}`));
      }
      await Promise.all([primary.probe.messages.reached(100), workerProbe.messages.reached(100)]);
      expect(primary.probe.messages.values).toEqual(Array.from({ length: 100 }, (_, n) => beat(n)));
      expect(workerProbe.messages.values).toEqual(Array.from({ length: 100 }, (_, n) => abortOf(`j${n}`)));
    }),
  );

  test(
    'what the primary sends while it takes the link in arrives',
    withChannel(async ({ cluster, worker, url }) => {
      cluster.accept((link) => {
        link.send({ type: 'welcome', term: 3 });
        return new LinkProbe<WorkerMessage>();
      });
      const probe = new LinkProbe<PrimaryMessage>();
      const link = await worker.connect(url, probe, new AbortController().signal);
      link.send(helloOf('n1'));
      await probe.messages.reached(1);
      expect(probe.messages.values).toEqual([{ type: 'welcome', term: 3 }]);
    }),
  );

  test(
    'a link whose first message is not a hello is closed and never shown',
    withChannel(async ({ cluster, worker, url }) => {
      let shown = 0;
      cluster.accept(() => {
        shown += 1;
        return new LinkProbe<WorkerMessage>();
      });
      const probe = new LinkProbe<PrimaryMessage>();
      const link = await worker.connect(url, probe, new AbortController().signal);
      link.send(beat(1));
      await probe.closed.reached(1);
      expect(probe.closed.values).toEqual(['invalid message: a hello was expected']);
      expect(shown).toBe(0);
    }),
  );

  test(
    'an aborted signal keeps a link from being opened',
    withChannel(async ({ cluster, worker, url }) => {
      acceptOne(cluster);
      await expect(worker.connect(url, new LinkProbe(), AbortSignal.abort())).rejects.toThrow();
    }),
  );
}

function describeClosing(withChannel: WithChannel): void {
  test.each(['worker', 'primary'] as const)('both ends learn once that the %s closed, and why', (side) =>
    withChannel(async (subject) => {
      const { primary, workerLink, workerProbe } = await linked(subject);
      const closer = side === 'worker' ? workerLink : primary.link;
      closer.close('a reason');
      closer.close('another reason');
      await Promise.all([primary.probe.closed.reached(1), workerProbe.closed.reached(1)]);
      workerLink.send(beat(1));
      primary.link.send(abortOf('j1'));
      workerLink.close('late');
      primary.link.close('late');
      expect(primary.probe.closed.values).toEqual(['a reason']);
      expect(workerProbe.closed.values).toEqual(['a reason']);
      expect(primary.probe.messages.values).toEqual([]);
      expect(workerProbe.messages.values).toEqual([]);
    })(),
  );

  test(
    'aborting the signal closes the link',
    withChannel(async (subject) => {
      const { primary, workerProbe, abort } = await linked(subject);
      abort.abort();
      await Promise.all([primary.probe.closed.reached(1), workerProbe.closed.reached(1)]);
      expect(workerProbe.closed.values).toEqual(['no longer wanted']);
    }),
  );

  test(
    'closeLinks closes all links and leaves the door open',
    withChannel(async (subject) => {
      const first = await linked(subject);
      const second = await linked(subject);
      subject.cluster.closeLinks('stepping down');
      await Promise.all([first.workerProbe.closed.reached(1), second.workerProbe.closed.reached(1)]);
      expect(first.workerProbe.closed.values).toEqual(['stepping down']);
      expect(second.workerProbe.closed.values).toEqual(['stepping down']);
      const third = await linked(subject);
      expect(third.primary.hello.node.id).toBe('n1');
    }),
  );

  test(
    'a link may be closed while it is taken in',
    withChannel(async ({ cluster, worker, url }) => {
      const primaryProbe = new LinkProbe<WorkerMessage>();
      cluster.accept((link) => {
        link.close('no room');
        return primaryProbe;
      });
      const probe = new LinkProbe<PrimaryMessage>();
      const link = await worker.connect(url, probe, new AbortController().signal);
      link.send(helloOf('n1'));
      await Promise.all([probe.closed.reached(1), primaryProbe.closed.reached(1)]);
      expect(probe.closed.values).toEqual(['no room']);
      expect(primaryProbe.closed.values).toEqual(['no room']);
    }),
  );
}
