export { type ApiDeps, type ApiHandler, createApiHandler } from './api-handler.js';
export { createHttpApp, type HttpApp, type HttpAppDeps } from './http-app.js';
export {
  createHttpServer,
  type HttpServer,
  type HttpServerDeps,
  type UpgradeHandler,
} from './http-server.js';
