import type { Session } from '../../session.js';

/** Tells a person who has changed a record by hand that files say otherwise, unless that was the change. */
export function noteManaged(
  session: Session,
  record: { managed_by?: string | undefined },
  changes: Readonly<Record<string, unknown>>,
): void {
  const { managed_by: managedBy } = record;
  if (!managedBy || Object.hasOwn(changes, 'managed_by')) return;
  session.note(`It is managed by the files of "${managedBy}": their next apply sets it back`);
}
