import type { ClusterState, RunClaims, Session, Store } from '@carillon/core';

/** A session whose end the test decides. */
export interface TestSession extends Session {
  /** The holder no longer trusts its lease. */
  end(): void;
}

/** One durable truth that several nodes share. */
export interface StoreSubject {
  /** Begins a new term, which ends the one before. */
  newTerm(): Promise<TestSession>;
  /** The store as another node has it; a new instance with each call. */
  store(): Store;
  claims(): RunClaims;
  /** The next commit is carried out, but its reply is lost, so that the store asks again. */
  loseNextReply(): void;
  /** Nothing reaches the truth from here on, until `mend`. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** A new primary: its session, store, and the state as loaded. */
export async function openStore(
  subject: StoreSubject,
): Promise<{ store: Store; session: TestSession; state: ClusterState }> {
  const session = await subject.newTerm();
  const store = subject.store();
  return { store, session, state: await store.load(session) };
}

/** Gives each test a subject of its own, closed afterwards whatever happens. */
export const withSubject =
  (open: () => Promise<StoreSubject>) =>
  (body: (subject: StoreSubject) => Promise<void>) =>
  async (): Promise<void> => {
    const subject = await open();
    try {
      await body(subject);
    } finally {
      await subject.close();
    }
  };
