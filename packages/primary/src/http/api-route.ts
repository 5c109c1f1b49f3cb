import { CarillonError } from '@carillon/contract';
import { callEntries, type CallEntry } from './calls/index.js';

/**
 * The call a path names: `/api/app/NAME`, with any version segment or none (behaviour reference 1.1). Case counts.
 * Throws CarillonError with code 1 for anything else.
 */
export function findEntry(path: string): CallEntry {
  const [, , area = '', name = ''] = path.split('/', 4);
  if (!/^[a-z]\w*$/.test(area) || (area === 'app' && name === '')) {
    throw new CarillonError(1, `Invalid API URL: ${path}`);
  }
  if (area !== 'app') throw new CarillonError(1, `Unsupported API: ${area}`);
  const entry = callEntries.get(name);
  if (entry === undefined) throw new CarillonError(1, `Unsupported API: app/api_${name}`);
  return entry;
}
