import { bareSuccess } from '../../reply/reply.js';
import { type CallContext, type CallHandlers, textParam } from '../call-context.js';

/** Calls about the servers that run jobs (behaviour reference 2.3). */
export const serverCalls: CallHandlers = {
  get_servers: ({ office }) =>
    JSON.stringify({ code: 0, servers: Object.fromEntries(office.servers.list()) }),

  restart_server: (context) => drain(context, true),
  shutdown_server: (context) => drain(context, false),

  remove_server: async ({ office, params, caller }) => {
    await office.servers.remove(textParam(params, 'hostname'), caller);
    return bareSuccess;
  },
};

async function drain({ office, params, caller }: CallContext, restart: boolean): Promise<string> {
  const { grace } = params;
  const graceSec = typeof grace === 'number' ? grace : undefined;
  await office.servers.drain(textParam(params, 'hostname'), { restart, graceSec }, caller);
  return bareSuccess;
}
