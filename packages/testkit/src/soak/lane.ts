import { setTimeout as delay } from 'node:timers/promises';
import type { CarillonClient } from '@carillon/client';
import { SeededRandom } from '../seeded-random.js';
import type { Ledger } from './ledger.js';
import type { SoakEvent } from './schedule.js';

interface OwnEvent extends SoakEvent {
  enabled: 0 | 1;
}

const pauseMs = { shortest: 30, longest: 300 };

/** One client that works on the schedule, call after call. No other lane writes to its events. */
export class Lane {
  readonly #name: string;
  readonly #client: CarillonClient;
  readonly #ledger: Ledger;
  readonly #random: SeededRandom;
  readonly #events: OwnEvent[];
  /** Jobs that may be aborted. */
  readonly #slow: string[] = [];
  #count = 0;

  constructor(
    name: string,
    seed: number,
    client: CarillonClient,
    ledger: Ledger,
    events: readonly SoakEvent[],
  ) {
    this.#name = name;
    this.#client = client;
    this.#ledger = ledger;
    this.#random = new SeededRandom(seed);
    this.#events = events.map((event) => ({ ...event, enabled: 1 }));
  }

  /** Creates its events. Throws when one could not be created. */
  async prepare(): Promise<void> {
    for (const event of this.#events) {
      if ((await this.#create(event)) !== 'acknowledged') throw new Error(`${event.id} could not be created`);
    }
  }

  /** Goes on until the signal is aborted; the last call is waited for. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#step();
      const ms = pauseMs.shortest + this.#random.integer(pauseMs.longest - pauseMs.shortest);
      await delay(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  async #step(): Promise<void> {
    const dice = this.#random.integer(100);
    if (dice < 45) await this.#run();
    else if (dice < 65) await this.#update();
    else if (dice < 75) await this.#switch();
    else if (dice < 85) await this.#createAnother();
    else if (dice < 90) await this.#delete();
    else await this.#abort();
  }

  async #run(): Promise<void> {
    const event = this.#pick((one) => one.use === 'asked' || one.use === 'aborted');
    if (event === undefined) return;
    const ids = await this.#ledger.run(event.id, () => this.#client.runEvent({ id: event.id }));
    if (event.use === 'aborted') this.#slow.push(...ids);
  }

  async #update(): Promise<void> {
    const event = this.#pick(() => true);
    if (event !== undefined) await this.#write(event, { notes: this.#newName('note') });
  }

  async #switch(): Promise<void> {
    const event = this.#pick(({ use }) => use === 'switched');
    if (event === undefined) return;
    event.enabled = event.enabled === 1 ? 0 : 1;
    await this.#write(event, { enabled: event.enabled });
  }

  async #createAnother(): Promise<void> {
    const model = this.#pick(({ use }) => use === 'switched');
    if (model === undefined || this.#events.length > 40) return;
    const event: OwnEvent = { ...model, id: this.#newName('extra'), enabled: 1 };
    const fate = await this.#create(event);
    // One that may not be there is left alone.
    if (fate === 'acknowledged') this.#events.push(event);
  }

  async #delete(): Promise<void> {
    const event = this.#pick(({ id }) => id.startsWith('extra'));
    if (event === undefined) return;
    const { id } = event;
    const about = { event: id, what: 'delete', fields: {} } as const;
    const fate = await this.#ledger.write(about, () => this.#client.deleteEvent({ id }));
    if (fate !== undefined) this.#events.splice(this.#events.indexOf(event), 1);
  }

  async #abort(): Promise<void> {
    const id = this.#slow.shift();
    if (id !== undefined) await this.#ledger.abort(id, () => this.#client.abortJob({ id }));
  }

  #write({ id }: OwnEvent, fields: Record<string, unknown>): Promise<unknown> {
    const about = { event: id, what: 'update', fields } as const;
    return this.#ledger.write(about, () => this.#client.updateEvent({ id, ...fields }));
  }

  #create({ id, fields }: OwnEvent): Promise<unknown> {
    const base = {
      id,
      title: `Soak ${id}`,
      enabled: 1,
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
    };
    const event = { ...base, ...fields };
    return this.#ledger.write({ event: id, what: 'create', fields: event }, () =>
      this.#client.createEvent(event),
    );
  }

  #pick(suits: (event: OwnEvent) => boolean): OwnEvent | undefined {
    const suitable = this.#events.filter(suits);
    return suitable[this.#random.integer(Math.max(1, suitable.length))];
  }

  #newName(kind: string): string {
    this.#count += 1;
    return `${kind}_${this.#name}_${this.#count}`;
  }
}
