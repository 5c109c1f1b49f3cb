import { CarillonError } from '@carillon/contract';
import { callEntries, type CallEntry } from './calls/index.js';

const areas: ReadonlySet<string> = new Set(['app', 'user']);

/**
 * The call a path names: `/api/app/NAME` or `/api/user/NAME`, with any version segment or none (behaviour reference 1.1). Case counts.
 * Throws CarillonError with code 1 for anything else.
 */
export function findEntry(path: string): CallEntry {
  const [, , area = '', name = ''] = path.split('/', 4);
  if (!/^[a-z]\w*$/.test(area) || (areas.has(area) && name === '')) {
    throw new CarillonError(1, `Invalid API URL: ${path}`);
  }
  if (!areas.has(area)) throw new CarillonError(1, `Unsupported API: ${area}`);
  const entry = callEntries.get(area === 'user' ? `user_${name}` : name);
  if (entry === undefined || (entry.call.area ?? 'app') !== area) {
    throw new CarillonError(1, `Unsupported API: ${area}/api_${name}`);
  }
  return entry;
}
