import type { ImportWish } from '../../../transfer/import-service.js';
import { bareSuccess } from '../../reply/reply.js';
import { type CallHandlers, fromStore, textParam } from '../call-context.js';

/** Calls that take everything out of a cluster, or put it in. */
export const transferCalls: CallHandlers = {
  begin_export: async ({ office, caller }) =>
    JSON.stringify({ code: 0, ...(await office.exports.begin(caller)) }),

  read_export: async (context) => {
    const { office, params } = context;
    const position = textParam(params, 'position');
    const { lines, next } = await fromStore(
      context,
      office.exports.read(textParam(params, 'export'), position),
    );
    const rest = next === undefined ? '' : `,"next":${JSON.stringify(next)}`;
    return `{"code":0,"lines":[${lines.join(',')}]${rest}}`;
  },

  begin_import: ({ office }) => JSON.stringify({ code: 0, import: office.imports.begin() }),

  add_to_import: async (context) => {
    const { office, params } = context;
    const lines = Array.isArray(params['lines']) ? (params['lines'] as unknown[]) : [];
    const part = Number(params['part']);
    await fromStore(context, office.imports.add(textParam(params, 'import'), part, lines));
    return bareSuccess;
  },

  finish_import: async ({ office, params, caller }) => {
    const answer = await office.imports.finish(textParam(params, 'import'), wishOf(params), caller);
    return JSON.stringify({ code: 0, ...answer });
  },
};

function wishOf(params: Readonly<Record<string, unknown>>): ImportWish {
  const existing = params['existing'];
  return {
    parts: Number(params['parts']),
    source: textParam(params, 'source'),
    dryRun: params['dry_run'] === true,
    existing: existing === 'keep' || existing === 'replace' ? existing : 'refuse',
    paused: params['paused'] === true,
    catchUp: params['catch_up'] !== false,
    partial: params['partial'] === true,
  };
}
