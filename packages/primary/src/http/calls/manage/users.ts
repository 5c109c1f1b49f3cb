import { CarillonError } from '@carillon/contract';
import { publicUser } from '@carillon/core';
import { bareSuccess } from '../../reply/reply.js';
import { type CallHandlers, textParam } from '../call-context.js';
import { pageJson, readPage } from '../paging.js';

/** Calls about users, for administrators (behaviour reference 2.3, 2.6). */
export const userCalls: CallHandlers = {
  user_admin_get_users: ({ office, params }) => {
    const { offset, limit } = readPage(params, 50);
    const users = office.accounts.users.list();
    const rows = users.slice(offset, offset + limit).map((user) => JSON.stringify(publicUser(user)));
    return pageJson(rows, users.length);
  },

  user_admin_get_user: ({ office, params }) => {
    const name = textParam(params, 'username');
    const user = office.accounts.users.find(name);
    if (user === undefined) throw new CarillonError('user', `Failed to load user: ${name}`);
    return JSON.stringify({ code: 0, user: publicUser(user) });
  },

  user_admin_create: async ({ office, params, caller }) => {
    await office.accounts.users.create(params, caller);
    return bareSuccess;
  },

  user_admin_update: async ({ office, params, caller }) => {
    const user = await office.accounts.users.update(params, caller);
    return JSON.stringify({ code: 0, user: publicUser(user) });
  },

  user_admin_delete: async ({ office, params, caller }) => {
    await office.accounts.users.delete(textParam(params, 'username'), caller);
    return bareSuccess;
  },

  check_user_exists: ({ office, params }) => {
    const exists = office.accounts.users.find(textParam(params, 'username')) !== undefined;
    return JSON.stringify({ code: 0, user_exists: exists });
  },
};
