import { type Change, type Digest, planKeyCreation, setupRecords } from '@carillon/core';
import type { OfficeContext } from './context.js';

/** What the first primary of a new cluster creates. */
export interface FirstRun {
  digest: Digest;
  /** Host name for the `maingrp` group. */
  hostname: string;
  /** Key given by configuration; without one a random key is made and handed to `onAdminKey`. */
  bootstrapKey: string | undefined;
  /**
   * Called with a new random admin key before it is stored, so that it cannot be lost between the two; the only
   * time it is known in clear.
   */
  onAdminKey: (key: string) => Promise<void>;
}

/**
 * Fills an empty store with the setup records (behaviour reference 3.9) and an administrator's API key. A
 * configured bootstrap key is added whenever the store does not know it.
 */
export async function setUp(office: OfficeContext, first: FirstRun): Promise<void> {
  const { state, journal, clock } = office;
  const nowSec = Math.floor(clock.nowMs() / 1000);
  const changes: Change[] = [];
  const isNew = [state.plugins, state.categories, state.server_groups].every((table) => table.size === 0);
  if (isNew) changes.push(...setupRecords({ hostname: first.hostname, nowSec }));
  const key = await missingKey(office, first);
  if (key !== undefined) {
    changes.push(
      planKeyCreation({
        id: office.newId('k'),
        title: 'Administrator',
        keyHash: first.digest.sha256(key),
        privileges: { admin: 1 },
        nowSec,
        seq: state.api_keys.nextSeq,
      }),
    );
  }
  await journal.commit(changes);
}

async function missingKey(office: OfficeContext, first: FirstRun): Promise<string | undefined> {
  if (first.bootstrapKey !== undefined) {
    const known = office.state.keyByHash(first.digest.sha256(first.bootstrapKey));
    return known === undefined ? first.bootstrapKey : undefined;
  }
  if (office.state.api_keys.size > 0) return undefined;
  const key = office.random.hex(16);
  await first.onAdminKey(key);
  return key;
}
