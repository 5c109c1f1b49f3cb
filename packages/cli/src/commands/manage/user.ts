import type { CallAnswer } from '@carillon/contract';
import type { Command } from 'commander';
import { CommandError, UsageError } from '../../failures.js';
import { formatTime } from '../../format/quantities.js';
import { type Column, formatPairs, formatTable, printable } from '../../format/table.js';
import { tableWidth } from '../../format/width.js';
import { collect } from '../../options.js';
import type { Action, CommandRun, Session } from '../../session.js';
import { checkPrivileges } from './privilege-names.js';

type User = CallAnswer<'user_admin_get_user'>['user'];

const shortestPassword = 8;
/** Users fetched with one call. */
const pageSize = 500;

/** `user list|show|create|edit|delete|reset`. */
export function addUserCommands(program: Command, run: CommandRun): void {
  const user = program.command('user').description('people who log in; programs use API keys');
  user.command('list').description('list users').action(run.action(listUsers));
  user.command('show <user>').description('one user, by name').action(run.action(showUser));
  withSettings(user.command('create <user>'))
    .description('create a user; the password is asked for, or read from standard input')
    .option('--admin', 'may do everything')
    .action(run.action(createUser));
  withSettings(user.command('edit <user>'))
    .description('change what is given about a user')
    .option('--deny <privilege>', 'take a privilege away; may be repeated', collect)
    .option('--password', 'ask for a new password; ends all sessions of the user')
    .option('--unlock', 'lift the lock after failed logins')
    .option('--enable', 'let the user log in')
    .option('--disable', 'end all sessions of the user and refuse logins')
    .action(run.action(editUser));
  user.command('delete <users...>').description('delete users, by name').action(run.action(deleteUsers));
  user
    .command('reset <user>')
    .description('set a new password with the key of a recovery mail; needs no API key')
    .requiredOption('--recovery-key <key>', 'from the mail')
    .action(run.action(resetPassword));
}

const withSettings = (command: Command): Command =>
  command
    .option('--full-name <name>', 'as it is shown')
    .option('--email <address>', 'for recovery mails')
    .option('--allow <privilege>', 'such as run_events, cat_limit or cat_ID; may be repeated', collect);

const stateOf = (user: User): string => {
  if (user.active !== 1) return 'disabled';
  if (user.force_password_reset === 1) return 'locked';
  return user.locked_until === undefined ? 'active' : 'locked for a time';
};

const privilegesOf = (user: User): string[] =>
  Object.entries(user.privileges).flatMap(([name, granted]) => (granted ? [name] : []));

const columnsFor = (timeZone: string | undefined): Column<User>[] => [
  { title: 'USER', value: (user) => user.username },
  { title: 'NAME', value: (user) => user.full_name, cut: true },
  { title: 'E-MAIL', value: (user) => user.email, cut: true },
  { title: 'STATE', value: stateOf },
  { title: 'CREATED', value: (user) => formatTime(user.created, timeZone) },
  { title: 'MAY', value: (user) => privilegesOf(user).join(', '), cut: true },
];

const listUsers: Action = async (session) => {
  const users: User[] = [];
  for (let length = 1; users.length < length; ) {
    const page = await session.client.userAdminGetUsers({ offset: users.length, limit: pageSize });
    users.push(...page.rows);
    length = page.rows.length === 0 ? 0 : page.list.length;
  }
  if (session.json) return session.printJson(users);
  if (users.length === 0) return session.note('There are no users: create one with: carillon user create');
  session.print(formatTable(users, columnsFor(session.io.timeZone), tableWidth(session.io)));
};

const showUser: Action = async (session, username = '') => {
  const { user } = await session.client.userAdminGetUser({ username });
  if (session.json) return session.printJson(user);
  const pairs = Object.entries(user).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  session.print(formatPairs(pairs));
};

const createUser: Action = async (session, username = '') => {
  const { options, client } = session;
  const allowed = [...checkPrivileges(options.list('allow')), ...(options.flag('admin') ? ['admin'] : [])];
  const password = await askPassword(session, `Password for ${username}: `);
  await client.userAdminCreate({
    username,
    password,
    ...namesOf(session),
    ...(allowed.length === 0 ? {} : { privileges: Object.fromEntries(allowed.map((name) => [name, 1])) }),
  });
  if (session.json) return session.printJson({ username });
  session.print(`Created user ${printable(username)}`);
};

const editUser: Action = async (session, username = '') => {
  const { options, client } = session;
  if (options.flag('enable') && options.flag('disable')) throw new UsageError('Say --enable or --disable');
  const [allowed, denied] = [checkPrivileges(options.list('allow')), options.list('deny')];
  const changes = {
    ...namesOf(session),
    ...(options.flag('enable') ? { active: 1 } : {}),
    ...(options.flag('disable') ? { active: 0 } : {}),
    ...(options.flag('unlock') ? { unlock: 1 } : {}),
    ...(allowed.length + denied.length === 0
      ? {}
      : { privileges: await changedPrivileges(session, username, allowed, denied) }),
    ...(options.flag('password')
      ? { new_password: await askPassword(session, `New password for ${username}: `) }
      : {}),
  };
  if (Object.keys(changes).length === 0) throw new UsageError('Say what is to be changed; see --help');
  const { user } = await client.userAdminUpdate({ username, ...changes });
  if (session.json) return session.printJson(user);
  session.print(`Changed user ${printable(user.username)}`);
};

/** The API replaces privileges as a whole. */
async function changedPrivileges(
  { client }: Session,
  username: string,
  allowed: readonly string[],
  denied: readonly string[],
): Promise<Record<string, number>> {
  const { user } = await client.userAdminGetUser({ username });
  const names = new Set([...privilegesOf(user), ...allowed]);
  for (const name of denied) names.delete(name);
  return Object.fromEntries([...names].map((name) => [name, 1]));
}

const deleteUsers: Action = async (session, ...names) => {
  for (const username of new Set(names)) {
    await session.client.userAdminDelete({ username });
    if (!session.json) session.print(`Deleted user ${printable(username)}`);
  }
  if (session.json) session.printJson({ usernames: [...new Set(names)] });
};

const resetPassword: Action = async (session, username = '') => {
  const key = session.options.text('recoveryKey') ?? '';
  const password = await askPassword(session, `New password for ${username}: `);
  await session.client.userResetPassword({ username, new_password: password, key });
  if (session.json) return session.printJson({ username });
  session.print(`The new password of ${printable(username)} counts from now on`);
};

function namesOf({ options }: Session): { full_name?: string; email?: string } {
  const [fullName, email] = [options.text('fullName'), options.text('email')];
  return {
    ...(fullName === undefined ? {} : { full_name: fullName }),
    ...(email === undefined ? {} : { email }),
  };
}

/** Never from the command line, which others on the machine can read. */
async function askPassword({ io }: Session, prompt: string): Promise<string> {
  if (io.readSecret === undefined) throw new CommandError('There is nobody to ask for the password');
  const password = await io.readSecret(prompt);
  if (password.length < shortestPassword) {
    throw new CommandError(`A password has at least ${shortestPassword} characters`);
  }
  return password;
}
