import type { ScalarTag } from 'yaml';
import { reasonOf } from '../failures.js';
import { isObject } from './canonical.js';

/** Where values that are not written into the file itself come from. */
export interface ValueSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Text of a file that `from` refers to. Throws when there is none, or when it is outside the directory. */
  readText(path: string, from: string): string;
}

class Reference {
  readonly source: 'env' | 'file';
  readonly name: string;

  constructor(source: 'env' | 'file', name: string) {
    this.source = source;
    this.name = name;
  }
}

const tagOf = (source: 'env' | 'file'): ScalarTag => ({
  tag: `!${source}`,
  resolve: (text) => new Reference(source, text.trim()),
});

/** `!env NAME` is the value of an environment variable, `!file PATH` the text of a file. */
export const valueTags: ScalarTag[] = [tagOf('env'), tagOf('file')];

type Place = readonly (string | number)[];

export interface ResolvedValues {
  value: unknown;
  secrets: ReadonlySet<string>;
  faults: { place: Place; message: string }[];
}

/** Puts the values of references in their place. Values of the environment are secrets. */
export function resolveValues(item: unknown, file: string, sources: ValueSources): ResolvedValues {
  const secrets = new Set<string>();
  const faults: ResolvedValues['faults'] = [];
  const read = (value: unknown, place: Place): unknown => {
    if (value instanceof Reference) {
      try {
        if (value.source === 'env') secrets.add(placeName(place));
        return value.source === 'env' ? readEnv(value.name, sources.env) : sources.readText(value.name, file);
      } catch (error) {
        faults.push({ place, message: reasonOf(error) });
        return undefined;
      }
    }
    if (Array.isArray(value)) return value.map((inner, index) => read(inner, [...place, index]));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, read(inner, [...place, key])]),
    );
  };
  return { value: read(item, []), secrets, faults };
}

/** The field, and the key inside it: what a plan shows a line for. */
const placeName = (place: Place): string => place.slice(0, 2).join('.');

function readEnv(name: string, env: ValueSources['env']): string {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value === undefined) throw new Error(`The environment variable ${name} is not set`);
  return value;
}
