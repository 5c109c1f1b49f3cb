import { afterEach, describe, expect, test } from '@jest/globals';
import { planStartNotices, type NoticeContext, defaultNoticeSettings } from '@carillon/core';
import { deliveryRowOf, jobOf } from '@carillon/testkit';
import { stopAll, TestApi } from '../support/api-server.js';
import { FakeOffice } from '../support/fake-office.js';

afterEach(stopAll);

async function start() {
  const office = new FakeOffice();
  for (let n = 1; n <= 60; n += 1) {
    office.deliveryRows.unshift({ ...deliveryRowOf(`d${n}`), job: n % 20 === 0 ? 'j20' : 'j1' });
  }
  return { office, api: await TestApi.start({ office }) };
}

const idsOf = (answer: Record<string, unknown>): string[] =>
  (answer['rows'] as { id: string }[]).map((row) => row.id);

describe('get_deliveries', () => {
  test('answers the newest 50, and how many are on their way', async () => {
    const { office, api } = await start();
    const context: NoticeContext = {
      settings: defaultNoticeSettings({ version: '1', hostname: 'h', zone: 'UTC', baseAppUrl: '' }),
      nowMs: 1,
      newId: () => 'd99',
    };
    for (const delivery of planStartNotices({ ...jobOf('j9').fields, web_hook: 'http://h/' }, context)) {
      office.apply([{ type: 'delivery', delivery }]);
    }
    const answer = await api.get('get_deliveries');
    expect(answer).toMatchObject({ code: 0, list: { length: 60, type: 'list' }, waiting: 1 });
    expect(answer['rows']).toEqual(office.deliveryRows.slice(0, 50));
  });

  test('is paged', async () => {
    const { api } = await start();
    expect(idsOf(await api.get('get_deliveries', 'offset=58&limit=5'))).toEqual(['d2', 'd1']);
    expect(await api.call('get_deliveries', { offset: 70 })).toMatchObject({
      rows: [],
      list: { length: 60 },
    });
  });

  test('answers those of one job', async () => {
    const { api } = await start();
    const answer = await api.call('get_deliveries', { job: 'j20', offset: 1, limit: 1 });
    expect(idsOf(answer)).toEqual(['d40']);
    expect(answer).toMatchObject({ list: { length: 3 } });
    expect(await api.get('get_deliveries', 'job=none')).toMatchObject({ rows: [], list: { length: 0 } });
  });

  test.each([
    ['job=a%20b', /job/],
    ['job=', /job/],
  ])('refuses %s', async (query, text) => {
    const { api } = await start();
    expect(await api.get('get_deliveries', query)).toMatchObject({
      code: 'api',
      description: expect.stringMatching(text),
    });
  });

  test('is for administrators', async () => {
    const { office, api } = await start();
    office.addKey('plain', 'plainkey', { edit_events: 1, run_events: 1 });
    expect(await api.get('get_deliveries', '', { key: 'plainkey' })).toMatchObject({
      code: 'user',
      description: 'User is not an administrator: plain',
    });
  });

  test('says when the store is away', async () => {
    const { office, api } = await start();
    office.storeFault = new Error('no Redis');
    for (const params of [{}, { job: 'j1' }]) {
      expect(await api.call('get_deliveries', params)).toMatchObject({ code: 'unavailable' });
    }
  });
});
