import { expect, test } from '@jest/globals';
import { apiCalls, checkParameters } from '@carillon/contract';
import { parseCrontabFile } from '@carillon/core';
import fc from 'fast-check';

/* Import files come from anywhere: whatever they hold, each line becomes an event that the API would take, or a problem. */

const field = fc.oneof(
  fc.constantFrom(
    '*',
    '*/5',
    '1-5',
    '0',
    '59',
    '60',
    '1,2,3',
    'mon-fri',
    'jan',
    '?',
    '*/0',
    '5-1',
    '99999999999',
    '-',
    ',',
  ),
  fc.string({ maxLength: 6 }),
);
const line = fc.oneof(
  fc.tuple(field, field, field, field, field, fc.string()).map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom('@daily', '@reboot', '@yearly', '@never', '@'), fc.string())
    .map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom('CRON_TZ', 'TZ', 'SHELL', 'MAILTO', '__proto__', 'PATH', 'A B'), fc.string())
    .map((parts) => parts.join('=')),
  fc.string({ unit: 'binary' }),
);
const file = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r', '')))
  .map((lines) => lines.flat().join(''));

test.each([false, true])('any text as a crontab, with a column for the user: %s', (userColumn) => {
  fc.assert(
    fc.property(file, fc.string(), (text, fileName) => {
      const { events, problems } = parseCrontabFile(text, { fileName, userColumn });
      const lines = text.split(/\r?\n/).length;
      // A line with both kinds of days becomes two events.
      expect(events.length + problems.length).toBeLessThanOrEqual(3 * lines);
      expect(new Set(events.map(({ title }) => title)).size).toBe(events.length);
      for (const { title, timing, timezone, script } of events) {
        const params = {
          title,
          timing,
          enabled: 1,
          category: 'general',
          plugin: 'shellplug',
          target: 'allgrp',
        };
        checkParameters(apiCalls.create_event, {
          ...params,
          ...(timezone === undefined ? {} : { timezone }),
          params: { script },
        });
      }
    }),
    { numRuns: 500 },
  );
});
