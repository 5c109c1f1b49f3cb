import { describe, expect, test } from '@jest/globals';
import type { HtmlSanitizer } from '@carillon/core';
import { Harness, jobFields, shellJob } from './support/harness.js';

/** Runs a plugin that says these lines; `sanitizer` instead of the real one. */
const report = async (
  lines: readonly unknown[],
  more: { sanitizer?: HtmlSanitizer; shell?: boolean; errors?: string } = {},
): Promise<Harness> => {
  const harness = new Harness();
  const { sanitizer, shell = false, errors = '' } = more;
  const worker = harness.newWorker(sanitizer === undefined ? {} : { sanitizer });
  await worker.start();
  await harness.dispatch(shell ? shellJob('j1', 'x') : jobFields('j1'));
  const process = await harness.launcher.process();
  for (const line of lines) process.say(`${JSON.stringify(line)}\n`);
  process.complain(errors);
  await harness.settle();
  process.exit(errors === '' ? 0 : 1);
  await harness.results.reached(1);
  await worker.stop();
  return harness;
};
const refusing: HtmlSanitizer = { clean: () => Promise.reject(new Error('not needed')) };

describe('HTML', () => {
  const dirty = '<p onclick="x()">a<script>b</script></p>';

  test.each<[string, unknown, unknown]>([
    ['a text', dirty, '<p>a</p>'],
    ['content', { content: dirty }, { content: '<p>a</p>' }],
    [
      'all its texts, and nothing else',
      { title: `T & ${dirty}`, content: 'c', caption: dirty, more: dirty, __proto__: 1 },
      { title: 'T &amp; <p>a</p>', content: 'c', caption: '<p>a</p>' },
    ],
    ['texts of a wrong type', { content: [dirty], title: 'T' }, { title: 'T' }],
  ])('is made harmless: %s', async (_name, html, expected) => {
    const harness = await report([{ html }, { complete: 1 }]);
    expect(harness.results.values[0]?.reported['html']).toEqual(expected);
    expect(harness.results.values[0]?.outcome).toEqual({ code: 0, description: '' });
  });

  test.each([
    ['text without markup', { title: 'A & B', content: 'plain' }],
    ['one element with text', { title: 'T', content: '<pre>a &lt; b</pre>' }],
  ])('needs no sanitizer: %s', async (_name, html) => {
    const harness = await report([{ html }, { complete: 1 }], { sanitizer: refusing });
    expect(harness.results.values[0]?.reported['html']).toEqual(html);
  });

  test('of errors of a script neither', async () => {
    const harness = await report([], { sanitizer: refusing, shell: true, errors: '<b>bad</b>\n' });
    expect(harness.results.values[0]?.reported['html']).toEqual({
      title: 'Error Output',
      content: '<pre>&lt;b&gt;bad&lt;/b&gt;</pre>',
    });
  });

  test('that cannot be checked is left out, with a word in log and record', async () => {
    const harness = await report([{ html: dirty, label: 'x' }, { complete: 1 }], { sanitizer: refusing });
    const warning = 'The reported html was left out: it cannot be checked';
    expect(harness.results.values[0]).toMatchObject({
      outcome: { code: 0, warning },
      reported: { label: 'x' },
    });
    expect(await harness.archive.text('j1')).toContain(`\n# ${warning}\n\n# Job completed successfully`);
  });
});

test('a report that is too large is left out, with a word in log and record', async () => {
  const harness = await report([{ perf: 'x'.repeat(100_000) }, { label: 'x' }, { complete: 1 }]);
  const warning = 'The reported perf was left out: 100002 characters, at most 32768 are kept';
  expect(harness.results.values[0]).toMatchObject({
    outcome: { code: 0, description: '', warning },
    reported: { label: 'x' },
  });
  expect(await harness.archive.text('j1')).toContain(`# ${warning}\n`);
});
