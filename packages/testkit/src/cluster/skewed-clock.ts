/**
 * Environment of a Node process, and of those it starts, whose wall clock is ahead of that of the machine; below 0 it
 * is behind. Everything in the process that asks for the time is told so, timers go on as they do.
 */
export function skewedClock(aheadMs: number): Record<string, string> {
  const source = `
    const True = Date;
    globalThis.Date = class Date extends True {
      constructor(...parts) {
        if (parts.length === 0) super(True.now() + ${aheadMs});
        else super(...parts);
      }
      static now() {
        return True.now() + ${aheadMs};
      }
    };
  `;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}
