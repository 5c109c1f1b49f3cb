/** What an event needs. */
export const event = (id: string) => ({
  id,
  title: id,
  enabled: 1,
  category: 'general',
  plugin: 'shellplug',
  target: 'allgrp',
});

/** What became of a call, and how long it took. */
export const settled = async (call: Promise<unknown>): Promise<{ outcome: string; afterMs: number }> => {
  const sinceMs = performance.now();
  const outcome = await call.then(
    () => 'answered',
    (error: unknown) => String(error),
  );
  return { outcome, afterMs: Math.round(performance.now() - sinceMs) };
};
