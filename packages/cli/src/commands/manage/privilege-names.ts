import { privileges, restrictions } from '@carillon/contract';
import { UsageError } from '../../failures.js';
import { nearestName } from '../../nearest.js';

const known = [...Object.keys(privileges), ...Object.keys(restrictions)];

/**
 * The names, as they are. Throws UsageError for one that is neither a privilege nor a restriction of the contract, nor
 * `cat_ID` or `grp_ID`: the API stores any name, and a misspelt one gives nothing.
 */
export function checkPrivileges(names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (known.includes(name) || /^(?:cat|grp)_./.test(name)) continue;
    const near = nearestName(name, known);
    const hint =
      near === undefined ? `there are ${known.join(', ')}, cat_ID and grp_ID` : `did you mean ${near}?`;
    throw new UsageError(`No privilege: ${name} (${hint})`);
  }
  return names;
}
