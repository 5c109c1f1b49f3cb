import type { CommandRow, OptionRow } from './command-table.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A script that makes the shell complete commands, options and choices; files are completed elsewhere. */
export function completionScript(shell: Shell, table: readonly CommandRow[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(table);
    case 'zsh':
      return zshScript(table);
    case 'fish':
      return fishScript(table);
  }
}

const help: OptionRow = {
  flags: '--help',
  names: ['-h', '--help'],
  takesValue: false,
  description: 'display help',
};

/** The options that count at a command: its own and those of the program. */
const optionsOf = (row: CommandRow, table: readonly CommandRow[]): OptionRow[] => [
  ...new Set([...row.options, ...(table[0]?.options ?? []), help]),
];
const keyOf = (path: readonly string[]): string => path.map((name) => ` ${name}`).join('');
const longest = (option: OptionRow): string => option.names.at(-1) ?? '';
const groups = (table: readonly CommandRow[]): CommandRow[] =>
  table.filter(({ children }) => children.length > 0);

/**
 * The part that is the same in bash and zsh: `path` becomes the command that was typed so far, and the words that are values
 * of options are passed over.
 */
function walkCases(table: readonly CommandRow[]): string[] {
  const valued = table.map((row) => {
    const names = optionsOf(row, table).flatMap((option) => (option.takesValue ? option.names : []));
    return `      '${keyOf(row.path)}'${names.length === 0 ? '' : `) case "$word" in ${names.join('|')}) skip=1 ;; esac`} ;;`;
  });
  const deeper = groups(table).map((row) => {
    const names = table
      .filter(
        ({ path }) => path.length === row.path.length + 1 && keyOf(path.slice(0, -1)) === keyOf(row.path),
      )
      .map((child) => {
        const own = child.path.at(-1) ?? '';
        return `${[own, ...child.aliases].join('|')}) path="$path ${own}" ;;`;
      });
    return `      '${keyOf(row.path)}') case "$word" in ${names.join(' ')} esac ;;`;
  });
  return [
    '    case "$path" in',
    ...valued,
    '    esac',
    '    case "$word" in -*) continue ;; esac',
    '    case "$path" in',
    ...deeper,
    '    esac',
  ];
}

function bashScript(table: readonly CommandRow[]): string {
  const words = table.map((row) => {
    const candidates = [
      ...row.children.map(({ name }) => name),
      ...row.choices,
      ...optionsOf(row, table).map(longest),
    ];
    return `    '${keyOf(row.path)}') words='${candidates.join(' ')}' ;;`;
  });
  return [
    '# Completion of the carillon command for bash. Use it with: source <(carillon completion bash)',
    '_carillon() {',
    "  local path='' word words='' skip=0 index",
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    word=${COMP_WORDS[index]}',
    '    if ((skip)); then skip=0; continue; fi',
    ...walkCases(table),
    '  done',
    '  COMPREPLY=()',
    '  if ((skip)); then return; fi',
    '  case "$path" in',
    ...words,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _carillon carillon',
    '',
  ].join('\n');
}

const inQuotes = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zshScript(table: readonly CommandRow[]): string {
  const entry = (name: string, description: string): string =>
    inQuotes(`${name.replaceAll(':', '\\:')}:${description}`);
  const words = table.map((row) => {
    const candidates = [
      ...row.children.map(({ name, description }) => entry(name, description)),
      ...row.choices.map((choice) => entry(choice, choice)),
      ...optionsOf(row, table).map((option) => entry(longest(option), option.description)),
    ];
    return `    '${keyOf(row.path)}') candidates=(${candidates.join(' ')}) ;;`;
  });
  return [
    '#compdef carillon',
    '# Completion of the carillon command for zsh. Use it with: source <(carillon completion zsh)',
    '_carillon() {',
    "  local path_so_far='' word skip=0 index",
    '  local -a candidates',
    '  for ((index = 2; index < CURRENT; index++)); do',
    '    word=${words[index]}',
    '    if ((skip)); then skip=0; continue; fi',
    // `path` is the search path in zsh.
    ...walkCases(table).map((line) =>
      line.replaceAll('$path', '$path_so_far').replaceAll('path="', 'path_so_far="'),
    ),
    '  done',
    '  if ((skip)); then _files; return; fi',
    '  case "$path_so_far" in',
    ...words,
    '  esac',
    "  _describe 'carillon' candidates || _files",
    '}',
    'compdef _carillon carillon',
    '',
  ].join('\n');
}

function fishScript(table: readonly CommandRow[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const at = (row: CommandRow): string => `-n "__carillon_at ${quoted(keyOf(row.path))}"`;
  const lines = table.flatMap((row) => [
    ...row.children.map(
      ({ name, description }) =>
        `complete -c carillon -f ${at(row)} -a ${quoted(name)} -d ${quoted(description)}`,
    ),
    ...row.choices.map((choice) => `complete -c carillon -f ${at(row)} -a ${quoted(choice)}`),
    ...row.options.map((option) => {
      const where = row.path.length === 0 ? '' : ` ${at(row)}`;
      const names = option.names.map((name) =>
        name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
      );
      const value = option.takesValue ? ' -r' : '';
      return `complete -c carillon${where} ${names.join(' ')}${value} -d ${quoted(option.description)}`;
    }),
  ]);
  const cases = groups(table).map((row) => {
    const key = keyOf(row.path);
    const names = table.filter(
      ({ path }) => path.length === row.path.length + 1 && keyOf(path.slice(0, -1)) === key,
    );
    const inner = names.map((child) => {
      const own = child.path.at(-1) ?? '';
      return `                    case ${[own, ...child.aliases].join(' ')}\n                        set path "$path ${own}"`;
    });
    return `            case ${quoted(key)}\n                switch $word\n${inner.join('\n')}\n                end`;
  });
  const valued = table.flatMap((row) => {
    const names = optionsOf(row, table).flatMap((option) => (option.takesValue ? option.names : []));
    return names.length === 0
      ? []
      : [
          `            case ${names.map((name) => quoted(`${keyOf(row.path)} ${name}`)).join(' ')}\n                set skip 1`,
        ];
  });
  return [
    '# Completion of the carillon command for fish. Use it with: carillon completion fish | source',
    'function __carillon_at',
    '    set -l path ""',
    '    set -l skip 0',
    '    for word in (commandline -opc)[2..-1]',
    '        if test $skip = 1',
    '            set skip 0',
    '            continue',
    '        end',
    '        switch "$path $word"',
    ...valued,
    '        end',
    '        switch "$path"',
    ...cases,
    '        end',
    '    end',
    '    test "$path" = "$argv[1]"',
    'end',
    ...lines,
    '',
  ].join('\n');
}
