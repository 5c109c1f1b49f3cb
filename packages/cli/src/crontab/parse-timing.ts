import { CarillonError, type Timing } from '@carillon/contract';
import { parseCrontabExpression } from '@carillon/core';
import { UsageError } from '../failures.js';

/**
 * The timing of a crontab expression as people type it (behaviour reference 4.9); `h` depends on the title.
 * Throws UsageError.
 */
export function parseTiming(expression: string, title: string): Timing {
  try {
    return parseCrontabExpression(expression, title);
  } catch (error) {
    if (error instanceof CarillonError) throw new UsageError(error.message);
    throw error;
  }
}
