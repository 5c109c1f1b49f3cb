import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandExamples } from '@carillon/cli';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fencedBlocks, hasCommands, runnableBlocks, shellText, shownFiles } from '../doc-blocks.mjs';
import { docPlans, notRun } from '../doc-plans.mjs';
import { DocTest } from '../doc-test.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');

const documents = ['README.md', 'CONTRIBUTING.md'].concat(
  ['docs', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
);

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

  test('of crontab are run as cron does', () => {
    const [block] = runnableBlocks('```crontab run\n0 3 * * 1-5 A=b export x-$(date +\\%u)\n```\n');
    expect(shellText(block)).toBe('A=b export x-$(date +%u)\n');
  });

  test('that show a file say its path', () => {
    const text = '# jobs/a.yaml\nowner: b\n';
    expect(shownFiles(`\`\`\`yaml file\n${text}\`\`\`\n`)).toEqual([{ path: 'jobs/a.yaml', text }]);
    expect(() => shownFiles('```yaml file\nowner: b\n```\n')).toThrow('line 2');
  });

  test.each([
    ['sh', 'anything', true],
    ['', 'carillon status', true],
    ['', 'A=b npx carillon status', true],
    ['', '$ curl http://a/', true],
    ['', 'http://a/ carillon', false],
    ['', 'node ──▶ core', false],
    ['yaml', 'curl a', false],
  ])('%j with %j are commands: %p', (info, text, are) => {
    expect(hasCommands(fencedBlocks(`\`\`\`${info}\n${text}\n\`\`\`\n`)[0])).toBe(are);
  });
});

describe('commands in blocks', () => {
  const blocks = documents.flatMap((document) => {
    const markdown = read(document);
    const runnable = new Set(runnableBlocks(markdown).map(({ line }) => line));
    return fencedBlocks(markdown)
      .filter(hasCommands)
      .map((block) => ({ ...block, document, isRun: runnable.has(block.line) }));
  });
  const isListed = ({ document, text }, [listed, begin]) => document === listed && text.startsWith(begin);
  const examples = new Set(commandExamples.map(({ line }) => line));
  /** Those of docs/cli.md are run by commands.test.ts. */
  const isExample = ({ document, text }) =>
    document === 'docs/cli.md' &&
    text.split('\n').every((line) => line === '' || examples.has(line.replace(/^carillon /, '')));

  test('are run by a test, or listed with the reason why not', () => {
    const others = blocks.filter((block) => !block.isRun && !isExample(block));
    const unlisted = others.filter((block) => !notRun.some((entry) => isListed(block, entry)));
    expect(unlisted.map(({ document, line, text }) => `${document}:${line}: ${text}`)).toEqual([]);
    expect(others).toHaveLength(notRun.length);
    const isWanted = (entry) => others.filter((block) => isListed(block, entry)).length === 1;
    expect(notRun.filter((entry) => !isWanted(entry))).toEqual([]);
  });

  test('of curl outside of blocks are those that redirects.test.ts runs', () => {
    const spans = documents.flatMap((document) =>
      [...read(document).matchAll(/`(curl [^`]+)`/g)].map(([, text]) => `${document}: ${text}`),
    );
    expect(spans).toEqual(['docs/load-balancers.md: curl -L --post302 -d …']);
  });

  test('that are marked are in documents that are run below', () => {
    const marked = new Set(blocks.filter(({ isRun }) => isRun).map(({ document }) => document));
    expect([...marked].sort()).toEqual(
      ['docs/first-hour.md', 'docs/plugins.md', ...Object.keys(docPlans)].sort(),
    );
    const lines = blocks.filter(isExample).flatMap(({ text }) => text.trim().split('\n'));
    expect(lines).toHaveLength(commandExamples.length);
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

  test.each(Object.entries(docPlans))(
    '%s',
    async (document, { blocks: count, prints, ...plan }) => {
      const blocks = await docs.run(document, plan);
      expect(blocks).toHaveLength(count);
      for (const [number, patterns] of Object.entries(prints)) {
        for (const pattern of patterns) expect(blocks[number - 1].output).toMatch(pattern);
      }
    },
    120_000,
  );
});

describe('links between documents', () => {
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
