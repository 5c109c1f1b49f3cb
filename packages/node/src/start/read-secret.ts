import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/**
 * A line from the terminal that is not shown while it is typed, asked for twice; without a terminal the first line of
 * standard input. Rejects when there is none, or when the two are not alike.
 */
export async function readSecret(prompt: string): Promise<string> {
  const secret = await readLine(prompt);
  if (process.stdin.isTTY !== true) return secret;
  if ((await readLine('The same again: ')) !== secret) throw new Error('The two are not alike');
  return secret;
}

function readLine(prompt: string): Promise<string> {
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) process.stderr.write(prompt);
  // What is typed is echoed to nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal: isTerminal });
  return new Promise((resolve, reject) => {
    let given: string | undefined;
    lines.once('line', (line) => {
      given = line;
      lines.close();
    });
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => {
      if (isTerminal) process.stderr.write('\n');
      if (given === undefined)
        reject(new Error('No password was given: type it, or send it as a line to standard input'));
      else resolve(given);
    });
  });
}
