/** Numbers given as text count as numbers, so that `"0"` is success everywhere (behaviour reference 13 #35). */
export function normaliseCode(code: number | string): number | string {
  if (typeof code === 'string' && /^\s*-?\d+\s*$/.test(code)) return Number(code);
  return code;
}
