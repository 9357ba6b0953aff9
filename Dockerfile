# The functions, each as one file on a base without shell and package manager. Nothing is written at
# run time: run it with a read-only root. Keys and public files are mounted, see
# functions/provisioning/environment.ts for what a process is told.
#
#   docker build --build-arg BUILD=node:24-bookworm-slim@sha256:… \
#                --build-arg BASE=gcr.io/distroless/nodejs24-debian12:nonroot@sha256:… .
#
# Both images are arguments without a default, so that nobody builds on a tag that moved: name digests
# that you have checked.
ARG BUILD
ARG BASE

FROM ${BUILD} AS build
ARG BUILD
ARG BASE
RUN case "$BUILD $BASE" in \
      *@sha256:*\ *@sha256:*) ;; \
      *) echo 'name BUILD and BASE by their digests' >&2; exit 1 ;; \
    esac
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# No script of a package runs, and nothing comes that the lock has no checksum of: the Node is that of
# the image, not the one that the npm package `node` fetches (docs/adr/0002-node-24.md).
RUN npm ci --omit=dev --ignore-scripts --no-fund --no-audit
COPY . .
RUN node scripts/bundle-function.ts --out /out/provision-credentials.cjs \
 && node scripts/bundle-function.ts --function renew-leafnode --out /out/renew-leafnode.cjs

FROM ${BASE}
COPY --from=build /out /app
# The base's `nonroot`, by number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
ENV NODE_ENV=production
# Garbage is collected before it amounts to 100 MB (laptop/functions.ts, docs/benchmarks.md).
ENV NODE_OPTIONS="--max-semi-space-size=2 --max-old-space-size=48" MALLOC_ARENA_MAX=1
# SIGTERM drains: what was asked is still answered.
STOPSIGNAL SIGTERM
# Whoever runs it asks /healthz; a check in here would start a second Node each time.
HEALTHCHECK NONE
CMD ["/app/provision-credentials.cjs"]
