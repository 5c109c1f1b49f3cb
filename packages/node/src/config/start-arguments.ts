import { meantHint } from './nearest-name.js';
import { type SettingName, settingNames, settingOf } from './tables/settings.js';

/** What the options of `carillon start` and `carillon config` say. */
export type StartArguments =
  /** Variables to put over the environment. */
  | { readonly kind: 'settings'; readonly env: Readonly<Record<string, string>> }
  /** `--help` was given. */
  | { readonly kind: 'help'; readonly text: string }
  /** Not understood; `message` says what and, where possible, what was meant. Exit code 2. */
  | { readonly kind: 'error'; readonly message: string };

const byOption = new Map<string, SettingName>(
  settingNames.flatMap((name): [string, SettingName][] => {
    const { option } = settingOf(name);
    return option === undefined ? [] : [[option, name]];
  }),
);

/**
 * Reads `--option value` and `--option=value`, each at most once. Values are checked by `loadConfig`, so that one
 * message names all that is wrong.
 */
export function parseStartArguments(argv: readonly string[]): StartArguments {
  const env = new Map<string, string>();
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--help' || argument === '-h') return { kind: 'help', text: startHelp() };
    const equals = argument.indexOf('=');
    const option = equals < 0 ? argument : argument.slice(0, equals);
    const name = byOption.get(option);
    if (name === undefined) return { kind: 'error', message: unknownMessage(option) };
    let value = equals < 0 ? undefined : argument.slice(equals + 1);
    if (value === undefined) {
      index += 1;
      value = argv[index];
      if (value === undefined || byOption.has(value))
        return { kind: 'error', message: missingMessage(option, name) };
    }
    if (value === '') return { kind: 'error', message: missingMessage(option, name) };
    if (env.has(name)) return { kind: 'error', message: `Option ${option} is given twice` };
    env.set(name, value);
  }
  return { kind: 'settings', env: Object.fromEntries(env) };
}

function unknownMessage(option: string): string {
  if (!option.startsWith('-')) return `Unexpected argument: ${option}`;
  const secret = settingNames.find((name) => settingOf(name).secret && optionLike(name) === option);
  if (secret !== undefined) return `${option}: secrets are not taken from the command line; set ${secret}`;
  return `Unknown option: ${option}${meantHint(option, [...byOption.keys(), '--help'])}`;
}

const optionLike = (name: SettingName): string =>
  `--${name.slice('CARILLON_'.length).toLowerCase().replaceAll('_', '-')}`;

function missingMessage(option: string, name: SettingName): string {
  return `Option ${option} needs a value: ${settingOf(name).expects}`;
}

/** Text of `carillon start --help`. */
export function startHelp(): string {
  const options = [...byOption].map(([option, name]) => ({ option, setting: settingOf(name), name }));
  const width = Math.max(...options.map(({ option }) => option.length));
  const lines = options.map(({ option, setting, name }) => {
    const preset = setting.preset === undefined ? '' : ` Default: ${setting.preset}.`;
    return `  ${option.padEnd(width)}  ${firstSentence(setting.about)}${preset}\n  ${' '.repeat(width)}  ${name}`;
  });
  return [
    'Usage: carillon start [options]',
    '',
    'Starts a node: API, scheduler and worker in one, unless --roles says otherwise.',
    '',
    ...lines,
    '',
    'Each option can be given as the variable below it; secrets only so: CARILLON_CLUSTER_SECRET,',
    'CARILLON_BOOTSTRAP_API_KEY.',
  ].join('\n');
}

const firstSentence = (text: string): string =>
  (/^.*?[.:;](?=\s|$)/.exec(text)?.[0] ?? text).replace(/[:;]$/, '.');
