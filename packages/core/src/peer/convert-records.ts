import {
  type ApiKeyRecord,
  apiKeySettings,
  type CategoryRecord,
  categorySettings,
  type PluginParam,
  type PluginRecord,
  pluginSettings,
  type ServerGroupRecord,
  type UserRecord,
} from '@carillon/contract';
import { userIdOf } from '../accounts/user-name.js';
import {
  flagOf,
  countOf,
  type PeerRecord,
  pickStorable,
  shown,
  stampsOf,
  textOf,
  titleOf,
} from './peer-fields.js';

/** What is taken as it is; all other settings are looked at one by one. */
const {
  title: _catTitle,
  enabled: _catEnabled,
  max_children: _children,
  ...plainCategory
} = categorySettings;
const { cwd, uid, gid } = pluginSettings;

/** The category as it is stored. */
export function convertCategory(record: PeerRecord): CategoryRecord {
  const { fields } = record;
  return {
    ...pickStorable(plainCategory, record),
    id: textOf(fields, 'id'),
    title: titleOf(record),
    enabled: fields['enabled'] === undefined ? 1 : flagOf(fields['enabled']),
    max_children: countOf(fields['max_children']),
    ...stampsOf(fields),
    ...creatorOf(fields),
  };
}

/** The server group as it is stored. */
export function convertServerGroup(record: PeerRecord): ServerGroupRecord {
  const { fields } = record;
  return {
    id: textOf(fields, 'id'),
    title: titleOf(record),
    regexp: textOf(fields, 'regexp'),
    master: flagOf(fields['master']),
  };
}

/** The key's record: of the key itself only the digest is kept, so that the same key works. */
export function convertApiKey(record: PeerRecord, sha256: (text: string) => string): ApiKeyRecord {
  const { fields } = record;
  const { description } = pickStorable({ description: apiKeySettings.description }, record);
  return {
    id: textOf(fields, 'id'),
    title: titleOf(record),
    ...(typeof description === 'string' ? { description } : {}),
    key_hash: sha256(textOf(fields, 'key')),
    active: flagOf(fields['active']),
    privileges: privilegesOf(record),
    ...stampsOf(fields),
    ...creatorOf(fields),
  };
}

/** Privileges by name, 1 or 0. */
export function privilegesOf({ fields, what, findings }: PeerRecord): Record<string, 0 | 1> {
  const given = fields['privileges'];
  const entries = Object.entries(typeof given === 'object' && given !== null ? given : {});
  const usable = entries.filter(([name]) => /^\w{1,80}$/.test(name) && name !== '__proto__');
  if (usable.length < entries.length)
    findings.add('changed', what, 'privileges with unusable names are left out');
  return Object.fromEntries(usable.map(([name, value]): [string, 0 | 1] => [name, flagOf(value)]));
}

/** Hashes that are still known here, as far as they can be checked in reasonable time. */
const knownHash = /^(?:\$2[aby]\$(?:0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}|[0-9a-f]{64})$/i;

/** The user with the same name, rights and password. */
export function convertUser(record: PeerRecord): UserRecord {
  const { fields, what, findings } = record;
  const username = textOf(fields, 'username');
  const [password, salt] = [textOf(fields, 'password'), textOf(fields, 'salt')];
  if (!knownHash.test(password)) {
    findings.add('changed', what, 'the password cannot be taken over: a new one has to be set');
  } else if (salt === 'salty') {
    findings.add('check', what, 'the password may be the one that Cronicle ships with: change it');
  }
  return {
    id: userIdOf(username),
    username,
    full_name: textOf(fields, 'full_name').replaceAll(/[<>]/g, '').trim() || username,
    email: textOf(fields, 'email').replaceAll(/[<>\s]/g, ''),
    active: flagOf(fields['active']),
    privileges: privilegesOf(record),
    password: knownHash.test(password) ? password : '',
    salt,
    ...stampsOf(fields),
    ...(fields['force_password_reset'] ? { force_password_reset: 1 } : {}),
  };
}

/** What ships with both: the program of Cronicle, with its directory or without, and what does the same here. */
const shipped = /^(?:\S*\/)?bin\/(shell|url|test)-plugin\.js$/;

