import type { Random } from '../ports/random.js';
import type { NodeLoad } from './candidates.js';
import type { Member } from './types.js';

export interface PickContext {
  random: Random;
  loads: ReadonlyMap<string, NodeLoad>;
  /** Next index of the round robin of the event. */
  robin: number;
}

export interface Pick {
  member: Member;
  /** Next index of the round robin, when it moved. */
  robin?: number;
}

type Algorithm = (candidates: readonly [Member, ...Member[]], context: PickContext) => Pick;

const leastBy =
  (measure: (member: Member, load: NodeLoad) => number): Algorithm =>
  (candidates, context) => {
    const weigh = (member: Member): number =>
      measure(member, context.loads.get(member.id) ?? { jobs: 0, cpu: 0, mem: 0 });
    let [best] = candidates;
    for (const member of candidates) {
      if (weigh(member) < weigh(best)) best = member;
    }
    return { member: best };
  };

const random: Algorithm = (candidates, context) => ({
  member: candidates[context.random.integer(candidates.length)] ?? candidates[0],
});

const algorithms = new Map<string, Algorithm>([
  ['random', random],
  [
    'round_robin',
    (candidates, { robin }) => {
      const index = robin >= 0 && robin < candidates.length ? robin : 0;
      return { member: candidates[index] ?? candidates[0], robin: index + 1 };
    },
  ],
  ['least_cpu', leastBy((member, load) => member.cpu + load.cpu)],
  ['least_mem', leastBy((member, load) => member.mem + load.mem)],
  ['prefer_first', (candidates) => ({ member: candidates[0] })],
  ['prefer_last', (candidates) => ({ member: candidates.at(-1) ?? candidates[0] })],
]);

/** True for a value that `algo` may have; `multiplex` and '' mean `random` (behaviour reference 5.3). */
export const isAlgorithm = (name: string): boolean =>
  algorithms.has(name) || name === 'multiplex' || name === '';

/**
 * One of the candidates, which come in name order (behaviour reference 5.3). Ties of the least loaded go to
 * the first by name. Any name that is not an algorithm, among them `multiplex` without the flag of that name,
 * counts as `random`.
 */
export function pickMember(
  algo: string,
  candidates: readonly [Member, ...Member[]],
  context: PickContext,
): Pick {
  return (algorithms.get(algo) ?? random)(candidates, context);
}
