import type { EventRecord } from '@carillon/contract';
import {
  type ActivityEntry,
  type Caller,
  type Change,
  cursorChangesForSwitch,
  cursorChangesForUpdate,
  planEventCreation,
  planEventDeletion,
  planEventUpdate,
} from '@carillon/core';
import type { EventUpdateOptions } from '../office.js';
import type { OfficeContext } from '../office/context.js';
import { activityChange } from './activity-change.js';

/** Only the rules of creation look at who asks. */
const jobCaller: Caller = { kind: 'user', id: '', title: '', privileges: {} };

/** Creates, changes and deletes events, switches the scheduler and notes who asked for another primary. All writes are durable when they resolve. */
export class CatalogService {
  readonly #office: OfficeContext;

  constructor(office: OfficeContext) {
    this.#office = office;
  }

  async createEvent(fields: Record<string, unknown>, caller: Caller): Promise<string> {
    const { state, journal } = this.#office;
    const record = planEventCreation(fields, this.#context(caller));
    await journal.commit([
      { type: 'put', table: 'events', seq: state.events.nextSeq, record },
      ...cursorChangesForUpdate(undefined, record, state, this.#office.clock.nowMs()),
      this.#activity('event_create', caller, { event: record }),
    ]);
    return record.id;
  }

  async updateEvent(
    current: EventRecord,
    changes: Record<string, unknown>,
    options: EventUpdateOptions,
    caller: Caller,
  ): Promise<EventRecord> {
    const { state, journal, clock } = this.#office;
    const record = planEventUpdate(current, changes, this.#context(caller));
    const seq = state.events.entry(current.id)?.seq ?? state.events.nextSeq;
    await journal.commit([
      { type: 'put', table: 'events', seq, record },
      ...cursorChangesForUpdate(current, record, state, clock.nowMs(), options.resetCursor),
      // Setting the clock decides about every minute anew.
      ...(options.resetCursor && state.redos.has(current.id)
        ? [{ type: 'redo' as const, event: current.id, minutes: [] }]
        : []),
      this.#activity('event_update', caller, {
        event: { ...changes, id: record.id, modified: record.modified },
      }),
    ]);
    return record;
  }

  /**
   * The changes that carry out an update which a job of the event has asked for (behaviour reference 6.3); none when the
   * event is gone. Throws CarillonError for what update_event would refuse.
   */
  updateByJob(id: string, changes: Record<string, unknown>): Change[] {
    const { state, clock, settings } = this.#office;
    const current = state.events.get(id);
    const entry = state.events.entry(id);
    if (current === undefined || entry === undefined) return [];
    const record = planEventUpdate(current, changes, this.#context(jobCaller));
    const data = { event: { ...changes, id, title: record.title }, action: 'event_update' };
    const activity: ActivityEntry = { ...data, epoch: Math.floor(clock.nowMs() / 1000) };
    return [
      { type: 'put', table: 'events', seq: entry.seq, record },
      ...cursorChangesForUpdate(current, record, state, clock.nowMs()),
      { type: 'activity', entry: activity, rowMax: settings.historyRows },
    ];
  }

  async deleteEvent(id: string, caller: Caller): Promise<void> {
    const { state, journal } = this.#office;
    const event = planEventDeletion(id, state);
    await journal.commit([
      { type: 'delete', table: 'events', id },
      { type: 'forget-event', event: id },
      this.#activity('event_delete', caller, { event }),
    ]);
  }

  async setEnabled(enabled: 0 | 1, caller: Caller): Promise<void> {
    const { state, journal, clock } = this.#office;
    await journal.commit([
      { type: 'switch', enabled },
      ...cursorChangesForSwitch(state, enabled, clock.nowMs()),
      this.#activity('state_update', caller, { enabled }),
    ]);
  }

  /** Notes who asked this node to give up its office. */
  async noteStepDown(caller: Caller): Promise<void> {
    const { journal, session } = this.#office;
    await journal.commit([this.#activity('step_down', caller, { term: session.term })]);
  }

  #context(caller: Caller) {
    const { state, clock, newId, settings } = this.#office;
    return {
      state,
      caller,
      nowSec: Math.floor(clock.nowMs() / 1000),
      newEventId: () => newId('e'),
      defaultTimezone: settings.timezone,
    };
  }

  #activity(action: string, caller: Caller, data: Readonly<Record<string, unknown>>): Change {
    return activityChange(this.#office, action, caller, data);
  }
}
