import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { commandExamples } from '../src/index.js';
import { commandOf, referenceTable } from '../src/reference/cli-reference.js';
import { nodeCommands } from '../src/reference/command-table.js';
import { wordsOf } from '../src/reference/examples.js';

const table = referenceTable();
const root = new URL('../../../', import.meta.url);
const own = new Set<string>(nodeCommands.map(({ name }) => name));

/** What is wrong with a command line: an unknown command or option. */
function faultOf(line: string): string | undefined {
  const row = commandOf(line, table);
  if (row === undefined) return `no command: ${line}`;
  if (row.children.length > 0 && !line.includes('--help')) return `only a group of commands: ${line}`;
  const known = [...row.options, ...(table[0]?.options ?? [])].flatMap(({ names }) => names);
  const options = wordsOf(line).filter((word) => /^-{1,2}[a-z]/.test(word) && !word.includes(' '));
  const unknown = options.find((word) => !known.includes(word.split('=')[0] ?? '') && word !== '--help');
  return unknown === undefined ? undefined : `unknown ${unknown}: ${line}`;
}

describe('the examples', () => {
  test.each(commandExamples.map(({ line }) => line))('%s is a command with its options', (line) => {
    expect(faultOf(line)).toBeUndefined();
  });

  test('show every command', () => {
    const shown = new Set(commandExamples.map(({ line }) => commandOf(line, table)?.path.join(' ')));
    const all = table.filter(({ children }) => children.length === 0).map(({ path }) => path.join(' '));
    expect(all.filter((name) => !shown.has(name))).toEqual([]);
  });

  test('show a fault for what is none', () => {
    expect(faultOf('event lst')).toBe('only a group of commands: event lst');
    expect(faultOf('events list')).toBe('no command: events list');
    expect(faultOf('run hello --wacth')).toBe('unknown --wacth: run hello --wacth');
    expect(wordsOf(`a "b c" --d='e f' g`)).toEqual(['a', 'b c', '--d=e f', 'g']);
  });
});

describe('commands in the documents', () => {
  const documents = ['README.md', ...readdirSync(new URL('docs', root)).map((name) => `docs/${name}`)];
  const lines = documents
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) =>
      readFileSync(new URL(name, root), 'utf8')
        .split('\n')
        .flatMap((text) => {
          const line = /^(?:\$ )?(?:npx )?carillon (.*?)\s*(?:\s#.*|\|.*)?$/.exec(text)?.[1];
          return line === undefined || own.has(line.split(' ')[0] ?? '') ? [] : [[name, line] as const];
        }),
    );

  test.each(lines)('%s: %s', (_name, line) => {
    expect(faultOf(line)).toBeUndefined();
  });

  test('were found', () => {
    expect(lines.length).toBeGreaterThan(commandExamples.length);
  });
});
