/** Limits of the cluster channel. */
export interface ChannelSettings {
  /** From the connection to the end of the handshake, and to the hello. */
  handshakeMs: number;
  /** A link without any traffic for this long is closed. */
  silenceMs: number;
  /** Largest message, bytes; a larger one that comes in closes the link, one that would go out is dropped. */
  mostMessageBytes: number;
  /** A link whose unsent bytes exceed this is cut. */
  mostUnsentBytes: number;
  /** Connections that have not proved themselves yet. */
  mostStrangers: number;
}

export const defaultChannelSettings: ChannelSettings = {
  handshakeMs: 3_000,
  silenceMs: 3_000,
  mostMessageBytes: 4 * 1024 * 1024,
  mostUnsentBytes: 64 * 1024 * 1024,
  mostStrangers: 256,
};

/** Close codes of the channel, beside those of the WebSocket protocol. */
export const closeCodes = {
  ordinary: 4000,
  unauthenticated: 4001,
  invalidMessage: 1008,
  tryElsewhere: 1013,
} as const;

/** A close frame holds at most 123 bytes of reason. */
export function closeReason(reason: string): string {
  const bytes = Buffer.from(reason);
  return bytes.byteLength <= 123
    ? reason
    : `${bytes
        .subarray(0, 119)
        .toString()
        .replace(/\ufffd+$/, '')}…`;
}
