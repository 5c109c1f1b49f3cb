import type { CallAnswer, CallParams } from '@carillon/contract';
import type { RecordKind } from './record-commands.js';

type Category = CallAnswer<'get_categories'>['rows'][number];
type Plugin = CallAnswer<'get_plugins'>['rows'][number];
type ServerGroup = CallAnswer<'get_server_groups'>['rows'][number];

// What a person has put into a file goes to the server as it is: the server checks it and says what is wrong.

export const categoryKind: RecordKind<Category> = {
  command: 'category',
  noun: 'category',
  plural: 'categories',
  columns: [
    { title: 'ID', value: (category) => category.id },
    { title: 'TITLE', value: (category) => category.title, cut: true },
    { title: 'STATE', value: (category) => (category.enabled === 1 ? 'on' : 'off') },
    { title: 'MOST JOBS', value: (category) => category.max_children || 'any', right: true },
    { title: 'DESCRIPTION', value: (category) => category.description, cut: true },
  ],
  presets: { max_children: 0 },
  list: async (client) => (await client.getCategories()).rows,
  create: (client, fields) => client.createCategory(fields as CallParams<'create_category'>),
  update: (client, fields) => client.updateCategory(fields as CallParams<'update_category'>),
  remove: (client, id) => client.deleteCategory({ id }),
  hasJobs: true,
};

export const pluginKind: RecordKind<Plugin> = {
  command: 'plugin',
  noun: 'plugin',
  plural: 'plugins',
  columns: [
    { title: 'ID', value: (plugin) => plugin.id },
    { title: 'TITLE', value: (plugin) => plugin.title, cut: true },
    { title: 'STATE', value: (plugin) => (plugin.enabled === 1 ? 'on' : 'off') },
    { title: 'COMMAND', value: (plugin) => plugin.command, cut: true },
    { title: 'PARAMETERS', value: (plugin) => plugin.params.map((param) => param.id).join(', '), cut: true },
  ],
  presets: { params: [] },
  list: async (client) => (await client.getPlugins()).rows,
  create: (client, fields) => client.createPlugin(fields as CallParams<'create_plugin'>),
  update: (client, fields) => client.updatePlugin(fields as CallParams<'update_plugin'>),
  remove: (client, id) => client.deletePlugin({ id }),
  hasJobs: true,
};

export const serverGroupKind: RecordKind<ServerGroup> = {
  command: 'group',
  noun: 'server group',
  plural: 'server groups',
  columns: [
    { title: 'ID', value: (group) => group.id },
    { title: 'TITLE', value: (group) => group.title, cut: true },
    { title: 'HOST NAMES', value: (group) => group.regexp, cut: true },
  ],
  presets: {},
  list: async (client) => (await client.getServerGroups()).rows,
  create: (client, fields) => client.createServerGroup(fields as CallParams<'create_server_group'>),
  update: (client, fields) => client.updateServerGroup(fields as CallParams<'update_server_group'>),
  remove: (client, id) => client.deleteServerGroup({ id }),
  hasJobs: false,
};
