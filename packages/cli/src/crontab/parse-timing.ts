import { CarillonError, type Timing } from '@carillon/contract';
import { parseCrontabExpression } from '@carillon/core';
import { UsageError } from '../failures.js';

const fewestFields = 5;
const mostFields = 6;

/**
 * The timing of a crontab expression as people type it (behaviour reference 4.9): five fields, a sixth for years, or a
 * keyword; `h` depends on the title. Forgotten fields and values out of range, which the reference would take, are a slip
 * here. Throws UsageError for these, and for what a timing cannot say.
 */
export function parseTiming(expression: string, title: string): Timing {
  const fields = expression.trim().split(/\s+/);
  try {
    if (expression.trim().startsWith('@')) return parseCrontabExpression(expression, title);
    if (fields.length < fewestFields || fields.length > mostFields) {
      throw new UsageError(
        `Not five fields (minute, hour, day of month, month, weekday) and maybe a year: ${expression}`,
      );
    }
    const typed = fields.slice(0, fewestFields).map((field) => (field.toLowerCase() === 'h' ? '*' : field));
    const { days, weekdays } = parseCrontabExpression(typed.join(' '), title, true);
    if (days !== undefined && weekdays !== undefined) {
      throw new UsageError(
        `Crontab means the day of the month or the weekday, a timing both together: make two events of ${expression}`,
      );
    }
    return parseCrontabExpression(expression, title);
  } catch (error) {
    if (error instanceof CarillonError) throw new UsageError(error.message);
    throw error;
  }
}
