/** Name of a system error such as ENOENT; '' for anything else. */
export function systemErrorName(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
