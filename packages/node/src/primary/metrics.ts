import { measureRedis } from '@carillon/adapters';
import type { Cancel, Clock } from '@carillon/core';
import type { Primary } from '@carillon/primary';
import { clusterFamilies } from '../metrics/cluster-families.js';
import { exposition } from '../metrics/exposition.js';
import { gauge } from '../metrics/instruments.js';
import { PrimaryMeter } from '../metrics/primary-meter.js';
import { ProcessMeter } from '../metrics/process-meter.js';

/** The metrics of a node: what it counts, and how they are written. */
export class NodeMetrics {
  /** For the primary. */
  readonly meter: PrimaryMeter;
  readonly #process: ProcessMeter;
  readonly #clock: Clock;
  readonly #version: string;

  constructor(clock: Clock, version: string) {
    this.meter = new PrimaryMeter(clock);
    this.#process = new ProcessMeter(clock);
    this.#clock = clock;
    this.#version = version;
  }

  /** Measures the event loop, until cancelled, and the answers of Redis on this connection. */
  watch(redis: Parameters<typeof measureRedis>[0]): Cancel {
    measureRedis(redis, this.#clock, (tookMs, failed) => this.#process.onReply(tookMs, failed));
    return this.#process.start();
  }

  /**
   * In the text format of Prometheus. What a node counts is there on each; the state of the cluster is told by the
   * primary alone, so that nothing is counted twice.
   */
  text(primary: Primary): string {
    const office = primary.office();
    const labels = { version: this.#version };
    return exposition([
      gauge('carillon_build_info', 'Version of this node; always 1', [{ labels, value: 1 }]),
      gauge('carillon_is_primary', 'Whether this node is the primary', office === undefined ? 0 : 1),
      ...(office === undefined
        ? []
        : [
            gauge('carillon_term', 'Term of the primary; grows with each change', office.session.term),
            ...clusterFamilies(office.state, [...office.servers.list().values()]),
          ]),
      ...this.meter.families(),
      ...this.#process.families(),
    ]);
  }
}
