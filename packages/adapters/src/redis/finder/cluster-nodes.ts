import type { HostPort } from '../redis-place.js';

/** A server of a Redis Cluster, as another one sees it. */
export interface ClusterNode {
  readonly address: HostPort;
  readonly isMaster: boolean;
  /** The others agree that it has failed, or nobody knows its address. */
  readonly isGone: boolean;
  /** Of two servers that claim a slot, the one with the higher number is right. */
  readonly epoch: number;
  /** First and last slot of each range. */
  readonly slots: readonly (readonly [number, number])[];
}

/**
 * Reads the answer to CLUSTER NODES. `asked` is the address that was asked, for a server that does not know its own.
 * Lines that are none are left out.
 */
export function readClusterNodes(text: string, asked: HostPort): ClusterNode[] {
  const nodes: ClusterNode[] = [];
  for (const line of text.split('\n')) {
    const [, place = '', flagList = '', , , , epoch, , ...slots] = line.trim().split(' ');
    const flags = flagList.split(',');
    const address = readAddress(place, flags.includes('myself') ? asked : undefined);
    if (address === undefined) continue;
    nodes.push({
      address,
      isMaster: flags.includes('master'),
      isGone: flags.some((flag) => flag === 'fail' || flag === 'noaddr' || flag === 'handshake'),
      epoch: Number(epoch) || 0,
      slots: slots.flatMap(readSlots),
    });
  }
  return nodes;
}

/** `host:port@busport`, with the announced name, if there is one, behind a comma: certificates are for names. */
function readAddress(place: string, asked: HostPort | undefined): HostPort | undefined {
  const [, host = '', port = '', name = ''] = /^(.*):(\d+)@\d+(?:,([^,]*))?/.exec(place) ?? [];
  const known = name === '' || name === '?' ? host : name;
  const found = {
    host: known === '' ? (asked?.host ?? '') : known,
    port: Number(port) || (asked?.port ?? 0),
  };
  return found.host === '' || found.port === 0 ? undefined : found;
}

/** `5`, `0-5460`; `[93->-…]` is a slot on its way to another server, which still is this one's. */
function readSlots(text: string): [number, number][] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return first === undefined ? [] : [[Number(first), Number(last)]];
}

/**
 * Who has a slot by the newest claim that several servers know of; undefined when nobody does at present. A server
 * that only some call failed is tried: the one that answers last may be the one that was cut off.
 */
export function ownerOfSlot(nodes: readonly ClusterNode[], slot: number): ClusterNode | undefined {
  const claims = nodes.filter(
    (node) => node.isMaster && node.slots.some(([first, last]) => first <= slot && slot <= last),
  );
  const newest = Math.max(...claims.map((node) => node.epoch));
  return claims.find((node) => node.epoch === newest && !node.isGone);
}
