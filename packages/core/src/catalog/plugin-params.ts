import { CarillonError, type PluginParam } from '@carillon/contract';

const refusal = (text: string) => new CarillonError('plugin', text);
const metacharacters = /[<>]/;
const word = /^\w+$/;

/**
 * The parameter definitions of a plugin, as they are stored. Checked as behaviour reference 2.3 says, except that what the
 * peer's own plugins hold is accepted (13 #26): numbers where a text is expected, `text` without a size, `hidden` without
 * a title; a checkbox may be a boolean and becomes 0 or 1. Types that are no known ones are kept unchecked. Throws
 * CarillonError `plugin` with a text that names the parameter.
 */
export function checkPluginParams(value: unknown): PluginParam[] {
  if (!value) throw refusal('Plugin params object not present.');
  if (!Array.isArray(value)) throw refusal('Plugin params is not an array.');
  const seen = new Set<string>();
  return value.map((item: unknown) => {
    const param = checkParam(item);
    if (seen.has(param.id)) throw refusal(`Plugin Parameter ID is used twice: ${param.id}`);
    seen.add(param.id);
    return param;
  });
}

function checkParam(item: unknown): PluginParam {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw refusal('Plugin Parameter is not an object.');
  }
  const fields: Record<string, unknown> = structuredClone({ ...item });
  delete fields['__proto__'];
  const id = fields['id'];
  if (typeof id !== 'string' || !word.test(id) || id.length > 64) {
    throw refusal('Plugin Parameter ID is invalid (must be alphanumeric).');
  }
  const type = fields['type'];
  if (typeof type !== 'string' || !word.test(type) || type.length > 64) {
    throw refusal(`Plugin Parameter Type is invalid (must be alphanumeric): ${id}`);
  }
  const title = checkTitle(fields['title'], type, id);
  const param: PluginParam = { ...fields, id, type };
  if (title === undefined) delete param.title;
  checkers.get(type)?.(param);
  return param;
}

function checkTitle(title: unknown, type: string, id: string): string | undefined {
  if (title === undefined || title === null || title === '') {
    if (type === 'hidden') return undefined;
    throw refusal(`Plugin Parameter Title is missing: ${id}`);
  }
  if (typeof title !== 'string') throw refusal(`Plugin Parameter Title is not a string: ${id}`);
  if (metacharacters.test(title)) {
    throw refusal(`Plugin Parameter Title contains HTML metacharacters: ${id}`);
  }
  return title;
}

/** By type. They may put the value into the form it is stored in. */
const checkers = new Map<string, (param: PluginParam) => void>([
  ['text', checkText],
  ['textarea', checkTextArea],
  ['checkbox', checkBox],
  ['hidden', checkPlainValue],
  ['select', checkSelect],
]);

function checkText(param: PluginParam): void {
  checkCount(param, 'size');
  checkPlainValue(param);
}

function checkTextArea(param: PluginParam): void {
  checkCount(param, 'rows');
  checkScalar(param);
}

function checkSelect(param: PluginParam): void {
  checkItems(param);
  checkPlainValue(param);
}

function checkCount(param: PluginParam, name: 'size' | 'rows'): void {
  const value: unknown = param[name];
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 10_000) {
    throw refusal(`Plugin Parameter ${name} is invalid (must be a number, at least 1): ${param.id}`);
  }
}

function checkScalar(param: PluginParam): void {
  const { value } = param;
  if (value === undefined || typeof value === 'string') return;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw refusal(`Plugin Parameter Value is not a string: ${param.id}`);
  }
}

function checkPlainValue(param: PluginParam): void {
  checkScalar(param);
  if (typeof param.value === 'string' && metacharacters.test(param.value)) {
    throw refusal(`Plugin Parameter Value contains HTML metacharacters: ${param.id}`);
  }
}

function checkBox(param: PluginParam): void {
  const { value } = param;
  if (value !== undefined && value !== 0 && value !== 1 && typeof value !== 'boolean') {
    throw refusal(`Plugin Parameter Value is invalid (must be 1 or 0): ${param.id}`);
  }
  param.value = value ? 1 : 0;
}

function checkItems(param: PluginParam): void {
  const items: unknown = param.items;
  if (!Array.isArray(items) || items.length === 0) {
    throw refusal(`Plugin Parameter Items is not a list, or is empty: ${param.id}`);
  }
  for (const item of items as unknown[]) {
    if (typeof item !== 'string' || item === '' || metacharacters.test(item)) {
      throw refusal(`Plugin Parameter Items holds something that is no plain text: ${param.id}`);
    }
  }
}

/** Variables that decide which programs a job finds, what they load or who they think they are. */
const decisive: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'SHELL',
  'USER',
  'USERNAME',
  'LOGNAME',
  'PWD',
  'TMPDIR',
  'IFS',
  'ENV',
  'BASH_ENV',
  'NODE_OPTIONS',
  'NODE_PATH',
  'PYTHONPATH',
  'PYTHONHOME',
  'CARILLON',
  'CRONICLE',
]);
const decisivePrefix = /^(?:LD_|DYLD_|JOB_|CARILLON_)/;

/**
 * Warnings about parameters whose environment variable replaces one that the job needs (behaviour reference 6.2). They
 * are accepted, since plugins of the peer may have them and work.
 */
export function paramWarnings(params: readonly PluginParam[]): string[] {
  return params
    .map(({ id }) => ({ id, variable: id.toUpperCase() }))
    .filter(({ variable }) => decisive.has(variable) || decisivePrefix.test(variable))
    .map(
      ({ id, variable }) =>
        `Parameter '${id}' replaces ${variable} in the environment of the jobs. Another name is safer.`,
    );
}
