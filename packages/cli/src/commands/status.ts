import type { Command } from 'commander';
import { UsageError } from '../failures.js';
import { formatPairs } from '../format/table.js';
import type { Action, CommandRun } from '../session.js';

/** `status` and `scheduler`. */
export function addStatusCommands(program: Command, run: CommandRun): void {
  program
    .command('status')
    .description('the primary, the scheduler, active jobs and events in numbers')
    .action(run.action(showStatus));
  program
    .command('scheduler [on|off]')
    .description('switch the scheduler on or off, or tell which; jobs can be run by hand in any case')
    .action(run.action(switchScheduler));
}

const showStatus: Action = async (session) => {
  const { client } = session;
  const { state } = await client.getMasterState();
  const [active, schedule] = await Promise.all([client.getActiveJobs(), client.getSchedule({ limit: 1 })]);
  const byState = new Map<string, number>();
  for (const job of Object.values(active.jobs)) byState.set(job.state, (byState.get(job.state) ?? 0) + 1);
  const total = Object.keys(active.jobs).length;
  if (session.json) {
    return session.printJson({
      primary: client.url,
      enabled: state.enabled,
      jobs: { total, ...Object.fromEntries(byState) },
      events: schedule.list.length,
    });
  }
  const parts = [...byState].map(([name, count]) => `${count} ${name}`).join(', ');
  session.print(
    formatPairs([
      ['primary', client.url],
      ['scheduler', state.enabled === 1 ? 'on' : 'off'],
      ['active jobs', total === 0 ? 0 : `${total} (${parts})`],
      ['events', schedule.list.length],
    ]),
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
