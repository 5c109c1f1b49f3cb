import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Seal } from '@carillon/core';
import { headerOf } from './target.js';

/** By which a node that passes a request on tells the primary where it comes from: `time address proof`. */
export const vouchedAddressHeader = 'x-carillon-client-address';

/** The clocks of nodes differ by less, or follow that of Redis. */
const freshForMs = 30_000;

/** The header's value, at this time (Unix milliseconds). */
export function vouchFor(address: string, nowMs: number, seal: Seal): string {
  const said = `${Math.round(nowMs)} ${address}`;
  return `${said} ${seal.of(said)}`;
}

/** The address that a node of the cluster vouches for, when the request has such a header and it is fresh and true. */
export function vouchedAddress(request: IncomingMessage, nowMs: number, seal: Seal): string | undefined {
  const value = headerOf(request, vouchedAddressHeader);
  if (value === '') return undefined;
  const [time = '', address = '', proof = ''] = value.split(' ', 3);
  const isFresh = Math.abs(nowMs - Number(time)) <= freshForMs;
  if (!isFresh || isIP(address) === 0) return undefined;
  return seal.isOf(proof, `${time} ${address}`) ? address : undefined;
}
