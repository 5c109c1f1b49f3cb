import type { Delivery } from '@carillon/contract';
import type { Change, NoticeContext } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';

/** What notices that are planned now work with. */
export function noticeContext(office: OfficeContext): NoticeContext {
  return {
    settings: office.settings.notices,
    nowMs: office.clock.nowMs(),
    newId: () => office.newId('d'),
  };
}

/** Puts deliveries into the outbox, with the changes they tell of. */
export const deliveryChanges = (deliveries: readonly Delivery[]): Change[] =>
  deliveries.map((delivery) => ({ type: 'delivery', delivery }));
