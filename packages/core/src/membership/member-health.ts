/** Limits of silence, in milliseconds. */
export interface SilenceLimits {
  /** A worker unheard of for longer gets no new jobs, and its jobs show as `silent`. */
  silentAfterMs: number;
  /** A worker unheard of for longer has lost its jobs (setting `dead_job_timeout`). */
  lostAfterMs: number;
}

export type MemberHealth = 'alive' | 'silent' | 'lost';

/** What the time since the last sign of life means. */
export function memberHealth(quietMs: number, limits: SilenceLimits): MemberHealth {
  if (quietMs > limits.lostAfterMs) return 'lost';
  return quietMs > limits.silentAfterMs ? 'silent' : 'alive';
}
