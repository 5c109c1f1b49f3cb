import type { Cancel, Clock } from '@carillon/core';
import { Counter, type Family, gauge, Histogram } from './instruments.js';

const lagBounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const replyBounds = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const lagEveryMs = 100;

/** What is measured of the process itself, whatever its part in the cluster is. */
export class ProcessMeter {
  readonly #clock: Clock;
  readonly #lag = new Histogram(
    'carillon_event_loop_lag_seconds',
    'How much later than asked for a timer of ten a second came',
    lagBounds,
  );
  readonly #replies = new Histogram(
    'carillon_redis_reply_seconds',
    'From a command to its answer by Redis, on the connection that the node waits for',
    replyBounds,
  );
  readonly #replyFailures = new Counter(
    'carillon_redis_failures_total',
    'Commands to Redis that failed or were not answered in time',
  );

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches the event loop until cancelled. */
  start(): Cancel {
    let cancel: Cancel = () => undefined;
    const arm = (): void => {
      const dueMs = this.#clock.monotonicMs() + lagEveryMs;
      cancel = this.#clock.after(lagEveryMs, () => {
        this.#lag.observe(Math.max(0, this.#clock.monotonicMs() - dueMs) / 1000);
        arm();
      });
    };
    arm();
    return () => cancel();
  }

  onReply(tookMs: number, failed: boolean): void {
    if (failed) this.#replyFailures.add(1);
    else this.#replies.observe(tookMs / 1000);
  }

  families(): Family[] {
    return [this.#lag.family(), this.#replies.family(), this.#replyFailures.family(), ...processFamilies()];
  }
}

/** The names that Prometheus' own clients use. */
function processFamilies(): Family[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const cpu = new Counter('process_cpu_seconds_total', 'Processor time of the node');
  cpu.add((user + system) / 1_000_000);
  return [
    cpu.family(),
    gauge('process_resident_memory_bytes', 'Resident memory of the node', rss),
    gauge('nodejs_heap_size_used_bytes', 'Memory of the node that JavaScript objects take', heapUsed),
    gauge('process_uptime_seconds', 'For how long the process runs', process.uptime()),
  ];
}