/** The plugin as it is stored, with a command that means the same here. */
export function convertPlugin(record: PeerRecord): PluginRecord {
  const { fields } = record;
  const settings = pickStorable({ cwd, uid, gid }, record);
  const environment = environmentOf(record);
  const user = textOf(fields, 'uid');
  if (user !== '' && user !== '0' && user !== 'root') {
    record.findings.add(
      'check',
      record.what,
      `its jobs run as ${user}: workers must be started as root, and know that user`,
    );
  }
  return {
    ...settings,
    ...(environment === undefined ? {} : { env: environment }),
    id: textOf(fields, 'id'),
    title: titleOf(record),
    enabled: fields['enabled'] === undefined ? 1 : flagOf(fields['enabled']),
    command: commandOf(record),
    params: paramsOf(record),
    ...stampsOf(fields),
    ...creatorOf(fields),
  };
}

function commandOf({ fields, what, findings }: PeerRecord): string {
  const command = textOf(fields, 'command').trim();
  const name = shipped.exec(command)?.[1];
  if (name !== undefined) return `builtin:${name}`;
  const [program = ''] = command.split(/\s/, 1);
  if (program.startsWith('/')) {
    findings.add('check', what, `its program must be on every worker that runs it: ${program}`);
  } else if (program.includes('/')) {
    findings.add(
      'check',
      what,
      `its program is named by a path below the directory of Cronicle: ${program}. Put it on every worker and give the whole path`,
    );
  } else {
    findings.add(
      'check',
      what,
      `its program must be found in the PATH of every worker that runs it: ${program}`,
    );
  }
  return command;
}

function environmentOf({ fields, what, findings }: PeerRecord): Record<string, string> | undefined {
  const given = fields['env'];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const entries = Object.entries(given).filter(([, value]) => value !== null && typeof value !== 'object');
  if (entries.length < Object.keys(given).length) {
    findings.add('changed', what, 'variables of its environment that are no text are left out');
  }
  return Object.fromEntries(entries.map(([name, value]): [string, string] => [name, String(value)]));
}

/** Parameter definitions; what the peer's own plugins get wrong is put right (behaviour reference 13 #26). */
function paramsOf(record: PeerRecord): PluginParam[] {
  const given = record.fields['params'];
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    record.findings.add('changed', record.what, 'its parameters cannot be read and are left out');
    return [];
  }
  const seen = new Set<string>();
  return given.flatMap((item: unknown): PluginParam[] => {
    const param = paramOf(item, record);
    if (param === undefined || seen.has(param.id)) {
      record.findings.add('changed', record.what, `a parameter is left out: ${shown(item)}`);
      return [];
    }
    seen.add(param.id);
    return [param];
  });
}

function paramOf(item: unknown, { what, findings }: PeerRecord): PluginParam | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const fields: Record<string, unknown> = structuredClone({ ...item });
  delete fields['__proto__'];
  const { id, type } = fields;
  if (typeof id !== 'string' || !/^\w{1,64}$/.test(id)) return undefined;
  if (typeof type !== 'string' || !/^\w{1,64}$/.test(type)) return undefined;
  if (type !== 'hidden' && textOf(fields, 'title') === '') {
    fields['title'] = id;
    findings.add('changed', what, `the parameter ${id} has no title and gets its id as one`);
  }
  for (const count of ['size', 'rows']) {
    if (fields[count] === undefined) continue;
    const number = countOf(fields[count]);
    if (number >= 1 && number <= 10_000) fields[count] = number;
    else delete fields[count];
  }
  if (type === 'checkbox') fields['value'] = flagOf(fields['value']);
  else if (typeof fields['value'] === 'boolean') fields['value'] = String(fields['value']);
  else if (fields['value'] === null) delete fields['value'];
  if (Array.isArray(fields['items'])) {
    fields['items'] = (fields['items'] as unknown[]).filter((one) => one !== '').map(String);
  }
  return { ...fields, id, type };
}

/** The user who made it. Keys stand in the records of the peer in clear and are dealt with by the caller. */
function creatorOf(fields: Readonly<Record<string, unknown>>): { username?: string } {
  const name = textOf(fields, 'username');
  return /^[\w\-.]{1,128}$/.test(name) ? { username: name } : {};
}
