import { Type } from '@carillon/contract';
import { isIP } from 'node:net';
import type { Setting } from './settings.js';

const file = Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*$' });
const perTime = Type.Integer({ minimum: 0, maximum: 1_000_000 });

/** Settings that protect a node: TLS, and limits of what one client may ask (docs/security.md). */
export const protectionSettings = {
  CARILLON_TLS_CERT: {
    group: 'HTTP',
    reading: 'text',
    schema: file,
    expects: 'the path of a PEM file',
    about:
      'Certificate of this node with its chain. With it the API, the live channel and the links of workers are served ' +
      'over TLS alone. A changed file is taken up within a minute, or at once on SIGHUP.',
    option: '--tls-cert',
    example: '/etc/carillon/tls.crt',
  },
  CARILLON_TLS_KEY: {
    group: 'HTTP',
    reading: 'text',
    schema: file,
    expects: 'the path of a PEM file',
    about: 'Private key of the certificate.',
    option: '--tls-key',
    example: '/etc/carillon/tls.key',
  },
  CARILLON_TLS_CA: {
    group: 'HTTP',
    reading: 'text',
    schema: file,
    expects: 'the path of a PEM file',
    preset: 'what the system trusts',
    about:
      'Authorities that sign the certificates of the nodes: in links and forwarded requests no others count.',
    option: '--tls-ca',
    example: '/etc/carillon/ca.crt',
  },
  CARILLON_RATE_PER_KEY: {
    group: 'HTTP',
    reading: 'integer',
    schema: perTime,
    expects: 'a whole number from 0 to 1000000',
    preset: '0',
    about:
      'Requests a second with one API key, twice as many at once; more are answered with HTTP 429. 0 = no limit. Counted ' +
      'by the primary.',
    option: '--rate-per-key',
  },
  CARILLON_RATE_PER_ADDRESS: {
    group: 'HTTP',
    reading: 'integer',
    schema: perTime,
    expects: 'a whole number from 0 to 1000000',
    preset: '0',
    about:
      'Requests a second from one address, twice as many at once; more are answered with HTTP 429. 0 = no limit. Behind a ' +
      'load balancer it needs CARILLON_TRUSTED_PROXIES.',
    option: '--rate-per-address',
  },
  CARILLON_FAILED_AUTH_PER_MIN: {
    group: 'HTTP',
    reading: 'integer',
    schema: perTime,
    expects: 'a whole number from 0 to 1000000',
    preset: '60',
    about:
      'Wrong API keys a minute from one address. After that even a right key is refused there with HTTP 429, unless it has ' +
      'been used from there before. 0 = no limit.',
    option: '--failed-auth-per-min',
  },
  CARILLON_TRUSTED_PROXIES: {
    group: 'HTTP',
    reading: 'list',
    schema: Type.Array(Type.String({ format: 'network' }), { maxItems: 256 }),
    expects: 'addresses and networks such as `10.0.0.5` or `10.0.0.0/8`, separated by commas',
    about: 'Load balancers: what they put into X-Forwarded-For is believed to be the address of the client.',
    option: '--trusted-proxies',
    example: '10.0.0.0/8',
  },
} as const satisfies Record<string, Setting>;

/** An address, or one with the length of a network's prefix. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
