import { publicUser } from '@carillon/core';
import { bareSuccess } from '../../reply/reply.js';
import { type CallContext, type CallHandlers, textParam } from '../call-context.js';

/** Calls by which users come and go and look after their own account (behaviour reference 2.6). */
export const sessionCalls: CallHandlers = {
  user_login: async ({ office, params, origin }) => {
    const { sessions } = office.accounts;
    const [name, password] = [textParam(params, 'username'), textParam(params, 'password')];
    return JSON.stringify({ code: 0, ...(await sessions.login(name, password, origin)) });
  },

  user_resume_session: ({ office, credential }) => {
    if (credential?.kind !== 'session') return bareSuccess;
    const { text: session_id } = credential;
    return JSON.stringify({ code: 0, ...office.accounts.sessions.resume(credential), session_id });
  },

  user_logout: async ({ office, credential }) => {
    if (credential?.kind === 'session') await office.accounts.sessions.logout(credential);
    return bareSuccess;
  },

  user_update: async (context) => {
    const { office, params, caller, origin } = context;
    const user = await office.accounts.users.updateOwn(params, caller, sessionOf(context), origin);
    return JSON.stringify({ code: 0, user: publicUser(user) });
  },

  user_delete: async ({ office, params, caller, origin }) => {
    await office.accounts.users.deleteOwn(params, caller, origin);
    return bareSuccess;
  },

  user_forgot_password: async ({ office, params }) => {
    const { users } = office.accounts;
    await users.forgotPassword(textParam(params, 'username'), textParam(params, 'email'));
    return bareSuccess;
  },

  user_reset_password: async ({ office, params }) => {
    const [name, password] = [textParam(params, 'username'), textParam(params, 'new_password')];
    await office.accounts.users.resetPassword(name, password, textParam(params, 'key'));
    return bareSuccess;
  },
};

const sessionOf = ({ credential }: CallContext): string => credential?.hash ?? '';
