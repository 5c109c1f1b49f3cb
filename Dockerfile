FROM node:22-bookworm-slim AS build
WORKDIR /app
# The manifests first: the packages are installed again only when one of these changes.
COPY package.json package-lock.json .npmrc ./
COPY packages/adapters/package.json packages/adapters/
COPY packages/cli/package.json packages/cli/
COPY packages/client/package.json packages/client/
COPY packages/contract/package.json packages/contract/
COPY packages/core/package.json packages/core/
COPY packages/node/package.json packages/node/
COPY packages/node/bin packages/node/bin
COPY packages/plugins/package.json packages/plugins/
COPY packages/primary/package.json packages/primary/
COPY packages/testkit/package.json packages/testkit/
COPY packages/worker/package.json packages/worker/
RUN npm ci --ignore-scripts
COPY tsconfig.base.json ./
COPY packages packages
COPY scripts/bundle.mjs scripts/
RUN node scripts/bundle.mjs
# The testkit is a workspace of its own: without it nothing needs the test tools any more.
RUN rm -rf packages/testkit node_modules/@carillon/testkit \
  && npm prune --omit=dev --ignore-scripts \
  && rm -rf packages/*/src packages/*/tsconfig.json

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production \
    CARILLON_HTTP_HOST=0.0.0.0 \
    CARILLON_DATA_DIR=/data
RUN mkdir /data && chown node:node /data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY docker/health-check.mjs docker/
USER node
EXPOSE 3012
# A node that is told to stop hands over and drains; give it more than CARILLON_DRAIN_GRACE.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 CMD ["node", "docker/health-check.mjs"]
ENTRYPOINT ["node", "packages/node/bin/carillon.js"]
CMD ["start"]
