/** Shells that read the generated `export` lines. */
const bourneShells = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'mksh', 'zsh']);

const defaultShell = '/bin/sh';

/** True for a value of SHELL that can stand in the first line of a script. */
export const isUsableShell = (shell: string): boolean => /^\/[^\s'"]+$/.test(shell);

/**
 * A script that does what cron does with a command: its environment lines exported, the command run by SHELL, and
 * `input` (or nothing) on its standard input. A shell of another family runs the command as its `-c` argument.
 */
export function crontabScript(
  command: string,
  input: string | undefined,
  environment: ReadonlyMap<string, string>,
): string {
  const wanted = environment.get('SHELL') ?? defaultShell;
  const shell = isUsableShell(wanted) ? wanted : defaultShell;
  const isBourne = bourneShells.has(shell.split('/').at(-1) ?? '');
  const lines = [`#!${isBourne ? shell : defaultShell}`];
  for (const [name, value] of environment) lines.push(`export ${name}=${quote(value)}`);
  lines.push(...standardInput(input));
  lines.push(isBourne ? command : `exec ${shell} -c ${quote(command)}`);
  return `${lines.join('\n')}\n`;
}

/**
 * Splits cron's command field at its first `%`: what follows is standard input, in which every further `%` is a
 * line break. A `%` after a backslash is an ordinary one.
 */
export function splitCommand(field: string): { command: string; input?: string } {
  const [command = '', ...rest] = field.split(/(?<!\\)%/);
  const plain = (text: string): string => text.replaceAll('\\%', '%');
  return rest.length === 0
    ? { command: plain(command).trim() }
    : { command: plain(command).trim(), input: rest.map(plain).join('\n') };
}

function standardInput(input: string | undefined): string[] {
  if (input === undefined || input === '') return ['exec </dev/null'];
  const text = input.endsWith('\n') ? input.slice(0, -1) : input;
  const lines = text.split('\n');
  let end = 'END_OF_INPUT';
  while (lines.includes(end)) end += '_';
  return [`exec <<'${end}'`, ...lines, end];
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
