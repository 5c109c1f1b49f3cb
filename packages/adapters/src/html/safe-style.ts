const longestStyle = 4096;
/** Properties that reach beyond their element, or that old browsers took for programs. */
const refusedProperties = new Set(['behavior', 'position', 'z-index', 'content', 'pointer-events']);
const harmlessFunctions = new Set(['rgb', 'rgba', 'hsl', 'hsla', 'calc', 'min', 'max']);

/**
 * The declarations of a `style` attribute that only change the looks of their element. Values are taken from an
 * allow-list of characters and functions, so that nothing is loaded (`url()`, `image()`), run (`expression()`) or
 * hidden in escapes and comments; everything else is dropped, declaration by declaration.
 */
export function safeStyle(style: string): string {
  if (style.length > longestStyle) return '';
  return style
    .split(';')
    .map((declaration) => declaration.trim())
    .filter(isHarmless)
    .join('; ');
}

function isHarmless(declaration: string): boolean {
  const colon = declaration.indexOf(':');
  const property = declaration.slice(0, Math.max(0, colon)).trim().toLowerCase();
  const value = declaration.slice(colon + 1).trim();
  if (!/^[a-z][a-z-]*$/.test(property) || refusedProperties.has(property)) return false;
  if (!/^[\w\s#.,%+\-!()"']+$/.test(value)) return false;
  return [...value.matchAll(/([\w-]*)\s*\(/g)].every(([, name = '']) =>
    harmlessFunctions.has(name.toLowerCase()),
  );
}
