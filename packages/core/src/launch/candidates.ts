import type { ServerGroupRecord } from '@carillon/contract';
import { isInGroup } from '../catalog/server-group.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { LaunchSnapshot, Member } from './types.js';

/** What a target means at the moment. */
export type ResolvedTarget =
  /** A known server; nodes with this host name, by id. */
  | { kind: 'server'; title: string; members: Member[] }
  /** All members of a group, by host name; one that only workers declare has its id for a title. */
  | { kind: 'group'; title: string; members: Member[] };

/**
 * Looks a target up, first as the host name of a known server, then as the id of a group that is on record or that
 * a known worker declares; undefined when it is neither. Members are listed whether or not they are available
 * (behaviour reference 5.1).
 */
export function resolveTarget(target: string, snapshot: LaunchSnapshot): ResolvedTarget | undefined {
  const hostname = target.toLowerCase();
  const named = snapshot.members.filter((member) => member.hostname.toLowerCase() === hostname);
  if (named.length > 0 || isKnownServer(snapshot.state, hostname)) {
    return { kind: 'server', title: hostname, members: named.sort(byHostname) };
  }
  const group = snapshot.state.server_groups.get(target);
  if (group !== undefined) return groupTarget(group, snapshot.members);
  const declaring = snapshot.members.filter((member) => member.groups.includes(target));
  if (declaring.length === 0 && !isDeclaredGroup(snapshot.state, target)) return undefined;
  return { kind: 'group', title: target, members: declaring.sort(byHostname) };
}

function groupTarget(group: ServerGroupRecord, members: readonly Member[]): ResolvedTarget {
  const inGroup = members.filter((member) => isInGroup(group, member));
  return { kind: 'group', title: group.title, members: inGroup.sort(byHostname) };
}

function isKnownServer(state: ClusterState, hostname: string): boolean {
  for (const server of state.servers.newestFirst()) {
    if (server.hostname === hostname) return true;
  }
  return false;
}

/** True when a worker that need not be here at the moment declares itself a member of the group. */
function isDeclaredGroup(state: ClusterState, group: string): boolean {
  for (const server of state.servers.newestFirst()) {
    if (server.groups.includes(group)) return true;
  }
  return false;
}

/** By host name, then id, in the order of code units: the same on every machine. */
function byHostname(one: Member, other: Member): number {
  if (one.hostname !== other.hostname) return one.hostname < other.hostname ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}

/** What is running on a node as far as launching is concerned. */
export interface NodeLoad {
  /** Active jobs of the node. */
  jobs: number;
  /** Sums of the jobs' latest samples: percent of one core, bytes. */
  cpu: number;
  mem: number;
}

/** Load of each member by node id. Jobs are summed up only when `isWeighed`, otherwise they are just counted. */
export function nodeLoads(
  state: ClusterState,
  members: readonly Member[],
  isWeighed: boolean,
): Map<string, NodeLoad> {
  const loads = new Map<string, NodeLoad>();
  for (const member of members) {
    const load: NodeLoad = { jobs: state.countJobsOfNode(member.id), cpu: 0, mem: 0 };
    loads.set(member.id, load);
    if (!isWeighed) continue;
    for (const job of state.jobsOfNode(member.id)) {
      load.cpu += job.fields.cpu?.current ?? 0;
      load.mem += job.fields.mem?.current ?? 0;
    }
  }
  return loads;
}

/** Members that may get a job now: available, and with a free slot. Keeps the order. */
export function withRoom(members: readonly Member[], loads: ReadonlyMap<string, NodeLoad>): Member[] {
  return members.filter(
    (member) => member.available && (member.slots === 0 || (loads.get(member.id)?.jobs ?? 0) < member.slots),
  );
}
