export { type ApiDeps, type ApiHandler, createApiHandler } from './api-handler.js';
export { Gate, type GateDeps } from './gate.js';
export { createHttpApp, type HttpApp, type HttpAppDeps } from './http-app.js';
export {
  createHttpServer,
  type HttpLimits,
  type HttpServer,
  type HttpServerDeps,
  type ServerCertificate,
  type UpgradeHandler,
} from './http-server.js';
