import type { ScheduledEvent } from '@carillon/client';
import type { CrontabEvent } from '@carillon/core';
import { normaliseTiming } from '../format/timing.js';

/** What to do for one event of a crontab. */
export interface ImportStep {
  action: 'create' | 'update' | 'skip';
  event: CrontabEvent;
  /** The event of the schedule that has the same title. */
  existing?: ScheduledEvent;
}

/**
 * Compares the events of crontabs with the schedule, by title. What is there with the same timing, time zone and script
 * is skipped, so that an import can be repeated. Titles that come more than once among the crontabs are
 * numbered, in the order given.
 */
export function planImport(
  wanted: readonly CrontabEvent[],
  schedule: readonly ScheduledEvent[],
): ImportStep[] {
  const byTitle = new Map<string, ScheduledEvent>();
  // Newest first: of several events with one title the newest counts, as for the API.
  for (const event of schedule) if (!byTitle.has(event.title)) byTitle.set(event.title, event);
  const used = new Set<string>();
  return wanted.map((given) => {
    const event = { ...given, title: freeTitle(given.title, used) };
    used.add(event.title);
    const existing = byTitle.get(event.title);
    if (existing === undefined) return { action: 'create', event };
    return { action: isSame(event, existing) ? 'skip' : 'update', event, existing };
  });
}

function freeTitle(title: string, used: ReadonlySet<string>): string {
  if (!used.has(title)) return title;
  for (let number = 2; ; number += 1) {
    const numbered = `${title} (${number})`;
    if (!used.has(numbered)) return numbered;
  }
}

function isSame(event: CrontabEvent, existing: ScheduledEvent): boolean {
  return (
    timingKey(event.timing) === timingKey(existing.timing) &&
    (event.timezone === undefined || event.timezone === existing.timezone) &&
    existing.params['script'] === event.script
  );
}

/** Equal for timings that mean the same. */
const timingKey = (timing: unknown): string =>
  typeof timing === 'object' && timing !== null ? JSON.stringify(normaliseTiming(timing)) : 'on demand';
