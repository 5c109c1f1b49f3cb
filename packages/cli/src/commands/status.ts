import { ApiError, type CarillonClient } from '@carillon/client';
import type { Command } from 'commander';
import { UsageError } from '../failures.js';
import { formatPairs } from '../format/table.js';
import type { Action, CommandRun } from '../session.js';
import { serverState } from './manage/server.js';

/** `status`, `scheduler` and `step-down`. */
export function addStatusCommands(program: Command, run: CommandRun): void {
  program
    .command('status')
    .description('the primary, the scheduler, servers, active jobs and events in numbers')
    .action(run.action(showStatus));
  program
    .command('scheduler [on|off]')
    .description('switch the scheduler on or off, or tell which; jobs can be run by hand in any case')
    .action(run.action(switchScheduler));
  program
    .command('step-down')
    .description('let another node become primary; jobs go on')
    .option('--quiet <seconds>', 'time before this node competes again (5)')
    .action(run.action(stepDown));
}

/** Servers by state; undefined when only administrators may know. */
async function countServers(client: CarillonClient): Promise<Map<string, number> | undefined> {
  try {
    const { servers } = await client.getServers();
    return countBy(Object.values(servers).map((server) => serverState(server)));
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function inWords(counts: ReadonlyMap<string, number>): string | number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
  return total === 0 ? 0 : `${total} (${parts})`;
}

const showStatus: Action = async (session) => {
  const { client } = session;
  const { state } = await client.getMasterState();
  const [active, schedule, servers] = await Promise.all([
    client.getActiveJobs(),
    client.getSchedule({ limit: 1 }),
    countServers(client),
  ]);
  const jobs = Object.values(active.jobs);
  const byState = countBy(jobs.map((job) => job.state));
  if (session.json) {
    return session.printJson({
      primary: client.url,
      enabled: state.enabled,
      ...(servers === undefined ? {} : { servers: Object.fromEntries(servers) }),
      jobs: { total: jobs.length, ...Object.fromEntries(byState) },
      events: schedule.list.length,
    });
  }
  session.print(
    formatPairs([
      ['primary', client.url],
      ['scheduler', state.enabled === 1 ? 'on' : 'off'],
      ['servers', servers === undefined ? undefined : inWords(servers)],
      ['active jobs', inWords(byState)],
      ['events', schedule.list.length],
    ]),
  );
};

/** Done when another node, or this one again, answers as primary. */
const stepDown: Action = async (session) => {
  const { client, options } = session;
  const quiet = options.count('quiet', 5);
  await client.getMasterState();
  const before = client.url;
  const { term } = await client.stepDown({ quiet });
  // A node alone needs all of it, and then some time to take office.
  await client.getMasterState({}, { deadlineMs: (quiet + 10) * 1000 });
  if (session.json) return session.printJson({ term, before, primary: client.url });
  const outcome = client.url === before ? 'answers again, or a node behind it does' : 'is the primary now';
  session.print(`${before} has stepped down; ${client.url} ${outcome}`);
};

const switchScheduler: Action = async (session, wanted) => {
  if (wanted !== undefined && wanted !== 'on' && wanted !== 'off') {
    throw new UsageError(`Say on or off: ${wanted}`);
  }
  if (wanted !== undefined) await session.client.updateMasterState({ enabled: wanted === 'on' ? 1 : 0 });
  const { enabled } = (await session.client.getMasterState()).state;
  if (session.json) return session.printJson({ enabled });
  session.print(`The scheduler is ${enabled === 1 ? 'on' : 'off'}`);
};
