import type { Static } from 'typebox';
import { isValid } from './tables/check-value.js';
import { meantHint } from './nearest-name.js';
import {
  foreignNames,
  isSettingName,
  type Reading,
  type SettingName,
  settingNames,
  settingOf,
  settings,
} from './tables/settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value that the environment gives a setting, of the type of its schema; undefined when not given or bad. */
export type Given = <Name extends SettingName>(
  name: Name,
) => Static<(typeof settings)[Name]['schema']> | undefined;

/**
 * Checks every `CARILLON_…` variable; adds a sentence to `problems` for each unknown or bad one. An empty variable
 * counts as not given, so that compose files may pass variables on.
 */
export function readEnvironment(env: Environment, problems: string[]): Given {
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith('CARILLON_') || isSettingName(name) || foreignNames.includes(name)) continue;
    problems.push(`${name}: unknown setting${meantHint(name, settingNames)}`);
  }
  const given: Given = (name) => {
    const schema: (typeof settings)[typeof name]['schema'] = settings[name].schema;
    const value = readText(textOf(env, name), settings[name].reading);
    return isValid(schema, value) ? value : undefined;
  };
  for (const name of settingNames) {
    const text = textOf(env, name);
    if (text === '' || given(name) !== undefined) continue;
    const { expects, secret, credentials } = settingOf(name);
    const shown = secret || credentials ? 'something else' : quote(withoutPasswords(text));
    problems.push(`${name}: expected ${expects}, got ${shown}`);
  }
  return given;
}

const textOf = (env: Environment, name: SettingName): string =>
  Object.hasOwn(env, name) ? (env[name] ?? '').trim() : '';

function readText(text: string, reading: Reading): unknown {
  if (text === '') return undefined;
  switch (reading) {
    case 'text':
      return text;
    case 'lower-case text':
      return text.toLowerCase();
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case 'list':
      return [
        ...new Set(
          text
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== ''),
        ),
      ];
  }
}

/** A URL that was given in the wrong place, or wrongly written, may hold a password all the same. */
const withoutPasswords = (text: string): string =>
  text.replace(/(:\/\/[^/?#]*?:)[^/]*@/g, '$1********@').replace(/(password=)[^&]*/gi, '$1********');

/** Short enough for one line of a message. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
