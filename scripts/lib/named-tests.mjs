/** Tests that a text names, as `` `FILE.test.ts: NAME` ``: file below `packages/`, and name. */
export const namedTests = (text) =>
  [...text.matchAll(/`([\w./-]+\.test\.ts): ([^`]+)`/g)].map(([, file, name]) => ({ file, name }));

/** True when a test, or a case of a table of tests, has exactly this name in the source text. */
export function hasTest(source, name) {
  const quoted = [`'${name}'`, `"${name}"`, `\`${name}\``];
  const isKey = /^\w+$/.test(name) && new RegExp(`^\\s*${name}: `, 'm').test(source);
  return isKey || quoted.some((literal) => source.includes(literal));
}
