import { clock } from './services.js';

/** Rejects with the signal's reason when it is aborted, at once when it is already; otherwise stays open. */
export function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    onAbort(signal, () => reject(signal.reason as Error));
  });
}

/** Calls `listener` once when the signal is aborted, at once when it is already. Answers how to listen no more. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** Resolves when the promise is settled, either way, or after `limitMs`. */
export function settled(promise: Promise<unknown>, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(limitMs, resolve);
    const finish = (): void => {
      cancel();
      resolve();
    };
    promise.then(finish, finish);
  });
}
