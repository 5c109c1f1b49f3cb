import type { CallAnswer } from '@carillon/contract';
import type { Command } from 'commander';
import { UsageError } from '../failures.js';
import { formatPairs } from '../format/table.js';
import type { Action, CommandRun } from '../session.js';

/** `status`, `scheduler` and `step-down`. */
export function addStatusCommands(program: Command, run: CommandRun): void {
  program
    .command('status')
    .description('the primary, Redis, the scheduler, servers, active jobs and events in numbers')
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

const showStatus: Action = async (session) => {
  const status = await session.client.status();
  const { primary, store, servers, versions, enabled, jobs, events } = status;
  const total = Object.values(jobs).reduce((sum, count) => sum + count, 0);
  if (session.json) {
    const { code: _code, ...facts } = status as typeof status & { code?: number };
    return session.printJson({
      ...facts,
      primary: primary.url,
      term: primary.term,
      jobs: { total, ...jobs },
    });
  }
  const parts = Object.entries(jobs).map(([name, count]) => `${count} ${name}`);
  session.print(
    formatPairs([
      ['primary', primary.url],
      ['term', primary.term],
      ['version', status.version],
      ['store', store.ready === 1 ? `ready (${store.latency_ms} ms)` : 'NOT READY: nothing can be written'],
      ['scheduler', enabled === 1 ? 'on' : 'off'],
      ['servers', serversText(servers)],
      ['their versions', Object.keys(versions).join(', ') || 'none'],
      ['active jobs', total === 0 ? 0 : `${total} (${parts.join(', ')})`],
      ['events', `${events} (${status.events_enabled} enabled)`],
      ['deliveries', status.deliveries_waiting],
    ]),
  );
};

function serversText({ total, ready, ...others }: CallAnswer<'status'>['servers']): string {
  const parts = Object.entries({ ready, ...others }).filter(([, count]) => count > 0);
  return total === 0 ? '0' : `${total} (${parts.map(([name, count]) => `${count} ${name}`).join(', ')})`;
}
/** Done when another node, or this one again, answers as primary. */
const stepDown: Action = async (session) => {
  const { client, options } = session;
  const quiet = options.count('quiet', 5);
  const before = (await client.status()).primary.url;
  const { term } = await client.stepDown({ quiet });
  // A node alone needs all of it, and then some time to take office.
  await client.getMasterState({}, { deadlineMs: (quiet + 10) * 1000 });
  // The client's own address may be that of a load balancer, which stays the same.
  const primary = (await client.status()).primary.url;
  if (session.json) return session.printJson({ term, before, primary });
  session.print(
    `${before} has stepped down; ${primary} is the primary${primary === before ? ' again' : ' now'}`,
  );
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
