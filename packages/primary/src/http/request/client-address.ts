import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { headerOf } from './target.js';

/** Proxies whose X-Forwarded-For is believed. */
export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #isEmpty: boolean;

  /** Addresses and networks such as `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`. Throws on anything else. */
  constructor(networks: readonly string[]) {
    this.#isEmpty = networks.length === 0;
    for (const network of networks) {
      const [address = '', bits] = network.split('/', 2);
      const family = familyOf(address);
      if (bits === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(bits), family);
    }
  }

  /**
   * The address a request comes from: that of the connection, or, through trusted proxies, the last one in
   * X-Forwarded-For that is no trusted proxy itself. What stands before it may be invented and does not count.
   */
  clientOf(request: IncomingMessage): string {
    let client = plain(request.socket.remoteAddress ?? '');
    if (this.#isEmpty) return client;
    const hops = headerOf(request, 'x-forwarded-for').split(',').reverse();
    for (const hop of hops) {
      if (!this.#trusts(client)) break;
      const before = plain(hop.trim());
      if (isIP(before) === 0) break;
      client = before;
    }
    return client;
  }

  #trusts(address: string): boolean {
    return isIP(address) !== 0 && this.#networks.check(address, familyOf(address));
  }
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** IPv4 as such, also where it came over an IPv6 socket. */
const plain = (address: string): string => address.replace(/^::ffff:(?=[\d.]+$)/i, '');

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 address, of which each client has all. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [left = '', right] = (address.split('%', 1)[0] ?? '').split('::', 2);
  const head = left.split(':').filter((group) => group !== '');
  const tail = (right ?? '').split(':').filter((group) => group !== '');
  const groups = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
