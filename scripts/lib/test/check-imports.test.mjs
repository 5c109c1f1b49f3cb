import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkWorkspace, cyclesIn } from '../../check-imports.mjs';
import { importsOf, viewsOf } from '../source-text.mjs';

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'carillon-imports-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A workspace of the given files; each named package gets a manifest that declares every other one. */
function workspace(files, dependencies = {}) {
  const names = [
    'contract',
    'core',
    'primary',
    'worker',
    'adapters',
    'plugins',
    'client',
    'cli',
    'node',
    'testkit',
  ];
  const declared = Object.fromEntries(names.map((name) => [`@carillon/${name}`, '0.1.0']));
  put('package.json', JSON.stringify({ devDependencies: { 'fast-check': '1' } }));
  for (const name of new Set(Object.keys(files).map((path) => path.split('/')[1]))) {
    const manifest = { name: `@carillon/${name}`, dependencies: dependencies[name] ?? declared };
    put(`packages/${name}/package.json`, JSON.stringify(manifest));
  }
  for (const [path, content] of Object.entries(files)) put(path, content);
}

function put(path, content) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const reasons = () => checkWorkspace(root).map(({ place, reason }) => `${place}: ${reason}`);

describe('imports between packages', () => {
  const allowed = [
    ['core', 'contract'],
    ['primary', 'core'],
    ['worker', 'core'],
    ['adapters', 'core'],
    ['cli', 'client'],
    ['cli', 'core'],
    ['client', 'contract'],
    ['plugins', 'contract'],
    ['node', 'primary'],
    ['node', 'cli'],
    ['testkit', 'client'],
  ];
  test.each(allowed)('%s may import %s', (from, to) => {
    workspace({ [`packages/${from}/src/a.ts`]: `import { a } from '@carillon/${to}';\n` });
    expect(reasons()).toEqual([]);
  });

  const refused = [
    ['contract', 'core'],
    ['core', 'adapters'],
    ['core', 'primary'],
    ['primary', 'adapters'],
    ['primary', 'worker'],
    ['worker', 'primary'],
    ['worker', 'adapters'],
    ['adapters', 'primary'],
    ['plugins', 'core'],
    ['client', 'core'],
    ['cli', 'node'],
    ['cli', 'primary'],
    ['node', 'client'],
    ['node', 'testkit'],
    ['core', 'testkit'],
    ['testkit', 'primary'],
    ['testkit', 'node'],
  ];
  test.each(refused)('%s may not import %s', (from, to) => {
    workspace({ [`packages/${from}/src/a.ts`]: `\nimport type { a } from '@carillon/${to}';\n` });
    expect(reasons()).toEqual([`packages/${from}/src/a.ts:2: ${from} may not import @carillon/${to}`]);
  });

  test('every finding says what to do instead', () => {
    workspace({ 'packages/core/src/a.ts': "import '@carillon/primary';\nexport const now = Date.now();\n" });
    const findings = checkWorkspace(root);
    expect(findings).toHaveLength(2);
    for (const { remedy } of findings) expect(remedy).toMatch(/\w+ \w+/);
  });

  test.each([
    ["export * from '@carillon/primary';", 1],
    ["const lazy = () => import('@carillon/primary');", 1],
    ["export {\n  a,\n  b,\n} from '@carillon/primary';", 1],
    ["import {\n  a,\n} from '@carillon/primary';", 1],
    ["import * as all from '@carillon/primary';", 1],
    ["import '@carillon/primary';", 1],
    ["// import '@carillon/primary';", 0],
    ["/* import '@carillon/primary'; */", 0],
    ['const text = "import \'@carillon/primary\'";', 0],
    ["const text = `import '@carillon/primary' ${1}`;", 0],
  ])('%s', (line, count) => {
    workspace({ 'packages/core/src/a.ts': `${line}\n` });
    expect(reasons()).toHaveLength(count);
  });

  test('deep imports, paths out of the package and undeclared dependencies', () => {
    workspace(
      {
        'packages/core/src/a.ts':
          "import '@carillon/contract/dist/x.js';\nimport '../../contract/src/x.js';\nimport 'luxon';\nimport '../test/b.js';\n",
        'packages/primary/src/a.ts': "import '@carillon/core';\nimport 'express/lib/x';\n",
      },
      { core: { '@carillon/contract': '1' }, primary: {} },
    );
    expect(reasons()).toEqual([
      'packages/core/src/a.ts:1: deep import @carillon/contract/dist/x.js',
      'packages/core/src/a.ts:2: ../../contract/src/x.js leads out of the package',
      'packages/core/src/a.ts:3: luxon is not a declared dependency',
      'packages/core/src/a.ts:4: ../test/b.js leads out of src',
      'packages/primary/src/a.ts:1: @carillon/core is not a declared dependency',
      'packages/primary/src/a.ts:2: express is not a declared dependency',
    ]);
  });

  test('tests may also import the testkit, the adapters and what the workspace declares', () => {
    const imports = (names) => names.map((name) => `import '${name}';\n`).join('');
    workspace({
      'packages/core/test/a.test.ts': imports([
        '@carillon/testkit',
        '@carillon/adapters',
        '../src/b.js',
        'fast-check',
      ]),
      'packages/core/src/b.ts': 'export {};\n',
      'packages/worker/test/a.test.ts': imports(['@carillon/primary', 'left-pad', '../../core/src/b.js']),
    });
    expect(reasons()).toEqual([
      'packages/worker/test/a.test.ts:1: tests of worker may not import @carillon/primary',
      'packages/worker/test/a.test.ts:2: left-pad is not a declared dependency',
      'packages/worker/test/a.test.ts:3: ../../core/src/b.js leads out of the package',
    ]);
  });

  test('a package that is not in the map', () => {
    workspace({ 'packages/helpers/src/a.ts': '' });
    expect(reasons()).toEqual(['packages/helpers/package.json:1: package helpers has no place in the map']);
  });
});

