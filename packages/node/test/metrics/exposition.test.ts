import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exposition } from '../../src/metrics/exposition.js';
import { Counter, gauge, Histogram } from '../../src/metrics/instruments.js';
import { parseExposition } from './parse-exposition.js';

describe('exposition', () => {
  test('families are written with HELP and TYPE', () => {
    const jobs = new Counter('jobs_total', 'Jobs', [{ kind: 'a' }]);
    jobs.add(2, { kind: 'a' });
    jobs.add(1, { kind: 'b' });
    expect(exposition([jobs.family(), gauge('up', 'Whether it is up', 1)])).toBe(
      [
        '# HELP jobs_total Jobs',
        '# TYPE jobs_total counter',
        'jobs_total{kind="a"} 2',
        'jobs_total{kind="b"} 1',
        '# HELP up Whether it is up',
        '# TYPE up gauge',
        'up 1',
        '',
      ].join('\n'),
    );
  });

  test('a histogram counts each observation in its bucket and all larger ones', () => {
    const histogram = new Histogram('took_seconds', 'Time', [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value);
    const { samples } = parseExposition(exposition([histogram.family()])).get('took_seconds') ?? {};
    expect([...(samples ?? [])]).toEqual([
      ['took_seconds_bucket{le="0.1"}', 2],
      ['took_seconds_bucket{le="1"}', 3],
      ['took_seconds_bucket{le="+Inf"}', 4],
      ['took_seconds_sum', 7.65],
      ['took_seconds_count', 4],
    ]);
  });

  test('a family without series is left out', () => {
    expect(exposition([gauge('queue', 'Queues', [])])).toBe('');
  });

  test('whatever a label or a help says, the text is well formed', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.double(), (label, help, value) => {
        const text = exposition([gauge('x', `Help ${help}`, [{ labels: { label }, value }])]);
        expect(parseExposition(text).get('x')?.samples.size).toBe(1);
      }),
    );
  });
});

describe('the strict reader', () => {
  test.each([
    ['no end of line', 'x 1'],
    ['no TYPE', '# HELP x y\nx 1\n'],
    ['TYPE first', '# TYPE x gauge\nx 1\n'],
    ['a counter without _total', '# HELP x y\n# TYPE x counter\nx 1\n'],
    ['a gauge with _total', '# HELP x_total y\n# TYPE x_total gauge\nx_total 1\n'],
    ['a series twice', '# HELP x y\n# TYPE x gauge\nx 1\nx 1\n'],
    ['a family twice', '# HELP x y\n# TYPE x gauge\nx 1\n# HELP x y\n# TYPE x gauge\nx{a="1"} 1\n'],
    ['a foreign sample', '# HELP x y\n# TYPE x gauge\nz 1\n'],
    ['milliseconds', '# HELP x_ms y\n# TYPE x_ms gauge\nx_ms 1\n'],
    ['a bad label', '# HELP x y\n# TYPE x gauge\nx{a=1} 1\n'],
    ['no value', '# HELP x y\n# TYPE x gauge\nx undefined\n'],
    ['no +Inf', '# HELP x y\n# TYPE x histogram\nx_bucket{le="1"} 1\nx_sum 1\nx_count 1\n'],
  ])('refuses %s', (_what, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});
