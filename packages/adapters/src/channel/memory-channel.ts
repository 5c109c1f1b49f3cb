import type { PrimaryMessage, WorkerHello, WorkerMessage } from '@carillon/contract';
import type { ChannelLink, ClusterChannel, LinkHandlers, WorkerChannel } from '@carillon/core';

type OnLink = (link: ChannelLink<PrimaryMessage>, hello: WorkerHello) => LinkHandlers<WorkerMessage>;

/** One direction's receiving end. */
class End<In> {
  handlers: LinkHandlers<In> | undefined;
  closedFor: string | undefined;
}

/** Two ends; what one sends reaches the other as a copy, one microtask later. */
class Wire {
  readonly worker = new End<PrimaryMessage>();
  readonly primary = new End<WorkerMessage>();
  readonly #onHello: (hello: WorkerHello) => void;
  #greeted = false;
  /** True: everything is lost without notice, as behind a broken network. */
  dead = false;

  constructor(onHello: (hello: WorkerHello) => void) {
    this.#onHello = onHello;
  }

  toPrimary(message: WorkerMessage): void {
    const text = JSON.stringify(message);
    queueMicrotask(() => {
      if (this.dead || this.primary.closedFor !== undefined) return;
      const copy: WorkerMessage = JSON.parse(text);
      if (this.#greeted) this.primary.handlers?.onMessage(copy);
      else if (copy.type === 'hello') {
        this.#greeted = true;
        this.#onHello(copy);
      } else this.closeFrom('primary', 'invalid message: a hello was expected');
    });
  }

  toWorker(message: PrimaryMessage): void {
    const text = JSON.stringify(message);
    queueMicrotask(() => {
      if (!this.dead && this.worker.closedFor === undefined)
        this.worker.handlers?.onMessage(JSON.parse(text));
    });
  }

  /** The closing end knows at once, the other after what was sent before. */
  closeFrom(side: 'worker' | 'primary', reason: string): void {
    if (side === 'worker') closeEnd(this.worker, reason);
    else closeEnd(this.primary, reason);
    queueMicrotask(() => {
      if (!this.dead) this.lose(reason);
    });
  }

  /** Both ends find out, as after silence. */
  lose(reason: string): void {
    closeEnd(this.worker, reason);
    closeEnd(this.primary, reason);
  }
}

function closeEnd<In>(end: End<In>, reason: string): void {
  if (end.closedFor !== undefined) return;
  end.closedFor = reason;
  const { handlers } = end;
  end.handlers = undefined;
  handlers?.onClose(reason);
}

class MemoryClusterChannel implements ClusterChannel {
  onLink: OnLink | undefined;
  readonly wires = new Set<Wire>();

  accept(onLink: OnLink | undefined): void {
    this.onLink = onLink;
  }

  closeLinks(reason: string): void {
    for (const wire of this.wires) wire.closeFrom('primary', reason);
    this.wires.clear();
  }

  connect(handlers: LinkHandlers<PrimaryMessage>, signal: AbortSignal): ChannelLink<WorkerMessage> {
    const wire = new Wire((hello) => this.#greet(wire, hello));
    this.wires.add(wire);
    wire.worker.handlers = handlers;
    signal.addEventListener('abort', () => wire.closeFrom('worker', 'no longer wanted'), { once: true });
    return {
      send: (message) => {
        if (wire.worker.closedFor === undefined) wire.toPrimary(message);
      },
      close: (reason) => wire.closeFrom('worker', reason),
    };
  }

  #greet(wire: Wire, hello: WorkerHello): void {
    if (this.onLink === undefined) {
      wire.closeFrom('primary', 'this node is not the primary');
      return;
    }
    const handlers = this.onLink(
      {
        send: (message) => {
          if (wire.primary.closedFor === undefined) wire.toWorker(message);
        },
        close: (reason) => wire.closeFrom('primary', reason),
      },
      hello,
    );
    if (wire.primary.closedFor === undefined) wire.primary.handlers = handlers;
    else handlers.onClose(wire.primary.closedFor);
  }
}

/** Channels of a cluster within one process: an end for each primary by its URL, and one that reaches them all. */
export class MemoryChannel implements WorkerChannel {
  readonly #nodes = new Map<string, MemoryClusterChannel>();

  /** The primary's end of the node with this base URL. */
  node(baseUrl: string): ClusterChannel {
    const known = this.#nodes.get(baseUrl);
    if (known !== undefined) return known;
    const channel = new MemoryClusterChannel();
    this.#nodes.set(baseUrl, channel);
    return channel;
  }

  async connect(
    baseUrl: string,
    handlers: LinkHandlers<PrimaryMessage>,
    signal: AbortSignal,
  ): Promise<ChannelLink<WorkerMessage>> {
    await Promise.resolve();
    signal.throwIfAborted();
    const node = this.#nodes.get(baseUrl);
    if (node === undefined) throw new Error('could not connect: no such node');
    if (node.onLink === undefined) throw new Error('refused: this node is not the primary');
    return node.connect(handlers, signal);
  }

  /** From now on everything on the links of this node is lost without notice. */
  mute(baseUrl: string): void {
    for (const wire of this.#nodes.get(baseUrl)?.wires ?? []) wire.dead = true;
  }

  /** Ends all links of this node on both sides, as when silence was noticed. */
  lose(baseUrl: string, reason: string): void {
    const node = this.#nodes.get(baseUrl);
    for (const wire of node?.wires ?? []) wire.lose(reason);
    node?.wires.clear();
  }
}
