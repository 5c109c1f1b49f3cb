import type { Change, PastChange, PastList } from '@carillon/core';

/** What exports have copied and imports have put aside: the part of the board that only they use. Holds copies only. */
export class MemoryTransfers {
  readonly #stages = new Map<string, Map<number, readonly PastChange[]>>();
  readonly #copies = new Map<string, Map<string, readonly object[]>>();

  stage(stage: string, piece: number, changes: readonly PastChange[]): void {
    const pieces = this.#stages.get(stage) ?? new Map<number, readonly PastChange[]>();
    this.#stages.set(stage, pieces.set(piece, structuredClone(changes)));
  }

  unstage(stage: string): void {
    this.#stages.delete(stage);
  }

  /** True when the commit begins with changes put aside that are not all there. */
  lacks([first]: readonly Change[]): boolean {
    return first?.type === 'staged' && this.#stages.get(first.stage)?.size !== first.pieces;
  }

  /** The changes put aside, in order; they are gone afterwards. */
  take({ stage, pieces }: Extract<Change, { type: 'staged' }>): PastChange[] {
    const staged = this.#stages.get(stage);
    this.#stages.delete(stage);
    return Array.from({ length: pieces }, (_, piece) => staged?.get(piece) ?? []).flat();
  }

  copy({ copy, events }: Extract<Change, { type: 'copy-lists' }>, read: (from: PastList) => object[]): void {
    const lists: PastList[] = [
      { list: 'history' },
      { list: 'activity' },
      { list: 'deliveries' },
      ...events.map((event): PastList => ({ list: 'event', event })),
    ];
    this.#copies.set(copy, new Map(lists.map((from) => [nameOf(from), structuredClone(read(from))])));
  }

  copied(copy: string, from: PastList): readonly object[] {
    return this.#copies.get(copy)?.get(nameOf(from)) ?? [];
  }
}

const nameOf = (list: PastList): string => (list.list === 'event' ? `event ${list.event}` : list.list);
