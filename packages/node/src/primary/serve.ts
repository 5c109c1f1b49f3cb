import { HmacSeal } from '@carillon/adapters';
import type { Cancel, Clock, Logger } from '@carillon/core';
import {
  createApiHandler,
  createHttpApp,
  createHttpServer,
  Gate,
  type HttpServer,
  LiveServer,
  type Primary,
  type UpgradeHandler,
} from '@carillon/primary';
import type { Config } from '../config/index.js';
import { type Certificates, followCertificate } from '../start/certificates.js';
import { digest, random } from '../start/services.js';
import { version } from '../start/version.js';

export interface ServeDeps {
  config: Config;
  certificates: Certificates;
  log: Logger;
  /** The cluster secret. */
  secret: string;
}

/** What is served. */
export interface Served {
  clock: Clock;
  primary: Primary;
  channel: { handleUpgrade: UpgradeHandler };
  checkReady: () => Promise<void>;
  metrics: () => string;
}

export interface Serving {
  /** Rejects with a message for people when the address cannot be used. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** Requests under way when the node stops get this long. */
const closeWithinMs = 5_000;

/** The node's HTTP server: the API first, then everything else; and the live channel, whose clients count as the API's. */
export function serve({ config, certificates, log, secret }: ServeDeps, served: Served): Serving {
  const { clock, primary, channel, checkReady, metrics } = served;
  const gate = openGate(config, clock, secret);
  const live = new LiveServer({
    standing: primary,
    source: () => primary.office(),
    digest,
    clock,
    log,
    gate,
  });
  const api = createApiHandler({
    standing: primary,
    nonPrimary: config.nonPrimary,
    digest,
    clock,
    random,
    log,
    maxBodyBytes: config.http.maxBodyBytes,
    gate,
    ca: certificates.ca,
  });
  const app = createHttpApp({ standing: primary, clock, log, version, checkReady, metrics });
  const http = createHttpServer({
    api,
    app,
    upgrades: [channel, live].map(
      (end): UpgradeHandler =>
        (request, socket, head) =>
          end.handleUpgrade(request, socket, head),
    ),
    clock,
    log,
    certificate: certificates.own,
  });
  let unfollow: Cancel = () => undefined;
  return {
    listen: async () => {
      await http.listen(config.http.port, config.http.host).catch((error: unknown) => {
        throw listenProblem(error, config);
      });
      unfollow = followOwn({ config, certificates, log }, http, clock);
    },
    close: async () => {
      unfollow();
      live.close();
      await http.close(closeWithinMs);
    },
  };
}

/** Limits by the settings; at once twice as many as in a second, and half a minute's worth of failures. */
function openGate({ http: { limits, trustedProxies } }: Config, clock: Clock, secret: string): Gate {
  const perSec = (rate: number) => (rate === 0 ? undefined : { perSec: rate, burst: 2 * rate });
  const [perCaller, perAddress] = [perSec(limits.perKeyPerSec), perSec(limits.perAddressPerSec)];
  const perMin = limits.failedAuthPerMin;
  const failures = { perSec: perMin / 60, burst: Math.ceil(perMin / 2) };
  return new Gate({
    rules: {
      ...(perCaller === undefined ? {} : { perCaller }),
      ...(perAddress === undefined ? {} : { perAddress }),
      ...(perMin === 0 ? {} : { failures }),
    },
    trustedProxies,
    seal: new HmacSeal(secret, 'carillon-forward-1'),
    clock,
  });
}

function followOwn(
  { config, certificates, log }: Omit<ServeDeps, 'secret'>,
  http: HttpServer,
  clock: Clock,
): Cancel {
  const { tls } = config.http;
  if (tls === undefined || certificates.own === undefined) return () => undefined;
  return followCertificate(tls, certificates.own, (renewed) => http.renewCertificate(renewed), clock, log);
}

function listenProblem(error: unknown, config: Config): unknown {
  const { host, port } = config.http;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new Error(
      `Port ${port} on ${host} is in use: stop the other program, or choose another port with --port or CARILLON_HTTP_PORT`,
    );
  }
  if (code === 'EADDRNOTAVAIL')
    return new Error(`${host} is not an address of this machine: CARILLON_HTTP_HOST`);
  if (code === 'EACCES')
    return new Error(`Port ${port} needs more rights; set CARILLON_HTTP_PORT to 1024 or more`);
  return error;
}
