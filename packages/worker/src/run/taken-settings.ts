import { apiCalls, compileSchema } from '@carillon/contract';

const { id: _id, ...changeable } = apiCalls.update_job.params.properties;
const { log_expire_days } = apiCalls.update_event.params.properties;
const properties = { ...changeable, log_expire_days };
const checks = new Map(Object.entries(properties).map(([name, schema]) => [name, compileSchema(schema)]));

/**
 * Of settings that the primary sends for a running job those that `update_job` can change, and how long its log is kept,
 * as far as they are well formed. The rest, such as its command, is not the primary's to change any more, and is left out.
 */
export function takenSettings(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => checks.get(name)?.(value) === true),
  );
}
