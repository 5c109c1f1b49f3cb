import type { TObject, TProperties, TSchema } from 'typebox';
import { compileSchema } from './compile-schema.js';

/** What `typeof` may say about a value. */
export type TypeName = 'string' | 'number' | 'boolean' | 'object';

/** One parameter of a call, ready to be checked. */
export interface FieldRule {
  readonly name: string;
  readonly required: boolean;
  /** Without the null some fields admit. Undefined: any type. */
  readonly types: ReadonlySet<TypeName> | undefined;
  readonly isValid: (value: unknown) => boolean;
}

/** The parts of a JSON schema that tell which types it admits. */
interface SchemaShape {
  type?: string;
  const?: unknown;
  anyOf?: readonly SchemaShape[];
}

const known = new WeakMap<object, readonly FieldRule[]>();

/** The rules of a parameter object, in the order of its properties; made once for each schema. */
export function fieldRules(params: TObject<TProperties>): readonly FieldRule[] {
  const found = known.get(params);
  if (found !== undefined) return found;
  const required = new Set<string>(params.required ?? []);
  const rules = Object.entries(params.properties).map(([name, schema]) => ({
    name,
    required: required.has(name),
    types: typesOf(schema),
    isValid: compileSchema(schema),
  }));
  known.set(params, rules);
  return rules;
}

function typesOf(schema: TSchema): ReadonlySet<TypeName> | undefined {
  const types = new Set<TypeName>();
  return collectTypes(schema as SchemaShape, types) ? types : undefined;
}

/** Adds the types a schema admits, null aside; false when it admits all. */
function collectTypes(schema: SchemaShape, into: Set<TypeName>): boolean {
  if (schema.anyOf !== undefined) {
    let closed = true;
    for (const option of schema.anyOf) closed = collectTypes(option, into) && closed;
    return closed;
  }
  const name = schema.type ?? (schema.const === undefined ? undefined : typeof schema.const);
  switch (name) {
    case 'string':
    case 'boolean':
      into.add(name);
      return true;
    case 'number':
    case 'integer':
      into.add('number');
      return true;
    case 'object':
    case 'array':
      into.add('object');
      return true;
    case 'null':
      // Null alone does not make other objects a matter of value: they are still of the wrong type.
      return true;
    default:
      return false;
  }
}
