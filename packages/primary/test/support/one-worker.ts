import type { Primary } from '../../src/index.js';
import { admin, newEvent, officeOf, OfficeWorld, type TestWorker } from './office-world.js';

/** One primary, `p1`, with one worker, `w1`. */
export async function oneWorker(): Promise<{ world: OfficeWorld; primary: Primary; worker: TestWorker }> {
  const world = new OfficeWorld();
  const primary = await world.primary('p1');
  const worker = await world.worker('w1', 'p1');
  return { world, primary, worker };
}

/** Creates an event without timing and runs it once. Answers the job. */
export async function launch(primary: Primary, fields: Parameters<typeof newEvent>[0] = {}): Promise<string> {
  const office = officeOf(primary);
  const id = await office.createEvent(newEvent({ timing: false, ...fields }), admin);
  return (await office.launch({ event: id, overrides: {}, now: 5 })).ids[0] ?? '';
}
