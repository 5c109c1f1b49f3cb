import { describe, expect, test } from '@jest/globals';
import { type Change } from '@carillon/core';
import { aCategory, aPlugin } from '../support/builders.js';
import { jobOf } from '../support/launching.js';

describe('the job (behaviour reference 3.3 and 5.9)', () => {
  test('a scheduled job: the event without what is not the job’s, and the names of what it belongs to', () => {
    const job = jobOf({
      event: { target: 'web1', notes: 'n', custom: 5, username: 'ann', retries: 2, max_children: 3 },
    });
    expect(job).toEqual({
      state: 'dispatched',
      attempt: 1,
      seq: 100,
      node: 'web1',
      hiddenParams: ['secret'],
      fields: {
        id: 'jnew1',
        event: 'e1',
        event_title: 'Nightly',
        category: 'general',
        category_title: 'General',
        plugin: 'shellplug',
        plugin_title: 'Shell Script',
        target: 'web1',
        nice_target: 'web1',
        params: { script: '#!/bin/sh', secret: 'from plugin' },
        command: 'builtin:shell',
        now: 1_760_000_040,
        hostname: 'web1',
        time_start: 1_760_000_040.25,
        timeout: 0,
        timezone: 'UTC',
        notes: 'n',
        custom: 5,
        retries: 2,
      },
    });
  });

  test('source, caller and further fields of the system are recorded', () => {
    const extra = { source_event: 'e0', chain_code: 0 };
    const request = { source: 'API Key (CI)', api_key: 'k1', extra, now: 7 };
    expect(jobOf({ request }).fields).toMatchObject({
      ...extra,
      source: 'API Key (CI)',
      api_key: 'k1',
      now: 7,
    });
  });

  test('everything in the example of the API reference is honoured', () => {
    const category: Change = {
      type: 'put',
      table: 'categories',
      seq: 2,
      record: aCategory({ id: '43f8c57e', title: 'Other' }),
    };
    const plugin: Change = {
      type: 'put',
      table: 'plugins',
      seq: 2,
      record: aPlugin({ id: 'test', title: 'Test', params: [] }),
    };
    const overrides = {
      category: '43f8c57e',
      cpu_limit: 100,
      cpu_sustain: 0,
      detached: 0,
      log_max_size: 0,
      max_children: 1,
      memory_limit: 0,
      memory_sustain: 0,
      multiplex: 0,
      notify_fail: '',
      notify_success: '',
      params: { db_host: 'idb01.mycompany.com', verbose: 1, cust: 'Marketing' },
      plugin: 'test',
      retries: 0,
      retry_delay: 30,
      target: 'web2',
      timeout: 3600,
      username: 'admin',
      web_hook: 'http://myserver.com/notify-chronos.php',
    };
    const { fields } = jobOf({
      changes: [category, plugin],
      request: { overrides: { ...overrides, title: 'DB Reindex' } },
    });
    expect(fields).toMatchObject({
      ...overrides,
      event_title: 'DB Reindex',
      category_title: 'Other',
      plugin_title: 'Test',
      hostname: 'web2',
    });
    expect(fields).not.toHaveProperty('title');
  });

  test('flags given as booleans are 0 or 1 in the job', () => {
    const overrides = { multiplex: true, detached: false, catch_up: true, queue: false };
    expect(jobOf({ request: { overrides } }).fields).toMatchObject({
      multiplex: 1,
      detached: 0,
      catch_up: 1,
      queue: 0,
    });
  });

  test('control keys of requests and events have no effect', () => {
    const keys = {
      id: 'mine',
      complete: 1,
      code: 0,
      when: 9e9,
      hostname: 'evil',
      cwd: '/',
      uid: 0,
      gid: 0,
      env: { LD_PRELOAD: 'x' },
      command: '/bin/evil',
      event: 'e2',
      event_title: 'x',
      state: 'completed',
      time_start: 1,
      api_key: 'secret',
      session_id: 'secret',
      managed_by: 'team',
      timing: {},
      enabled: 0,
      source: 'me',
      description: 'done',
      abort_reason: 'x',
      pid: 1,
      special_shutdown: true,
      // A job that changes its event does so by its plugin's word alone.
      update_event: { enabled: 0 },
      warning: 'x',
    };
    const plain = jobOf({ event: { target: 'web1' } });
    expect(jobOf({ event: { target: 'web1' }, request: { overrides: keys } })).toEqual(plain);
    const { id: _id, enabled: _enabled, timing: _timing, ...eventKeys } = keys;
    expect(jobOf({ event: { target: 'web1', ...eventKeys } })).toEqual(plain);
  });

  test('keys that look like a prototype change none', () => {
    const overrides: Record<string, unknown> = JSON.parse(
      '{"__proto__": {"polluted": 1}, "params": {"__proto__": {"polluted": 1}}}',
    );
    const { fields } = jobOf({ request: { overrides } });
    expect(fields['polluted']).toBeUndefined();
    expect(fields.params['polluted']).toBeUndefined();
    expect(JSON.stringify(fields)).not.toContain('polluted');
  });

  test('parameters: request over event over plugin; hidden ones are the plugin’s; new ones are passed on', () => {
    const params = [
      { id: 'a', type: 'text', value: 'plugin' },
      { id: 'b', type: 'text', value: 'plugin' },
      { id: 'c', type: 'text', value: 'plugin' },
      { id: 'h', type: 'hidden', value: 'plugin' },
      { id: '__proto__', type: 'hidden', value: { polluted: 1 } },
    ];
    const plugin: Change = { type: 'put', table: 'plugins', seq: 1, record: aPlugin({ params }) };
    const { fields } = jobOf({
      event: { params: { a: 'event', b: 'event', h: 'event' } },
      changes: [plugin],
      request: { overrides: { params: { a: 'request', h: 'request', extra: [1] } } },
    });
    expect(fields.params).toEqual({ a: 'request', b: 'event', c: 'plugin', h: 'plugin', extra: [1] });
  });

  test('post_data is at params.post_data and at post_data', () => {
    const { fields } = jobOf({ request: { overrides: { post_data: { a: [1] } } } });
    expect(fields['post_data']).toEqual({ a: [1] });
    expect(fields.params['post_data']).toEqual({ a: [1] });
  });

  test('now of the request is what the job is told', () => {
    expect(jobOf({ request: { overrides: { now: 12345 } } }).fields.now).toBe(12345);
    expect(jobOf({ request: { overrides: { now: 'x' } } }).fields.now).toBe(1_760_000_040);
  });

  test('the person who asks cannot be overridden', () => {
    const request = { username: 'ann', overrides: { username: 'bob' } };
    expect(jobOf({ request }).fields['username']).toBe('ann');
  });

  test('a category fills in what the job has not', () => {
    const record = aCategory({
      notify_fail: 'cat@x',
      notify_success: 'cat@x',
      web_hook: 'http://cat',
      memory_limit: 10,
      memory_sustain: 5,
      cpu_limit: 50,
      log_max_size: 9,
    });
    const { fields } = jobOf({
      event: { notify_fail: 'ev@x', notify_success: '', memory_limit: 0, memory_sustain: 3, cpu_limit: 20 },
      changes: [{ type: 'put', table: 'categories', seq: 1, record }],
    });
    expect(fields).toMatchObject({
      notify_fail: 'ev@x',
      notify_success: 'cat@x',
      web_hook: 'http://cat',
      memory_limit: 10,
      memory_sustain: 5,
      cpu_limit: 20,
      log_max_size: 9,
    });
    expect(fields).not.toHaveProperty('cpu_sustain');
  });

  test('user, directory and environment come from the plugin', () => {
    const record = aPlugin({ cwd: '/srv', uid: 'app', gid: 7, env: { A: '1' } });
    const { fields } = jobOf({ changes: [{ type: 'put', table: 'plugins', seq: 1, record }] });
    expect(fields).toMatchObject({ cwd: '/srv', uid: 'app', gid: 7, env: { A: '1' } });
  });

  test('the job shares nothing with what it was made from', () => {
    const inner = { deep: [1] };
    const overrides = { custom: inner, params: { inner } };
    const { fields } = jobOf({ event: { stored: inner }, request: { overrides, extra: { more: inner } } });
    inner.deep.push(2);
    for (const copy of [fields['custom'], fields['stored'], fields['more'], fields.params['inner']]) {
      expect(copy).toEqual({ deep: [1] });
    }
  });
});
