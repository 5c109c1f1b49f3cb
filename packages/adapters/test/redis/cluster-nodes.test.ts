import { describe, expect, test } from '@jest/globals';
import { ownerOfSlot, readClusterNodes } from '../../src/redis/finder/cluster-nodes.js';

const asked = { host: 'asked', port: 7 };
const read = (...lines: string[]) => readClusterNodes(lines.join('\n'), asked);

describe('CLUSTER NODES', () => {
  test.each([
    [
      'a 127.0.0.1:1@101 master - 0 0 3 connected 0-5 7',
      [
        { host: '127.0.0.1', port: 1 },
        true,
        false,
        3,
        [
          [0, 5],
          [7, 7],
        ],
      ],
    ],
    ['a ::1:1@101 slave b 0 0 3 connected', [{ host: '::1', port: 1 }, false, false, 3, []]],
    [
      'a 10.0.0.1:1@101,name.example master - 0 0 3 connected',
      [{ host: 'name.example', port: 1 }, true, false, 3, []],
    ],
    [
      'a 10.0.0.1:1@101,,shard-id=x master - 0 0 3 connected',
      [{ host: '10.0.0.1', port: 1 }, true, false, 3, []],
    ],
    ['a 10.0.0.1:1@101,? master - 0 0 3 connected', [{ host: '10.0.0.1', port: 1 }, true, false, 3, []]],
    ['a :1@101 myself,master - 0 0 3 connected', [{ host: 'asked', port: 1 }, true, false, 3, []]],
    ['a :0@0 myself,master - 0 0 0 connected', [{ host: 'asked', port: 7 }, true, false, 0, []]],
    ['a h:1@101 master,fail - 0 0 3 disconnected 0-5', [{ host: 'h', port: 1 }, true, true, 3, [[0, 5]]]],
    ['a h:1@101 master,fail? - 0 0 3 disconnected', [{ host: 'h', port: 1 }, true, false, 3, []]],
    ['a h:1@101 master - 0 0 3 connected 93 [93->-b]', [{ host: 'h', port: 1 }, true, false, 3, [[93, 93]]]],
    ['a h:1@101 master - 0 0 3 connected [93-<-b]', [{ host: 'h', port: 1 }, true, false, 3, []]],
  ] as const)('%s', (line, [address, isMaster, isGone, epoch, slots]) => {
    expect(read(line)).toEqual([{ address, isMaster, isGone, epoch, slots }]);
  });

  test.each(['', 'garbage', 'a :0@0 master,noaddr - 0 0 0 disconnected'])('%j is no server', (line) => {
    expect(read(line)).toEqual([]);
  });
});

describe('who has a slot', () => {
  const old = 'a h:1@9 master - 0 0 3 connected 0-5';
  const failed = 'a h:1@9 master,fail - 0 0 3 connected 0-5';
  const next = 'b h:2@9 master - 0 0 4 connected 0-5';
  test.each([
    ['nobody', [], undefined],
    ['another slot', ['a h:1@9 master - 0 0 3 connected 0-4'], undefined],
    ['a replica of whoever has it', ['a h:1@9 slave b 0 0 3 connected 0-5'], undefined],
    ['one', [old], 1],
    ['the later claim', [old, next], 2],
    ['the later claim, whoever says so first', [next, old], 2],
    ['one that failed for all', [failed, failed], undefined],
    ['one that failed for some only', [failed, old], 1],
    ['one that failed before another came', [failed, next, old], 2],
  ])('%s', (_, lines, port) => {
    expect(ownerOfSlot(read(...lines), 5)?.address.port).toBe(port);
  });
});
