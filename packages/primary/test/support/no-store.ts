import { ClusterState, type Store, type StoreUpkeep } from '@carillon/core';

const noPage = async () => ({ rows: [], length: 0 });

/** Holds nothing and takes everything. */
export class NoStore implements Store {
  readonly upkeep: StoreUpkeep = {
    trimHistory: async () => 0,
    readOldest: async () => [],
    removeRows: async () => 0,
    readRecords: async () => ({ records: [], next: undefined }),
    keepRecords: async () => undefined,
    readExpireDays: async () => undefined,
    noteExpireDays: async () => undefined,
  };
  load = async () => new ClusterState();
  commit = async () => undefined;
  stage = async () => 0;
  unstage = async () => undefined;
  readCopy = noPage;
  revoke = async () => ({ kind: 'absent' }) as const;
  readJob = async () => undefined;
  readHistory = noPage;
  readActivity = noPage;
  readDeliveries = noPage;
  checkHealth = async () => undefined;
}
