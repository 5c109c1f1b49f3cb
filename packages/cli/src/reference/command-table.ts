import type { Command, Option } from 'commander';

/** An option as people type it. */
export interface OptionRow {
  /** Such as `-n, --limit <count>`. */
  flags: string;
  /** The names alone: `-n`, `--limit`. */
  names: string[];
  takesValue: boolean;
  description: string;
}

/** A command, or a group of them. */
export interface CommandRow {
  /** Names from the program down, without the program's own: `['event', 'list']`; empty for the program. */
  path: string[];
  /** The same with arguments: `event show <event>`. */
  usage: string;
  description: string;
  /** Other names of its last part. */
  aliases: string[];
  /** Its own options, not those of the program. */
  options: OptionRow[];
  /** Values that its argument may have, when there is a choice. */
  choices: string[];
  /** Names and descriptions of the commands below it. */
  children: { name: string; description: string }[];
}

/** Commands that the node's own program runs before any of these. */
export const nodeCommands = [
  { name: 'start', description: 'start a node' },
  { name: 'config', description: 'print the effective settings of a node' },
] as const;

/** The program and all commands below it, in the order of the help. */
export function commandTable(program: Command): CommandRow[] {
  const rows: CommandRow[] = [];
  const add = (command: Command, path: string[]): void => {
    const args = command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    rows.push({
      path,
      usage: [...path, ...args].join(' '),
      description: command.description(),
      aliases: command.aliases(),
      options: command.options.map(optionRow),
      choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
      children: [
        ...command.commands.map((child) => ({ name: child.name(), description: child.description() })),
        ...(path.length === 0 ? nodeCommands : []),
      ],
    });
    for (const child of command.commands) add(child, [...path, child.name()]);
  };
  add(program, []);
  return rows;
}

const optionRow = (option: Option): OptionRow => ({
  flags: option.flags,
  names: [option.short, option.long].filter((name) => name !== undefined && name !== null),
  takesValue: option.required || option.optional,
  description: option.description,
});
