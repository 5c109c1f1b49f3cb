import { type CarillonClient, createClient } from '@carillon/client';
import type { Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { type Connection, findConnection } from './connection.js';
import { exitCodes } from './failures.js';
import { Options } from './options.js';

/** What a command works with. */
export interface Session {
  readonly client: CarillonClient;
  readonly io: CommandIo;
  readonly options: Options;
  /** Answer in JSON on standard output, for programs. */
  readonly json: boolean;
  /** A line of result. */
  print(line: string): void;
  printJson(value: unknown): void;
  /** A line for people that is no result: silent in JSON mode. */
  note(line: string): void;
  /** A line about something that went wrong. */
  warn(line: string): void;
}

/** Does the work; answers the exit code when that is not 0. */
export type Action = (session: Session, ...given: string[]) => Promise<number | void>;

/** How the commands of one run reach their surroundings and leave their exit code. */
export class CommandRun {
  readonly #io: CommandIo;
  exitCode: number = exitCodes.ok;
  connection: Connection | undefined;

  constructor(io: CommandIo) {
    this.#io = io;
  }

  /** A commander action that opens a session, runs `action` and closes the client in any case. */
  action(action: Action): (...given: unknown[]) => Promise<void> {
    return async (...given) => {
      // Commander hands over the arguments, the options and the command itself.
      const command = given.at(-1) as Command;
      const options = new Options(command.optsWithGlobals());
      const session = this.#open(options);
      try {
        const args = given
          .slice(0, -2)
          .flatMap((value) => (Array.isArray(value) ? value.map(String) : asText(value)));
        this.exitCode = (await action(session, ...args)) ?? exitCodes.ok;
      } finally {
        session.client.close();
      }
    };
  }

  #open(options: Options): Session {
    const io = this.#io;
    this.connection = findConnection(
      { url: options.text('url'), key: options.text('key'), ca: options.text('ca') },
      io,
    );
    const { url, apiKey, ca } = this.connection;
    const json = options.flag('json');
    return {
      client: createClient({
        url,
        ...(apiKey === undefined ? {} : { apiKey }),
        ...(ca === undefined ? {} : { ca }),
        // A node that is not there is told at once; a failover under way is waited for.
        retry: { deadlineMs: 10_000, connectDeadlineMs: 0 },
      }),
      io,
      options,
      json,
      print: (line) => void io.stdout.write(`${line}\n`),
      printJson: (value) => void io.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
      note: (line) => {
        if (!json) io.stderr.write(`${line}\n`);
      },
      warn: (line) => void io.stderr.write(`${line}\n`),
    };
  }
}

/** Arguments that were left out are dropped: they are always the last ones. */
const asText = (value: unknown): string[] => (typeof value === 'string' ? [value] : []);
