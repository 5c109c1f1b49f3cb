import type { SendResult } from '@carillon/core';

export type SendFailure = Extract<SendResult, { sent: false }>;

export const aborted: SendFailure = {
  sent: false,
  code: 'aborted',
  description: 'The attempt was broken off',
  retryable: true,
};

export const timedOut = (limitMs: number): SendFailure => ({
  sent: false,
  code: 'timeout',
  description: `No answer within ${limitMs} ms`,
  retryable: true,
});

/**
 * An attempt that cannot hang: `run` gets a signal that aborts when the given one does or when the time is over.
 * Whatever `run` does then, the answer is `aborted` or `timeout`; what it rejects with before is told by `explain`.
 */
export async function attempt(
  signal: AbortSignal,
  limitMs: number,
  run: (signal: AbortSignal) => Promise<SendResult>,
  explain: (error: unknown) => SendFailure,
): Promise<SendResult> {
  if (signal.aborted) return aborted;
  const cut = new AbortController();
  const onAbort = (): void => cut.abort();
  signal.addEventListener('abort', onAbort);
  const timer = setTimeout(onAbort, limitMs);
  const isCut = new Promise<SendFailure>((resolve) => {
    cut.signal.addEventListener('abort', () => resolve(signal.aborted ? aborted : timedOut(limitMs)));
  });
  try {
    return await Promise.race([
      run(cut.signal).catch((error: unknown) => (cut.signal.aborted ? isCut : explain(error))),
      isCut,
    ]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
