import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LogPosition } from '../src/live/log-position.js';

const bytes = (text: string): number => Buffer.byteLength(text);
/** Text cut between characters. */
const chunks = (characters: string[], cuts: number[]): string[] => {
  const at = [...new Set(cuts.map((cut) => cut % (characters.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => characters.slice(start, at[index] ?? characters.length).join(''));
};

describe('log position', () => {
  test('hands out each byte once, however often the log starts again', () => {
    const character = fc.constantFrom('a', '\n', 'é', '€', '🔔');
    fc.assert(
      fc.property(
        fc.array(character, { maxLength: 40 }),
        fc.array(fc.tuple(fc.array(fc.nat(), { maxLength: 6 }), fc.nat()), { minLength: 1, maxLength: 5 }),
        (characters, sessions) => {
          const position = new LogPosition();
          let received = '';
          const play = (cuts: number[], limit: number): void => {
            position.restart();
            let offset = 0;
            for (const text of chunks(characters, cuts).slice(0, limit)) {
              const taken = position.accept(offset, text);
              if (taken === 'gap') throw new Error('gap');
              received += taken.text;
              offset += bytes(text);
            }
          };
          for (const [cuts, limit] of sessions) play(cuts, limit % (cuts.length + 1));
          play([], 1);
          expect(received).toBe(characters.join(''));
        },
      ),
    );
  });

  test('whole logs fill what is missing, and never split a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.array(fc.nat(200)), (text, lengths) => {
        const log = Buffer.from(text);
        const position = new LogPosition();
        let received = '';
        for (const length of lengths) received += position.acceptWhole(log.subarray(0, length), false);
        received += position.acceptWhole(log, true);
        expect(received).toBe(log.toString());
      }),
    );
  });

  test('a gap is told', () => {
    const position = new LogPosition();
    position.accept(0, 'abc');
    expect(position.accept(4, 'e')).toBe('gap');
    expect(position.accept(3, 'd')).toEqual({ text: 'd' });
  });

  test('bytes that are no text do not make the following ones look like repetitions', () => {
    const position = new LogPosition();
    position.accept(0, 'a\ufffd\n');
    expect(position.accept(3, 'next\n')).toEqual({ text: 'next\n' });
    expect(position.next).toBe(8);
  });
});
