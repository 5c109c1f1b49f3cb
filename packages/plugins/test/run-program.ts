import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { bundledProgram } from '@carillon/testkit';
import type { BuiltinProgram } from '../src/index.js';

export interface ProgramEnd {
  exitCode: number | null;
  /** JSON lines of standard output. */
  messages: Record<string, unknown>[];
  last: Record<string, unknown>;
  log: string;
}

/** Runs a built plugin program as a worker does: the job on standard input, then its end. */
export async function runProgram(name: BuiltinProgram, input: unknown): Promise<ProgramEnd> {
  const child = spawn(process.execPath, [bundledProgram(`${name}-plugin.js`)], { env: {} });
  child.stdin.end(typeof input === 'string' ? input : `${JSON.stringify(input)}\n`);
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, log, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  const lines = out.split('\n');
  const rest = lines.pop();
  if (rest !== '') throw new Error(`Unterminated last line: ${rest}`);
  const messages = lines.map((line): Record<string, unknown> => JSON.parse(line));
  return { exitCode, messages, last: messages.at(-1) ?? {}, log };
}
