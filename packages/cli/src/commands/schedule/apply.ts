import { ApiError, type CarillonClient } from '@carillon/client';
import type { Change, Plan, Present, PresentRecord } from '../../declare/plan.js';
import type { KindName } from '../../declare/kinds.js';

/** What became of one change. */
export interface AppliedChange {
  change: Change;
  /** What the cluster said when it refused. */
  refusal?: string;
  warnings: readonly string[];
}

/** Everything of the cluster that a schedule is compared with. */
export async function readPresent(client: CarillonClient): Promise<Present> {
  const events: PresentRecord[] = [];
  for await (const event of client.schedule()) events.push(event);
  const [groups, categories, plugins] = await Promise.all([
    client.getServerGroups(),
    client.getCategories(),
    client.getPlugins(),
  ]);
  return { group: groups.rows, category: categories.rows, plugin: plugins.rows, event: events };
}

/**
 * Carries out the changes of a plan, one after the other, and tells of each. What the cluster refuses does not stop the
 * rest; throws UnreachableError and the like.
 */
export async function applyPlan(
  client: CarillonClient,
  plan: Pick<Plan, 'changes'>,
  onDone: (applied: AppliedChange) => void,
): Promise<AppliedChange[]> {
  const done: AppliedChange[] = [];
  for (const change of plan.changes) {
    let applied: AppliedChange;
    try {
      applied = { change, warnings: warningsOf(await client.call(callOf(change), change.request as never)) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      applied = { change, refusal: error.description, warnings: [] };
    }
    done.push(applied);
    onDone(applied);
  }
  return done;
}

const words = {
  group: 'server_group',
  category: 'category',
  plugin: 'plugin',
  event: 'event',
} as const satisfies Record<KindName, string>;

const callOf = ({ action, kind }: Change) => `${action}_${words[kind]}` as const;

function warningsOf(answer: object): string[] {
  const warnings: unknown = Reflect.get(answer, 'warnings');
  return Array.isArray(warnings) ? warnings.map(String) : [];
}
