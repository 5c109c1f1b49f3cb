import type { CarillonClient, Job } from '@carillon/client';
import type { CallParams } from '@carillon/contract';
import type { Command } from 'commander';
import { exitCodes } from '../failures.js';
import { noteUnknownSettings } from '../event-settings.js';
import { findEvent } from '../find-event.js';
import { finalLine, isSuccess } from '../format/job-text.js';
import { printable } from '../format/table.js';
import { collect, readValue } from '../options.js';
import type { Action, CommandRun, Session } from '../session.js';
import { WatchScreen } from './watch-screen.js';

/** `run`. */
export function addRunCommand(program: Command, run: CommandRun): void {
  program
    .command('run <event>')
    .description('start a job for an event now; EVENT is an id, a title or how one of them starts')
    .option('--param <name=value>', 'parameter of the plugin for this job; may be repeated', collect)
    .option('--set <name=value>', 'any other setting for this job; JSON or text; may be repeated', collect)
    .option('--target <group|host>', 'server group or host name for this job')
    .option('-w, --watch', 'wait for the end: log on standard output; exit code 1 when the job fails')
    .action(run.action(runEvent));
}

const runEvent: Action = async (session, text = '') => {
  const { client, options } = session;
  const params = Object.fromEntries(options.pairs('param'));
  const settings = Object.fromEntries(
    [...options.pairs('set')].map(([name, value]): [string, unknown] => [name, readValue(value)]),
  );
  const target = options.text('target');
  const event = await findEvent(client, text);
  const request = {
    ...settings,
    id: event.id,
    ...(target === undefined ? {} : { target }),
    ...(Object.keys(params).length === 0 ? {} : { params }),
  };
  // As with events: whether the settings fit the schema is for the server to say.
  const { ids, queue } = await client.runEvent(request as CallParams<'run_event'>);
  noteUnknownSettings(session, 'run_event');
  const queued = queue === undefined ? '' : `, ${queue} in the queue`;
  if (!options.flag('watch')) {
    if (session.json) return session.printJson({ ids, ...(queue === undefined ? {} : { queue }) });
    for (const id of ids) session.print(`Started job ${id} (${printable(event.title)})${queued}`);
    return;
  }
  for (const id of ids) session.note(`Started job ${id} (${printable(event.title)})${queued}`);
  const jobs = await watchAll(session, client, ids);
  if (session.json) session.printJson(jobs);
  return jobs.every((job) => isSuccess(job.code)) ? exitCodes.ok : exitCodes.failure;
};

/** Several jobs (an event on all servers of a group) are watched together, each line with its job's id. */
async function watchAll(session: Session, client: CarillonClient, ids: readonly string[]): Promise<Job[]> {
  const { io } = session;
  const screen = new WatchScreen(io, { quiet: session.json, prefixed: ids.length > 1 });
  const options = io.signal === undefined ? {} : { signal: io.signal };
  try {
    return await Promise.all(
      ids.map(async (id) => {
        const job = await client.watchJob(id, screen.handlersFor(id), options);
        screen.finish(job, finalLine(job));
        return job;
      }),
    );
  } catch (error) {
    if (io.signal?.aborted === true) session.note(`Stopped watching; the job goes on: ${ids.join(', ')}`);
    throw error;
  } finally {
    screen.close();
  }
}
