import type { NoticeContext } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';

/** What notices that are planned now work with. */
export function noticeContext(office: OfficeContext): NoticeContext {
  return {
    settings: office.settings.notices,
    nowMs: office.clock.nowMs(),
    newId: () => office.newId('d'),
  };
}
