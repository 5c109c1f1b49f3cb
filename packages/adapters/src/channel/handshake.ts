import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Mutual proof that both ends know the cluster secret, which never travels.
 *
 *   server → client   { nonce }             the server's challenge
 *   client → server   { nonce, proof }      the client's challenge and proof
 *   server → client   { proof }             the server's proof; messages may follow
 *
 * A proof is HMAC-SHA256 under the secret over the role of its author and both nonces. Both nonces are fresh, so a
 * recorded transcript proves nothing in another connection; the role keeps one side's proof from being reflected as
 * the other's. The client proves first: a stranger gets no proof to guess the secret from.
 */
export type HandshakeRole = 'client' | 'server';

export interface Nonces {
  server: string;
  client: string;
}

/** Bytes of a nonce. */
export const nonceBytes = 32;
const hex64 = /^[0-9a-f]{64}$/;

export type Challenge = { nonce: string };
export type ClientProof = { nonce: string; proof: string };
export type ServerProof = { proof: string };

/** The proof of one role, lower-case hex. */
export function proofOf(secret: string, role: HandshakeRole, nonces: Nonces): string {
  // All parts have a fixed length or alphabet without the separator, so no two inputs collide.
  return createHmac('sha256', secret)
    .update(`carillon-channel-1|${role}|${nonces.server}|${nonces.client}`)
    .digest('hex');
}

/** Whether `proof` is that of the role; takes equally long wherever it differs. */
export function isProof(proof: string, secret: string, role: HandshakeRole, nonces: Nonces): boolean {
  if (!hex64.test(proof)) return false;
  return timingSafeEqual(Buffer.from(proof, 'hex'), Buffer.from(proofOf(secret, role, nonces), 'hex'));
}

/** Text of an own, well-formed hex field of a JSON object. */
function hexField(text: string, names: readonly string[]): string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const found: string[] = [];
  for (const name of names) {
    const field = fields.get(name);
    if (typeof field !== 'string' || !hex64.test(field)) return undefined;
    found.push(field);
  }
  return found;
}

/** The server's challenge, or undefined when the text is anything else. */
export function parseChallenge(text: string): Challenge | undefined {
  const [nonce] = hexField(text, ['nonce']) ?? [];
  return nonce === undefined ? undefined : { nonce };
}

/** The client's answer, or undefined when the text is anything else. */
export function parseClientProof(text: string): ClientProof | undefined {
  const [nonce, proof] = hexField(text, ['nonce', 'proof']) ?? [];
  return nonce === undefined || proof === undefined ? undefined : { nonce, proof };
}

/** The server's answer, or undefined when the text is anything else. */
export function parseServerProof(text: string): ServerProof | undefined {
  const [proof] = hexField(text, ['proof']) ?? [];
  return proof === undefined ? undefined : { proof };
}
