import { Ajv } from 'ajv';
import type { Static, TSchema } from 'typebox';

/** One compiler for all wire schemas. Not strict: unions of types and tuples are what the wire needs. */
const ajv = new Ajv({ strict: false, allErrors: false, addUsedSchema: false, ownProperties: true });

/**
 * A checker for values of a schema, compiled at its first use. The checker never throws and never changes the
 * value; keys of the prototype count neither as present nor as unknown.
 */
export function compileSchema<S extends TSchema>(schema: S): (value: unknown) => value is Static<S> {
  let check: ((value: unknown) => boolean) | undefined;
  return (value: unknown): value is Static<S> => {
    check ??= ajv.compile(schema);
    return check(value);
  };
}
