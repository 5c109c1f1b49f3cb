import { CarillonError } from '@carillon/contract';

/** 1 or 0 by name; a fresh object whose keys are all names of privileges. Throws CarillonError `api` for others. */
export function storedPrivileges(privileges: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(privileges);
  if (entries.some(([name]) => !/^\w{1,80}$/.test(name) || name === '__proto__')) {
    throw new CarillonError('api', 'Malformed parameter value: privileges');
  }
  return Object.fromEntries(entries.map(([name, value]) => [name, value ? 1 : 0]));
}
