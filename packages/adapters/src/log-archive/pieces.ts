/** What most logs fit into; a longer piece gets its memory as it fills. */
const firstBytes = 256 * 1024;
const growth = 4;

/**
 * The same bytes in buffers of exactly `size` bytes, the last one shorter; none when there are no bytes. Copies what it
 * gets, so that a source may use its buffer again.
 */
export async function* inPieces(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  const start = Math.min(size, firstBytes);
  let piece: Buffer = Buffer.allocUnsafe(start);
  let filled = 0;
  for await (const chunk of chunks) {
    let taken = 0;
    while (taken < chunk.byteLength) {
      if (filled === piece.length) piece = enlarged(piece, size);
      const part = chunk.subarray(taken, taken + piece.length - filled);
      piece.set(part, filled);
      filled += part.byteLength;
      taken += part.byteLength;
      if (filled === size) {
        yield piece;
        piece = Buffer.allocUnsafe(start);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function enlarged(piece: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.min(size, piece.length * growth));
  larger.set(piece);
  return larger;
}
