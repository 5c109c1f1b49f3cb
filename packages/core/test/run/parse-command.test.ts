import { parseCommand, splitArguments } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const environment = { JOB_ID: 'j1', HOME: '/home/x', EMPTY: '' };

describe('parseCommand', () => {
  test.each<[string, string, string[]]>([
    ['/bin/echo', '/bin/echo', []],
    ['  /bin/echo  a   b ', '/bin/echo', ['a', 'b']],
    [`prog "a b" 'c d'`, 'prog', ['a b', 'c d']],
    ['prog $JOB_ID ${HOME}/x "$JOB_ID!"', 'prog', ['j1', '/home/x/x', 'j1!']],
    [`prog '$JOB_ID'`, 'prog', ['$JOB_ID']],
    ['prog \\$JOB_ID a\\ b', 'prog', ['$JOB_ID', 'a b']],
    ['prog "\\$JOB_ID \\"q\\" \\n"', 'prog', ['$JOB_ID "q" \\n']],
    ['prog $NOPE "$NOPE" x', 'prog', ['', '', 'x']],
    ['prog $ ${JOB_ID a$', 'prog', ['$', '${JOB_ID', 'a$']],
    ['prog "" \'\'', 'prog', ['', '']],
    ['prog a"b"c\'d\'', 'prog', ['abcd']],
    ['prog "never closed', 'prog', ['never closed']],
    ['prog a|b > c; d & # e *', 'prog', ['a|b', '>', 'c;', 'd', '&', '#', 'e', '*']],
    ['prog $constructor ${__proto__}', 'prog', ['', '']],
    ['"/opt/my tools/run" -x', '/opt/my tools/run', ['-x']],
    ['', '', []],
  ])('%s', (command, file, args) => {
    expect(parseCommand(command, environment)).toEqual({ kind: 'exec', file, args });
  });

  test('built-in programs are told apart', () => {
    expect(parseCommand('builtin:url --fast "$JOB_ID"', environment)).toEqual({
      kind: 'builtin',
      name: 'url',
      args: ['--fast', 'j1'],
    });
  });

  test('any words, quoted, come back as they were', () => {
    const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(splitArguments(words.map(quote).join(' '), {})).toEqual(words);
      }),
    );
  });

  test('no input makes it throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseCommand(text, environment)));
  });
});
