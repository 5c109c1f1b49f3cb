/**
 * Views of a TypeScript or JavaScript source in which line numbers and columns are kept:
 * `code` has comments replaced by blanks, `bare` also the contents of strings, templates and regular expressions.
 */
export function viewsOf(source) {
  const code = source.split('');
  const bare = [...code];
  const blank = (views, from, to) => {
    for (const view of views) {
      for (let at = from; at < to; at++) if (source[at] !== '\n') view[at] = ' ';
    }
  };
  // Open braces inside each template literal whose `${` is open.
  const templates = [];
  const template = (from) => {
    const { end, opens } = templateEnd(source, from);
    blank([bare], from, end);
    if (opens) templates.push(0);
    return end + (opens ? 2 : 1);
  };
  let index = 0;
  while (index < source.length) {
    const character = source[index];
    const comment = commentEnd(source, index);
    const literal = comment === undefined ? literalEnd(source, bare, index) : undefined;
    if (comment !== undefined) {
      blank([code, bare], index, comment);
      index = comment;
    } else if (literal !== undefined) {
      blank([bare], index + 1, literal);
      index = literal + 1;
    } else if (character === '`') {
      index = template(index + 1);
    } else if (character === '}' && templates.at(-1) === 0) {
      templates.pop();
      index = template(index + 1);
    } else {
      if (templates.length > 0 && character === '{') templates[templates.length - 1] += 1;
      if (templates.length > 0 && character === '}') templates[templates.length - 1] -= 1;
      index += 1;
    }
  }
  return { code: code.join(''), bare: bare.join('') };
}

/** Index after the comment that begins here, if one does. */
function commentEnd(source, index) {
  if (source[index] !== '/') return undefined;
  const end = source[index + 1] === '/' ? '\n' : source[index + 1] === '*' ? '*/' : undefined;
  if (end === undefined) return undefined;
  const at = source.indexOf(end, index + 2);
  if (at < 0) return source.length;
  return end === '\n' ? at : at + end.length;
}

/** Index of the closing mark of the string or regular expression that begins here, if one does. */
function literalEnd(source, bare, index) {
  const mark = source[index];
  const isText = mark === "'" || mark === '"';
  if (!isText && !(mark === '/' && startsExpression(bare, index))) return undefined;
  let inClass = false;
  let at = index + 1;
  while (at < source.length && source[at] !== '\n' && (inClass || source[at] !== mark)) {
    if (!isText && source[at] === '[') inClass = true;
    if (source[at] === ']') inClass = false;
    at += source[at] === '\\' ? 2 : 1;
  }
  return Math.min(at, source.length);
}

/** Where the text of a template ends, and whether a `${` rather than the closing mark ends it. */
function templateEnd(source, from) {
  let at = from;
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '$' && source[at + 1] === '{') return { end: at, opens: true };
    at += source[at] === '\\' ? 2 : 1;
  }
  return { end: Math.min(at, source.length), opens: false };
}

/** True where a `/` begins a regular expression rather than divides: after an operator or a keyword. */
function startsExpression(bare, index) {
  let at = index - 1;
  while (at >= 0 && /\s/.test(bare[at])) at -= 1;
  if (at < 0 || '(,=:[!&|?{};+-*%<>~^'.includes(bare[at])) return true;
  return /\b(?:return|typeof|case|in|of|void|yield|await)$/.test(
    bare.slice(Math.max(0, at - 8), at + 1).join(''),
  );
}

/**
 * Every module a source names: `{ specifier, line, typeOnly }` of import, export-from, dynamic import and require.
 * `typeOnly` imports leave no trace in the program.
 */
export function importsOf(code, bare) {
  const found = [];
  const statement =
    /(?:\bimport\s*(?:type\s+)?(?:[\w$*{][^'"`;()]*?\bfrom\s*)?|\bexport\s+(?:type\s+)?[*{][^'"`;()]*?\bfrom\s*|\b(?:import|require)\s*\(\s*)(['"`])/g;
  for (const match of bare.matchAll(statement)) {
    const start = match.index + match[0].length;
    const end = code.indexOf(match[1], start);
    if (end <= start) continue;
    const typeOnly = /^(?:import|export)\s+type\b/.test(match[0]);
    found.push({ specifier: code.slice(start, end), line: lineOf(code, match.index), typeOnly });
  }
  return found;
}

/** Number of the line, from 1, that an index is on. */
export function lineOf(text, index) {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
