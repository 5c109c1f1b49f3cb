import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments, parse } from 'yaml';
import { settingNames } from '../../../packages/node/src/config/tables/settings.ts';

const root = new URL('../../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');

/** Beside the grace of running jobs: those that have to be killed (10 s), and results to be handed in. */
const leastMarginSec = 15;
const httpApp = read('packages/primary/src/http/http-app.ts');
const servedPaths = [...httpApp.matchAll(/app\.get\('([^']+)'/g)].map(([, path]) => path);

describe('Kubernetes manifests', () => {
  const documents = readdirSync(new URL('docs/kubernetes/', root))
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .flatMap((name) => parseAllDocuments(read(`docs/kubernetes/${name}`)).map((document) => document.toJS()));
  const ofKind = (...kinds) => documents.filter(({ kind }) => kinds.includes(kind));
  const workloads = ofKind('StatefulSet', 'Deployment');
  const named = (kind, name) => ofKind(kind).find(({ metadata }) => metadata.name === name);
  const isSelected = (labels, selector) =>
    Object.entries(selector).every(([name, value]) => labels[name] === value);
  const podsOf = (selector) =>
    workloads.filter(({ spec }) => isSelected(spec.template.metadata.labels, selector));
  const containers = workloads.flatMap(({ metadata, spec }) =>
    spec.template.spec.containers.map((container) => ({ name: metadata.name, container, spec })),
  );
  const nodes = containers.filter(({ container }) => container.image === 'carillon');

  test('there is what is promised, and all of it is in kustomization.yaml', () => {
    const kinds = documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(kinds).toEqual(
      expect.arrayContaining([
        'StatefulSet carillon-primary',
        'Deployment carillon-worker',
        'Service carillon',
        'Service carillon-primary',
        'PodDisruptionBudget carillon-primary',
        'PodDisruptionBudget carillon-worker',
        'Secret carillon-secrets',
      ]),
    );
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const document of documents) expect(typeof document.apiVersion).toBe('string');
    const { resources } = parse(read('docs/kubernetes/kustomization.yaml'));
    const files = readdirSync(new URL('docs/kubernetes/', root)).filter((name) => name.endsWith('.yaml'));
    expect([...resources].sort()).toEqual(files.filter((name) => name !== 'kustomization.yaml').sort());
  });

  test('selectors find pods: of workloads their own, of services and budgets those of one workload', () => {
    for (const { spec } of workloads) {
      expect(isSelected(spec.template.metadata.labels, spec.selector.matchLabels)).toBe(true);
      expect(podsOf(spec.selector.matchLabels)).toHaveLength(1);
    }
    for (const { spec } of ofKind('Service')) expect(podsOf(spec.selector)).toHaveLength(1);
    for (const { spec } of ofKind('PodDisruptionBudget')) {
      expect(podsOf(spec.selector.matchLabels)).toHaveLength(1);
    }
    for (const { spec } of ofKind('StatefulSet')) {
      const service = named('Service', spec.serviceName);
      expect(podsOf(service.spec.selector)).toHaveLength(1);
    }
    expect(named('Service', 'carillon-primary').spec.clusterIP).toBe('None');
  });

  test('ports of services and probes are those of the containers', () => {
    const portsOf = ({ spec }) =>
      spec.template.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));
    for (const { spec } of ofKind('Service')) {
      const [pods] = podsOf(spec.selector);
      for (const { targetPort } of spec.ports) expect(portsOf(pods)).toContain(targetPort);
    }
    for (const { container } of nodes) {
      const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container[name]);
      for (const probe of probes.filter((each) => each?.httpGet !== undefined)) {
        expect(servedPaths).toContain(probe.httpGet.path);
        expect(container.ports.map(({ name }) => name)).toContain(probe.httpGet.port);
      }
    }
  });

  test('settings are settings of Carillon, and what they refer to is there', () => {
    const given = ['data', 'stringData'].flatMap((part) =>
      ofKind('ConfigMap', 'Secret').flatMap((document) => Object.keys(document[part] ?? {})),
    );
    for (const { container } of nodes) {
      const names = (container.env ?? []).map(({ name }) => name);
      expect(names.concat(given).filter((name) => !settingNames.includes(name))).toEqual([]);
      for (const { configMapRef, secretRef } of container.envFrom ?? []) {
        const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap';
        expect(named(kind, (configMapRef ?? secretRef).name)).toBeDefined();
      }
      for (const { valueFrom } of container.env ?? []) {
        const reference = valueFrom?.secretKeyRef;
        if (reference !== undefined) {
          expect(named('Secret', reference.name).stringData).toHaveProperty([reference.key]);
        }
      }
    }
  });

  test('pods get longer to end than their jobs, and run without rights', () => {
    expect(nodes).toHaveLength(2);
    for (const { container, spec } of nodes) {
      const pod = spec.template.spec;
      const env = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
      const [program, seconds] = container.lifecycle.preStop.exec.command;
      expect(program).toBe('sleep');
      const graceSec = env.CARILLON_ROLES === 'primary' ? 0 : Number(env.CARILLON_DRAIN_GRACE);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
        graceSec + Number(seconds) + leastMarginSec,
      );
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('volumes that are mounted are there, the data directory among them', () => {
    for (const { container, spec } of containers) {
      const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
      const volumes = (spec.template.spec.volumes ?? []).map(({ name }) => name);
      for (const { name } of container.volumeMounts) expect([...claims, ...volumes]).toContain(name);
      const directory = (container.env ?? []).find(({ name }) => name === 'CARILLON_DATA_DIR')?.value;
      if (directory !== undefined) {
        expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toContain(directory);
      }
    }
  });
});

