import type { DeliveryQueue } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { Collector, deferred } from '../deferred.js';

export interface DeliveryQueueSubject {
  queue: DeliveryQueue;
  /** Ends everything the subject started. */
  close(): Promise<void>;
}

/** What every implementation of DeliveryQueue must do; `open` makes an empty one. */
export function deliveryQueueConformance(name: string, open: () => Promise<DeliveryQueueSubject>): void {
  const withQueue = (body: (queue: DeliveryQueue) => Promise<void>) => async (): Promise<void> => {
    const subject = await open();
    try {
      await body(subject.queue);
    } finally {
      await subject.close();
    }
  };

  describe(`${name}: deliveries`, () => {
    test(
      'hints arrive, also those that were there before anyone listened',
      withQueue(async (queue) => {
        const seen = new Collector<string>();
        await queue.addDelivery('d1');
        queue.consumeDeliveries(async (id) => seen.add(id), 2);
        await seen.reached(1);
        await queue.addDelivery('d2');
        await seen.reached(2);
        expect(seen.values).toEqual(['d1', 'd2']);
      }),
    );

    test(
      'adding a hint that is still queued changes nothing; one that was handled may be added again',
      withQueue(async (queue) => {
        const seen = new Collector<string>();
        for (const id of ['d1', 'd1', 'd2']) await queue.addDelivery(id);
        const consumer = queue.consumeDeliveries(async (id) => seen.add(id), 1);
        await seen.reached(2);
        await consumer.close();
        expect(seen.values.toSorted()).toEqual(['d1', 'd2']);
        await queue.addDelivery('d1');
        queue.consumeDeliveries(async (id) => seen.add(id), 1);
        await seen.reached(3);
        expect(seen.values[2]).toBe('d1');
      }),
    );

    test(
      'a rejected hint comes again, and holds up no other meanwhile',
      withQueue(async (queue) => {
        const seen = new Collector<string>();
        const otherSeen = deferred();
        queue.consumeDeliveries(async (id) => {
          seen.add(id);
          if (id === 'd2') otherSeen.resolve();
          if (id === 'd1' && seen.values.filter((value) => value === 'd1').length < 3) {
            throw new Error('not now');
          }
        }, 1);
        await queue.addDelivery('d1');
        await queue.addDelivery('d2');
        await otherSeen.promise;
        await seen.reached(4);
        expect(seen.values.toSorted()).toEqual(['d1', 'd1', 'd1', 'd2']);
      }),
    );

    test(
      'no more are handled at one time than allowed, and as many are',
      withQueue(async (queue) => {
        const seen = new Collector<string>();
        const bothBusy = deferred();
        let busy = 0;
        let most = 0;
        queue.consumeDeliveries(async (id) => {
          busy += 1;
          most = Math.max(most, busy);
          if (busy === 2) bothBusy.resolve();
          await bothBusy.promise;
          busy -= 1;
          seen.add(id);
        }, 2);
        for (let n = 0; n < 8; n += 1) await queue.addDelivery(`d${n}`);
        await seen.reached(8);
        expect(most).toBe(2);
      }),
    );

    test(
      'close waits for the handler in progress, and leaves the rest to the next consumer',
      withQueue(async (queue) => {
        const seen: string[] = [];
        const started = deferred();
        const end = deferred();
        const consumer = queue.consumeDeliveries(async (id) => {
          started.resolve();
          await end.promise;
          seen.push(id);
        }, 1);
        await queue.addDelivery('d1');
        await started.promise;
        await queue.addDelivery('d2');
        const closed = consumer.close().then(() => seen.push('closed'));
        end.resolve();
        await closed;
        expect(seen).toEqual(['d1', 'closed']);
        const later = new Collector<string>();
        queue.consumeDeliveries(async (id) => later.add(id), 1);
        await later.reached(1);
        expect(later.values).toEqual(['d2']);
      }),
    );
  });
}
