/** A plugin's command: the program and its arguments, or one that ships with Carillon. */
export type ParsedCommand =
  | { kind: 'exec'; file: string; args: string[] }
  | { kind: 'builtin'; name: string; args: string[] };

const builtinPrefix = 'builtin:';
const namePattern = /\w/;

/**
 * Splits a plugin's command without any shell (behaviour reference 6.1): the text up to the first white space is
 * the program, the rest is split into arguments with single and double quotes, backslashes, `$NAME` and
 * `${NAME}` from `environment` (unknown names are empty). Unlike a shell nothing else is special, a missing
 * closing quote ends with the text, and a program whose path starts with a quote may contain spaces.
 * An empty command gives an empty `file`. Never throws.
 */
export function parseCommand(command: string, environment: Readonly<Record<string, string>>): ParsedCommand {
  const text = command.trim();
  const quoted = text.startsWith('"') || text.startsWith("'");
  const end = quoted ? -1 : text.search(/\s/);
  if (!quoted) {
    const file = end < 0 ? text : text.slice(0, end);
    const args = end < 0 ? [] : splitArguments(text.slice(end), environment);
    return asCommand(file, args);
  }
  const [file = '', ...args] = splitArguments(text, environment);
  return asCommand(file, args);
}

function asCommand(file: string, args: string[]): ParsedCommand {
  if (!file.startsWith(builtinPrefix)) return { kind: 'exec', file, args };
  return { kind: 'builtin', name: file.slice(builtinPrefix.length), args };
}

/** Splits text into words with quotes, backslashes and variables, as `parseCommand` describes. */
export function splitArguments(text: string, environment: Readonly<Record<string, string>>): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (quote === "'") {
      if (char === "'") quote = '';
      else word += char;
    } else if (char === '\\' && (quote === '' || isEscapable(text.charAt(index + 1)))) {
      index += 1;
      word = (word ?? '') + text.charAt(index);
    } else if (char === '$') {
      const [value, length] = readVariable(text, index, environment);
      word = (word ?? '') + value;
      index += length - 1;
    } else if (char === quote) {
      quote = '';
    } else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** What a backslash protects inside double quotes. */
function isEscapable(char: string): boolean {
  return char === '"' || char === '\\' || char === '$' || char === '`';
}

/** Value of the variable at `start` and the number of characters of its name; a lone `$` stands for itself. */
function readVariable(
  text: string,
  start: number,
  environment: Readonly<Record<string, string>>,
): [value: string, length: number] {
  const braced = text.charAt(start + 1) === '{';
  let end = start + (braced ? 2 : 1);
  while (namePattern.test(text.charAt(end))) end += 1;
  const name = text.slice(start + (braced ? 2 : 1), end);
  if (name === '' || (braced && text.charAt(end) !== '}')) return ['$', 1];
  const value = Object.hasOwn(environment, name) ? (environment[name] ?? '') : '';
  return [value, end + (braced ? 1 : 0) - start];
}
