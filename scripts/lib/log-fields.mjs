/** Finds the names of the fields that sources write into the structured log, by reading their text. */

const call = /\b(?:log|logger|early)\??\s*\.log\(|\blog\(\s*'(?:error|warn|info|debug)'/g;

/** Names of the fields in the third argument of each call of a logger; what is spread into it is not seen. */
export function logFields(source) {
  const names = new Set();
  for (const { index } of source.matchAll(call)) {
    const parts = argumentsAt(source, source.indexOf('(', index));
    const last = parts.length >= 3 ? parts.slice(2).join(',').trim().replace(/,$/, '') : '';
    if (!last.startsWith('{')) continue;
    for (const part of split(last.slice(1, last.lastIndexOf('}')))) {
      const name = /^([A-Za-z]\w*)\s*(?::|$)/.exec(part.trim())?.[1];
      if (name !== undefined) names.add(name);
      // Fields that are there under a condition: ...(x ? {} : { name })
      if (part.trim().startsWith('...(')) {
        for (const [, inner] of part.matchAll(/\{\s*(\w+)/g)) names.add(inner);
      }
    }
  }
  return names;
}

/** The texts of the arguments of the call whose bracket is at `open`. */
function argumentsAt(source, open) {
  return split(source.slice(open + 1, closingOf(source, open)));
}

function closingOf(source, open) {
  let depth = 0;
  for (let at = open; at < source.length; at += 1) {
    const next = skipText(source, at);
    if (next !== at) at = next;
    else if ('([{'.includes(source[at])) depth += 1;
    else if (')]}'.includes(source[at])) depth -= 1;
    if (depth === 0) return at;
  }
  return source.length;
}

/** Parts between the commas that are in no bracket and no text. */
function split(text) {
  const parts = [];
  let begin = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const next = skipText(text, at);
    if (next !== at) at = next;
    else if ('([{'.includes(text[at])) depth += 1;
    else if (')]}'.includes(text[at])) depth -= 1;
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(begin, at));
      begin = at + 1;
    }
  }
  return [...parts, text.slice(begin)].filter((part) => part.trim() !== '');
}

/** Where a text that begins at `at` ends; `at` itself when none begins there. */
function skipText(source, at) {
  const quote = source[at];
  if (quote !== "'" && quote !== '"' && quote !== '`') return at;
  let end = at + 1;
  while (end < source.length && source[end] !== quote) end += source[end] === '\\' ? 2 : 1;
  return end;
}
