import { CommandRun } from '../session.js';
import { createProgram } from '../run-cli.js';
import { type CommandRow, commandTable } from './command-table.js';
import { commandExamples, wordsOf } from './examples.js';

const silent = { write: (): void => undefined };
const io = { stdout: silent, stderr: silent, env: {}, isTTY: false };

/** All commands, with the names of the program first. */
export const referenceTable = (): CommandRow[] => commandTable(createProgram(new CommandRun(io), io));

/** The command that a line calls: the longest path that its words begin with. */
export function commandOf(line: string, table: readonly CommandRow[]): CommandRow | undefined {
  const words = wordsOf(line);
  const calls = ({ path, aliases }: CommandRow): boolean =>
    path.length > 0 &&
    path.every(
      (name, index) =>
        words[index] === name || (index === path.length - 1 && aliases.includes(words[index] ?? '')),
    );
  return table.filter(calls).sort((a, b) => b.path.length - a.path.length)[0];
}

const introduction = `# Commands

\`carillon\` is \`npx carillon\` in a checkout. This page is made from the program: \`npm run docs\`. Every line in it is run by
a test. \`carillon COMMAND --help\` tells the same.

- **Where to**: \`--url\`, else \`CARILLON_URL\`, else \`http://127.0.0.1:3012\`: any node or load balancer.
- **Who asks**: \`--key\`, else \`CARILLON_API_KEY\`, else the key that a node of this machine keeps in \`./data\` or
  \`CARILLON_DATA_DIR\`; that one is sent to this machine alone.
- **Answers**: results on standard output, everything else on standard error. At a terminal tables are fitted to its width,
  plans are coloured (not with \`NO_COLOR\`), and \`run --watch\` draws a progress bar. \`--json\` is for programs: one JSON
  text with all fields, uncut.
- **Names**: EVENT, PLUGIN and so on are an id, a title, or how exactly one of them starts. A word that is not found is answered
  with what may have been meant.
- **Waiting**: a failover is waited for, 10 seconds at the most; Ctrl-C stops the watching, not the job.

## Exit codes

| | |
|---|---|
| 0 | done; for \`plan\`: nothing to change |
| 1 | failed: refused by the cluster, or the watched job failed; for \`plan\` also wrong usage |
| 2 | wrong usage; for \`plan\`: there is something to change |
| 3 | no node or no primary was reached |
| 130 | interrupted |

## Completion

\`\`\`sh
source <(carillon completion bash)       # in ~/.bashrc
source <(carillon completion zsh)        # in ~/.zshrc, after compinit
carillon completion fish | source        # in ~/.config/fish/config.fish
\`\`\`

## Of a node

\`carillon start\` starts a node, \`carillon config\` prints its effective settings, secrets masked. Their options are
[settings](configuration.md); \`carillon start --help\` lists them. All other commands talk to a cluster.
`;

/** Text of docs/cli.md. */
export function cliReference(): string {
  const table = referenceTable();
  const sections = table.filter(({ path }) => path.length === 1).map((row) => section(row, table));
  return [introduction, optionTable(table[0]?.options ?? [], 'Options of all commands'), ...sections].join(
    '\n',
  );
}

function section(top: CommandRow, table: readonly CommandRow[]): string {
  const below = table.filter(({ path }) => path.length > 1 && path[0] === top.path[0]);
  const rows = below.length === 0 ? [top] : below.filter(({ children }) => children.length === 0);
  const lines = commandExamples
    .map(({ line }) => line)
    .filter((line) => commandOf(line, table)?.path[0] === top.path[0]);
  return [
    `## ${top.path.join(' ')}\n`,
    ...(below.length === 0 ? [] : [`${capital(top.description)}.\n`]),
    '| | |',
    '|---|---|',
    ...rows.flatMap((row) => [
      `| \`${inCell(row.usage)}\` | ${inCell(capital(row.description))}${otherNames(row)} |`,
      ...row.options.map(
        ({ flags, description }) => `| &nbsp;&nbsp;\`${inCell(flags)}\` | ${inCell(description)} |`,
      ),
    ]),
    '',
    '```sh',
    ...lines.map((line) => `carillon ${line}`),
    '```',
    '',
  ].join('\n');
}

function optionTable(options: CommandRow['options'], title: string): string {
  const rows = options.map(({ flags, description }) => `| \`${inCell(flags)}\` | ${inCell(description)} |`);
  return [`## ${title}\n`, '| | |', '|---|---|', ...rows, ''].join('\n');
}

const otherNames = ({ aliases }: CommandRow): string =>
  aliases.length === 0 ? '' : ` (also: ${aliases.map((alias) => `\`${alias}\``).join(', ')})`;
const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
const inCell = (text: string): string => text.replaceAll('|', '\\|');
