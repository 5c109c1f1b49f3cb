import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fencedBlocks, runnableBlocks } from '../doc-blocks.mjs';
import { DocTest } from '../doc-test.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');

describe('fenced blocks', () => {
  test('are found with their words, their line and without their indent', () => {
    const text = 'a\n```sh run\necho 1\n\necho 2\n```\n- b\n\n  ```json\n  {\n    "a": 1\n  }\n  ```\n';
    expect(fencedBlocks(text)).toEqual([
      { info: ['sh', 'run'], line: 3, text: 'echo 1\n\necho 2\n' },
      { info: ['json'], line: 10, text: '{\n  "a": 1\n}\n' },
    ]);
    expect(runnableBlocks(text)).toHaveLength(1);
    expect(() => fencedBlocks('```sh\nx')).toThrow('line 2');
  });
});

describe('what the documents tell readers to run', () => {
  let docs;
  beforeAll(async () => {
    docs = new DocTest();
    await docs.start();
  }, 60_000);
  afterAll(() => docs.stop(), 60_000);

  test('docs/first-hour.md', async () => {
    const blocks = await docs.run('docs/first-hour.md');
    const printed = blocks.map(({ output }) => output);
    expect(blocks.length).toBe(7);
    expect(printed[2]).toContain('hello from');
    expect(printed[3]).toContain('it failed with');
    expect(printed[3]).toMatch(/Clean up/);
    expect(printed[4]).toMatch(/[1-9] in the queue/);
    expect(printed[5].match(/"code":\s?0/g).length).toBeGreaterThanOrEqual(3);
    expect(printed[6]).toContain('carillon_jobs_ended_total');
  }, 180_000);

  test('docs/plugins.md', async () => {
    const blocks = await docs.run('docs/plugins.md');
    expect(blocks.length).toBe(4);
    expect(blocks[1].output).toContain('{"progress":0.50}');
    expect(blocks[3].output).toContain('Counted to 4');
  }, 120_000);
});

describe('links between documents', () => {
  const documents = ['README.md', 'CONTRIBUTING.md'].concat(
    ['docs', 'examples'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true })
        .filter((name) => name.endsWith('.md'))
        .map((name) => join(folder, name)),
    ),
  );
  const anchorsOf = (text) =>
    new Set(
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      ),
    );

  test.each(documents)('%s', (document) => {
    const broken = [];
    for (const [, target] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split('#');
      const file = path === '' ? join(root, document) : join(root, dirname(document), path);
      if (!existsSync(file)) {
        broken.push(target);
      } else if (anchor !== undefined && file.endsWith('.md')) {
        if (!anchorsOf(read(relative(root, file))).has(anchor)) broken.push(target);
      }
    }
    expect(broken).toEqual([]);
  });
});
