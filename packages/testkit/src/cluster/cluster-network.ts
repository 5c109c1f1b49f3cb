import type { ClientOptions } from '@carillon/client';
import type { NodeProcess } from './node-process.js';
import type { PrimaryProcess, TestCluster } from './test-cluster.js';

/** A stretch of network that breaks, or falls silent, when a test says so. */
export interface Stretch {
  cut(): void;
  /** Nothing comes through, and nobody is told; what is sent meanwhile arrives late. */
  freeze(): void;
  /** Ends both; harmless without. */
  mend(): void;
}

/** A node whose way to Redis can be broken. */
export interface FaultyNode {
  readonly process: NodeProcess;
  readonly toRedis: Stretch;
}

export interface FaultyPrimary extends FaultyNode {
  readonly process: PrimaryProcess;
}

/** What lies between the nodes of a cluster, and how it fails. */
export interface ClusterNetwork {
  readonly cluster: TestCluster;
  /** Prepares a node at a place of its own. */
  primary(name: string, environment: Readonly<Record<string, string>>): Promise<FaultyPrimary>;
  worker(name: string, environment: Readonly<Record<string, string>>): Promise<FaultyNode>;
  /** For clients in the process of the test that know these nodes. */
  clientOptions(nodes: readonly PrimaryProcess[]): ClientOptions;
  /** From Redis and from every primary. */
  cutOff(worker: FaultyNode): void;
  cutFromPrimaries(workers: readonly FaultyNode[]): void;
  /** Everything works again. */
  mend(): void;
  /** Ends the cluster, and then the network. */
  close(): Promise<void>;
}