describe('what core and contract may not touch', () => {
  test.each([
    'Date.now()',
    'new Date()',
    'new Date',
    'DateTime.now()',
    'Math.random()',
    'performance.now()',
    'process.env.HOME',
    'setTimeout(f, 1)',
    'globalThis.setInterval(f, 1)',
    'AbortSignal.timeout(5)',
    "Buffer.from('')",
    'console.log(1)',
    "fetch('http://x')",
    '`${Date.now()}`',
  ])('%s', (use) => {
    workspace({ 'packages/core/src/a.ts': `\n\nexport const a = ${use};\n` });
    expect(reasons()).toEqual([expect.stringMatching(/^packages\/core\/src\/a\.ts:3: core may not use /)]);
  });

  test.each([
    'new Date(0)',
    'new Date(nowMs)',
    'clock.setTimeout(1)',
    "'Date.now()'",
    '/Math.random()/',
    '`process.env`',
    'job.process.pid',
    'processes.map(f)',
    '1 // Date.now()',
    'a / b / Number(2)',
  ])('%s is harmless', (use) => {
    workspace({ 'packages/core/src/a.ts': `export const a = ${use};\n` });
    expect(reasons()).toEqual([]);
  });

  test('built-in modules', () => {
    workspace({
      'packages/core/src/a.ts': "import { x } from 'node:path';\nimport y from 'fs';\n",
      'packages/worker/src/a.ts':
        "import { x } from 'node:path';\nimport { spawn } from 'node:child_process';\n",
      'packages/adapters/src/a.ts':
        "import { spawn } from 'node:child_process';\nexport const a = Date.now();\n",
    });
    expect(reasons()).toEqual([
      'packages/core/src/a.ts:1: core may not use node:path',
      'packages/core/src/a.ts:2: fs without node:',
      'packages/core/src/a.ts:2: core may not use fs',
      'packages/worker/src/a.ts:2: worker may not use node:child_process',
    ]);
  });

  test('tests of core may', () => {
    workspace({ 'packages/core/test/a.test.ts': "import 'node:fs';\nconst a = Date.now();\n" });
    expect(reasons()).toEqual([]);
  });
});

describe('size and circles', () => {
  test('a file of 501 lines and a folder of 13 files', () => {
    const files = {
      'packages/core/test/long.test.ts': '\n'.repeat(501),
      'packages/core/test/ok.test.ts': '\n'.repeat(500),
    };
    for (let number = 1; number <= 13; number++) files[`packages/core/src/job/f${number}.ts`] = '';
    workspace(files);
    expect(reasons()).toEqual([
      'packages/core/test/long.test.ts:501: 501 lines, more than 500',
      'packages/core/src/job:1: 13 files in one folder, more than 12',
    ]);
  });

  test('files that import each other', () => {
    workspace({
      'packages/core/src/a.ts': "import { b } from './b.js';\n",
      'packages/core/src/b.ts': "export { c } from './c.js';\n",
      'packages/core/src/c.ts': "import { a } from './a.js';\n",
      'packages/core/src/d.ts': "import type { e } from './e.js';\n",
      'packages/core/src/e.ts': "import type { d } from './d.js';\n",
    });
    expect(reasons()).toEqual([
      'packages/core/src/a.ts:1: files import each other in a circle: a.ts → b.ts → c.ts → a.ts',
    ]);
  });

  test('cyclesIn: none in a tree, one for each way round', () => {
    expect(
      cyclesIn(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toEqual([]);
    expect(
      cyclesIn(
        new Map([
          ['a', ['b']],
          ['b', ['a', 'b']],
        ]),
      ),
    ).toEqual([
      ['a', 'b', 'a'],
      ['b', 'b'],
    ]);
  });
});

describe('views of a source', () => {
  test('keep lines and columns', () => {
    const source =
      "const a = 'x' /* y\n z */ + `t${b /* c */}u`; // d\nconst r = /['\"`]/g;\nconst q = 1 / 2;\n";
    const { code, bare } = viewsOf(source);
    expect(code).toBe(
      "const a = 'x'     \n      + `t${b        }u`;     \nconst r = /['\"`]/g;\nconst q = 1 / 2;\n",
    );
    expect(bare).toBe(
      "const a = ' '     \n      + ` ${b        } `;     \nconst r = /     /g;\nconst q = 1 / 2;\n",
    );
  });

  test('nested templates and unfinished text end', () => {
    const nested = 'const a = `x${`y${f({ k: 1 })}z`}w`; import("m");';
    const views = viewsOf(nested);
    expect(views.bare).toBe('const a = ` ${` ${f({ k: 1 })} `} `; import(" ");');
    expect(importsOf(views.code, views.bare)).toEqual([{ specifier: 'm', line: 1, typeOnly: false }]);
    for (const broken of ["'", '`', '`${', '/*', '/', '"\\'])
      expect(viewsOf(broken).code).toHaveLength(broken.length);
  });
});

test('this workspace has no findings', () => {
  const workspaceRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
  expect(checkWorkspace(workspaceRoot)).toEqual([]);
});
