/** Everything that must not happen, in the words of the report. */
export const violationKinds = [
  'launch lost',
  'launch doubled',
  'launch not asked for',
  'process started twice',
  'write lost',
  'job without an end',
  'job ended twice',
  'success without a run',
  'success without its log',
  'write of a deposed primary',
] as const;
export type ViolationKind = (typeof violationKinds)[number];

export interface Violation {
  kind: ViolationKind;
  /** What exactly, for people. */
  about: string;
}

/** Groups items by a key, in their order. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
