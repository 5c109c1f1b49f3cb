import type { Change } from '@carillon/core';
import { FakeOffice, nowSec } from './fake-office.js';

const stamps = { enabled: 1, created: nowSec, modified: nowSec } as const;

/** An office with the records that the examples of the API reference name. */
export function referenceOffice(): FakeOffice {
  const office = new FakeOffice();
  const changes: Change[] = [
    {
      type: 'put',
      table: 'categories',
      seq: 10,
      record: { id: '43f8c57e', title: 'Test Cat', max_children: 0, ...stamps },
    },
    {
      type: 'put',
      table: 'categories',
      seq: 11,
      record: { id: 'ad8190ff', title: 'Backups', max_children: 0, ...stamps },
    },
    {
      type: 'put',
      table: 'plugins',
      seq: 10,
      record: {
        id: 'test',
        title: 'Test Plugin',
        command: 'bin/test-plugin.js',
        params: ['db_host', 'verbose', 'cust'].map((id) => ({
          id,
          title: id,
          type: 'text',
          size: 10,
          value: '',
        })),
        ...stamps,
      },
    },
  ];
  office.apply(changes);
  office.addMember('n2', 'db1.internal.myserver.com');
  office.addMember('n3', 'db1.int.myserver.com');
  office.addEvent({
    id: '540cf457',
    title: 'Backup Logs to S3',
    enabled: 0,
    category: 'ad8190ff',
    timing: { minutes: [5] },
    params: { script: '#!/bin/sh\n\n/usr/local/bin/s3-backup-logs.pl\n' },
    timezone: 'America/Los_Angeles',
  });
  office.addEvent({
    id: '29bf12db',
    title: 'Rebuild Indexes',
    timing: { minutes: [10] },
    catch_up: 0,
    params: { script: '#!/bin/sh\n\n/usr/local/bin/db-reindex.pl\n' },
    timezone: 'America/Los_Angeles',
  });
  office.addEvent({
    id: '3c182051',
    title: 'Test Event 2',
    category: '43f8c57e',
    plugin: 'test',
    params: { db_host: 'idb01.mycompany.com', verbose: 1, cust: 'Sales' },
  });
  return office;
}
