import { jobScript, type JobShape } from './job-script.js';

/** An event of a soak, as it is created. */
export interface SoakEvent {
  readonly id: string;
  /** What lanes do with it beside changing its notes. */
  readonly use: 'scheduled' | 'switched' | 'asked' | 'aborted' | 'chained';
  readonly fields: Readonly<Record<string, unknown>>;
}

type Shape = Omit<JobShape, 'path'>;

/**
 * Events of all kinds: `each` of every scheduled kind, due every minute, and some on demand. Their jobs write to the
 * file at `path`.
 */
export function soakEvents(path: string, each: number): SoakEvent[] {
  const event = (
    id: string,
    use: SoakEvent['use'],
    shape: Shape,
    more: Record<string, unknown>,
  ): SoakEvent => ({
    id,
    use,
    fields: {
      ...(use === 'scheduled' || use === 'switched' ? { timing: {} } : {}),
      ...(shape.retries === undefined ? {} : { retries: shape.retries }),
      params: { script: jobScript({ path, ...shape }) },
      ...more,
    },
  });
  const kinds: [string, SoakEvent['use'], Shape, Record<string, unknown>][] = [
    ['plain', 'scheduled', { lastsMs: 0 }, {}],
    ['lasting', 'scheduled', { lastsMs: 4_000 }, {}],
    ['retried', 'scheduled', { lastsMs: 100, retries: 2, fails: true }, { retry_delay: 1 }],
    ['detached', 'scheduled', { lastsMs: 5_000 }, { detached: 1 }],
    ['catchup', 'scheduled', { lastsMs: 300 }, { catch_up: 1 }],
    ['queued', 'scheduled', { lastsMs: 700 }, { max_children: 1, queue: 1 }],
    ['wide', 'scheduled', { lastsMs: 200 }, { multiplex: 1, stagger: 1 }],
    ['leading', 'scheduled', { lastsMs: 200 }, { chain: 'follower' }],
    ['switched', 'switched', { lastsMs: 0 }, {}],
  ];
  const scheduled = kinds.flatMap(([name, use, shape, more]) =>
    Array.from({ length: each }, (_, n) => event(`${name}${n + 1}`, use, shape, more)),
  );
  return [
    event('follower', 'chained', { lastsMs: 0 }, {}),
    ...scheduled,
    event('quick', 'asked', { lastsMs: 0 }, {}),
    event('tough', 'asked', { lastsMs: 300, retries: 3 }, { retry_delay: 0 }),
    event('alone', 'asked', { lastsMs: 200 }, { max_children: 1, queue: 1 }),
    event('apart', 'asked', { lastsMs: 3_000 }, { detached: 1 }),
    event('slow', 'aborted', { lastsMs: 8_000 }, {}),
  ];
}
