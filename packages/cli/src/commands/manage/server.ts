import type { CallAnswer } from '@carillon/contract';
import type { Command } from 'commander';
import { formatBytes, formatDuration, formatTime } from '../../format/quantities.js';
import { type Column, formatPairs, formatTable } from '../../format/table.js';
import { tableWidth } from '../../format/width.js';
import type { Action, CommandRun } from '../../session.js';
import { findRecord } from './find-record.js';

type Server = CallAnswer<'get_servers'>['servers'][string];

/** `server list|show|drain|remove`, and `drain`. */
export function addServerCommands(program: Command, run: CommandRun): void {
  const server = program.command('server').description('the servers that run jobs');
  server.command('list').description('list servers and their load').action(run.action(listServers));
  server
    .command('show <server>')
    .description('one server, by host name, id or how one of them starts')
    .action(run.action(showServer));
  addDrain(server, run);
  addDrain(program, run);
  server
    .command('remove <servers...>')
    .description('forget servers that are not connected and have no jobs')
    .action(run.action(removeServers));
}

/** As one of the commands of servers, and alone. */
function addDrain(parent: Command, run: CommandRun): void {
  parent
    .command('drain <servers...>')
    .description('let servers, by host name or id, finish their jobs and end')
    .option('--restart', 'start their workers anew afterwards')
    .option('--grace <seconds>', 'time for running jobs; the rest is aborted (setting of the server)')
    .action(run.action(drainServers));
}

const columns: Column<Server>[] = [
  { title: 'SERVER', value: (server) => server.hostname, cut: true },
  { title: 'ID', value: (server) => server.id },
  { title: 'STATE', value: serverState },
  { title: 'JOBS', value: (server) => server.active_jobs, right: true },
  { title: 'SLOTS', value: (server) => server.slots || 'any', right: true },
  { title: 'UP', value: (server) => formatDuration(server.uptime), right: true },
  { title: 'MEMORY', value: (server) => formatBytes(server.data.mem), right: true },
  { title: 'GROUPS', value: (server) => server.groups.join(', '), cut: true },
];

/** `ready`, or what keeps it from taking jobs. */
export function serverState(server: Server): string {
  if (server.health !== 'alive') return server.health;
  if (server.disabled === 1) return 'disconnected';
  return server.draining === 1 ? 'draining' : 'ready';
}

const listServers: Action = async (session) => {
  const servers = Object.values((await session.client.getServers()).servers);
  if (session.json) return session.printJson(servers);
  if (servers.length === 0) session.note('No server has registered: start one with: carillon start');
  else session.print(formatTable(servers, columns, tableWidth(session.io)));
};

const showServer: Action = async (session, text = '') => {
  const servers = Object.values((await session.client.getServers()).servers);
  const named = servers.map((server) => ({ ...server, title: server.hostname }));
  const { title: _title, ...server } = findRecord(named, 'server', text);
  if (session.json) return session.printJson(server);
  session.print(
    formatPairs([
      ['server', server.hostname],
      ['id', server.id],
      ['address', server.ip],
      ['state', serverState(server)],
      ['primary', server.master === 1 ? 'its node can be primary' : 'no'],
      ['groups', server.groups.join(', ')],
      ['jobs', server.active_jobs],
      ['slots', server.slots || 'any'],
      ['up', formatDuration(server.uptime)],
      ['cpu', `${Math.round(server.data.cpu)}%`],
      ['memory', formatBytes(server.data.mem)],
      ['known since', formatTime(server.created, session.io.timeZone)],
    ]),
  );
};

const drainServers: Action = async (session, ...hostnames) => {
  const { client, options } = session;
  const restart = options.flag('restart');
  const grace = options.text('grace') === undefined ? {} : { grace: options.count('grace', 0) };
  for (const hostname of new Set(hostnames)) {
    if (restart) await client.restartServer({ hostname, ...grace });
    else await client.shutdownServer({ hostname, ...grace });
    if (!session.json) session.print(`Draining ${hostname}${restart ? ', which then starts anew' : ''}`);
  }
  if (session.json) session.printJson({ servers: hostnames });
};

const removeServers: Action = async (session, ...hostnames) => {
  for (const hostname of new Set(hostnames)) {
    await session.client.removeServer({ hostname });
    if (!session.json) session.print(`Removed ${hostname}`);
  }
  if (session.json) session.printJson({ servers: hostnames });
};
