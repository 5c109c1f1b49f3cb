/** Where a server listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What a server wants to know of a client. */
export interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** How the Redis that holds the keys is found. */
export type RedisPlace =
  | { readonly kind: 'socket'; readonly path: string }
  /** One server; the URL holds everything. */
  | { readonly kind: 'server'; readonly url: string; readonly tls: boolean }
  /** The master of that name, as the sentinels say. */
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly name: string;
      readonly database: number;
      readonly login: Credentials;
      readonly sentinelLogin: Credentials;
      readonly tls: boolean;
    }
  /** Some servers of a Redis Cluster, which know the others. */
  | {
      readonly kind: 'cluster';
      readonly servers: readonly HostPort[];
      readonly login: Credentials;
      readonly tls: boolean;
    };

/**
 * Reads the address of a Redis: `redis://…` and `rediss://…` of one server, `unix:/path` or an absolute path,
 * `redis+sentinel://[user:password@]host[:26379],…/name[/database][?sentinel_username=…&sentinel_password=…]` and
 * `redis+cluster://[user:password@]host[:6379],…`, both also as `rediss+…` for TLS. Special characters of credentials
 * are percent-encoded. Throws RangeError with the reason, never showing credentials, for anything else.
 */
export function readRedisPlace(url: string): RedisPlace {
  const socket = /^(?:unix:(?:\/\/)?)?(\/.+)$/.exec(url)?.[1];
  if (socket !== undefined) return { kind: 'socket', path: socket };
  const shape = /^redis(s?)\+(sentinel|cluster):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/.exec(url);
  if (shape === null) return readServer(url);
  const [, secure = '', kind = '', authority = '', path = '', query = ''] = shape;
  const at = authority.lastIndexOf('@');
  const common = { login: readLogin(authority.slice(0, Math.max(0, at))), tls: secure === 's' };
  const hosts = authority.slice(at + 1);
  if (kind === 'cluster') {
    if (path !== '' && path !== '/' && path !== '/0') refuse('a Redis Cluster has no databases but 0');
    if (query !== '') refuse('a Redis Cluster takes no options in its address');
    return { kind, servers: readHosts(hosts, 6379), ...common };
  }
  return {
    kind: 'sentinel',
    sentinels: readHosts(hosts, 26_379),
    ...readMaster(path),
    ...common,
    sentinelLogin: readSentinelLogin(query),
  };
}

function readServer(url: string): RedisPlace {
  if (/^rediss?:\/\/./.test(url) && URL.canParse(url)) {
    return { kind: 'server', url, tls: url.startsWith('rediss:') };
  }
  const scheme = /^[a-z][a-z+.-]*:/i.exec(url)?.[0] ?? '';
  if (/^rediss?(?:\+sentinel|\+cluster)?:$/.test(scheme)) {
    return refuse('host, port or path cannot be read; special characters of passwords are percent-encoded');
  }
  return refuse(
    `its scheme is ${JSON.stringify(scheme)}; use redis://host:port/db, rediss://…, ` +
      'redis+sentinel://host,host/name, redis+cluster://host,host or unix:/path',
  );
}

function readHosts(text: string, presetPort: number): HostPort[] {
  return text.split(',').map((part) => {
    const [, bracketed, name, port = String(presetPort)] =
      /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(part.trim()) ?? [];
    const host = bracketed ?? name;
    if (host === undefined) return refuse('its hosts are not a list of host:port, separated by commas');
    if (Number(port) < 1 || Number(port) > 65_535) return refuse(`${port} is not a port`);
    return { host, port: Number(port) };
  });
}

function readMaster(path: string): { name: string; database: number } {
  const [, name, database = '0'] = /^\/([\w.-]+)(?:\/(\d{0,4}))?$/.exec(path) ?? [];
  if (name === undefined) {
    return refuse('after the sentinels comes /name, the name under which they watch the master');
  }
  return { name, database: Number(database) };
}

function readLogin(text: string): Credentials {
  const colon = text.indexOf(':');
  if (colon < 0) return { username: decode(text), password: undefined };
  return { username: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function readSentinelLogin(query: string): Credentials {
  const given = new Map<string, string | undefined>();
  for (const part of query === '' ? [] : query.split('&')) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    if (name !== 'sentinel_username' && name !== 'sentinel_password') {
      refuse('its options can be sentinel_username and sentinel_password');
    }
    given.set(name, decode(equals < 0 ? '' : part.slice(equals + 1)));
  }
  return { username: given.get('sentinel_username'), password: given.get('sentinel_password') };
}

/** Undefined for an empty text. */
function decode(text: string): string | undefined {
  try {
    return text === '' ? undefined : decodeURIComponent(text);
  } catch {
    return refuse('a percent sign in its credentials is written %25');
  }
}

function refuse(reason: string): never {
  throw new RangeError(`Not a Redis address: ${reason}`);
}

/** The address with every password in it replaced by stars, also when it cannot be read. */
export function maskRedisUrl(url: string): string {
  return url
    .replace(/^([\w+.-]+:\/\/[^@/:]*:).*@/, '$1********@')
    .replace(/([?&](?:sentinel_)?password=)[^&]*/gi, '$1********');
}
