import { ApiError, type CarillonClient, type ScheduledEvent } from '@carillon/client';
import { CommandError, UsageError } from './failures.js';
import { printable } from './format/table.js';
import { distanceOf } from './nearest.js';

/**
 * The event a person means: by id, by exact title, or by the only title or id that starts with the text (upper and
 * lower case alike). Throws CommandError with candidates or similar titles when there is not exactly one.
 */
export async function findEvent(client: CarillonClient, text: string): Promise<ScheduledEvent> {
  if (text.trim() === '') throw new UsageError('Give the id or title of an event');
  const exact =
    (/^\w{1,64}$/.test(text) ? await lookUp(client, { id: text }) : undefined) ??
    (await lookUp(client, { title: text }));
  if (exact !== undefined) return exact;

  const events: ScheduledEvent[] = [];
  for await (const event of client.schedule()) events.push(event);
  const wanted = text.toLowerCase();
  const starting = events.filter(
    (event) => event.title.toLowerCase().startsWith(wanted) || event.id.toLowerCase().startsWith(wanted),
  );
  const [only] = starting;
  if (only !== undefined && starting.length === 1) return only;
  if (starting.length > 1) {
    throw new CommandError(`${starting.length} events start with "${text}":\n${describe(starting)}`);
  }
  const similar = events
    .map((event) => ({ event, distance: distanceOf(wanted, event.title.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .map(({ event }) => event);
  const contained = events.filter((event) => event.title.toLowerCase().includes(wanted));
  const candidates = [...new Set([...similar, ...contained])];
  const hint =
    candidates.length === 0 ? 'See: carillon event list' : `Did you mean:\n${describe(candidates)}`;
  throw new CommandError(`No event with the id or title "${text}". ${hint}`);
}

async function lookUp(
  client: CarillonClient,
  by: { id: string } | { title: string },
): Promise<ScheduledEvent | undefined> {
  try {
    return (await client.getEvent(by)).event;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'event') return undefined;
    throw error;
  }
}

const mostShown = 5;

function describe(events: readonly ScheduledEvent[]): string {
  const lines = events.slice(0, mostShown).map((event) => `  ${event.id}  ${printable(event.title)}`);
  if (events.length > mostShown) lines.push(`  and ${events.length - mostShown} more`);
  return lines.join('\n');
}
