import type { PrimaryMessage, WorkerHello, WorkerMessage } from '@carillon/contract';
import type {
  Cancel,
  ChannelLink,
  Clock,
  Lease,
  Logger,
  PrimaryInfo,
  Random,
  WorkerChannel,
} from '@carillon/core';

const firstPauseMs = 50;
const longestPauseMs = 1000;
const beatEveryMs = 1000;

export interface PrimaryLinkDeps {
  clock: Clock;
  random: Random;
  logger: Logger;
  lease: Pick<Lease, 'holder' | 'observe'>;
  channel: WorkerChannel;
  /** Who this worker is and what it holds, asked for on each connection. */
  hello: () => WorkerHello;
  /** Asked for every second while connected. */
  beat: () => WorkerMessage;
  onMessage: (message: PrimaryMessage) => void;
  onDown: () => void;
}

/**
 * Keeps a link to the present primary: finds it by the lease, says hello, beats every second, and looks again, with a
 * growing pause of 50 ms to 1 s, when there is none or the link breaks. The announcement of a new primary
 * ends any pause and any link to another one.
 */
export class PrimaryLink {
  readonly #deps: PrimaryLinkDeps;
  /** Why the last attempt failed; undefined once one succeeded. */
  #complaint: string | undefined;
  #link: ChannelLink<WorkerMessage> | undefined;
  /** The primary of the present link or attempt. */
  #peer: PrimaryInfo | undefined;
  /** Last primary heard of: asked while the store does not answer. */
  #known: PrimaryInfo | undefined;
  #attempt: AbortController | undefined;
  #pauseMs = firstPauseMs;
  #wake: (() => void) | undefined;
  #unobserve: Cancel | undefined;
  #stopped = false;
  #ended: Promise<void> | undefined;

  constructor(deps: PrimaryLinkDeps) {
    this.#deps = deps;
  }

  get isUp(): boolean {
    return this.#link !== undefined;
  }

  start(): void {
    if (this.#stopped || this.#ended !== undefined) return;
    this.#unobserve = this.#deps.lease.observe((holder) => this.#onAnnounced(holder));
    this.#ended = this.#run();
  }

  /** Closes the link; resolves when nothing is under way any more. */
  async stop(reason: string): Promise<void> {
    this.#stopped = true;
    this.#unobserve?.();
    this.#leave(reason);
    this.#wake?.();
    await this.#ended;
  }

  /** A hint: lost while there is no link. */
  send(message: WorkerMessage): void {
    this.#link?.send(message);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const target = await this.#find();
      if (target !== undefined && !this.#stopped) await this.#serve(target);
      if (!this.#stopped) await this.#pause();
    }
  }

  async #find(): Promise<PrimaryInfo | undefined> {
    try {
      this.#known = await this.#deps.lease.holder();
    } catch {
      // The store is away; the primary may still be where it was.
    }
    return this.#known;
  }

  /** Connects, and resolves when the link, or the attempt, is over. */
  async #serve(target: PrimaryInfo): Promise<void> {
    const { channel, logger, onDown } = this.#deps;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#peer = target;
    let closed: (reason: string) => void = () => undefined;
    const whenClosed = new Promise<string>((resolve) => {
      closed = resolve;
    });
    try {
      const handlers = { onMessage: (message: PrimaryMessage) => this.#onMessage(message), onClose: closed };
      const link = await channel.connect(target.url, handlers, attempt.signal);
      this.#complaint = undefined;
      const reason = await this.#talk(link, whenClosed);
      logger.log('info', 'The link to the primary is down', { primary: target.hostname, reason });
      onDown();
    } catch (error) {
      // Once for each reason: a wrong secret or certificate has to be seen, and not every quarter of a second.
      const complaint = String(error);
      const level = complaint === this.#complaint ? 'debug' : 'warn';
      this.#complaint = complaint;
      logger.log(level, 'The primary cannot be reached', { url: target.url, error: complaint });
    } finally {
      this.#attempt = undefined;
      this.#peer = undefined;
    }
  }

  async #talk(link: ChannelLink<WorkerMessage>, whenClosed: Promise<string>): Promise<string> {
    const { clock, hello, beat } = this.#deps;
    if (this.#stopped) link.close('the worker is shutting down');
    this.#link = link;
    link.send(hello());
    const stopBeats = clock.every(beatEveryMs, () => link.send(beat()));
    try {
      return await whenClosed;
    } finally {
      stopBeats();
      this.#link = undefined;
    }
  }

  #onMessage(message: PrimaryMessage): void {
    if (message.type === 'welcome') this.#pauseMs = firstPauseMs;
    this.#deps.onMessage(message);
  }

  #onAnnounced(holder: PrimaryInfo | undefined): void {
    if (holder === undefined) return;
    this.#known = holder;
    this.#pauseMs = firstPauseMs;
    if (this.#peer !== undefined && this.#peer.term !== holder.term) {
      this.#leave('there is a new primary');
    }
    this.#wake?.();
  }

  /** Ends the present link, or the attempt to open one. */
  #leave(reason: string): void {
    if (this.#link === undefined) this.#attempt?.abort();
    else this.#link.close(reason);
  }

  /** Waits a growing time, a quarter of it random so that a fleet does not come back in one moment. */
  #pause(): Promise<void> {
    const { clock, random } = this.#deps;
    const spread = Math.ceil(this.#pauseMs / 4);
    const ms = this.#pauseMs - random.integer(spread);
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
    return new Promise((resolve) => {
      const cancel = clock.after(ms, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = undefined;
        cancel();
        resolve();
      };
    });
  }
}
