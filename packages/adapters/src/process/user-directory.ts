import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { UserInfo } from '@carillon/core';

/**
 * Line of an account database by name or number: from the file, else from the system's name service (LDAP and the
 * like). Fields as the file has them; undefined when unknown.
 */
async function findEntry(
  database: 'passwd' | 'group',
  key: string,
  numberField: number,
): Promise<string[] | undefined> {
  if (!/^[\w.@+-]+$/.test(key) || key.startsWith('-')) return undefined;
  const field = /^\d+$/.test(key) ? numberField : 0;
  const text = await readFile(`/etc/${database}`, 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    if (fields.length > numberField && fields[field] === key) return fields;
  }
  const answer = await nameService(database, key);
  const fields = answer.split('\n', 1)[0]?.split(':') ?? [];
  return fields[field] === key ? fields : undefined;
}

function nameService(database: string, key: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('getent', [database, key], { timeout: 5000 }, (error, stdout) => {
      resolve(error === null ? stdout : '');
    });
  });
}

/** User by name or number; undefined when there is none. */
export async function findUser(user: string | number): Promise<UserInfo | undefined> {
  const fields = await findEntry('passwd', String(user), 2);
  if (fields === undefined) return undefined;
  const [username = '', , uid, gid, , home = '/', shell = ''] = fields;
  return { uid: Number(uid), gid: Number(gid), username, home, shell: shell === '' ? '/bin/sh' : shell };
}

/** Group id by name or number; undefined when there is none. */
export async function findGroup(group: string | number): Promise<number | undefined> {
  const fields = await findEntry('group', String(group), 2);
  return fields === undefined ? undefined : Number(fields[2]);
}
