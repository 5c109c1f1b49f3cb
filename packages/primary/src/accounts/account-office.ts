import type { OfficeContext } from '../office/context.js';
import type { Journal } from '../office/journal.js';

/** What the services for accounts need of the office. */
export type AccountOffice = Pick<OfficeContext, 'state' | 'clock' | 'settings' | 'random' | 'newId'> & {
  journal: Pick<Journal, 'commit'>;
};

/** Where a request comes from, as far as it can be told; informative. */
export interface Origin {
  ip: string;
  useragent: string;
}
