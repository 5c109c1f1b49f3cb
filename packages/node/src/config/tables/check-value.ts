import { Ajv } from 'ajv';
import type { Static, TSchema } from 'typebox';
import { isNetwork } from './protection-settings.js';

const ajv = new Ajv({ allowUnionTypes: true, formats: { network: isNetwork } });

/** Whether a value meets a schema, as a type guard. Compiles the schema once. */
export function isValid<T extends TSchema>(schema: T, value: unknown): value is Static<T> {
  return ajv.validate(schema, value);
}
