import type { Type as TypeBox } from 'typebox';

/** The builders that are in use; a test compares each with the library's own. */
type Builders = Pick<
  typeof TypeBox,
  | 'Array'
  | 'Boolean'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unknown'
>;
type Schema = Readonly<Record<string, unknown>>;

/** Marks of Optional, as on TypeBox's own a hidden property: copies of a schema are without. */
const optional = new WeakSet<Schema>();

const plain =
  (keywords: Schema) =>
  (options?: Schema): Schema => ({ ...keywords, ...options });

function object(properties: Readonly<Record<string, Schema>>, options?: Schema): Schema {
  const required = Object.keys(properties).filter((name) => !optional.has(properties[name] ?? {}));
  return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
}

function marked(schema: Schema): Schema {
  const copy = { ...schema };
  optional.add(copy);
  return copy;
}

const builders = {
  Array: (items: Schema, options?: Schema) => ({ type: 'array', items, ...options }),
  Boolean: plain({ type: 'boolean' }),
  Integer: plain({ type: 'integer' }),
  Literal: (value: unknown, options?: Schema) => ({ type: typeof value, const: value, ...options }),
  Null: plain({ type: 'null' }),
  Number: plain({ type: 'number' }),
  Object: object,
  Optional: marked,
  Record: (key: Schema, value: Schema, options?: Schema) => ({
    type: 'object',
    patternProperties: { [String(key['pattern'] ?? '^.*$')]: value },
    ...options,
  }),
  String: plain({ type: 'string' }),
  Union: (anyOf: readonly Schema[], options?: Schema) => ({ anyOf, ...options }),
  Unknown: plain({}),
} satisfies Record<keyof Builders, unknown>;

/**
 * Schemas with their static types: TypeBox's types, for schemas that are plain JSON Schema. Loading TypeBox itself
 * costs each process 370 modules and 10 MB for functions that are not used; the types cost nothing.
 */
export const Type = builders as unknown as Builders;
