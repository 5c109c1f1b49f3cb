/** Durations and delays, so that tests can move time by hand. */
export interface Timer {
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Calls once after `delayMs`; the returned function cancels, harmlessly when it is too late. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemTimer: Timer = {
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return () => clearTimeout(handle);
  },
};

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it is aborted. */
export function delay(timer: Timer, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = timer.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Runs something with a signal that is aborted by `outer`, and with `reason` after `limitMs`; without a limit with `outer`
 * itself.
 */
export async function withTimeLimit<T>(
  timer: Timer,
  outer: AbortSignal,
  limit: { limitMs: number | undefined; reason: () => Error },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (limit.limitMs === undefined) return run(outer);
  outer.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(outer.reason);
  outer.addEventListener('abort', onAbort, { once: true });
  const cancel = timer.after(limit.limitMs, () => controller.abort(limit.reason()));
  try {
    return await run(controller.signal);
  } finally {
    cancel();
    outer.removeEventListener('abort', onAbort);
  }
}