describe('docker-compose.yml', () => {
  const { services, volumes } = parse(read('docker-compose.yml'), { merge: true });
  const nodes = Object.entries(services).filter(([, { image }]) => image === 'carillon');

  test('nodes have settings of Carillon, wait for Redis, and get longer to end than their jobs', () => {
    expect(nodes.map(([name]) => name)).toEqual(['primary-1', 'primary-2', 'worker']);
    for (const [, service] of nodes) {
      expect(Object.keys(service.environment).filter((name) => !settingNames.includes(name))).toEqual([]);
      const [, preset] = /:-(\d+)\}/.exec(service.environment.CARILLON_DRAIN_GRACE);
      expect(Number.parseInt(service.stop_grace_period, 10)).toBeGreaterThanOrEqual(
        Number(preset) + leastMarginSec,
      );
      expect(service.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
    }
    for (const name of ['primary-1', 'primary-2']) {
      expect(services[name].environment).toMatchObject({
        CARILLON_NON_PRIMARY: 'forward',
        CARILLON_PUBLIC_URL: `http://${services[name].hostname}:3012`,
      });
    }
  });

  test('a Redis that keeps everything', () => {
    expect(services.redis.command).toContain('--appendonly yes');
    expect(services.redis.command).toContain('--maxmemory-policy noeviction');
    expect(services.redis.healthcheck.test).toEqual(['CMD', 'redis-cli', 'ping']);
  });

  test('HAProxy and Prometheus know exactly the nodes that can be primary', () => {
    const addresses = nodes
      .filter(([, { environment }]) => environment.CARILLON_ROLES === 'primary')
      .map(([, { hostname }]) => `${hostname}:3012`);
    const haproxy = read('docker/haproxy.cfg');
    for (const backend of ['primary', 'ready']) {
      const [, section] = haproxy.split(`\nbackend ${backend}\n`);
      const servers = [...section.split('\nbackend ')[0].matchAll(/^ {4}server \S+ (\S+)/gm)];
      expect(servers.map(([, address]) => address)).toEqual(addresses);
    }
    for (const [, path] of haproxy.matchAll(/httpchk GET (\S+)/g)) expect(servedPaths).toContain(path);
    const prometheus = parse(read('docker/prometheus/prometheus.yml'));
    const [
      {
        job_name: job,
        static_configs: [{ targets }],
      },
    ] = prometheus.scrape_configs;
    expect({ job, targets }).toEqual({ job: 'carillon', targets: addresses });
  });

  test('what is mounted from the checkout exists, and volumes are declared', () => {
    for (const { volumes: mounts = [] } of Object.values(services)) {
      for (const mount of mounts) {
        const [from] = mount.split(':');
        if (from.startsWith('./')) expect(() => readdirOrRead(from)).not.toThrow();
        else expect(Object.keys(volumes)).toContain(from);
      }
    }
  });

  const readdirOrRead = (path) => {
    const url = new URL(path, root);
    try {
      return readFileSync(url);
    } catch (error) {
      if (error.code !== 'EISDIR') throw error;
      return readdirSync(url);
    }
  };
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  test('copies the manifest of every package before it installs', () => {
    const install = lines.findIndex((line) => line.startsWith('RUN npm ci'));
    const copied = lines
      .slice(0, install)
      .flatMap((line) => /^COPY packages\/([^/]+)\/package\.json packages\/\1\/$/.exec(line)?.[1] ?? []);
    expect(copied).toEqual(readdirSync(new URL('packages/', root)).sort());
  });

  test('runs as an ordinary user, is checked, and ends on SIGTERM', () => {
    const last = lines.slice(lines.lastIndexOf(lines.filter((line) => line.startsWith('FROM ')).at(-1)));
    expect(last).toContain('USER node');
    expect(last).toContain('STOPSIGNAL SIGTERM');
    expect(last.find((line) => line.startsWith('HEALTHCHECK'))).toContain('docker/health-check.mjs');
    // The program itself is process 1: a shell in front of it would keep the signal.
    expect(last.find((line) => line.startsWith('ENTRYPOINT'))).toBe(
      'ENTRYPOINT ["node", "packages/node/bin/carillon.js"]',
    );
    expect(read('docker/health-check.mjs')).toContain('/health/live');
  });

  test('what it copies is let through by .dockerignore', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(sources.length).toBeGreaterThan(10);
    for (const source of sources) expect(allowed).toContain(source.split('/')[0]);
  });
});

describe('Prometheus rules and the dashboard', () => {
  test('each alert says what is wrong, how bad it is, and is in docs/operations.md', () => {
    const { groups } = parse(read('docker/prometheus/rules.yml'));
    const alerts = groups.flatMap(({ rules }) => rules);
    expect(alerts.length).toBeGreaterThan(10);
    const text = read('docs/operations.md');
    for (const { alert, expr, labels, annotations } of alerts) {
      expect(expr).toMatch(/job="carillon"/);
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.summary).toBeTruthy();
      expect(text).toContain(`\`${alert}\``);
    }
  });

  test('panels of the dashboard do not overlap, and each has a query', () => {
    const { panels } = JSON.parse(read('docker/grafana/carillon.json'));
    const taken = new Set();
    for (const { gridPos, type, targets } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`)).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
      if (type !== 'row') expect(targets.length).toBeGreaterThan(0);
    }
  });
});
