/**
 * Brings an address of a Redis server into the form the client takes: `redis://` and `rediss://` URLs as they are,
 * `unix:/path`, `unix:///path` and a plain absolute path as the path. Throws RangeError, never showing
 * credentials, for anything else.
 */
export function redisAddress(url: string): string {
  if (url.startsWith('/')) return url;
  const socket = /^unix:(?:\/\/)?(\/.+)$/.exec(url)?.[1];
  if (socket !== undefined) return socket;
  if (/^rediss?:\/\/./.test(url) && URL.canParse(url)) return url;
  const scheme = /^[a-z][a-z+.-]*:/i.exec(url)?.[0] ?? '';
  throw new RangeError(
    `Not a Redis address (scheme ${JSON.stringify(scheme)}): use redis://host:port/db, rediss://… or unix:/path`,
  );
}
