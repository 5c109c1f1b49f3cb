import type { PrimaryMessage, WorkerHello, WorkerMessage } from '@carillon/contract';

/**
 * Fast, lossy messages between workers and the primary. Both sides prove knowledge of the cluster secret
 * before any message passes (fresh nonces from both, so that nothing recorded can be replayed).
 * A link that is silent for too long is closed by either side.
 */
export interface ChannelLink<Out> {
  /** Never throws; dropped when the link is closing. */
  send(message: Out): void;
  close(reason: string): void;
}

export interface LinkHandlers<In> {
  onMessage(message: In): void;
  /** Exactly once; nothing is delivered afterwards. */
  onClose(reason: string): void;
}

/** Worker's end. */
export interface WorkerChannel {
  /**
   * Opens a link to the primary at a base URL. Resolves once authenticated; rejects with the reason
   * (refused, wrong secret, timed out).
   */
  connect(
    baseUrl: string,
    handlers: LinkHandlers<PrimaryMessage>,
    signal: AbortSignal,
  ): Promise<ChannelLink<WorkerMessage>>;
}

/** Primary's end. */
export interface ClusterChannel {
  /**
   * From now on authenticated links are handed over, each with its hello as the first message. Undefined
   * (the default) refuses all links: a node that is not the primary has no workers.
   */
  accept(
    onLink:
      | ((link: ChannelLink<PrimaryMessage>, hello: WorkerHello) => LinkHandlers<WorkerMessage>)
      | undefined,
  ): void;
  /** Closes every open link, so that workers look for the new primary at once. */
  closeLinks(reason: string): void;
}
